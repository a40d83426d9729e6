"""Every verb of the command line. What a verb does is in `udacisense.verbs`; this file only reads its arguments."""

from __future__ import annotations

import signal
import sys
from typing import Annotated

import typer

from udacisense.cli.perform import ERROR, perform

app = typer.Typer(
    name="udacisense",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Convert a compressed image classifier for phones, prove it is the same model, measure it, judge it. "
    "Ids or paths are accepted wherever a checkpoint, an artifact or a subject (either of them) is asked for. "
    "A verb ends with code 0, or 3 after an error; `ready` says its verdict by its code.",
)

Json = Annotated[bool, typer.Option("--json", help="print one JSON document on stdout")]
Source = Annotated[str | None, typer.Option(help="cifar100, folder or sample; by default the best one that is here")]
Scheme = Annotated[str, typer.Option(help="how pictures are split: household-v1 or official")]
Split = Annotated[str, typer.Option(help="test or train")]
Subject = Annotated[str, typer.Argument(help="checkpoint or artifact, by id or path")]


@app.command()
def env(json: Json = False) -> None:
    """List devices, library versions, the seed and every setting."""
    perform(json, "env", lambda verbs: verbs.env())


@app.command()
def data(source: Source = None, scheme: Scheme = "household-v1", json: Json = False) -> None:
    """Describe the pictures: source, splits, class balance and health."""
    perform(json, "data", lambda verbs: verbs.data_info(source, scheme))


@app.command()
def models(json: Json = False) -> None:
    """List checkpoints and the artifacts made from them."""
    perform(json, "models", lambda verbs: verbs.models_info())


def main() -> None:
    """Run the command line; a mistake in the arguments ends with the error code too, so that 1 and 2 stay verdicts."""
    signal.signal(signal.SIGTERM, _stop)
    try:
        code = app(standalone_mode=False)
    except typer.TyperException as exc:
        show = getattr(exc, "show", None)
        if show is not None:
            show()
        code = ERROR
    except typer.Abort:
        code = ERROR
    sys.exit(code or 0)


def _stop(number: int, _frame: object) -> None:
    sys.exit(128 + number)  # unwinds, so that temporary files are removed
