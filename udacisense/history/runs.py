"""Look-up of a run: the newest, one by its id or one of its records, or one by its tag."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass

from udacisense import files
from udacisense.errors import NotFoundError, StoreError
from udacisense.records import queries, store
from udacisense.records.queries import Row
from udacisense.settings import settings
from udacisense.types import Benchmark

TAGS = "tags.json"


@dataclass(frozen=True, slots=True)
class TimedRun:
    """One run of the benchmark, whose subjects were timed side by side."""

    id: str
    created: str  # ISO 8601, of its first record
    protocol: str  # its name; empty where the record is older than protocols
    machine: str
    subjects: tuple[str, ...]
    tags: tuple[str, ...]


def list_runs() -> tuple[TimedRun, ...]:
    """Every run, oldest first."""
    together: dict[str, list[Row]] = {}
    for row in queries.benchmarks().rows:
        together.setdefault(row["run_id"], []).append(row)
    named = {} if unreadable_tags() else tags()
    return tuple(
        TimedRun(
            id=run_id,
            created=min(row.created for row in found),
            protocol=found[0]["protocol"],
            machine=found[0]["machine"]["cpu"],
            subjects=tuple(dict.fromkeys(row["subject_id"] for row in found)),
            tags=tuple(name for name, run in named.items() if run == run_id),
        )
        for run_id, found in together.items()
    )


def tags() -> dict[str, str]:
    """Names that people gave to runs.

    Raises:
        StoreError: the file of tags is damaged.
    """
    path = settings().results_dir / TAGS
    if not os.path.lexists(path):
        return {}
    files.check_place(path, settings().results_dir)
    plain = files.read_json(path)
    if not isinstance(plain, dict) or not all(isinstance(run, str) for run in plain.values()):
        raise StoreError(f"{path} is not a file of tags. Remove it, or restore it from version control.")
    return plain


def unreadable_tags() -> tuple[str, ...]:
    """A sentence where the file of tags cannot be read: the runs are then listed without their names."""
    try:
        tags()
    except StoreError as exc:
        return (str(exc),)
    return ()


def tag(name: str, run: str | None = None) -> str:
    """Give a run a name, by default the newest; a name given before moves. Returns the run's id.

    Raises:
        NotFoundError: no such run. StoreError: a name that could be taken for an id, or the disk refuses.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,40}", name) or name.startswith(("run-", "bench-")):
        raise StoreError(f"{name!r} cannot be a tag. Use letters, digits, dot, dash; it may not begin with run- or bench-.")
    found = find_run(run)[0].run_id
    text = json.dumps({**tags(), name: found}, indent=1, sort_keys=True) + "\n"
    store.write_text(settings().results_dir / TAGS, text)
    return found


def find_run(name: str | None = None) -> tuple[Benchmark, ...]:
    """The records of a run by its id, a tag, or the id of one of its records; by default the newest whose
    subjects took turns.

    Raises:
        NotFoundError: there is none; the message names the tags.
    """
    if name is None:
        wanted = _newest_run()
    else:
        own = _run_of_record(name)
        wanted = own if own != name else tags().get(name) or name
    run = tuple(queries.benchmarks_of_run(wanted))
    if not run:
        known = ", ".join(tags()) or "none yet; python -m udacisense tag NAME gives the newest run one"
        raise NotFoundError(f"There is no benchmark run, record or tag {name!r}. Tags: {known}.")
    return run


def _newest_run() -> str:
    found = queries.benchmarks().rows
    if not found:
        raise NotFoundError("There is no benchmark yet. Run: python -m udacisense benchmark SUBJECT SUBJECT")
    in_turns = [row for row in found if not row["sustained"]]
    return str((in_turns or found)[-1]["run_id"])


def _run_of_record(name: str) -> str:
    """The run of a record by its id; any other name is taken for a run's."""
    return next((str(row["run_id"]) for row in queries.benchmarks().rows if row.id == name), name)
