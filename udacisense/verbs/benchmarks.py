"""Verbs about benchmarks that were made: one against another, names for them, and whether they tell the truth here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from udacisense.errors import MeasureError, NotFoundError
from udacisense.ranges import COMPARISONS
from udacisense.records.queries import one_look
from udacisense.types import SelfTest, Subject

if TYPE_CHECKING:
    from udacisense.artifacts import Named
    from udacisense.history.against import RunComparison
    from udacisense.history.runs import TimedRun

PREFERRED = ("litert", "onnx", "torchscript")
"""The formats that the self-test takes where it may choose, the one that starts fastest first: it is started 1,600 times."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A name and the run that it stands for now."""

    name: str
    run_id: str


def runs() -> tuple[TimedRun, ...]:
    """Every run of the benchmark with its subjects and tags, oldest first.

    >>> [run.id for run in verbs.runs()]
    """
    from udacisense.history.runs import list_runs

    return list_runs()


def history(against: str, run: str | None = None) -> RunComparison:
    """Compare a run, by default the newest, with the earlier run, record or tag `against`.

    >>> verbs.history("release-1").course

    Raises:
        NotFoundError: no such run.
    """
    from udacisense.history.against import against as hold_against
    from udacisense.history.runs import find_run

    with one_look():
        return hold_against(find_run(against), find_run(run))


def tag(name: str, run: str | None = None) -> Tag:
    """Name a run, by default the newest, so that later ones can be held against it.

    >>> verbs.tag("release-1")

    Raises:
        NotFoundError: no such run. StoreError: not a name.
    """
    from udacisense.history import runs

    return Tag(name, runs.tag(name, run))


def selftest(what: str = "bench", subject: Named | None = None, comparisons: int = 100) -> SelfTest:
    """Show on this machine that the benchmark calls the same the same, and slower work slower. Takes minutes.

    >>> verbs.selftest(comparisons=20).passed

    Args:
        subject: the file, by default one that starts fast. comparisons: of the same with itself, and two fifths as many of
            each other kind.

    Raises:
        MeasureError: there is no such self-test, or the file cannot be timed. NotFoundError: there is no file to time.
    """
    if what != "bench":
        raise MeasureError(f"There is no self-test {what!r}. Use: bench.")
    COMPARISONS.check(comparisons)
    from udacisense.benchmark import aa_test as test

    return test.selftest(_subject(subject), comparisons=comparisons)


def _subject(wanted: Named | None) -> Subject:
    from udacisense.artifacts import list_artifacts, named_subject
    from udacisense.formats import get_format
    from udacisense.models.checkpoint import default_checkpoint

    if wanted is not None:
        return named_subject(wanted)
    here = [a for a in reversed(list_artifacts().records) if a.format in PREFERRED]
    here = [a for a in here if get_format(a.format).unavailable("run") is None]
    try:
        return min(here, key=lambda a: PREFERRED.index(a.format)) if here else default_checkpoint()[0]
    except NotFoundError as exc:
        raise NotFoundError(f"There is nothing to time. {exc}") from exc
