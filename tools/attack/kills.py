"""Verbs killed with SIGKILL in the middle of their work: nothing is left behind, nothing is lost, the next run goes on."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from tools.attack import homes, measured
from tools.attack.row import Row

GONE_S = 15.0
"""Time in which the children of a killed verb must be gone; they end at once, but a busy machine is slow to say so."""
RECIPE = """name = "tiny"
technique = "tiny"
seed = 1
validation_per_class = 1

[[stage]]
name = "one"
data = "household"
input_px = 32
epochs = 2
batch = 16
lr = 0.001
"""
PIPELINE = """name = "tiny"
mode = "singles"
seed = 1
validation_per_class = 1

[[step]]
name = "Weight pruning"
technique = "prune-weights"
sparsity = 0.5
schedule = "one-shot"
"""
VERBS: dict[str, tuple[tuple[str, ...], tuple[float, ...]]] = {
    "convert": (("convert", "{baseline}"), (1.0, 5.0, 10.0)),
    "evaluate": (("evaluate", homes.ARTIFACT, "--source", "sample", "--fresh"), (1.0, 2.5)),
    "verify": (("verify", homes.ARTIFACT, "--source", "sample"), (1.0, 4.0)),
    "benchmark": (("benchmark", homes.ARTIFACT, "--protocol", "quick"), (2.0, 7.0)),
    "train": (("train", "--recipe", "{home}/tiny_recipe.toml"), (3.0, 8.0)),
    "compress": (("compress", "--pipeline", "{home}/tiny_pipeline.toml", "--protocol", "quick"), (4.0, 9.0)),
    "ready": (("ready", homes.ARTIFACT), (0.3, 0.6)),
}
"""What is run, and after how many processor seconds of it and its children it is killed."""
SHORT = {"evaluate": (2.0,), "convert": (3.0, 6.0)}  # a conversion may be over after five seconds
ENDS_WITH = {"ready": (0, 1, 2)}


def kills(arena: Path, short: bool) -> Iterator[Row]:
    """Every verb, killed and run again."""
    for name, (arguments, marks) in VERBS.items():
        if not short or name in SHORT:
            yield _killed(homes.with_artifact(arena, name), name, arguments, SHORT[name] if short else marks)


def _killed(home: Path, name: str, arguments: tuple[str, ...], marks: tuple[float, ...]) -> Row:
    (home / "tiny_recipe.toml").write_text(RECIPE, encoding="utf-8")
    (home / "tiny_pipeline.toml").write_text(PIPELINE, encoding="utf-8")
    told = tuple(a.format(home=home, baseline=home / homes.BASELINE) for a in arguments)
    row = Row(f"{name} killed with SIGKILL", len(marks))
    killed, slowest_s = 0, 0.0
    for mark in marks:
        killed += _kill(home, told, mark)
        left, took_s = _children_left(home)
        slowest_s = max(slowest_s, took_s)
        row.expect(not left, f"children live {GONE_S:.0f} s later: {left}")
        _all_whole(row, home)
    again = measured.verb(home, *told, timeout_s=900)
    row.expect(again.code in ENDS_WITH.get(name, (0,)) and again.clean, f"the next run: {(again.out + again.err)[-800:]}")
    row.expect(killed, "every run ended before it was to be killed")
    _all_whole(row, home)
    parts = [str(p.relative_to(home)) for p in home.rglob("*.part")]
    temporary = sorted(p.name for p in home.with_name(f"{home.name}-tmp").glob("udacisense*") if "-timing." not in p.name)
    # by its timing.lock timings of one user take turns: one file, however many are killed
    row.expect(not parts, f"after the next run there are {parts}")
    row.expect(not temporary, f"after the next run there are {temporary} in the temporary folder")
    row.figures = {"killed in the middle": killed, "children gone after s": slowest_s, "next run cpu s": again.cpu_s}
    return row


def _kill(home: Path, arguments: tuple[str, ...], mark: float) -> bool:
    """Run the verb until it and its children have used `mark` processor seconds; returns whether it was still running then."""
    command, nowhere = measured.module("udacisense", *arguments), subprocess.DEVNULL
    process = subprocess.Popen(
        command, cwd=measured.PROJECT, env=measured.environment(home), stdin=nowhere, stdout=nowhere, stderr=nowhere
    )
    ends = time.monotonic() + 600
    while process.poll() is None and time.monotonic() < ends and _used(process.pid) < mark:
        time.sleep(0.02)
    running = process.poll() is None
    process.kill()
    process.wait()
    return running


def _used(pid: int) -> float:
    """Processor seconds of a process and of all that it started, those that ended included."""
    total = 0.0
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.Error):
                total += sum(one.cpu_times()[:4])
    return total


def _children_left(home: Path) -> tuple[list[str], float]:
    """Processes of this home that still live, and how long it took until they were gone."""
    began = time.monotonic()
    while (left := of_home(home)) and time.monotonic() - began < GONE_S:
        time.sleep(0.05)
    for process in left:
        process.kill()
    return [f"{p.pid}" for p in left], time.monotonic() - began


def of_home(home: Path) -> list[psutil.Process]:
    """Every process that works in a home."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get("UDACISENSE_HOME") == str(home) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def _all_whole(row: Row, home: Path) -> None:
    """Every record can be read."""
    for path in (*(home / "results").rglob("*.json"), *(home / "models").rglob("*.json")):
        if ".part" in str(path.relative_to(home)):
            continue
        try:
            json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            row.expect(False, f"{path.name} is cut off")
