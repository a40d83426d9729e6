"""The readiness rules: readiness.toml read and checked."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from udacisense.errors import RecipeError
from udacisense.readiness.measures.measure import Against, Bound, Measure
from udacisense.readiness.measures.registry import MEASURES
from udacisense.toml_file import TomlKind, parse, read

RULES = TomlKind("a file of readiness rules", "Mend them, restore the file, or set UDACISENSE_RULES_FILE.")
FAR = 1e7  # beyond every limit that can be meant; each measure has narrower bounds of its own

SHIPPED: dict[str, tuple[str, Against | None]] = {
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
    measure: str
    against: Against | None = None
    bound: Bound | None = None
    limit: float | None = Field(None, strict=True, ge=-FAR, le=FAR)  # "1.0" is a word, not a number
    unit: str = Field(min_length=1)

    @field_validator("measure")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in MEASURES:
            raise ValueError(f"there is no measure {name!r}; pick one of: {', '.join(MEASURES)}")
        return name

    @model_validator(mode="after")
    def _check(self) -> Self:
        measure = MEASURES[self.measure]
        if measure.bound is None and (self.limit, self.bound) != (None, None):
            raise ValueError(f"{measure.name} takes no limit and no bound: its record decides")
        _check_reference(measure, self.against)
        if measure.bound is not None:
            if self.limit is None or self.bound is None:
                raise ValueError(f"{measure.name} needs a limit and a bound")
            _check_limit(measure, self.bound, self.limit)
        if self.unit != measure.unit:
            raise ValueError(f'{measure.name} is measured in {measure.unit}: write unit = "{measure.unit}"')
        return self


def _check_reference(measure: Measure, against: Against | None) -> None:
    if not measure.references and against is not None:
        raise ValueError(f"{measure.name} is compared with nothing and takes no against: remove it")
    if measure.references and against not in measure.references:
        choice = " or ".join(f'"{name}"' for name in measure.references)
        raise ValueError(f"{measure.name} needs against = {choice}")


def _check_limit(measure: Measure, bound: Bound, limit: float) -> None:
    if bound != measure.bound:
        good = {"below": "below", "at_least": "at or above"}[measure.bound or "below"]
        raise ValueError(f'a good {measure.name} lies {good} its limit: write bound = "{measure.bound}"')
    low, high = measure.limits
    if not low <= limit <= high:
        raise ValueError(f"limit must be a number from {low:,.10g} to {high:,.10g} {measure.unit}, and {limit:g} is not")


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


def load_rules(path: Path) -> Rules:
    """The rules in a TOML file.

    Raises:
        RecipeError: the file is missing, is not TOML, has no rule, or a rule has a mistake.
    """
    raw = read(path, RULES)
    found = parse(raw, path, dict[str, Rule], RULES)
    if not found:
        raise RecipeError(f"The readiness rules {path} hold no rule, so anything would pass. Add one, or restore the file.")
    return Rules(found, hashlib.sha256(raw).hexdigest())
