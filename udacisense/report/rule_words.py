"""Words for a rule's figure and limit: "Accuracy change: -0.2 pp (95 %: -0.9 to 0.4)" and "below 1 pp".

The name of the quantity settles its sign, so that a loss and a change of the same files can stand side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from udacisense.errors import RecipeError
from udacisense.number_format import measured
from udacisense.readiness.measures.registry import MEASURES
from udacisense.readiness.rules import SHIPPED, Rule, load_rules
from udacisense.settings import settings
from udacisense.types import Verdict
from udacisense.verdict_words import NOT_MEASURED

BOUNDS = {"below": "below", "at_least": "at least"}


@dataclass(frozen=True, slots=True)
class RuleWords:
    """A verdict's figure and its limit as people read them."""

    quantity: str
    figure: str
    limit: str


def rule_words(verdict: Verdict) -> RuleWords:
    """The words for a verdict, by the rule of its name; a rule that the rules file has no more goes by the shipped one."""
    rule = _rules().get(verdict.rule)
    measure = rule.measure if rule else SHIPPED.get(verdict.rule, ("", None))[0]
    bound = f"{BOUNDS[rule.bound]} " if rule and rule.bound else "at least " if measure == "sameness" else ""
    figure = NOT_MEASURED.lower() if verdict.measured is None else measured(verdict.measured, verdict.unit, verdict.interval)
    return RuleWords(
        MEASURES[measure].quantity if measure in MEASURES else "Measured", figure, f"{bound}{verdict.limit:g} {verdict.unit}"
    )


def _rules() -> Mapping[str, Rule]:
    try:
        return load_rules(settings().rules_file).rules
    except RecipeError:  # the judge says what is wrong; a verdict on record can be shown all the same
        return {}
