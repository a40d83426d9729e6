"""The readiness rules: readiness.toml read and checked."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from udacisense.errors import RecipeError

Measure = Literal["sameness", "accuracy_change", "accuracy_loss", "size_increase", "size_saving", "latency", "time_saving"]
Against = Literal["checkpoint", "baseline"]
Bound = Literal["below", "at_least"]


class Rule(BaseModel):
    """One table of readiness.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(min_length=1)
    measure: Measure
    against: Against | None = None
    bound: Bound | None = None
    limit: float | None = Field(None, allow_inf_nan=False)
    unit: str = Field(min_length=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.measure == "sameness":
            if self.limit is not None or self.bound is not None:
                raise ValueError("sameness takes no limit and no bound: verify has its own")
            if self.against != "checkpoint":
                raise ValueError('sameness needs against = "checkpoint"')
        elif self.limit is None or self.bound is None:
            raise ValueError(f"{self.measure} needs a limit and a bound")
        if (self.measure == "latency") != (self.against is None):
            raise ValueError("every measure but latency needs against, and latency takes none")
        return self


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of a file, in its order."""

    rules: dict[str, Rule]
    sha256: str  # of the file, so that a verdict names the rules it was made by


def load_rules(path: Path) -> Rules:
    """The rules in a TOML file.

    Raises:
        RecipeError: the file is missing, is not TOML, has no rule, or a rule has a mistake.
    """
    try:
        raw = path.read_bytes()
        plain = tomllib.loads(raw.decode("utf-8"))
    except OSError as exc:
        raise RecipeError(f"The readiness rules {path} cannot be read: {exc.strerror}. Set UDACISENSE_RULES_FILE.") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise RecipeError(f"The readiness rules {path} are not TOML: {exc}. Mend that line.") from exc
    if not plain:
        raise RecipeError(f"The readiness rules {path} hold no rule, so anything would pass. Add one, or restore the file.")
    try:
        rules = TypeAdapter(dict[str, Rule]).validate_python(plain)
    except ValidationError as exc:
        first = exc.errors()[0]
        where = " / ".join(map(str, first["loc"]))
        raise RecipeError(f"The readiness rules {path} have a mistake at {where}: {first['msg']}. Mend it.") from exc
    return Rules(rules, hashlib.sha256(raw).hexdigest())
