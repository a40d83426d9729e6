"""A measure as one record, and what it answers: a figure with its interval and its evidence, or why there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from udacisense.types import Artifact, Checkpoint, DatasetRef, Status

Against = Literal["checkpoint", "baseline"]
Bound = Literal["below", "at_least"]
RUN = "python -m udacisense"


@dataclass(frozen=True, slots=True)
class JudgedSubject:
    """An artifact with the two models that it is compared with; None = its file is not here."""

    artifact: Artifact
    checkpoint: Checkpoint | None
    baseline: Checkpoint | None

    def reference(self, against: Against | None) -> Checkpoint | None:
        """The model that a rule compares with."""
        return self.baseline if against == "baseline" else self.checkpoint


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measured figure, or why there is none."""

    said: str  # a sentence: what was found, or what is missing and how to get it
    measured: float | None = None
    interval: tuple[float, float] | None = None  # 95 %
    judged: tuple[float, float] | None = None  # what the limit is held against, where it is not `interval`
    evidence: tuple[str, ...] = ()
    data: DatasetRef | None = None
    doubt: str = ""  # why the figure does not count, and what to do
    decided: Status | None = None  # the record itself decides
    limit: float = 0.0  # of a record that decides itself
    if_failed: str = ""  # what to do next
    if_unsure: str = ""
    further: Callable[[float], str] | None = None  # the rule's limit -> how many more images would decide it

    @property
    def range(self) -> tuple[float, float]:
        """What the limit is held against: an interval, or the exact figure twice.

        Raises:
            ValueError: nothing was measured.
        """
        if self.measured is None:
            raise ValueError("nothing was measured")
        return self.judged or self.interval or (self.measured, self.measured)


@dataclass(frozen=True, slots=True)
class Measure:
    """What a rule can name as its measure. To add one, write this record and list it in `registry.MEASURES`."""

    name: str
    quantity: str  # what the figure is called where it is shown
    sentence: str  # what the figure says
    unit: str
    verb: Literal["verify", "evaluate", "benchmark", "convert", "package"]  # what takes it
    find: Callable[..., Measurement]  # (artifact), or (artifact, reference) where it is compared
    bound: Bound | None = None  # on which side of a limit a good figure lies; None = the record itself decides
    limits: tuple[float, float] = (0.0, 0.0)  # between which a limit can be meant
    references: tuple[Against, ...] = ()  # what it may be compared with; () = nothing

    def measured(self, case: JudgedSubject, against: Against | None) -> Measurement:
        """The figure of an artifact, compared with the model that a rule names where the measure compares."""
        if not self.references:
            return self.find(case.artifact)
        reference = case.reference(against)
        return _missing(case.artifact, against) if reference is None else self.find(case.artifact, reference)

    @property
    def cells(self) -> tuple[str, ...]:
        """The record as text: name, unit, bound, limits, what it is compared with, what it says."""
        low, high = self.limits
        limits = f"{low:,.10g} to {high:,.10g}" if self.bound else "none: `verify` has its own"
        return self.name, self.unit, self.bound or "–", limits, " or ".join(self.references) or "–", self.sentence


COLUMNS = ("measure", "unit", "bound", "limit", "against", "what it says")
"""The heads of `Measure.cells`."""


def _missing(artifact: Artifact, against: Against | None) -> Measurement:
    if against == "baseline":
        return Measurement(f"There is no baseline to compare with. Put one in models/, or train it: {RUN} train")
    return Measurement(f"The checkpoint {artifact.checkpoint_id} is not here to compare with. Put its file back into models/.")
