"""The process that reads: `python -m udacisense.inspection.child FORMAT PATH FOLDER` writes a structure or an error as JSON."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from udacisense.file_structure.structure import FileError, ModelStructure
from udacisense.foreign import in_brief
from udacisense.formats import FORMATS
from udacisense.inspection.limits import bind
from udacisense.processes.limits import die_with_parent

MAX_PARTS = 100_000
"""Most operators and tensors that are handed on."""


def reader_of(format: str) -> Callable[[Path], ModelStructure] | None:
    """What takes a file of the format apart; None where nothing can."""
    known = FORMATS.get(format)
    return None if known is None or known.reader is None else resolve_name(known.reader)


def answer(format: str, path: Path) -> dict[str, Any]:
    """What the reader of a format found, or {"error": what is wrong with the file}."""
    read = reader_of(format)
    if read is None:
        return {"error": f"a file of the format {format!r} has no inside to show"}
    try:
        found = read(path)
    except FileError as exc:
        return {"error": str(exc)}
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
