"""The handle on the child process that converts: the methods of `ConversionSteps`, where a crash costs one conversion only."""

from __future__ import annotations

import dataclasses
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from udacisense.conversion.bounds import bounds_for
from udacisense.conversion.recipe_search import Measured
from udacisense.errors import UdaciSenseError
from udacisense.processes.limits import Bounds
from udacisense.processes.rpc import Child, ChildError
from udacisense.processes.spawn import module
from udacisense.records.subjects import to_plain
from udacisense.types import Checkpoint, ConversionRecipe, Exported, Precision

CHILD: Sequence[str] = module("udacisense.conversion.worker")
STEP_TIMEOUT_S = 900.0
"""A step takes seconds to a minute or two; one that has not ended after this hangs, whatever progress it tells of."""
LOG_CHARACTERS = 4000
ASKED_TO_END = (signal.SIGTERM, signal.SIGINT)
"""A child that ends so was told to together with this process: no fault of the converter, and no reason to go on."""


class ConverterError(Exception):
    """A converter failed with an error of its own, or took its process along."""


class ConverterClient:
    """A child process that converts; started when first asked, started anew after a crash."""

    def __init__(self, child: Sequence[str] = CHILD, timeout_s: float = STEP_TIMEOUT_S) -> None:
        self._command, self._timeout_s = child, timeout_s
        self._child: Child | None = None
        self._bounds: Bounds | None = None
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
        return "" if self._child is None else self._child.said()[-LOG_CHARACTERS:].strip()

    def stage(self) -> str:
        """What it was doing last."""
        return "" if self._child is None else self._child.stage

    # --- the process ---

    def close(self) -> None:
        """End the child; a conversion that another thread waits for ends with it."""
        self._closed = True
        if self._child is not None:
            self._child.close()

    def _ask(self, do: str, checkpoint: Checkpoint, **arguments: Any) -> Any:
        if self._closed:
            sys.exit(128 + signal.SIGTERM)
        try:
            child = self._started(bounds_for(checkpoint, arguments.get("out"), self._bounds))
            return child.ask(do, timeout_s=self._timeout_s, checkpoint=to_plain(checkpoint), **arguments)[0]["answer"]
        except ChildError as exc:
            raise self._told(exc) from exc

    def _started(self, bounds: Bounds) -> Child:
        if self._child is not None and self._child.alive and bounds == self._bounds:
            return self._child
        if self._child is not None:
            self._child.close()
        self._bounds = bounds
        self._child = Child([*self._command, json.dumps(dataclasses.asdict(bounds))])
        return self._child

    def _told(self, exc: ChildError) -> UdaciSenseError | ConverterError:
        if self._closed or exc.by in ASKED_TO_END:
            sys.exit(128 + signal.SIGTERM)
        if exc.told is not None:
            return exc.told
        if exc.kind:
            return ConverterError(exc.in_full)
        hint = " (the system does so when memory runs out)" if exc.by == signal.SIGKILL else ""
        return ConverterError(f"the converter's process {exc.how}{hint} while {self.stage() or 'starting'}")
