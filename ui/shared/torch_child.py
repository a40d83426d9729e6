"""Questions that need torch, asked in a child process, so that the app stays small: `python -m ui.shared.torch_child`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from udacisense.errors import CheckpointError
from udacisense.foreign import in_brief
from udacisense.processes.rpc import Child, ChildError
from udacisense.processes.serve import Handler, serve
from udacisense.processes.spawn import module

COMMAND = module("ui.shared.torch_child")
TIMEOUT_S = 120.0


def start(*question: str) -> Future[Any]:
    """The answer to a question, which is to come; it raises as `ask` does."""
    answer: Future[Any] = Future()

    def wait() -> None:
        try:
            answer.set_result(ask(*question))
        except CheckpointError as exc:
            answer.set_exception(exc)

    threading.Thread(target=wait, daemon=True).start()
    return answer


def ask(question: str, *arguments: str) -> Any:
    """The answer to a question, waited for.

    Raises:
        CheckpointError: what was asked about cannot be loaded, or the child died.
    """
    try:
        with Child(COMMAND) as child:
            return child.ask(question, timeout_s=TIMEOUT_S, arguments=arguments)[0]["answer"]
    except ChildError as exc:
        if exc.told is not None:
            raise CheckpointError(str(exc)) from exc
        raise CheckpointError(f"The process that reads with torch gave no answer: {in_brief(str(exc))}. Try again.") from exc


# --- the child's side ----------------------------------------------------------------------------------------------------


def _devices() -> Any:
    from udacisense.provenance import devices

    return [device.kind if device.kind == "cpu" else f"{device.kind} ({device.name})" for device in devices()]


def _package(artifact_id: str, out: str) -> Any:
    from udacisense import verbs

    return str(verbs.package(artifact_id, Path(out)).path)


QUESTIONS: dict[str, Callable[..., Any]] = {"devices": _devices, "package": _package}


def _handler(answer: Callable[..., Any]) -> Handler:
    return lambda asked, _arrays: ({"answer": answer(*asked["arguments"])}, [])


def main() -> None:
    """Answer on the process's pipes."""
    serve({name: _handler(answer) for name, answer in QUESTIONS.items()})


if __name__ == "__main__":
    main()
