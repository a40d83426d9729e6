"""Change files at random and inspect them: none may crash the command, nor take more memory or time than the limits allow.

    python tools/fuzz_inspect.py [--count 1000] [--format onnx ...] [--seed 1] [--seeds DIR] [--commands 3] [--keep DIR]

For each format, `--count` changed files are made from the small files of the tests and from the files in DIR (by default the
converted ones of models/mobile): bits flipped, cut off, bytes drawn at random, lengths and offsets set to what trips over them,
parts doubled, taken out, or put in from another file. Each is read by a process of its own under the inspection's own limits,
forked from one that has the readers loaded, and its answer goes the way of a real one; `--commands` of them go through
`python -m udacisense inspect` as a whole. Prints one JSON document; ends with 1 if a file got past the limits.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from tools.mutate import mutate  # noqa: E402 - a tool is a program, and stands beside the package

FORMATS = ("executorch", "litert", "onnx", "coreml", "torchscript", "torchscript-lite")


@dataclass
class Tally:
    """What became of a format's files."""

    files: int = 0
    read: int = 0  # taken for a whole file, and described
    refused: int = 0  # with a message that says what is wrong
    died: int = 0  # the reading process ended by itself; the answer is still a clear error
    ended_by_limit: int = 0  # the reading process was ended by the limit of time
    lost: list[str] = field(default_factory=list)  # files without a clear answer: there must be none
    slowest_s: float = 0.0
    slowest: str = ""
    most_memory_bytes: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def held(self) -> bool:
        """Whether each file got an answer within the limits."""
        from udacisense.inspection.inspect_file import WALL_S
        from udacisense.processes.limits import ADDRESS_BYTES, MEMORY_BYTES

        return not self.lost and self.slowest_s <= WALL_S and self.most_memory_bytes <= ADDRESS_BYTES + MEMORY_BYTES


def seeds(format: str, folder: Path | None) -> list[bytes]:
    """Whole files of a format to change: those of the tests, and the converted ones in a folder."""
    from tests.inspection.seeds import whole
    from udacisense.errors import InspectError
    from udacisense.inspection.inspect_file import identify

    found = whole(format)
    for path in sorted(folder.rglob("optimized_model_mobile*")) if folder else []:
        try:
            if path.is_file() and identify(path) == format:
                found.append(path.read_bytes())
        except InspectError:
            continue
    return found


def fuzz(format: str, count: int, luck: random.Random, whole: Sequence[bytes], keep: Path | None = None) -> Tally:
    """Change and read `count` files; those that were lost are kept in `keep`."""
    from udacisense.inspection import child
    from udacisense.processes import limits

    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="udacisense-fuzz-") as folder:
        path = Path(folder) / "file"
        path.write_bytes(whole[0])
        limits._bound = True  # a sound file of our own: what its reader imports and makes once is there for each forked one
        child.answer(format, path)
        for _ in range(count):
            content, how = mutate(whole, luck)
            path.write_bytes(content)
            before = len(tally.lost)
            _read(format, path, how, tally)
            if keep is not None and len(tally.lost) > before:
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f"{format}-{tally.files}").write_bytes(content)
    return tally


def _read(format: str, path: Path, how: str, tally: Tally) -> None:
    """One file in a forked process under the limits; its answer as the command would take it."""
    from udacisense.errors import InspectError
    from udacisense.inspection.inspect_file import outcome

    began = time.monotonic()
    code, out, memory_bytes, limited = _forked(format, path)
    took = time.monotonic() - began
    tally.files += 1
    if took > tally.slowest_s:
        tally.slowest_s, tally.slowest = took, how
    tally.most_memory_bytes = max(tally.most_memory_bytes, memory_bytes)
    try:
        outcome(path, format, out)
        tally.read += 1
    except InspectError as exc:
        tally.ended_by_limit += limited
        tally.died += code != 0 and not limited
        tally.refused += code == 0
        tally.reasons[_reason(str(exc))] += 1
    except Exception as exc:  # the finding that this program exists for
        tally.lost.append(f"{how}: {type(exc).__name__}: {exc}")


def _forked(format: str, path: Path) -> tuple[int, bytes, int, bool]:
    """(exit code or minus the signal, what it wrote, its largest resident memory in bytes, whether a limit ended it)."""
    from udacisense.inspection import child
    from udacisense.inspection.inspect_file import WALL_S

    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        with open(os.devnull, "w") as quiet:
            os.dup2(quiet.fileno(), 2)
        code = 1
        try:
            child.bind(path)
            with os.fdopen(writing, "w", encoding="utf-8") as out:
                json.dump(child.answer(format, path), out)
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    return _collected(process, reading, WALL_S)


def _collected(process: int, reading: int, wall_s: float) -> tuple[int, bytes, int, bool]:
    import select
    import signal

    out, ends, limited = b"", time.monotonic() + wall_s, False
    while True:
        ready, _, _ = select.select([reading], [], [], max(ends - time.monotonic(), 0))
        if not ready:
            os.kill(process, signal.SIGKILL)
            limited = True
        part = os.read(reading, 1 << 20)
        if not part:
            break
        out += part
    os.close(reading)
    _, status, usage = os.wait4(process, 0)
    code = os.waitstatus_to_exitcode(status)
    return code, out, usage.ru_maxrss * 1024, limited or code == -signal.SIGXCPU


def _reason(message: str) -> str:
    """A refusal without the file's own names and numbers."""
    import re

    said = message.split(": ", 1)[-1].split(". ")[0]
    return re.sub(r"'[^']*'|\d+|\(.*", "…", said)[:80]


def commands(format: str, count: int, luck: random.Random, whole: Sequence[bytes]) -> Iterator[str]:
    """Files that the whole command met with anything but an answer or a clear error (code 0 or 3)."""
    suffixes = {"executorch": ".pte", "litert": ".tflite", "onnx": ".onnx", "coreml": ".mlpackage.zip"}
    with tempfile.TemporaryDirectory(prefix="udacisense-fuzz-") as folder:
        for _ in range(count):
            content, how = mutate(whole, luck)
            path = Path(folder) / f"file{suffixes.get(format, '.ptl')}"
            path.write_bytes(content)
            command = [sys.executable, "-m", "udacisense", "inspect", str(path), "--json"]
            done = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT, check=False)
            if done.returncode not in (0, 3) or "Traceback" in done.stderr:
                yield f"{how}: code {done.returncode}, {done.stderr[-300:]}"


def main() -> int:
    """Fuzz the formats asked for and print what became of the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--format", nargs="+", choices=FORMATS, default=FORMATS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=Path, default=PROJECT / "models" / "mobile")
    parser.add_argument("--commands", type=int, default=3)
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    told: dict[str, object] = {}
    held = True
    for format in asked.format:
        luck, whole, began = random.Random(f"{asked.seed} {format}"), seeds(format, asked.seeds), time.monotonic()
        tally = fuzz(format, asked.count, luck, whole, asked.keep)
        tally.lost += commands(format, asked.commands, luck, whole)
        held &= tally.held
        told[format] = asdict(tally) | {"reasons": dict(tally.reasons.most_common(8)), "seeds": len(whole)}
        print(f"{format}: {tally.files} files in {time.monotonic() - began:.0f} s", file=sys.stderr)
    print(json.dumps(told, indent=1))
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
