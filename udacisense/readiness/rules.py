"""The readiness rules: readiness.toml read and checked."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from udacisense.errors import RecipeError
from udacisense.foreign import in_brief, sentences

Measure = Literal["sameness", "accuracy_change", "accuracy_loss", "size_increase", "size_saving", "latency", "time_saving"]
Against = Literal["checkpoint", "baseline"]
Bound = Literal["below", "at_least"]


@dataclass(frozen=True, slots=True)
class Scale:
    """Scale of a measure: its unit, the good side of a limit, and the range of limits that make sense."""

    unit: str
    bound: Bound
    low: float
    high: float


FAR = 1e7  # beyond every limit that can be meant; each measure has narrower bounds of its own
SCALES: dict[Measure, Scale] = {
    "accuracy_change": Scale("pp", "below", 0.0, 100.0),
    "accuracy_loss": Scale("pp", "below", -100.0, 100.0),
    "size_increase": Scale("%", "below", -100.0, 10_000.0),
    "size_saving": Scale("%", "at_least", -10_000.0, 100.0),
    "latency": Scale("ms", "below", 0.0, 3_600_000.0),
    "time_saving": Scale("%", "at_least", -10_000.0, 100.0),
}
"""Every measure that a limit is held against."""

SHIPPED: dict[str, tuple[Measure, Against | None]] = {
    "same_model": ("sameness", "checkpoint"),
    "accuracy_kept": ("accuracy_change", "checkpoint"),
    "size_kept": ("size_increase", "checkpoint"),
    "latency": ("latency", None),
    "smaller_than_baseline": ("size_saving", "baseline"),
    "faster_than_baseline": ("time_saving", "baseline"),
    "accuracy_near_baseline": ("accuracy_loss", "baseline"),
}
"""What the product's own rules measure, by name: a file without one of them is told so."""


class Rule(BaseModel):
    """One table of readiness.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    title: str = Field(min_length=1)
    measure: Measure
    against: Against | None = None
    bound: Bound | None = None
    limit: float | None = Field(None, strict=True, ge=-FAR, le=FAR)  # "1.0" is a word, not a number
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
        self._check_scale()
        return self

    def _check_scale(self) -> None:
        scale = SCALES.get(self.measure)
        if scale is None or self.limit is None:
            return
        if self.unit != scale.unit:
            raise ValueError(f'{self.measure} is measured in {scale.unit}: write unit = "{scale.unit}"')
        if self.bound != scale.bound:
            raise ValueError(f'a good {self.measure} lies {_words(scale.bound)} its limit: write bound = "{scale.bound}"')
        if not scale.low <= self.limit <= scale.high:
            raise ValueError(
                f"limit must be a number from {scale.low:,.10g} to {scale.high:,.10g} {scale.unit}, and {self.limit:g} is not"
            )


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of a file, in its order."""

    rules: dict[str, Rule]
    sha256: str  # of the file, so that a verdict names the rules it was made by

    @property
    def left_out(self) -> tuple[str, ...]:
        """The product's own rules that the file does not have, under whatever name."""
        here = {(rule.measure, rule.against) for rule in self.rules.values()}
        return tuple(name for name, measured in SHIPPED.items() if measured not in here)


def left_out_words(names: Sequence[str]) -> str:
    """A sentence on the product's rules that a verdict was made without; empty where none is missing."""
    if not names:
        return ""
    what, them = ("rule", "it") if len(names) == 1 else ("rules", "them")
    return f"The rules file leaves out {len(names)} {what} of the product: {', '.join(names)}. Nothing was judged by {them}."


def _words(bound: Bound) -> str:
    return "below" if bound == "below" else "at or above"


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
        raise RecipeError(f"The readiness rules {path} are not TOML: {in_brief(exc)}. Mend that line.") from exc
    if not plain:
        raise RecipeError(f"The readiness rules {path} hold no rule, so anything would pass. Add one, or restore the file.")
    try:
        rules = TypeAdapter(dict[str, Rule]).validate_python(plain)
    except ValidationError as exc:
        first = exc.errors()[0]
        where = " / ".join(map(str, first["loc"]))
        said = first["msg"].removeprefix("Value error, ")
        raise RecipeError(sentences(f"The readiness rules {path} have a mistake at {where}: {said}", "Mend it.")) from exc
    return Rules(rules, hashlib.sha256(raw).hexdigest())
