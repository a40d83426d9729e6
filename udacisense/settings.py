"""One table of settings: name, default, unit, help. Each can be set as UDACISENSE_<NAME> in the environment."""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from udacisense.errors import SettingError
from udacisense.foreign import sentences
from udacisense.ranges import BATCH, SEED, THREADS

PROJECT = Path(__file__).resolve().parents[1]
"""The folder that the package lies in: the checkout, or the packages' folder where it was installed from a wheel."""

CHECKOUT = (PROJECT / "pyproject.toml").is_file()

SHARED = PROJECT if CHECKOUT else Path(sys.prefix, "share", "udacisense")
"""Where recipes/, pipelines/, benchmarks/protocols/, readiness.toml and the app lie."""


PREFIX = "UDACISENSE_"


class Settings(BaseSettings):
    """Every setting of the product; `python -m udacisense env` prints them with their help."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, allow_inf_nan=False, hide_input_in_errors=True
    )

    home: Path = Field(
        PROJECT if CHECKOUT else Path(),
        description="folder that holds models/, results/ and data/; installed from a wheel, where you stand",
    )
    data_dir: Path | None = Field(None, description="folder with <split>/<class>/*.png or <class>/*.png; overrides CIFAR-100")
    pretrain_file: Path | None = Field(
        None, description=".npz with x (N, 32, 32, 3) uint8 and y (N) of the other CIFAR-100 classes, for pretraining"
    )
    seed: int = Field(42, ge=SEED.low, le=SEED.high, description="seed of every random draw")
    threads: int = Field(1, ge=1, le=THREADS.high, description="CPU threads of a timed runtime")
    eval_batch: int = Field(32, ge=1, le=BATCH.high, description="images a batch in evaluation")
    max_upload_pixels: int = Field(
        16_000_000, ge=1, le=10**10, description="largest decoded image, pixels; a larger file is read smaller"
    )
    job_timeout_s: float = Field(3600.0, gt=0, le=2_592_000.0, description="longest time a background job may take, seconds")
    follow_links: bool = Field(False, description="follow links in models/, results/ and the images that lead out of them")
    rules_file: Path = Field(SHARED / "readiness.toml", description="readiness rules")

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        """Records keep paths relative to home, which needs one spelling of it wherever the process stands."""
        return home.absolute()

    @property
    def models_dir(self) -> Path:
        """Checkpoints, cards and mobile artifacts."""
        return self.home / "models"

    @property
    def results_dir(self) -> Path:
        """Records and raw predictions."""
        return self.home / "results"

    @property
    def cache_dir(self) -> Path:
        """Downloaded CIFAR-100; never committed."""
        return self.home / "data"

    @property
    def jobs_dir(self) -> Path:
        """Progress, log and result of each background job; never committed."""
        return self.home / ".udacisense" / "jobs"


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process; `settings.cache_clear()` reads the environment again.

    Raises:
        SettingError: a value of the environment is no number, not finite or out of range.
    """
    try:
        return Settings()
    except ValidationError as exc:
        first = exc.errors()[0]
        name = f"{PREFIX}{'_'.join(map(str, first['loc']))}".upper()
        meant = Settings.model_fields[str(first["loc"][0])].description
        said = sentences(f"{name} cannot be used: {first['msg']}", f"It is the {meant}", "Mend or unset it.")
        raise SettingError(said) from exc
