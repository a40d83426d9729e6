"""Which run is meant: the newest, one by its id or one of its records, or one that was given a name."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from udacisense import store
from udacisense.errors import NotFoundError, StoreError
from udacisense.foreign import in_brief
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
    together: dict[str, list[Benchmark]] = {}
    for record in store.records(Benchmark).records:
        together.setdefault(record.run_id, []).append(record)
    named = tags()
    return tuple(
        TimedRun(
            id=run_id,
            created=min(b.made.created for b in found),
            protocol=str((found[0].protocol or {}).get("name", "")),
            machine=found[0].made.machine.cpu,
            subjects=tuple(dict.fromkeys(b.subject_id for b in found)),
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
    if not path.exists():
        return {}
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): str(run) for name, run in plain.items()}
    except (OSError, ValueError, AttributeError) as exc:
        raise StoreError(
            f"{path} is not a file of tags ({in_brief(exc)}). Remove it, or restore it from version control."
        ) from exc


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
    found = store.records(Benchmark).records
    if name is None:
        if not found:
            raise NotFoundError("There is no benchmark yet. Run: python -m udacisense benchmark SUBJECT SUBJECT")
        wanted = ([b for b in found if not b.sustained] or found)[-1].run_id
    else:
        wanted = tags().get(name) or next((b.run_id for b in found if b.id == name), name)
    run = tuple(b for b in found if b.run_id == wanted)
    if not run:
        known = ", ".join(tags()) or "none yet; python -m udacisense tag NAME gives the newest run one"
        raise NotFoundError(f"There is no benchmark run, record or tag {name!r}. Tags: {known}.")
    return run
