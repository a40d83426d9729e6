"""Conversions of a checkpoint: for each format and precision the file, or why there is none. No Streamlit calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from udacisense.artifacts import list_artifacts, standing_failures
from udacisense.conversion.convert import artifact_id, targets
from udacisense.errors import UdaciSenseError
from udacisense.records import queries
from udacisense.types import Artifact, Checkpoint, Equivalence, FailedConversion, Format, Precision

CellStatus = Literal["same", "different", "inconclusive", "unverified", "norun", "failed", "missing", "unavailable"]
"""State of a cell: by the verification where there is a file, else by the reason why there is none."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One format and precision of one checkpoint."""

    fmt: Format
    precision: Precision
    artifacts: tuple[Artifact, ...]  # newest first
    failure: FailedConversion | None  # the last attempt, where it failed
    cannot_write: str | None  # why this machine cannot write it
    cannot_run: str | None  # why this machine cannot run it
    equivalence: Equivalence | None  # of the newest file; None = not verified

    @property
    def key(self) -> tuple[str, Precision]:
        """Format and precision."""
        return self.fmt.name, self.precision

    @property
    def artifact(self) -> Artifact | None:
        """The newest file; None where there is none."""
        return self.artifacts[0] if self.artifacts else None

    @property
    def status(self) -> CellStatus:
        """State of the cell in one word."""
        if self.artifacts:
            return self._verified()
        if self.failure is not None:
            return "failed"
        return "unavailable" if self.cannot_write else "missing"

    def _verified(self) -> CellStatus:
        if self.equivalence is None:
            return "norun" if self.cannot_run else "unverified"
        return "inconclusive" if self.equivalence == "unknown" else self.equivalence


@dataclass(frozen=True, slots=True)
class Row:
    """A format with its precisions."""

    fmt: Format
    cells: tuple[Cell, ...]


def board(checkpoint: Checkpoint) -> tuple[Row, ...]:
    """Every format that a checkpoint can become, whether this machine can write it or not."""
    made = [a for a in reversed(list_artifacts().records) if a.checkpoint_id == checkpoint.id]
    failed = {(f.format, f.precision): f for f in standing_failures() if f.checkpoint_id == checkpoint.id}
    return tuple(_row(fmt, made, failed) for fmt in targets().values())


def _row(fmt: Format, made: Sequence[Artifact], failed: dict[tuple[str, Precision], FailedConversion]) -> Row:
    cannot_write, cannot_run = fmt.unavailable("export"), fmt.unavailable("run")
    cells = []
    for precision in get_args(Precision):
        artifacts = tuple(a for a in made if (a.format, a.precision) == (fmt.name, precision))
        if not artifacts and precision not in fmt.precisions:
            continue
        proof = queries.standing_verification(artifacts[0].sha256) if artifacts else None
        verdict = proof.verdict if proof else None
        why_not = cannot_write if precision in fmt.precisions else f"This version offers no {precision} in this format."
        cells.append(Cell(fmt, precision, artifacts, failed.get((fmt.name, precision)), why_not, cannot_run, verdict))
    return Row(fmt, tuple(cells))


def cell_of(rows: Sequence[Row], format: str | None, precision: str | None) -> Cell | None:
    """The cell of a format and precision; None where there is none."""
    return next((c for row in rows for c in row.cells if (row.fmt.name, c.precision) == (format, precision)), None)


def first_choice(rows: Sequence[Row]) -> Cell:
    """Default cell where nothing was picked: the first file, else the first that can be written, else the first of all."""
    cells = [cell for row in rows for cell in row.cells]
    made = next((c for c in cells if c.artifacts), None)
    return made or next((c for c in cells if c.cannot_write is None), cells[0])


def precisions(rows: Sequence[Row]) -> tuple[Precision, ...]:
    """The columns of the board: every precision that a format offers, the widest first."""
    return tuple(p for p in get_args(Precision) if any(cell.precision == p for row in rows for cell in row.cells))


def up_to_date(cell: Cell, checkpoint: Checkpoint) -> bool:
    """Whether one of the files is what a conversion would give now: same recipes, tools, and images to choose by."""
    try:
        now = artifact_id(checkpoint, cell.fmt, cell.precision)
    except UdaciSenseError:  # images that cannot be read: nothing better could be made
        return True
    return any(a.id == now for a in cell.artifacts)


def tally(rows: Sequence[Row]) -> tuple[int, int, int]:
    """Number of files, of those that this machine could write, and of failed last attempts."""
    cells = [cell for row in rows for cell in row.cells]
    possible = [c for c in cells if c.cannot_write is None]
    return sum(bool(c.artifacts) for c in cells), len(possible), sum(c.status == "failed" for c in cells)
