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


def keep(subject_run: SubjectRun, run_id: str, made: Provenance, reason: str = GOING_ON) -> None:
    """Write down what was timed of a subject so far. A full disk is told where the record itself is written."""
    record = Unfinished(
        id=_name(subject_run, run_id),
        run_id=run_id,
        subject_id=subject_run.subject.id,
        subject_sha256=subject_run.subject.sha256,
        threads=subject_run.setting.threads,
        batch=subject_run.setting.batch,
        background_processes=subject_run.setting.background_processes,
        starts_asked=subject_run.around.protocol.starts,
        blocks_s=tuple(subject_run.blocks),
        blocks_per_start=tuple(subject_run.blocks_per_start),
        reason=reason,
        made=made,
    )
    with suppress(StoreError):
        store.write_text(_place(subject_run, run_id), store.dump(record, store.kind_of(record)))


def forget(subject_run: SubjectRun, run_id: str) -> None:
    """The record is written: what was kept meanwhile is in it."""
    with suppress(OSError):
        _place(subject_run, run_id).unlink(missing_ok=True)


def _place(subject_run: SubjectRun, run_id: str) -> Path:
    return settings().results_dir / "unfinished" / f"{_name(subject_run, run_id)}.json"


def _name(subject_run: SubjectRun, run_id: str) -> str:
    s = subject_run.setting
    return f"unfinished-{run_id.removeprefix('run-')}-{subject_run.subject.id}-{s.threads}-{s.batch}-{s.background_processes}"
