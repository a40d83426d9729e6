"""The handle on the child process that converts: the methods of `ConversionSteps`, where a crash costs one conversion only."""

from __future__ import annotations

import dataclasses
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from udacisense import errors, scratch
from udacisense.conversion.bounds import bounds_for
from udacisense.conversion.recipe_search import Measured
from udacisense.errors import UdaciSenseError
from udacisense.processes.limits import Bounds
from udacisense.processes.spawn import popen
from udacisense.progress import report
from udacisense.records.subjects import to_plain
from udacisense.types import Checkpoint, ConversionRecipe, Exported, Precision

CHILD: tuple[str, ...] = (sys.executable, "-m", "udacisense.conversion.worker")
STEP_TIMEOUT_S = 900.0
"""A step takes seconds to a minute or two; one that has not ended after this hangs, whatever progress it tells of."""
GRACE_S = 10.0
"""The child's own limit comes this much after the parent's: it matters only when the parent is gone."""
LOG_CHARACTERS = 4000
ASKED_TO_END = (signal.SIGTERM, signal.SIGINT)
"""A child that ends so was told to together with this process: no fault of the converter, and no reason to go on."""


class ConverterError(Exception):
    """A converter failed with an error of its own, or took its process along."""


class ConverterClient:
    """A child process that converts; started when first asked, started anew after a crash."""

    def __init__(self, child: Sequence[str] = CHILD, timeout_s: float = STEP_TIMEOUT_S) -> None:
        self._child, self._timeout_s = child, timeout_s
        self._process: subprocess.Popen[str] | None = None
        self._bounds: Bounds | None = None
        self._answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader: threading.Thread | None = None
        self._said = tempfile.NamedTemporaryFile("ab", prefix=scratch.prefix(), suffix=".log")  # noqa: SIM115 - see close()
        self._said_before = 0
        self._stage = ""
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # --- the methods of ConversionSteps ---

    def export(
        self, checkpoint: Checkpoint, format: str, precision: Precision, recipe: ConversionRecipe, out: Path
    ) -> Exported:
        """See ConversionSteps.export; a crash of the process is a ConverterError."""
        asked = dataclasses.asdict(recipe)
        found = self._ask("export", checkpoint, format=format, precision=precision, recipe=asked, out=str(out))
        return Exported(found["recipe"], tuple(found["warnings"]))

    def check(self, checkpoint: Checkpoint, format: str, path: Path) -> float:
        """See ConversionSteps.check."""
        return float(self._ask("check", checkpoint, format=format, path=str(path)))

    def measure(self, checkpoint: Checkpoint, format: str, path: Path, fp32_path: Path | None) -> Measured:
        """See ConversionSteps.measure."""
        reference = None if fp32_path is None else str(fp32_path)
        return Measured(**self._ask("measure", checkpoint, format=format, path=str(path), fp32_path=reference))

    def write_golden(self, checkpoint: Checkpoint, out: Path) -> None:
        """See ConversionSteps.write_golden."""
        self._ask("write_golden", checkpoint, out=str(out))

    def describe_data(self, checkpoint: Checkpoint) -> dict[str, object]:
        """See ConversionSteps.describe_data."""
        return dict(self._ask("describe_data", checkpoint))

    def log(self) -> str:
        """The end of what the converter printed since the last command began."""
        said = Path(self._said.name).read_bytes()[self._said_before :]
        return said.decode("utf-8", "replace")[-LOG_CHARACTERS:].strip()

    def stage(self) -> str:
        """What it was doing last."""
        return self._stage

    # --- the process ---

    def close(self) -> None:
        """End the child; a conversion that another thread waits for ends with it."""
        self._closed = True
        self._stop()
        self._said.close()

    def _ask(self, do: str, checkpoint: Checkpoint, **arguments: object) -> Any:
        if self._closed:
            sys.exit(128 + signal.SIGTERM)
        self._start(bounds_for(checkpoint, arguments.get("out"), self._bounds))
        self._said_before = os.fstat(self._said.fileno()).st_size
        command = {"do": do, "timeout_s": self._timeout_s + GRACE_S, "checkpoint": to_plain(checkpoint), **arguments}
        assert self._process is not None  # started above
        assert self._process.stdin is not None  # asked for in _start
        with suppress(OSError):  # a child that is gone is told of below, with the way it ended
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()
        return self._await()

    def _await(self) -> Any:
        ends = time.monotonic() + self._timeout_s
        while True:
            try:
                line = self._answers.get(timeout=max(ends - time.monotonic(), 0.0))
            except queue.Empty:
                self._stop()
                raise ConverterError(f"no answer within {self._timeout_s:g} s while {self._stage or 'starting'}") from None
            if line is None:
                raise ConverterError(self._how_it_ended())
            found: dict[str, Any] = json.loads(line)
            if "progress" not in found:
                return self._answer(found)
            fraction, self._stage = found["progress"]
            report(fraction, self._stage)

    @staticmethod
    def _answer(found: dict[str, Any]) -> Any:
        if "error" not in found:
            return found["answer"]
        kind = getattr(errors, found["kind"], UdaciSenseError) if found["ours"] else None
        raise kind(found["error"]) if kind is not None else ConverterError(f"{found['kind']}: {found['error']}")

    def _start(self, bounds: Bounds) -> None:
        if self._process is not None and self._process.poll() is None and bounds == self._bounds:
            return
        self._stop()
        self._bounds = bounds
        self._answers = queue.SimpleQueue()
        self._process = popen(
            [*self._child, json.dumps(dataclasses.asdict(bounds))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            encoding="utf-8",
        )
        self._reader = threading.Thread(target=_read, args=(self._process.stdout, self._answers), daemon=True)
        self._reader.start()

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()  # it holds nothing that must be saved, and may be deep in native code
        process.wait()
        if self._reader is not None:
            self._reader.join()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()

    def _how_it_ended(self) -> str:
        process = self._process
        code = None if process is None else process.wait()
        if self._closed or code is None or -code in ASKED_TO_END:
            sys.exit(128 + signal.SIGTERM)
        self._stop()
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        hint = " (the system does so when memory runs out)" if -code == signal.SIGKILL else ""
        return f"the converter's process {how}{hint} while {self._stage or 'starting'}"


def _read(lines: IO[str], answers: queue.SimpleQueue[str | None]) -> None:
    for line in lines:
        answers.put(line)
    answers.put(None)
