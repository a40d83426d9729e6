"""Perform one verb: progress on stderr, the answer on stdout, one clear message for an error, and the exit code."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any

import typer

from udacisense.errors import UdaciSenseError
from udacisense.foreign import in_brief
from udacisense.plain_text import visible

VERDICT_CODES = {"pass": 0, "fail": 1, "unknown": 2}
COURSE_CODES = {"same": 0, "better": 0, "worse": 1, "unknown": 2}
ERROR = 3


def perform(as_json: bool, verb: str, work: Callable[[Any], Any], code: Callable[[Any], int] = lambda _: 0) -> None:
    """Do `work` with the module of verbs, print its answer and leave with `code(answer)`; an error leaves with 3.

    With `as_json` stdout gets exactly one JSON document: the answer, or {"error": message, "kind": name of the error}.
    """
    from udacisense.cli.watching import watched

    try:
        with watched(), redirect_stdout(sys.stderr):
            from udacisense import verbs

            answer = work(verbs)
        _print(as_json, verb, answer)
    except UdaciSenseError as exc:
        raise _failed(as_json, str(exc), type(exc).__name__) from exc
    except Exception as exc:
        raise _failed(as_json, _unexpected(verb, exc), type(exc).__name__) from exc
    raise typer.Exit(code(answer))


def _unexpected(verb: str, exc: Exception) -> str:
    """A plain sentence where the system refused a file or a package is missing; all else is our fault, told with its trace."""
    from udacisense.writable import refusal

    missing = (exc.name or "").partition(".")[0] if isinstance(exc, ModuleNotFoundError) else ""
    if missing and missing != "udacisense":
        what = f"{verb.replace('_', ' ')} needs the package {missing}, which is not installed here."
        return f"{what} Install it: pip install -r requirements.txt"
    said = refusal(exc) if isinstance(exc, OSError) else None
    if said is not None:
        return f"{verb} was stopped. {said}"
    traceback.print_exc()
    what = f"{type(exc).__name__}: {in_brief(exc)}"
    return f"{verb} met an error that nobody foresaw: {what}. Please report it with the lines above."


def _print(as_json: bool, verb: str, answer: Any) -> None:
    if as_json:
        from udacisense.cli.plain import plain

        sys.stdout.write(json.dumps(plain(answer), indent=1, allow_nan=False) + "\n")
    else:
        from udacisense.cli import show

        show.answer(verb, answer)
    sys.stdout.flush()


def print_error(message: str, kind: str) -> None:
    """The one JSON document of a verb that failed."""
    sys.stdout.write(json.dumps({"error": message, "kind": kind}) + "\n")
    sys.stdout.flush()


def _failed(as_json: bool, message: str, kind: str) -> typer.Exit:
    if as_json:
        print_error(message, kind)
    sys.stderr.write(f"Error: {visible(message)}\n")
    return typer.Exit(ERROR)
