"""The process that converts: `python -m udacisense.conversion.worker` answers commands on its pipes, one line of JSON each.

It reads {"do": "export" | "check" | "measure" | "write_golden" | "describe_data", ...}, writes {"progress": [fraction, stage]}
while it works, then the answer, or {"error": message, "kind": class name, "ours": whether it is one of UdaciSense's}. It is
kept for the next conversion, so that imports and the exported network are shared, and ends when its input does.
"""

from __future__ import annotations

import dataclasses
import faulthandler
import json
import os
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from udacisense.conversion.steps import ConversionSteps, check_same
from udacisense.errors import UdaciSenseError
from udacisense.processes import limits
from udacisense.processes.limits import Bounds
from udacisense.progress import watched_by
from udacisense.records.subjects import from_plain
from udacisense.settings import settings
from udacisense.types import Checkpoint, ConversionRecipe

Command = Mapping[str, Any]
PATHS = ("out", "path", "fp32_path")


def answer(workshop: ConversionSteps, command: Command) -> Any:
    """Do one command; its answer as JSON values."""
    arguments = {key: value for key, value in command.items() if key not in ("do", "timeout_s", "checkpoint")}
    arguments |= {key: Path(arguments[key]) for key in PATHS if arguments.get(key) is not None}
    if "recipe" in arguments:
        arguments["recipe"] = ConversionRecipe(**arguments["recipe"])
    checkpoint = from_plain(command["checkpoint"])
    assert isinstance(checkpoint, Checkpoint)  # the client sends nothing else
    check_same(checkpoint)
    found = getattr(workshop, command["do"])(checkpoint, **arguments)
    return dataclasses.asdict(found) if dataclasses.is_dataclass(found) and not isinstance(found, type) else found


def serve(commands: IO[str], answers: IO[str]) -> None:
    """Answer commands until they end."""

    def say(line: Mapping[str, Any]) -> None:
        answers.write(json.dumps(line) + "\n")
        answers.flush()

    workshop = ConversionSteps(settings().threads)
    with watched_by(lambda fraction, stage: say({"progress": [fraction, stage]})):
        for line in commands:
            command = json.loads(line)
            # ends this process even where a converter hangs in native code and nobody is left to kill it
            faulthandler.dump_traceback_later(command["timeout_s"], exit=True)
            try:
                say({"answer": answer(workshop, command)})
            except Exception as exc:  # the seam: every converter has errors of its own, and the parent must hear of each
                traceback.print_exc()
                ours = isinstance(exc, UdaciSenseError)
                say({"error": str(exc) or type(exc).__name__, "kind": type(exc).__name__, "ours": ours})
            faulthandler.cancel_dump_traceback_later()


def main(argument: str) -> None:
    """Serve on the process's pipes; what a converter prints goes to the log, so that it cannot spoil an answer."""
    faulthandler.enable()  # a crash in native code leaves its place in the log
    limits.die_with_parent()
    limits.apply(Bounds(**json.loads(argument)))
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    serve(sys.stdin, answers)


if __name__ == "__main__":
    main(sys.argv[1])
