"""Partial results of an unfinished run: its finished blocks, as records that no verdict uses.

Subjects that take turns all end together, so none has its record before the last start. Until then the blocks of each are
written down after every start, and after ten seconds where a start is long, and taken away when the record itself is there.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from udacisense.benchmark.subject_run import SubjectRun
from udacisense.errors import StoreError
from udacisense.records import store
from udacisense.settings import settings
from udacisense.types import Provenance, Unfinished

GOING_ON = "The run was going on when this was written. If none is now, it was cut short: run its command again."


def keep(turn: SubjectRun, run_id: str, made: Provenance, reason: str = GOING_ON) -> None:
    """Write down what was timed of a subject so far. A full disk is told where the record itself is written."""
    record = Unfinished(
        id=_name(turn, run_id),
        run_id=run_id,
        subject_id=turn.subject.id,
        subject_sha256=turn.subject.sha256,
        threads=turn.setting.threads,
        batch=turn.setting.batch,
        background_processes=turn.setting.background_processes,
        starts_asked=turn.around.protocol.starts,
        blocks_s=tuple(turn.blocks),
        blocks_per_start=tuple(turn.blocks_per_start),
        reason=reason,
        made=made,
    )
    with suppress(StoreError):
        store.write_text(_place(turn, run_id), store.dump(record, store.kind_of(record)))


def forget(turn: SubjectRun, run_id: str) -> None:
    """The record is written: what was kept meanwhile is in it."""
    with suppress(OSError):
        _place(turn, run_id).unlink(missing_ok=True)


def _place(turn: SubjectRun, run_id: str) -> Path:
    return settings().results_dir / "unfinished" / f"{_name(turn, run_id)}.json"


def _name(turn: SubjectRun, run_id: str) -> str:
    s = turn.setting
    return f"unfinished-{run_id.removeprefix('run-')}-{turn.subject.id}-{s.threads}-{s.batch}-{s.background_processes}"
