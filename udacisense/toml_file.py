"""TOML files that people write (recipes, pipelines, protocols, readiness rules): bounded, checked, each mistake told."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from udacisense import files
from udacisense.errors import RecipeError, StoreError, UdaciSenseError
from udacisense.foreign import in_brief, sentences

MAX_BYTES = 2**20
"""A thousand times what anybody wrote by hand."""
MOST_TOLD = 20
"""Mistakes told one by one; the rest is counted."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TomlKind:
    """What a file should be, in the words of its messages."""

    what: str  # "a recipe"
    way_out: str  # what to do about a mistake
    entries: str = ""  # the `[[entries]]` whose tables are told by their names
    error: type[UdaciSenseError] = RecipeError


def load(path: Path, model: type[T], kind: TomlKind, **given: Any) -> T:
    """The file's content as a checked model; `given` are values that the file may replace, such as its name.

    Raises:
        UdaciSenseError: `kind.error`: the file cannot be read, is not TOML, or has mistakes; all of them are told.
    """
    return parse(read(path, kind), path, model, kind, **given)


def read(path: Path, kind: TomlKind) -> bytes:
    """The file's bytes, for who needs their digest too.

    Raises:
        UdaciSenseError: `kind.error`: there is no such file, or it cannot be read.
    """
    try:
        return files.read_bytes(path, MAX_BYTES)
    except StoreError as exc:
        raise kind.error(f"{path} should be {kind.what} and cannot be read. {exc}") from exc


def parse(raw: bytes, path: Path, model: type[T], kind: TomlKind, **given: Any) -> T:
    """The content of a file that was read already.

    Raises:
        UdaciSenseError: `kind.error`: it is not TOML, or has mistakes.
    """
    try:
        plain = {**given, **tomllib.loads(raw.decode("utf-8"))}
    except (ValueError, RecursionError) as exc:  # ValueError: not UTF-8, not TOML, or a number of thousands of digits
        raise kind.error(f"{path} is not a TOML file: {in_brief(exc)}. Mend that line.") from exc
    try:
        return TypeAdapter(model).validate_python(plain)
    except ValidationError as exc:
        raise kind.error(sentences(f"{path} is not {kind.what}: {_faults(exc, plain, model, kind)}", kind.way_out)) from exc


def _faults(exc: ValidationError, plain: dict[str, Any], model: type[Any], kind: TomlKind) -> str:
    """Each mistake once, told by the name of its entry instead of its number."""
    follows = bool(plain.get(kind.entries))  # "too few entries" where there are some only follows from their own mistakes
    errors = [e for e in exc.errors() if not (follows and e["type"] == "too_short" and e["loc"] == (kind.entries,))]
    told = list(dict.fromkeys(_fault(error, plain, model, kind.entries) for error in errors))
    more = [f"and {len(told) - MOST_TOLD} more mistakes"] if len(told) > MOST_TOLD else []
    return "; ".join(told[:MOST_TOLD] + more)


def _fault(error: Any, plain: dict[str, Any], model: type[Any], entries: str) -> str:
    where = [str(part) for part in error["loc"]]
    message = _no_such_key(model, len(where)) if error["type"] == "extra_forbidden" else _sentence(error["msg"])
    if len(where) > 1 and where[0] == entries and where[1].isdigit():
        where[:2] = [f"{entries} {_name(plain[entries][int(where[1])], int(where[1]))!r}"]
    return f"{' / '.join(where)}: {message}" if where else message


def _no_such_key(model: type[Any], depth: int) -> str:
    keys = list(model.model_fields) if depth == 1 and issubclass(model, BaseModel) else []
    return f"there is no such key, the keys are {', '.join(keys)}" if keys else "there is no such key"


def _name(entry: Any, index: int) -> str:
    return str(entry.get("name", index + 1)) if isinstance(entry, dict) else str(index + 1)


def _sentence(message: str) -> str:
    return re.sub(r"^(Value|Assertion) error, ", "", message)
