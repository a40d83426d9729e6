"""A home with a record of every kind, ways to spoil its files, and every list, verb and page opened on what is left."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests import story
from tests.compression import stories
from tests.fakes import fake_ref, made
from udacisense.records import store
from udacisense.settings import settings
from udacisense.types import (
    AATrial,
    Compression,
    FailedConversion,
    FailedStep,
    LayerGap,
    Localisation,
    Packaged,
    SelfTest,
    Unfinished,
)

PAGES = (
    "",
    *(f"pages/{n}.py" for n in ("dataset", "models", "convert", "verify", "benchmark", "readiness", "history", "classify")),
)
VERBS = (
    ("models",), ("models", "--json"), ("runs",), ("runs", "--json"), ("ready",), ("history", "first"),
    ("card", "models/baseline_mobilenet/checkpoints/model.pth"), ("report",), ("env",),
    ("data", "--source", "sample"), ("data", "--source", "sample", "--json"),
)  # fmt: skip
"""Every verb that lists or judges what lies in the home; none of them runs a model."""

DEEP = "[" * 100_000 + "]" * 100_000
"""JSON that a reader which recurses cannot read."""

LAYER = {"name": "a", "kind": "Conv2d", "output_shape": [8, 2, 2], "parameters": 216, "macs": 864, "sparsity": 0.25}
"""A layer as a card's summary tells it."""


def furnish(home: Path) -> Path:
    """Write one record of every kind, two runs with a name, a card with everything on it, and a job."""
    told = story.tell(home)
    one, checkpoint = told.drifting, told.checkpoint
    step = stories.step(checkpoint, 1, (checkpoint.id, checkpoint.sha256))
    ran = Compression("compression-1", "pipeline_03", "chain", stories.NAMES[:1], checkpoint.id, checkpoint.sha256, (step.id,),
                      (FailedStep(2, "Next", "prune-weights", "It is singular."),), made())  # fmt: skip
    gap = LayerGap("features.3", None, (2,), 3.5, 0.25)
    trial = AATrial("Same file", "no difference", 0, 0, 2, 0, (1.0, 1.01), True, ((0.9, 1.1), (0.9, 1.1)))
    later = [
        replace(b, id=f"{b.id}-2", run_id="run-20260103T030405-abcdef", made=made(created="2026-01-03T03:04:05Z"))
        for b in told.benchmarks
    ]
    for record in (
        *later,
        step,
        ran,
        Localisation("locate-1", one.id, one.sha256, checkpoint.id, checkpoint.sha256, fake_ref(10), 10, "values", (gap,),
                     (gap,), "features.3", None, "It departs.", made()),
        SelfTest("selftest-1", one.id, one.sha256, {"name": "quick"}, (trial,), 3.0, True, made()),
        Unfinished("unfinished-1", "run-x", one.id, one.sha256, 1, 1, 0, 10, ((0.001,),), (1,), "It was killed.", made()),
        Packaged("package-1", one.id, one.sha256, 31, 4_000_000, made()),
        FailedConversion("failed-1", checkpoint.id, "onnx", "int8", "static", "lowering", "It crashed.", "log", made()),
    ):  # fmt: skip
        store.save(record)
    (home / "results" / "tags.json").write_text(json.dumps({"first": told.benchmarks[0].run_id}), encoding="utf-8")
    _card(home / "models" / "baseline_mobilenet" / "checkpoints" / "model.card.json")
    _job(home / ".udacisense" / "jobs" / "job-1")
    return home


def _card(path: Path) -> None:
    from tests.driving import SUMMARY

    stage = {"name": "first", "data": "household", "input_px": 224, "epochs": 2, "batch": 64, "lr": 0.01, "distil": 0.5}
    recipe = {"name": "r", "technique": "baseline", "seed": 42, "remark": "of a test", "teacher": None, "stage": [stage]}
    plain = json.loads(path.read_text(encoding="utf-8"))
    plain["summary"] = SUMMARY
    plain["training"] |= {"recipe": recipe, "device": "cpu", "initial_weights": "random", "notes": {"widths": {"a": 1}}}
    path.write_text(json.dumps(plain), encoding="utf-8")


def _job(folder: Path) -> None:
    folder.mkdir(parents=True)
    asked = {"title": "Convert", "argv": ["convert", "x"], "created": "2026-01-02T03:04:05+00:00"}
    (folder / "job.json").write_text(json.dumps(asked), encoding="utf-8")
    (folder / "watcher.json").write_text(json.dumps({"pid": 1, "began": 1.0}), encoding="utf-8")
    (folder / "child.json").write_text(json.dumps({"pid": 1, "began": 1.0, "started": "2026-01-02T03:04:05Z"}))
    (folder / "progress.jsonl").write_text('{"fraction": 0.5, "stage": "half"}\n', encoding="utf-8")
    end = {"state": "done", "error": None, "ended": "2026-01-02T03:05:05Z", "result": {"id": "x"}}
    (folder / "end.json").write_text(json.dumps(end), encoding="utf-8")


def json_files(home: Path) -> list[Path]:
    """Every JSON file of the home: cards, records of artifacts and of measurements, tags, the parts of jobs."""
    roots = (home / "models", home / "results", home / ".udacisense" / "jobs")
    return sorted(path for root in roots for path in root.rglob("*.json"))


