"""As it is shipped, the app is reached from its own machine only."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import psutil
import pytest

from udacisense.settings import PROJECT

PATIENCE_S = 120.0  # a busy machine starts a server slowly


def test_the_shipped_settings_name_the_loopback_address() -> None:
    shipped = tomllib.loads((PROJECT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert shipped["server"]["address"] == "127.0.0.1"


@pytest.mark.slow
def test_the_real_server_listens_on_loopback_alone(home: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(PROJECT / "app.py"), "--server.headless=true"]
    server = subprocess.Popen(
        [*command, f"--server.port={port}"],
        cwd=PROJECT,
        env=os.environ.copy(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        listening = _listening(server.pid, port)
        assert listening, "the server never listened"
        assert {address for address, _ in listening} <= {"127.0.0.1", "::1"}
    finally:
        server.kill()
        server.wait()


def _listening(pid: int, port: int) -> set[tuple[str, int]]:
    """The addresses that the process listens on, once the port is among them."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = psutil.Process(pid).net_connections(kind="tcp")
        ours = {(c.laddr.ip, c.laddr.port) for c in found if c.status == psutil.CONN_LISTEN}
        if any(p == port for _, p in ours):
            return ours
        time.sleep(0.2)
    return set()
