"""The app as a server: `streamlit run app.py` on a home full of hostile files, asked over the network."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import psutil

from tools.attack import homes, measured
from tools.attack.row import Row

UP = "../" * 8 + "etc/passwd"
UP_CODED, UP_TWICE = "%2e%2e%2f" * 8 + "etc%2fpasswd", "%252e%252e%252f" * 8 + "etc%252fpasswd"
PATHS = tuple(
    f"/{place}{way}"
    for place in ("", "static/", "media/", "app/static/", "component/x/", "_stcore/")
    for way in (UP, UP_CODED, UP_TWICE, "%c0%ae%c0%ae/etc/passwd")
)
QUERIES = (
    "<script>alert(1)</script>", "../../etc/passwd", "%00", "a" * 5000, "'; DROP TABLE records; --", "![p](http://evil.invalid/p)",
    "$(touch x)", "\u202e", "{{7*7}}", "null", "-1", "**b** :red[r]", "http://evil.invalid", "\n\n# h", "x" * 80 + "<b>",
)  # fmt: skip
PAGES = ("models", "classify", "convert", "")
GROWTH_MB = 150.0
"""What a server may hold more after hostile files were opened: its pages, thumbnails and caches."""


def server(arena: Path, short: bool) -> Iterator[Row]:
    """Requests, then query parameters, then hostile files on real pages."""
    home = homes.with_baseline(arena, "server")
    secret = arena / "secret"
    secret.write_bytes(b"what nobody may write")
    made = measured.run(measured.module("tools.attack.make_weights", "scripts", str(home / "models"), str(secret)), home)
    if made.code != 0:
        raise RuntimeError(made.err[-500:])
    with started(home) as (process, port):
        yield _requests(process, port)
        yield _hostile_files(
            process,
            port,
            home,
            ("Write.pt", "Raise.pt") if short else ("Write.pt", "Save.pt", "Raise.pt", "Grow.pt", "Loop.pt"),
        )
    row = Row("query parameters: scripts, paths, Markdown, 5,000 characters, empty bytes", 2 if short else len(QUERIES))
    told, ended = measured.ask(home, "open_pages", *(f"checkpoint={query}" for query in QUERIES[: row.count]))
    row.expect(told and not told["exceptions"], f"{told.get('exceptions') or ended.err[-800:]}")
    row.figures = {"pages": told.get("pages"), "exceptions": len(told.get("exceptions", "?"))}
    yield row


@contextmanager
def started(home: Path) -> Iterator[tuple[psutil.Process, int]]:
    """The running app and its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}"]
    nowhere = subprocess.DEVNULL
    process = subprocess.Popen(
        command,
        cwd=measured.PROJECT,
        env=measured.environment(home),
        stdin=nowhere,
        stdout=nowhere,
        stderr=nowhere,
        start_new_session=True,
    )
    try:
        ends = time.monotonic() + 90
        while time.monotonic() < ends:
            with suppress(OSError, http.client.HTTPException):
                if _get(port, "/_stcore/health")[0] == 200:
                    break
            time.sleep(0.2)
        else:
            raise RuntimeError("the app did not answer")
        yield psutil.Process(process.pid), port
    finally:
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _get(port: int, path: str, method: str = "GET", body: bytes | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read(1 << 20)
    finally:
        connection.close()


def _requests(process: psutil.Process, port: int) -> Row:
    row = Row("paths that lead out, a foreign Origin, an upload without a session", len(PATHS) + 2)
    shell = _get(port, "/")[1]
    for path in PATHS:
        status, body = _get(port, path)
        row.expect(b"root:" not in body and (status >= 400 or body == shell), f"{path}: {status} {body[:80]!r}")
    row.expect(
        _connects(port, f"http://127.0.0.1:{port}"), "the app's own page cannot connect: the next line would prove nothing"
    )
    row.expect(not _connects(port, "http://evil.invalid"), "a page of a foreign Origin connects")
    status, _ = _get(port, "/_stcore/upload_file/nobody/nothing", "PUT", b"x" * 1000)
    row.expect(status >= 400, f"an upload without a session: {status}")
    listening = {c.laddr.ip for c in process.net_connections(kind="inet") if c.status == psutil.CONN_LISTEN}
    row.expect(listening <= {"127.0.0.1", "::1"}, f"it listens on {sorted(listening)}")
    row.figures = {"listens on": sorted(listening), "upload": status, "/_stcore/metrics": _get(port, "/_stcore/metrics")[0]}
    return row


def _connects(port: int, origin: str) -> bool:
    from websockets.exceptions import InvalidStatus
    from websockets.sync.client import connect
    from websockets.typing import Origin, Subprotocol

    try:
        with connect(f"ws://127.0.0.1:{port}/_stcore/stream", origin=Origin(origin), subprotocols=[Subprotocol("streamlit")]):
            return True
    except InvalidStatus:
        return False


def _hostile_files(process: psutil.Process, port: int, home: Path, names: tuple[str, ...]) -> Row:
    """Every hostile file on every page that shows a checkpoint, as a visitor's browser asks for it."""
    from udacisense.models.checkpoint import read_checkpoint

    row = Row("hostile TorchScript opened on the pages of a running server", len(names))
    _visit(port, "models", "")
    before, before_s = process.memory_info().rss / 1e6, sum(process.cpu_times()[:2])
    most, ids = before, {name: read_checkpoint(home / "models" / name).id for name in names}
    for name, checkpoint in ids.items():
        for page in PAGES if name == names[0] else PAGES[:1]:
            said = _visit(port, page, f"checkpoint={quote(checkpoint)}&subject={quote(checkpoint)}")
            row.expect("Traceback" not in said and "stack_trace" not in said, f"{name} on {page or 'overview'}: {said[-600:]}")
            if page == "models":
                row.expect(said.count(name) and "error" in said, f"{name} on models: nothing is said about it")
            most = max(most, process.memory_info().rss / 1e6)
    row.figures = {"server MB before": before, "server MB, most": most, "server cpu s": sum(process.cpu_times()[:2]) - before_s}
    row.expect(most - before <= GROWTH_MB, f"the server grew from {before:.0f} to {most:.0f} MB")
    secret = home.parent / "secret"
    row.expect(
        secret.read_bytes() == b"what nobody may write" and not list(home.parent.glob("secret-*")), "a file outside was written"
    )
    return row


def _visit(port: int, page: str, query: str) -> str:
    """What a page sends to a browser, as text."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
    from websockets.sync.client import connect
    from websockets.typing import Subprotocol

    asked = BackMsg()
    asked.rerun_script.query_string = query
    asked.rerun_script.page_name = page
    said = []
    protocols = [Subprotocol("streamlit")]
    with connect(f"ws://127.0.0.1:{port}/_stcore/stream", subprotocols=protocols, max_size=None) as socket_:
        socket_.send(asked.SerializeToString())
        while True:
            message = ForwardMsg.FromString(socket_.recv(timeout=180, decode=False))
            said.append(str(message))
            if message.WhichOneof("type") == "script_finished":
                return "\n".join(said)