# --- spoiling one ---------------------------------------------------------------------------------------------------------


def places(plain: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value in a JSON document, itself first; of a long list its first and last only."""
    yield here
    if isinstance(plain, dict):
        for key, value in plain.items():
            yield from places(value, (*here, key))
    elif isinstance(plain, list):
        for index in sorted({0, len(plain) - 1} if plain else ()):
            yield from places(plain[index], (*here, index))


def put(plain: Any, way: tuple[Any, ...], value: Any) -> Any:
    """The document with another value at a place."""
    if not way:
        return value
    copied = dict(plain) if isinstance(plain, dict) else list(plain)
    copied[way[0]] = put(copied[way[0]], way[1:], value) if way[1:] else value
    return copied


def write(path: Path, plain: Any) -> None:
    """Any JSON values, those that are no JSON as well: NaN, halves of surrogate pairs."""
    path.write_bytes(json.dumps(plain).encode("ascii"))


def sparse(path: Path, size: int) -> None:
    """A file of that size which takes no room on the disk."""
    path.touch()
    os.truncate(path, size)


SPOILT: dict[str, Callable[[Path], object]] = {
    "deep": lambda path: path.write_text(DEEP),
    "not UTF-8": lambda path: path.write_bytes(b'{"schema": 1, "kind": "\xff\xfe"}'),
    "UTF-16": lambda path: path.write_text("{}", encoding="utf-16"),
    "empty": lambda path: path.write_text(""),
    "zeros": lambda path: path.write_bytes(bytes(1000)),
    "cut": lambda path: path.write_text('{"schema": 1, "kind": "evalu'),
    "null": lambda path: path.write_text("null"),
    "list": lambda path: path.write_text("[]"),
    "string": lambda path: path.write_text('"schema kind record"'),
    "number": lambda path: path.write_text("1e999"),
    "NaN": lambda path: path.write_text("NaN"),
    "surrogate": lambda path: path.write_text('{"schema": 1, "kind": "\\ud800", "record": {}}'),
    "integer": lambda path: path.write_text(f'{{"schema": {10**400}, "kind": "x", "record": {{}}}}'),
    "digits": lambda path: path.write_text(f'{{"schema": 1{"0" * 5000}}}'),
    "record null": lambda path: path.write_text('{"schema": 1, "kind": "evaluation", "record": null}'),
    "kind list": lambda path: path.write_text('{"schema": 1, "kind": ["evaluation"], "record": {}}'),
    "html": lambda path: path.write_text("<script>alert(1)</script>"),
    "huge": lambda path: sparse(path, 64 * 1024**2),
    "folder": lambda path: path.mkdir(),
    "pipe": lambda path: os.mkfifo(path),
    "device": lambda path: path.symlink_to("/dev/zero"),
    "link out": lambda path: path.symlink_to("/etc/hostname"),
    "link to nothing": lambda path: path.symlink_to("nowhere"),
    "link to itself": lambda path: path.symlink_to(path.name),
}
"""Ways to spoil a file as a whole; each is called with a path at which nothing lies."""


def spoil(path: Path, how: str) -> None:
    """Put something else where a JSON file is meant."""
    path.unlink(missing_ok=True)
    SPOILT[how](path)


# --- opening everything ---------------------------------------------------------------------------------------------------


def told_of(path: Path) -> list[str]:
    """The problems that name a file."""
    from udacisense.verbs import models_info

    return [problem for problem in models_info().problems if str(path) in problem]


def verb(*argv: str) -> tuple[int, str]:
    """The exit code of a verb and all that it printed, run in this process."""
    from udacisense.cli.main import main

    out, before = io.StringIO(), sys.argv
    sys.argv = ["udacisense", *argv]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            main()
    except SystemExit as exc:
        return int(exc.code or 0), out.getvalue()
    finally:
        sys.argv = before
    return 0, out.getvalue()


def traces_of_verbs(*only: str) -> list[str]:
    """What went wrong in a way that nobody foresaw when every verb that lists, or only some, were asked."""
    found = []
    for argv in (argv for argv in VERBS if not only or argv[0] in only):
        # by its whole path: as it stands it would name the checkout's own file, whose card would be written anew
        code, said = verb(*(str(settings().home / word) if word.startswith("models/") else word for word in argv))
        lists = argv[0] in ("models", "runs", "env")
        if "Traceback" in said or "nobody foresaw" in said or (lists and code != 0):
            found.append(f"{' '.join(argv)} ended with {code}:\n{said[-3000:]}")
    return found


def traces_of_pages() -> list[str]:
    """The exceptions of every page; what a page says in an error box of its own is none."""
    from streamlit.testing.v1 import AppTest

    from tests.driving import APP

    found = []
    for page in PAGES:
        try:
            at = AppTest.from_file(APP, default_timeout=120).run()
            if page:
                at.switch_page(page)
                at.run()
            found += [f"{page or 'app.py'}: {e.message}\n" + "\n".join(e.stack_trace[-8:]) for e in at.exception]
        except Exception:
            found.append(f"{page or 'app.py'}: {traceback.format_exc()[-3000:]}")
    return found
