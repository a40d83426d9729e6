"""A training recipe: a TOML file that says everything a run depends on."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from udacisense.errors import RecipeError
from udacisense.ranges import SEED
from udacisense.settings import SHARED
from udacisense.toml_file import TomlKind, parse, read
from udacisense.training.transfer_recipe import TransferRecipe

Seed = Annotated[int, Field(ge=SEED.low, le=SEED.high)]
RECIPES_DIR = SHARED / "recipes"
RECIPE = TomlKind("a recipe", "See recipes/baseline.toml for every key.", "stage")


class TrainingStage(BaseModel):
    """One stretch of training: which images, at which size, for how long, with which optimiser settings."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str
    data: Literal["cifar100-all", "household"] = Field(description="which training images; never a household test image")
    input_px: int = Field(ge=32, le=320, description="side of the square the network sees")
    epochs: int = Field(ge=1, le=100_000)
    batch: int = Field(ge=2, le=65_536)
    lr: float = Field(gt=0, le=100, description="peak learning rate of the one-cycle schedule")
    weight_decay: float = Field(0.02, ge=0, le=100)
    warmup_share: float = Field(0.15, gt=0, lt=1, description="share of the steps in which the learning rate rises")
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    min_crop: float = Field(0.7, gt=0, le=1, description="smallest side of a random crop, as a share of the image")
    jitter: float = Field(0.2, ge=0, lt=1, description="largest relative change of brightness and contrast")
    ema_decay: float = Field(0.998, ge=0, lt=1, description="decay of the averaged weights; 0 = no averaging")
    distil: float = Field(0.0, ge=0, le=1, description="share of the teacher's answers in the loss; 0 = no teacher")
    temperature: float = Field(2.0, gt=0, le=1000, description="softness of the teacher's answers")
    feature_distil: float = Field(
        0.0, ge=0, le=1000, description="weight of the distance to the teacher's features; 0 = not taught so"
    )
    mixup: float = Field(0.0, ge=0, le=100, description="alpha of mixup; 0 = no blends of two images")
    cutmix: float = Field(0.0, ge=0, le=100, description="alpha of cutmix; 0 = no pasted images")


class TrainingRecipe(BaseModel):
    """A whole run. `validation_per_class` images are held out of the household training images to choose by."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str
    technique: str
    remark: str = Field("", description="what a reader of the model card should know about this training")
    seed: Seed = 42
    pretraining_seed: Seed | None = Field(
        None, description="seed of the pretraining stages, which trainings with several seeds then share; None = the seed"
    )
    dropout: float = Field(0.2, ge=0, lt=1)
    validation_per_class: int = Field(50, ge=1, le=100_000)
    initial: Literal["random", "imagenet"] = Field(
        "random",
        description="weights to begin with: torchvision's ImageNet weights (pretraining stages are then left out; they are run "
        "where the weights cannot be had), or random ones",
    )
    teacher: Literal["efficientnet-lite0"] | None = Field(None, description="ImageNet network whose answers are distilled")
    stage: tuple[TrainingStage, ...] = Field(min_length=1)

    def seed_of(self, stage: TrainingStage) -> int:
        """The seed that a stage's draws begin with."""
        shared = self.pretraining_seed if stage.data == "cifar100-all" else None
        return self.seed if shared is None else shared

    @model_validator(mode="after")
    def _only_taught_where_there_is_a_teacher(self) -> Self:
        for stage in self.stage:
            if (stage.distil or stage.feature_distil) and self.teacher is None:
                raise ValueError(f"stage {stage.name!r} distils, but the recipe names no teacher")
            if stage.distil and stage.data != "household":
                raise ValueError(f"stage {stage.name!r} distils, but the teacher knows the household classes only")
        return self


def load_recipe(name_or_path: str) -> TrainingRecipe | TransferRecipe:
    """The recipe of that name in recipes/, or the file at that path: a transfer's where it says kind = "transfer".

    Raises:
        RecipeError: no such recipe, not TOML, or a key or value that a recipe does not have.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = RECIPES_DIR / f"{name_or_path}.toml"
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in RECIPES_DIR.glob("*.toml"))) or "none"
        raise RecipeError(f"There is no recipe {name_or_path!r}: {path} does not exist. Recipes here: {known}.")
    raw = read(path, RECIPE)
    try:
        kind = tomllib.loads(raw.decode()).get("kind")
    except (ValueError, RecursionError):
        kind = None  # told where it is parsed as a recipe
    return parse(raw, path, TransferRecipe, RECIPE) if kind == "transfer" else parse(raw, path, TrainingRecipe, RECIPE)
