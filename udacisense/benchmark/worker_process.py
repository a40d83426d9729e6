"""The process that is timed: `python -m udacisense.benchmark.worker_process` loads one file and runs it.

It is asked by `worker_client`: "hello", "open", then the steps of `worker_steps`.
"""

from __future__ import annotations

from typing import Any

from udacisense.benchmark.worker_steps import STEPS, Command, Step, Timed, open_subject
from udacisense.processes.frames import Array
from udacisense.processes.serve import Answer, Handler, serve


class _Opened:
    """The subject, once it is open."""

    def __init__(self) -> None:
        self._timed: Timed | None = None

    def hello(self, _asked: Command, _arrays: list[Array]) -> Answer:
        return {}, []

    def open(self, asked: Command, _arrays: list[Array]) -> Answer:
        self._timed, answer = open_subject(asked)
        return answer, []

    def step(self, step: Step) -> Handler:
        def do(asked: dict[str, Any], _arrays: list[Array]) -> Answer:
            if self._timed is None:
                raise ValueError("nothing is open")
            return step(self._timed, asked), []

        return do


def handlers() -> dict[str, Handler]:
    """What can be asked."""
    opened = _Opened()
    return {"hello": opened.hello, "open": opened.open} | {name: opened.step(step) for name, step in STEPS.items()}


def main() -> None:
    """Answer on the process's pipes."""
    serve(handlers())


if __name__ == "__main__":
    main()
