"""Open hostile and damaged TorchScript files as the product does: none may reach a file, hang, or take too much memory.

    python tools/fuzz_torchscript.py [--hostile 0] [--mutated 2000] [--seed 1] [--seconds 5] [--second-layer]

Hostile files are those of tools/hostile_scripts.py (0 = all of them); damaged ones are changed copies of these and of the
TorchScript files in models/mobile. Each is loaded and run twice in a process of its own under the product's bounds, forked from
one that has torch. `--second-layer` leaves the list of operators out, so that only the bounds of the process are left.
Prints one JSON document; ends with 1 if a file got past.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import select
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from tools.hostile_scripts import Hostile, scripts, sound  # noqa: E402 - a tool is a program, and stands beside the package
from tools.mutate import mutate  # noqa: E402

SECRET = b"what no file may read: " + b"x" * 40
MOST_MEMORY_BYTES = 1536 << 20


@dataclass
class Tally:
    """What became of the files."""

    files: int = 0
    answered: int = 0
    refused: int = 0  # with a reason
    stopped: int = 0  # by a bound of time, processor time or memory
    lost: list[str] = field(default_factory=list)  # reached a file, hung, or took too much: there must be none
    ran_although_forbidden: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    most_memory_bytes: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Ended:
    """How the process of one file ended."""

    said: str  # what it wrote; "" = it wrote nothing
    code: int
    seconds: float
    memory_bytes: int
    timed_out: bool


def open_all(files: Iterator[Hostile], arena: Path, seconds: float, second_layer: bool) -> Tally:
    """Open every file in a process of its own; `arena` holds the secret and must not change."""
    tally = Tally()
    inside = arena / "inside"
    inside.mkdir()
    before = _state(arena)
    for one in files:
        path = inside / "file.pt"
        path.write_bytes(one.content)
        ended = _forked(path, seconds, second_layer)
        path.unlink()
        _count(tally, one, ended)
        if _state(arena) != before:
            tally.lost.append(f"{one.name}: a file was written")
            before = _state(arena)
        if SECRET.hex() in ended.said:
            tally.lost.append(f"{one.name}: a file was read")
    return tally


def _count(tally: Tally, one: Hostile, ended: Ended) -> None:
    tally.files += 1
    tally.slowest_s = max(tally.slowest_s, ended.seconds)
    tally.most_memory_bytes = max(tally.most_memory_bytes, ended.memory_bytes)
    if ended.memory_bytes > MOST_MEMORY_BYTES:
        tally.lost.append(f"{one.name}: {ended.memory_bytes >> 20} MB")
    if ended.said.startswith("answered"):
        tally.answered += 1
        if one.kind in ("files", "system"):
            tally.ran_although_forbidden.append(one.name)
    elif ended.said.startswith("refused"):
        tally.refused += 1
        tally.reasons[" ".join(ended.said.split()[1:8])[:70]] += 1
    else:
        tally.stopped += 1
        tally.reasons["stopped by time" if ended.timed_out else f"ended with {ended.code}"] += 1


def _state(arena: Path) -> dict[str, bytes | None]:
    return {str(p.relative_to(arena)): p.read_bytes() if p.is_file() else None for p in sorted(arena.rglob("*"))}


def _forked(path: Path, seconds: float, second_layer: bool) -> Ended:
    reading, writing = os.pipe()
    began = time.monotonic()
    process = os.fork()
    if process == 0:
        os.close(reading)
        _child(path, writing, second_layer)
    os.close(writing)
    said, timed_out, ends = b"", False, began + seconds
    while True:
        ready, _, _ = select.select([reading], [], [], max(ends - time.monotonic(), 0))
        if not ready:
            os.kill(process, signal.SIGKILL)
            timed_out = True
        part = os.read(reading, 1 << 16)
        if not part:
            break
        said = (said + part)[: 1 << 20]
    os.close(reading)
    _, status, usage = os.wait4(process, 0)
    code = os.waitstatus_to_exitcode(status)
    return Ended(said.decode("utf-8", "replace"), code, time.monotonic() - began, usage.ru_maxrss * 1024, timed_out)


def _child(path: Path, writing: int, second_layer: bool) -> None:
    """Bind this process, open the file, say what came of it; never returns."""
    from udacisense.processes import limits
    from udacisense.processes.limits import Bounds

    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    with suppress(BaseException):
        limits.apply(Bounds.for_file(path))
        said = _opened(path, second_layer)
        os.write(writing, said.encode()[:65536])
    os._exit(0)


def _opened(path: Path, second_layer: bool) -> str:
    import numpy as np
    import torch

    from udacisense.models.torchscript_session import NetworkSession
    from udacisense.torchscript import archive, code, load

    torch.set_num_threads(1)
    if second_layer:
        archive.check = lambda *_: None
        load._check_graph = lambda _: None  # type: ignore[assignment]
        code.raise_refused = lambda _: None  # type: ignore[assignment, return-value]
    try:
        lite = archive.is_torchscript(path) and archive.is_lite(path)
        module = (load.load_lite if lite else load.load_script)(path)
        session = NetworkSession(module, 1)
        answers = [session.predict(np.full((1, 3, 224, 224), value, np.float32)) for value in (0.0, 1.0)]
    except Exception as exc:
        return f"refused {type(exc).__name__} {exc}"
    return "answered " + answers[1].tobytes()[:4096].hex()


def mutated(count: int, luck: random.Random, path: str) -> Iterator[Hostile]:
    """Changed copies of sound and of hostile archives."""
    whole = [sound(), sound(lite=True), *(p.read_bytes() for p in sorted((PROJECT / "models/mobile").glob("*.ptl")))]
    whole += [one.content for one in scripts(whole[0], whole[1], path) if len(one.content) < 1 << 20][::7]
    for number in range(count):
        content, how = mutate(whole, luck)
        yield Hostile(f"mutated {number}: {how}", content, "mutated")


def main() -> int:
    """Open the files asked for and print what became of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hostile", type=int, default=0)
    parser.add_argument("--mutated", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--second-layer", action="store_true")
    asked = parser.parse_args()
    print(json.dumps(told := run(asked.hostile, asked.mutated, asked.seed, asked.seconds, asked.second_layer), indent=1))
    return 0 if all(part["held"] for part in told.values()) else 1


def run(hostile: int, mutations: int, seed: int, seconds: float, second_layer: bool = False) -> dict[str, dict[str, object]]:
    """What became of the hostile files (evenly chosen; 0 = all) and of the mutated ones."""
    import torch

    from udacisense.processes.limits import landlock_version
    from udacisense.torchscript.load import operator_names

    torch.set_num_threads(1)  # a forked process has no threads but one
    operator_names(), landlock_version()  # made once, for every forked process
    with tempfile.TemporaryDirectory(prefix="udacisense-") as folder:
        told = {}
        for name in ("hostile", "mutated"):
            arena = Path(folder) / name
            arena.mkdir()
            (arena / "secret").write_bytes(SECRET)
            path = str(arena / ("secret" if seed % 2 else "new"))
            chosen = _evenly(hostile, path) if name == "hostile" else mutated(mutations, random.Random(seed), path)
            tally = open_all(chosen, arena, seconds, second_layer)
            held = not tally.lost and (second_layer or not tally.ran_although_forbidden)
            told[name] = asdict(tally) | {"reasons": dict(tally.reasons.most_common(12)), "held": held}
    return told


def _evenly(count: int, path: str) -> Iterator[Hostile]:
    every = list(scripts(sound(), sound(lite=True), path))
    return iter(every[:: max(len(every) // count, 1)] if count else every)


if __name__ == "__main__":
    sys.exit(main())
