"""Recipes and pipelines are TOML files: how they are read, and how their mistakes are told."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from udacisense import files
from udacisense.errors import NotFoundError, RecipeError, StoreError
from udacisense.foreign import in_brief


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of the file.

    Raises:
        NotFoundError: there is no such file. RecipeError: it cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(files.read_text(path))
    except NotFoundError:
        raise
    except StoreError as exc:
        raise RecipeError(str(exc)) from exc
    except (tomllib.TOMLDecodeError, RecursionError) as exc:
        raise RecipeError(f"{path} is not a TOML file: {in_brief(exc)}. Mend that line.") from exc


def faults(exc: ValidationError, plain: dict[str, Any], entries: str) -> str:
    """Each mistake once, told by the name of its `[[entries]]` table instead of its number."""
    follows = bool(plain.get(entries))  # "too few entries" where there are some only follows from their own mistakes
    errors = [e for e in exc.errors() if not (follows and e["type"] == "too_short" and e["loc"] == (entries,))]
    return "; ".join(dict.fromkeys(_fault(error, plain, entries) for error in errors))


def _fault(error: Any, plain: dict[str, Any], entries: str) -> str:
    where = [str(part) for part in error["loc"]]
    if len(where) > 1 and where[0] == entries and where[1].isdigit():
        where[:2] = [f"{entries} {_name(plain[entries][int(where[1])], int(where[1]))!r}"]
    message = "there is no such key" if error["type"] == "extra_forbidden" else _sentence(error["msg"])
    return f"{' / '.join(where)}: {message}" if where else message


def _name(entry: Any, index: int) -> str:
    return str(entry.get("name", index + 1)) if isinstance(entry, dict) else str(index + 1)


def _sentence(message: str) -> str:
    return re.sub(r"^(Value|Assertion) error, ", "", message)
