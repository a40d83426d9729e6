"""The child's side of calls: answers them on the process's pipes until they end. The parent's side is `rpc`."""

from __future__ import annotations

import faulthandler
import os
import sys
from collections.abc import Callable, Mapping
from typing import IO, Any

from udacisense.errors import UdaciSenseError
from udacisense.foreign import text_of
from udacisense.processes import frames
from udacisense.processes.frames import Array
from udacisense.processes.limits import allow_cpu, die_with_parent
from udacisense.progress import watched_by

GRACE_S = 5.0
"""A child's own limit of time comes this much after its parent's: it matters only where the parent hangs or is gone."""
CPU_FACTOR = 4
"""Processor time that a call may use, as a multiple of its limit of time: it may run on several cores."""

Answer = tuple[dict[str, Any], list[Array]]
Handler = Callable[[dict[str, Any], list[Array]], Answer]


def pipes() -> tuple[IO[bytes], IO[bytes]]:
    """This process's own two ends; what a library or a file prints goes to stderr, so that it cannot spoil an answer."""
    die_with_parent()
    faulthandler.enable()  # a crash in native code leaves its place there
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return sys.stdin.buffer, answers


def serve(handlers: Mapping[str, Handler], *, bound_cpu: bool = False) -> None:
    """Answer calls until they end. An error of a handler becomes the answer, and what it reports is passed on.

    Args:
        handlers: what can be asked, by name.
        bound_cpu: each call may use processor time by its limit of time, and no more.
    """
    calls, answers = pipes()
    with watched_by(lambda fraction, stage: frames.write(answers, {"progress": [fraction, stage]})):
        while (call := frames.read(calls)) is not None:
            asked, arrays = call
            limit = float(asked.pop("timeout_s")) + GRACE_S
            # ends this process even where native code hangs and nobody is left to kill it
            faulthandler.dump_traceback_later(limit, exit=True)
            if bound_cpu:
                allow_cpu(CPU_FACTOR * limit)
            frames.write(answers, *_answered(handlers, asked, arrays))
            faulthandler.cancel_dump_traceback_later()


def _answered(handlers: Mapping[str, Handler], asked: dict[str, Any], arrays: list[Array]) -> Answer:
    try:
        return handlers[str(asked.pop("do"))](asked, arrays)
    except UdaciSenseError as exc:
        return {"error": str(exc), "kind": type(exc).__name__, "ours": True}, []
    except MemoryError:
        return {"error": "it asks for more memory than it may use", "kind": "MemoryError"}, []
    except RecursionError:
        return {"error": "its parts are nested deeper than those of any model", "kind": "RecursionError"}, []
    except Exception as exc:  # the seam: every runtime has errors of its own, and the parent must hear of each
        return {"error": text_of(exc) or type(exc).__name__, "kind": type(exc).__name__}, []
