"""The process that is timed: loads one file, then answers commands on its pipes, one line of JSON each.

`python -m udacisense.benchmark.worker_process` reads {"do": "hello" | "open" | a step of timed.py, ...} and writes the answer,
or {"error": message}. It ends when its input does, so it never outlives the process that started it.
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
from typing import IO

from udacisense.benchmark.worker_steps import STEPS, Answer, Command, Timed, open_subject
from udacisense.foreign import in_brief
from udacisense.processes.limits import die_with_parent


def serve(commands: IO[str], answers: IO[str]) -> None:
    """Answer commands until they end."""
    timed: Timed | None = None
    for line in commands:
        command = json.loads(line)
        # ends this process even where the runtime hangs in native code and nobody is left to kill it
        faulthandler.dump_traceback_later(command["timeout_s"], exit=True)
        try:
            timed, answer = _do(timed, command)
        except Exception as exc:  # the seam: every runtime has errors of its own, and the parent must hear of each
            answer = {"error": in_brief(exc)}
        faulthandler.cancel_dump_traceback_later()
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _do(timed: Timed | None, command: Command) -> tuple[Timed | None, Answer]:
    if command["do"] == "hello":
        return timed, {}
    if command["do"] == "open":
        return open_subject(command)
    if timed is None:
        raise ValueError("nothing is open")
    return timed, STEPS[command["do"]](timed, command)


def main() -> None:
    """Serve on the process's pipes; what a runtime prints goes to stderr, so that it cannot spoil an answer."""
    die_with_parent()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    serve(sys.stdin, answers)


if __name__ == "__main__":
    main()
