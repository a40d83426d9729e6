"""Import time of a runtime, measured although formats import theirs inside `load`."""

from __future__ import annotations

import builtins
import importlib
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

NOTICEABLE_S = 0.02
"""An import that takes longer is a library's, not a look into sys.modules."""


class ImportWatch:
    """Adds up the seconds spent in import statements inside the block (nested ones count once).

    `rss_after` is the process's resident memory after the last noticeable import: what was there before the file was loaded.
    """

    def __init__(self, read_rss: Callable[[], int | None]) -> None:
        self.seconds = 0.0
        self.rss_after = read_rss()
        self._read_rss = read_rss
        self._depth = 0
        self._originals = builtins.__import__, importlib.import_module

    def __enter__(self) -> Self:
        builtins.__import__ = self._watched(builtins.__import__)
        importlib.import_module = self._watched(importlib.import_module)
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None) -> None:
        builtins.__import__, importlib.import_module = self._originals

    def _watched(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            self._depth += 1
            started = time.perf_counter()
            try:
                return original(*args, **kwargs)
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._note(time.perf_counter() - started)

        return watched

    def _note(self, seconds: float) -> None:
        self.seconds += seconds
        if seconds > NOTICEABLE_S:
            self.rss_after = self._read_rss()
