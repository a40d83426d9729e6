"""The process that takes a file apart: `python -m udacisense.inspection.child JSON`, asked by `inspect_file`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import numpy as np

from udacisense.errors import UnsafeFileError
from udacisense.file_structure.structure import FileError, ModelStructure
from udacisense.foreign import in_brief
from udacisense.formats import FORMATS
from udacisense.processes import limits
from udacisense.processes.frames import Array
from udacisense.processes.limits import Bounds
from udacisense.processes.serve import Answer, serve

CPU_S = 60
"""Processor time of the process."""

MAX_PARTS = 100_000
"""Most operators and tensors that are handed on."""


def reader_of(format: str) -> Callable[[Path], ModelStructure] | None:
    """What takes a file of the format apart; None where nothing can."""
    known = FORMATS.get(format)
    return None if known is None or known.reader is None else resolve_name(known.reader)


def answer(format: str, path: Path) -> dict[str, Any]:
    """What the reader of a format found, {"refused": why} of a file that is whole and hostile, or {"error": what is wrong}."""
    read = reader_of(format)
    if read is None:
        return {"error": f"a file of the format {format!r} has no inside to show"}
    try:
        found = read(path)
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


def bind(path: Path, folder: Path | None = None) -> None:
    """Bind this process for good: it sees one file, and writes nothing but into a temporary folder of its own."""
    limits.apply(Bounds.for_file(path, write=() if folder is None else (folder,), cpu_s=CPU_S))


def main(argument: str) -> None:
    """Bind this process, then answer on its pipes."""
    asked = json.loads(argument)
    path = Path(asked["path"])
    bind(path, limits.own_temporary_folder())

    def read(_asked: dict[str, Any], _arrays: list[Array]) -> Answer:
        return {}, [np.frombuffer(json.dumps(answer(asked["format"], path)).encode(), np.uint8)]

    serve({"read": read})


if __name__ == "__main__":
    main(sys.argv[1])
