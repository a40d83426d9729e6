"""The real app with a window into its memory: `python -m tests.e2e.watched_app PORT GRACE_S`.

Each line on stdin names bytes, in hex. The answer on stdout is a line of JSON: the types of the objects that hold them,
each with the types of those that keep it.
"""

from __future__ import annotations

import gc
import io
import json
import sys
import threading
from types import FrameType
from typing import Any

import numpy as np

import ui.visitors

CONTENT = (bytes, bytearray, str, io.BytesIO, np.ndarray)


def main(port: int, grace_s: float) -> None:
    from streamlit.web import bootstrap

    ui.visitors.GRACE_S = grace_s
    threading.Thread(target=_answer, daemon=True).start()
    flags = {"server_headless": True, "server_port": port, "server_address": "127.0.0.1"}
    bootstrap.load_config_options(flags)
    bootstrap.run("app.py", False, [], flags)


def _answer() -> None:
    for line in sys.stdin:
        print(json.dumps(holders(bytes.fromhex(line))), file=sys.__stdout__, flush=True)


def holders(wanted: bytes) -> list[str]:
    """What holds these bytes, among all that the collector of this process can reach."""
    gc.collect()
    tracked = gc.get_objects()
    seen = {id(o): o for owner in tracked for o in (owner, *gc.get_referents(owner)) if isinstance(o, CONTENT)}
    own = [tracked, seen]
    found = [o for o in seen.values() if o is not wanted and _holds(o, wanted)]
    own += [found]
    return [" < ".join(_chain(o, own)) for o in found]


def _chain(found: Any, own: list[Any]) -> list[str]:
    """The types of what refers to an object, of what refers to that, and so on."""
    chain = [type(found).__qualname__]
    known = {id(o) for o in (found, own, *own)}
    while len(chain) < 12:
        known.add(id(known))
        above = [r for r in gc.get_referrers(found) if id(r) not in known and not isinstance(r, FrameType)]
        if not above:
            break
        found = above[0]
        known |= {id(found), id(above)}
        chain.append(f"{type(found).__qualname__} {list(found)[:4] if isinstance(found, dict) else ''}")
    return chain


def _holds(found: Any, wanted: bytes) -> bool:
    if isinstance(found, str):
        return wanted.isascii() and wanted.decode() in found
    if isinstance(found, io.BytesIO):
        return not found.closed and wanted in found.getvalue()
    if isinstance(found, np.ndarray):
        return found.dtype == np.uint8 and wanted in found.tobytes()
    return isinstance(found, bytes | bytearray) and wanted in found


def _referrers(found: Any, own: object) -> list[str]:
    return [type(r).__qualname__ for r in gc.get_referrers(found) if r is not own][:6]


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
