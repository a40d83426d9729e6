"""Models opened in a bound child process: the handle on it. The process itself is `udacisense.model_process`."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from udacisense.errors import RunError, UdaciSenseError
from udacisense.foreign import in_brief
from udacisense.processes.rpc import Answer, Child, ChildError
from udacisense.processes.spawn import module
from udacisense.records.subjects import to_plain
from udacisense.types import Images, Logits, ModelFile

PROCESS = "udacisense.model_process"
OPEN_S = 120.0
"""Longest time that opening may take; importing torch on a busy machine is most of it."""
CALL_S, IMAGE_S = 30.0, 10.0
"""Longest time of a call, and what each image adds."""


class RemoteModel:
    """A model file in a process of its own, which sees that file alone and is bound in memory and time.

    It is opened when first asked, and opened anew after it was ended. Threads take turns.
    """

    def __init__(self, file: ModelFile, threads: int = 1) -> None:
        self.file, self.path, self.threads = file, file.path, threads
        self._lock = threading.Lock()
        self._child: Child | None = None

    def predict(self, images: Images) -> Logits:
        """Logits (N, classes) for normalised images (N, 3, H, W).

        Raises:
            RunError: the file does not run, or was ended because it took too much memory or time. CheckpointError and its
                kind: it cannot be loaded.
        """
        plain = np.ascontiguousarray(images, np.float32)
        _, arrays = self._ask("predict", plain, timeout_s=CALL_S + IMAGE_S * len(plain))
        if len(arrays) != 1:
            raise RunError(f"{self.path.name} gave no answer. Convert it again.")
        return np.asarray(arrays[0], np.float32)

    def summary(self) -> Mapping[str, Any]:
        """The fields of a `models.summary.Summary`; raises as `predict` does."""
        return dict(self._ask("summary", timeout_s=CALL_S)[0]["summary"])

    def values(self, image: Images) -> Iterator[tuple[str, NDArray[np.float32]]]:
        """Names and values inside the file while it answers one image (1, 3, H, W); raises as `predict` does."""
        told, arrays = self._ask("values", np.ascontiguousarray(image, np.float32), timeout_s=CALL_S + IMAGE_S)
        yield from zip(told["names"], arrays, strict=True)

    def fitting(self, classes: int) -> tuple[str, ...]:
        """The architectures that its weights fit, for so many classes; raises as `predict` does."""
        told = self._ask("fitting", timeout_s=CALL_S, classes=classes)[0]["fitting"]
        return tuple(map(str, told))

    def open(self) -> Self:
        """Load the file now, instead of when it is first asked; raises as `predict` does."""
        self._ask("open", timeout_s=CALL_S)
        return self

    def close(self) -> None:
        """End the process; it starts again when it is asked."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.close()

    def _ask(self, do: str, *arrays: NDArray[Any], timeout_s: float, **arguments: int) -> Answer:
        with self._lock:
            try:
                if self._child is None or not self._child.alive:
                    self._child = self._start()
                return self._child.ask(do, arrays, timeout_s=timeout_s, meanwhile=None, **arguments)
            except ChildError as exc:
                if not exc.kind:  # the process is gone, or in an unknown state
                    self._drop()
                raise self._told(exc) from exc

    def _start(self) -> Child:
        asked = {"file": to_plain(self.file), "threads": self.threads}
        child = Child(module(PROCESS, json.dumps(asked)), env={"OMP_NUM_THREADS": str(self.threads)})
        child.ask("hello", timeout_s=OPEN_S)
        return child

    def _told(self, exc: ChildError) -> UdaciSenseError:
        """The child's error, as the class that it was there."""
        if exc.told is not None:
            return exc.told
        way_out = (
            "free some memory and try again" if not exc.kind or exc.kind == "MemoryError" else "save it again where it was made"
        )
        return RunError(
            f"{self.path.name} could not be run: {in_brief(str(exc))}. If this is a file that you trust, {way_out}."
        )
