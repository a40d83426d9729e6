"""The real app with a window into its memory: `python -m tests.e2e.watched_app PORT GRACE_S`.

Each line on stdin is JSON that names bytes, in hex. The answer on stdout is a line of JSON: for each name the types of the
objects that hold its bytes, with the types of those that keep them.
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

import ui.classify.visitors

CONTENT = (bytes, bytearray, str, io.BytesIO, np.ndarray)


def main(port: int, grace_s: float) -> None:
    from streamlit.web import bootstrap

    ui.classify.visitors.GRACE_S = grace_s
    threading.Thread(target=_answer, daemon=True).start()
    flags = {"server_headless": True, "server_port": port, "server_address": "127.0.0.1"}
    bootstrap.load_config_options(flags)
    bootstrap.run("app.py", False, [], flags)


def _answer() -> None:
    for line in sys.stdin:
        print(json.dumps(holders(json.loads(line))), file=sys.__stdout__, flush=True)


def holders(marks: dict[str, str]) -> dict[str, list[str]]:
    """What holds the marked bytes, among all that the collector of this process can reach."""
    wanted = {what: bytes.fromhex(mark) for what, mark in marks.items()}
    contents, own = _contents()
    found = [(what, o) for what, mark in wanted.items() for o in contents if o is not mark and _holds(o, mark)]
    own += [found, *found, contents, wanted]
    return {what: [" < ".join(_chain(o, own)) for w, o in found if w == what] for what in marks}


def _contents() -> tuple[list[Any], list[Any]]:
    """All texts, bytes and arrays; and what was made on the way, which holds them too."""
    gc.collect()
    left = gc.get_objects()
    known, contents = {id(o) for o in left}, []
    while left:  # a dict of plain values is not tracked by the collector, and what it holds is not either
        one = left.pop()
        if isinstance(one, CONTENT):
            contents.append(one)
        new = [o for o in gc.get_referents(one) if id(o) not in known]
        known.update(map(id, new))
        left += new
    return contents, [left, known, new]


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


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
