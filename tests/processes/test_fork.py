"""Processes that are forked from one that has imported what they need."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from udacisense.processes.fork_client import ForkServer, ForkServerError, Process
from udacisense.processes.rpc import Child, ChildError
from udacisense.processes.spawn import module

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have no safe fork")
CHILD = module("tests.processes.child")


def _said(server: ForkServer, tmp_path: Path, name: str, *arguments: str, **env: str) -> tuple[str, str, Process]:
    """What a forked module prints to stdout and to stderr, and the process."""
    with (tmp_path / "stderr").open("w+b") as said:
        process = server.popen(module(name, *arguments), env=env, stderr=said)
        assert process.stdin is not None
        assert process.stdout is not None
        with process.stdin, process.stdout:
            printed = process.stdout.read().decode()
            process.wait()
        said.seek(0)
        return printed, said.read().decode(), process


def test_a_forked_module_runs_as_python_m_runs_it(tmp_path: Path) -> None:
    with ForkServer(["json"], {}) as server:
        printed, said, process = _said(server, tmp_path, "tests.processes.forked", "a", "b", GIVEN="yes")
    assert printed.split() == ["['a',", "'b']", "yes", "True", str(tmp_path.stat().st_uid)]
    assert said == ""
    assert process.poll() == 0


@pytest.mark.parametrize(("how", "code"), [("0", 0), ("3", 3), ("words", 1), ("raise", 1), ("kill", -9)])
def test_how_a_forked_process_ended_is_told(tmp_path: Path, how: str, code: int) -> None:
    with ForkServer([], {}) as server:
        _, said, process = _said(server, tmp_path, "tests.processes.forked", "end", how)
    assert process.poll() == code
    assert ("Traceback" in said) is (how == "raise")


def test_the_imports_are_shared(tmp_path: Path) -> None:
    with ForkServer(["tests.processes.slow_import"], {}) as server:
        began = time.perf_counter()
        printed, _, _ = _said(server, tmp_path, "tests.processes.forked", "imported", "tests.processes.slow_import")
    assert printed.strip() == "True"
    assert time.perf_counter() - began < 2.0, "the import alone takes as long"


@pytest.mark.parametrize(
    ("name", "why"),
    [("tests.processes.starts_a_thread", "start 1 threads"), ("no.such.module", "do not import")],
)
def test_what_cannot_be_forked_is_refused(name: str, why: str) -> None:
    with pytest.raises(ForkServerError, match=why):
        ForkServer([name], {})


def test_a_forked_child_answers_and_crashes_as_any_other() -> None:
    with ForkServer([], {"GIVEN": "before"}) as server, Child(CHILD, env={}, start=server.popen) as child:
        assert child.ask("environment", timeout_s=20, name="GIVEN")[0]["value"] == "before"
        assert child.alive
        with pytest.raises(ChildError, match="was killed by SIGSEGV"):
            child.ask("die", timeout_s=20)
        assert not child.alive


def test_forked_children_end_with_their_server_and_with_the_parent(tmp_path: Path) -> None:
    with ForkServer([], {}) as server:
        child = Child(CHILD, env={}, start=server.popen)
        pid = int(child.ask("pid", timeout_s=20)[0]["pid"])
        server._process.kill()
        _wait_for_end(pid)
        with pytest.raises(ChildError):
            child.ask("pid", timeout_s=20)
        with pytest.raises(ChildError, match="no process could be started"):
            Child(CHILD, env={}, start=server.popen)
    code = (
        "import os; from udacisense.processes.fork_client import ForkServer; from udacisense.processes.rpc import Child\n"
        "from udacisense.processes.spawn import module; server = ForkServer([], {})\n"
        "child = Child(module('tests.processes.child'), env={}, start=server.popen)\n"
        "print(child.ask('pid', timeout_s=20)[0]['pid'], server._process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    for pid in done.stdout.split():
        _wait_for_end(int(pid))


def _wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return
        except psutil.NoSuchProcess:
            return
        time.sleep(0.05)
    os.kill(pid, 9)
    pytest.fail(f"process {pid} is still there")
