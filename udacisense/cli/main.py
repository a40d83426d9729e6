"""The command line as a process: its signals, its exit codes, and mistakes in its arguments."""

from __future__ import annotations

import signal
import sys

import typer

from udacisense.cli.app import app
from udacisense.cli.perform import ERROR, print_error


def main() -> None:
    """Run the command line; a mistake in the arguments ends with the error code too, so that 1 and 2 stay verdicts."""
    signal.signal(signal.SIGTERM, _stop)
    try:
        code = app(standalone_mode=False)
    except typer.TyperException as exc:
        getattr(exc, "show", lambda: None)()
        code = ERROR
        if "--json" in sys.argv:
            print_error(exc.format_message(), "UsageError")
    except typer.Abort:
        code = ERROR
    sys.exit(code or 0)


def _stop(number: int, _frame: object) -> None:
    sys.exit(128 + number)  # unwinds, so that temporary files are removed
