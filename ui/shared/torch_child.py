"""Questions that need torch, asked in a child process, so that the app stays small.

`python -m ui.shared.torch_child WHAT [ID...]` answers one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from udacisense.errors import CheckpointError, UdaciSenseError
from udacisense.foreign import in_brief
from udacisense.processes.limits import die_with_parent
from udacisense.processes.spawn import popen

TIMEOUT_S = 120.0


def start(*question: str) -> subprocess.Popen[str]:
    """The running child that answers a question; its answer comes on stdout."""
    command = [sys.executable, "-m", "ui.shared.torch_child", *question]
    return popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ask(*question: str) -> Any:
    """The answer to a question, waited for.

    Raises:
        CheckpointError: what was asked about cannot be loaded, or the child died.
    """
    child = start(*question)
    try:
        out, err = child.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired as exc:
        child.kill()
        raise CheckpointError(
            f"Reading {question[-1]} took longer than {TIMEOUT_S:.0f} s and was stopped. Try again later."
        ) from exc
    return read_answer(out, err)


def read_answer(out: str, err: str) -> Any:
    """Answer of a child, as plain values.

    Raises:
        CheckpointError: it wrote an error, or died without an answer.
    """
    try:
        answer = json.loads(out)
    except ValueError as exc:
        last = in_brief((err.strip().splitlines() or ["it wrote no message"])[-1])
        raise CheckpointError(f"The process that reads with torch ended without an answer: {last}. Try again.") from exc
    if "error" in answer:
        raise CheckpointError(answer["error"])
    return answer["answer"]


def _devices() -> Any:
    from udacisense.records.provenance import devices

    return [device.kind if device.kind == "cpu" else f"{device.kind} ({device.name})" for device in devices()]


def _package(artifact_id: str, out: str) -> Any:
    from pathlib import Path

    from udacisense import verbs

    return str(verbs.package(artifact_id, Path(out)).path)


QUESTIONS: dict[str, Callable[..., Any]] = {"devices": _devices, "package": _package}


def main(argv: list[str]) -> None:
    """Answer one question on stdout as JSON; what a library or a network prints goes to stderr and cannot spoil it."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    die_with_parent()
    try:
        document = {"answer": QUESTIONS[argv[0]](*argv[1:])}
    except UdaciSenseError as exc:
        document = {"error": str(exc)}
    text = json.dumps(document, default=str)
    print(text, file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
