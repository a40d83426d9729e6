"""The package's one door to torchvision.

PyPI's torchvision wheels for Linux are built for CUDA. Beside a CPU-only torch their operator library does not load, and
`import torchvision` fails with "operator torchvision::nms does not exist", although models, datasets and transforms need none
of those operators. Declaring the two missing schemas first lets the import succeed; where the library loads, nothing is done.

One of the box operators takes a function from torch's compiler, whose import takes longer than torchvision's own. It gets a
function that imports the compiler when it is called.
"""

from __future__ import annotations

import importlib
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from types import ModuleType
from typing import Any

from udacisense.foreign import in_brief

logger = logging.getLogger(__name__)

_MISSING_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_kept_alive: list[Any] = []  # a torch Library takes its schemas along when it is collected


_lock = threading.Lock()  # two threads at the door: the operators can be declared only once


def torchvision() -> ModuleType:
    """The torchvision module, importable also beside a CPU-only torch (without its box operators).

    Raises:
        ImportError: torchvision is not installed, or fails for a reason other than the missing operators.
    """
    with _lock, _compiler_later():
        return _import()


@lru_cache(maxsize=1)
def _import() -> ModuleType:
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as exc:
        if "torchvision::" not in str(exc):
            raise _broken(exc) from exc
        first_error = str(exc)
    _forget_half_import()
    _declare_operators()
    try:
        module = importlib.import_module("torchvision")
    except RuntimeError as exc:
        raise _broken(exc) from exc
    logger.debug("torchvision's operator library did not load (%s); declared nms and qnms so that the rest works", first_error)
    return module


def _broken(exc: RuntimeError) -> ImportError:
    return ImportError(f"torchvision cannot be imported: {in_brief(exc)}. Reinstall it to match torch.")


def _forget_half_import() -> None:
    for name in [n for n in sys.modules if n == "torchvision" or n.startswith("torchvision.")]:
        del sys.modules[name]


def _declare_operators() -> None:
    import torch

    library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for schema in _MISSING_SCHEMAS:
        library.define(schema)  # type: ignore[no-untyped-call]
    _kept_alive.append(library)


# --- the compiler, when it is needed ---------------------------------------------------------------------------------------

_COMPILER = "torch._dynamo.utils"


class _CompilerLater(ModuleType):
    """Stands for that module until somebody asks for more of it than torchvision does."""

    def is_compile_supported(self, device_type: str) -> Any:
        return self._real().is_compile_supported(device_type)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what the import system looks for
            raise AttributeError(name)
        return getattr(self._real(), name)

    def _real(self) -> Any:
        self.leave()
        return importlib.import_module(_COMPILER)

    def leave(self) -> None:
        if sys.modules.get(_COMPILER) is self:
            del sys.modules[_COMPILER]


@contextmanager
def _compiler_later() -> Iterator[None]:
    if _COMPILER in sys.modules:
        yield
        return
    standin = _CompilerLater(_COMPILER)
    sys.modules[_COMPILER] = standin
    try:
        yield
    finally:
        standin.leave()
