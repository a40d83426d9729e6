"""Verdict words: what a stored status, equivalence or trend is called wherever a person reads it.

Records and `--json` keep the values of their types ("pass", "same", "unknown", ...). Pages, reports and the terminal take
their words from here, so that one state has one name everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from udacisense.types import Equivalence, Status

INCONCLUSIVE = "Inconclusive"
NOT_MEASURED = "Not measured"

READINESS: Mapping[Status, str] = {"pass": "Ready", "fail": "Not ready", "unknown": INCONCLUSIVE}
"""Of a file, by all rules together. A command that judges ends with code 0, 1 or 2, in this order."""
RULE: Mapping[Status, str] = {"pass": "Pass", "fail": "Fail", "unknown": INCONCLUSIVE}
"""Of one rule on one file."""
EQUIVALENCE: Mapping[Equivalence, str] = {"same": "Equivalent", "different": "Not equivalent", "unknown": INCONCLUSIVE}
"""Of a converted file beside its checkpoint."""
TREND: Mapping[Literal["worse", "better", "same", "unknown"], str] = {
    "worse": "Worse",
    "better": "Better",
    "same": "Unchanged",
    "unknown": INCONCLUSIVE,
}
"""Of a figure from one run to a later one."""

FORMER_TITLES = {"Same model as its checkpoint": "Equivalent to its checkpoint"}
"""Title of a rule as a rules file calls it -> as it is shown. The shipped file keeps its words: every verdict on record names
the file's digest, and another digest would make each of them look outdated."""


def readiness(status: Status | None) -> str:
    """The word for a file's readiness; None = no rule was applied."""
    return NOT_MEASURED if status is None else READINESS[status]


def equivalence(verdict: Equivalence | None) -> str:
    """The word for a verification's verdict; None = not verified."""
    return NOT_MEASURED if verdict is None else EQUIVALENCE[verdict]


def rule_title(title: str) -> str:
    """The title of a rule as it is shown."""
    return FORMER_TITLES.get(title, title)


def todays_words(stored: str) -> str:
    """A sentence on record with the word for an image that older records have not."""
    return stored.replace("pictures", "images").replace("picture", "image")
