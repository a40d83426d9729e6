"""Loading of TorchScript files, in bound processes only."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from udacisense.errors import UnsafeFileError
from udacisense.foreign import in_brief
from udacisense.processes import limits
from udacisense.torchscript import archive
from udacisense.torchscript.code import RefusedError, raise_refused
from udacisense.torchscript.operators import allowed

_KNOWN_NOTICES = (r".*torch\.jit\..* is deprecated", r"\s*Lite Interpreter is deprecated")


@contextmanager
def quiet_jit() -> Iterator[None]:
    """Silence torch.jit's own deprecation notices and the tracer's, inside the block only; every other warning passes.

    The format outlives the notice: phones in the field run it, and the product says so where it is offered.
    """
    from torch.jit._trace import TracerWarning

    with warnings.catch_warnings():
        for message in _KNOWN_NOTICES:
            warnings.filterwarnings("ignore", message=message, category=DeprecationWarning)
        # the network compares its input's size with 224; what a trace makes of that is checked after the capture
        warnings.filterwarnings("ignore", category=TracerWarning)
        yield


def load_script(path: Path) -> Any:
    """The ScriptModule in a file, in evaluation mode on the CPU, or the lite interpreter's module.

    Raises:
        UnsafeFileError: it calls what a classifier may not call; it was not loaded.
        ArchiveError: it is damaged, or larger inside than it seems. The message is a reason only.
        RuntimeError: torch refuses it, or this process is not bound.
    """
    return _loaded(path, _standard)


def load_lite(path: Path) -> Any:
    """The module of a file for the lite interpreter; raises as `load_script` does."""
    return _loaded(path, _lite)


def _loaded(path: Path, load: Callable[[Path], Any]) -> Any:
    if not limits.is_bound():
        raise RuntimeError("TorchScript is loaded in bound processes only")
    try:
        archive.check(path, operator_names())
        with quiet_jit():
            return load(path)
    except RefusedError as exc:
        raise UnsafeFileError(f"{path.name} was not loaded: {in_brief(exc)}. Use a file from a source that you trust.") from exc


def _standard(path: Path) -> Any:
    import torch

    module = torch.jit.load(str(path), map_location="cpu").eval()  # type: ignore[no-untyped-call]
    _check_graph(module)
    return module


def _lite(path: Path) -> Any:
    from torch.jit.mobile import _load_for_lite_interpreter

    return _load_for_lite_interpreter(str(path), map_location="cpu")  # type: ignore[no-untyped-call]


def _check_graph(module: Any) -> None:
    """What torch itself made of the code, held to the same list before any of it runs: a second reading by another reader."""
    found = {kind for kind in _kinds(module.inlined_graph) if not allowed(kind)}
    if found:
        raise_refused(found)


def _kinds(block: Any) -> Iterator[str]:
    for node in block.nodes():
        yield node.kind()
        for inner in node.blocks():
            yield from _kinds(inner)


@lru_cache(maxsize=1)
def operator_names() -> frozenset[str]:
    """The names of all operators of this torch, without namespace and overload."""
    import torch

    return frozenset(schema.name.partition("::")[2] for schema in torch._C._jit_get_all_schemas())
