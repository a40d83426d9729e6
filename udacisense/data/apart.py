"""An image decoded in a process of its own, bound in memory and time; one at a time for each visitor, few at a time for all."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import suppress
from typing import IO

import numpy as np

from udacisense.data.turns import Turns
from udacisense.errors import ImageError
from udacisense.processes.spawn import popen
from udacisense.types import Pixels

WALL_S = 60.0
"""Time after which the process is ended from outside."""

AT_ONCE = 2
"""Processes that decode at the same time: each may take a core, and memory up to its bound."""

WAIT_S = 2 * WALL_S
"""Longest wait for a turn."""

COMMAND = (sys.executable, "-m", "udacisense.data.decode_child")
_LINE_BYTES = 4096

_turns = Turns(AT_ONCE, WAIT_S)


def decode_apart(raw: bytes, name: str, max_pixels: int, visitor: str = "") -> tuple[Pixels, float]:
    """The image in a file, decoded by a process of its own, and the seconds that decoding took there.

    Args:
        raw: the whole file.
        name: what to call it in a message.
        max_pixels: most pixels of the decoded image.
        visitor: for whom; whoever has one image decoded waits with the next.

    Raises:
        ImageError: the file is refused or damaged, took more than the process may use, or no turn came in time.
    """
    try:
        with _turns.take(visitor):
            return _ask(raw, name, max_pixels)
    except TimeoutError as exc:
        raise ImageError(f"{name} is waiting behind other large images for too long. Try again in a minute.") from exc


def _ask(raw: bytes, name: str, max_pixels: int) -> tuple[Pixels, float]:
    environment = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    with popen(COMMAND, env=environment, stdin=pipe, stdout=pipe, stderr=nowhere) as child:
        too_long = threading.Timer(WALL_S, child.kill)
        too_long.start()
        try:
            return _exchange(child, raw, name, max_pixels)
        finally:
            too_long.cancel()
            child.kill()


def _exchange(child: subprocess.Popen[bytes], raw: bytes, name: str, max_pixels: int) -> tuple[Pixels, float]:
    assert child.stdin is not None
    assert child.stdout is not None  # both were asked for
    with suppress(OSError):  # a child that is gone is told of by what it does not answer
        _send(child.stdin, raw, name, max_pixels)
    return _receive(child.stdout, name, max_pixels)


def _send(to: IO[bytes], raw: bytes, name: str, max_pixels: int) -> None:
    with to:
        to.write(json.dumps({"name": name, "max_pixels": max_pixels}).encode() + b"\n")
        to.write(raw)


def _receive(source: IO[bytes], name: str, max_pixels: int) -> tuple[Pixels, float]:
    """What the child answers; nothing of it is believed that does not fit what was asked."""
    try:
        told = json.loads(source.readline(_LINE_BYTES))
        if "error" in told:
            raise ImageError(str(told["error"]))
        height, width, seconds = int(told["height"]), int(told["width"]), float(told["seconds"])
    except (ValueError, KeyError, TypeError) as exc:
        raise _ended(name) from exc
    if height < 1 or width < 1 or height * width > max_pixels:
        raise _ended(name)
    got = source.read(3 * height * width)
    if len(got) < 3 * height * width:
        raise _ended(name)
    return np.frombuffer(got, np.uint8).reshape(height, width, 3), seconds


def _ended(name: str) -> ImageError:
    return ImageError(
        f"{name} takes more memory or time to decode than an image may use, and was stopped. Make it smaller and try again."
    )
