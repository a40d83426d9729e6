"""The process that reads: `python -m udacisense.inspection.child FORMAT PATH FOLDER` writes an Anatomy or an error as JSON."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from udacisense.errors import UnsafeFileError
from udacisense.foreign import in_brief
from udacisense.inspection import read_coreml, read_executorch, read_litert, read_onnx, read_torchscript
from udacisense.inspection.limits import bind
from udacisense.inspection.structure import FileError, ModelStructure
from udacisense.processes.limits import die_with_parent

MAX_PARTS = 100_000
"""Most operators and tensors that are handed on."""

READERS: dict[str, Callable[[Path], ModelStructure]] = {
    "executorch": read_executorch.read,
    "litert": read_litert.read,
    "onnx": read_onnx.read,
    "coreml": read_coreml.read,
    "torchscript": read_torchscript.read,
    "torchscript-lite": read_torchscript.read_lite,
}


def answer(format: str, path: Path) -> dict[str, Any]:
    """What the reader of a format found, {"refused": why} of a file that is whole and hostile, or {"error": what is wrong}."""
    try:
        found = READERS[format](path)
    except FileError as exc:
        return {"refused" if isinstance(exc.__cause__, UnsafeFileError) else "error": str(exc)}
    except MemoryError:
        return {"error": "reading it takes more memory than a model for a phone would need"}
    except RecursionError:
        return {"error": "its parts are nested deeper than those of any model"}
    except OSError as exc:
        return {"error": f"it cannot be read ({exc.strerror or exc})"}
    except Exception as exc:  # a hostile file finds errors that nobody foresaw; each of them is the file's
        return {"error": f"it is damaged ({type(exc).__name__}: {in_brief(exc)})"}
    if len(found.operators) + len(found.tensors) > MAX_PARTS:
        return {"error": f"it lists more than {MAX_PARTS} parts, where a model has a few thousand at most"}
    return {"anatomy": asdict(found)}


def main() -> None:
    """Answer on stdout, bound by limits."""
    die_with_parent()
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a file prints cannot spoil the answer
    path = Path(sys.argv[2])
    bind(path, Path(sys.argv[3]))
    with out:
        json.dump(answer(sys.argv[1], path), out)


if __name__ == "__main__":
    main()
