"""An image decoded in a process of its own, bound in memory and time; one at a time for each visitor, few at a time for all."""

from __future__ import annotations

import numpy as np

from udacisense.data.turns import Turns
from udacisense.errors import ImageError
from udacisense.processes.rpc import Child, ChildError
from udacisense.processes.spawn import module
from udacisense.types import Pixels

WALL_S = 60.0
"""Time after which the process is ended from outside."""

AT_ONCE = 2
"""Processes that decode at the same time: each may take a core, and memory up to its bound."""

WAIT_S = 2 * WALL_S
"""Longest wait for a turn."""

COMMAND = module("udacisense.data.decode_child")

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
    file = np.frombuffer(raw, np.uint8)
    try:
        with Child(COMMAND, environment, most_bytes=3 * max_pixels) as child:
            told, arrays = child.ask("decode", [file], timeout_s=WALL_S, name=name, max_pixels=max_pixels)
        (pixels,), seconds = arrays, float(told["seconds"])
    except ChildError as exc:
        raise (exc.told or _ended(name)) from exc
    except (ValueError, KeyError, TypeError) as exc:
        raise _ended(name) from exc
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.size == 0:
        raise _ended(name)
    return pixels, seconds


def _ended(name: str) -> ImageError:
    return ImageError(
        f"{name} takes more memory or time to decode than an image may use, and was stopped. Make it smaller and try again."
    )
