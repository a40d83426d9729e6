"""Every verb and every page in poor surroundings: no stack trace, code 3 with a way out, and reading goes on."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.walk.hiding import hidden
from udacisense import scratch
from udacisense.settings import PROJECT

NOBODY = 65534
LIMIT_S = 1500.0  # a loaded machine; each walk takes well under a minute on an idle one
# a test makes at most two walks, and the limit of one tells more than that of the test
pytestmark = [pytest.mark.slow, pytest.mark.timeout(3 * LIMIT_S)]
MODELS = ("baseline_mobilenet", "pipeline_03", "mobile")
CHECKPOINT, ARTIFACT = "models/pipeline_03/final_compressed_model.pth", "torchscript-fp32-4ce2fa81-1b65e9"
READING = ("env", "data", "models", "runs", "ready", "report", "inspect", "compress --table")
WRITING = (
    "evaluate",
    "verify",
    "locate",
    "convert",
    "benchmark",
    "run",
    "train",
    "compress --pipeline",
    "selftest",
    "tag",
    "card",
)
PACKAGES = (
    ("executorch",),
    ("ai_edge_litert", "litert_torch"),
    ("onnx", "onnxruntime", "onnxscript"),
    ("coremltools",),
    ("torchao",),
    ("torch", "torchvision"),
)
Walked = dict[str, dict[str, Any]]


@pytest.fixture
def shipped() -> Iterator[Path]:
    """A home with the shipped files and records, which anybody may read and only its owner may change."""
    with tempfile.TemporaryDirectory(prefix=scratch.prefix()) as folder:  # pytest's own folders are closed to other users
        home = Path(folder, "home")
        for name in MODELS:
            source = PROJECT / "models" / name
            if not source.is_dir():
                pytest.skip(f"the shipped files are not here: models/{name}")
            shutil.copytree(source, home / "models" / name)
        shutil.copytree(PROJECT / "results", home / "results")
        for place in (Path(folder), home, *home.rglob("*")):
            place.chmod(0o755 if place.is_dir() else 0o644)
        yield home


def walk(what: str, home: Path, *rest: str, env: Mapping[str, str | None] = {}, before: Sequence[str] = ()) -> Walked:
    """What came of every verb or page in a process of its own."""
    surroundings = {"PATH": os.environ["PATH"], "UDACISENSE_HOME": str(home), "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    surroundings |= {name: value for name, value in env.items() if value is not None}
    for name in [n for n, value in env.items() if value is None]:
        surroundings.pop(name, None)
    command = [*before, sys.executable, "-m", "tests.walk.child", what, str(home / CHECKPOINT), ARTIFACT, *rest]
    done = subprocess.run(command, cwd=PROJECT, env=surroundings, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.stdout, done.stderr[-3000:]
    return {found["verb"]: found for found in json.loads(done.stdout)}


def as_nobody() -> list[str]:
    """The beginning of a command line that another user runs."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root can become another user, by setpriv")
    become = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    become += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]  # Python itself may lie in root's folder
    again = "import streamlit, subprocess, sys; subprocess.run([sys.executable, '-c', ''], check=True)"
    tried = subprocess.run([*become, sys.executable, "-c", again], cwd=PROJECT, capture_output=True, check=False)
    if tried.returncode:
        pytest.skip("another user cannot run this Python")
    return become


def assert_plain(walked: Walked) -> None:
    """No stack trace anywhere, and every error is code 3 with what to do."""
    assert walked, "nothing was walked"
    for name, found in walked.items():
        said = found["out"] + found["err"]
        assert found["code"] in (0, 1, 2, 3), f"{name}: {found['code']}\n{said}"
        assert "Traceback (most recent call last)" not in said, f"{name}: {said}"
        assert "nobody foresaw" not in said, f"{name}: {said}"
        assert not re.search(r"\w\.\.(\s|$)", said), f"{name}: {said}"
        if found["code"] == 3:
            error = said[said.rindex("Error: ") :]
            assert re.search(r"[.?:] \S", error), f"{name} names no way out: {error}"


def test_a_home_that_cannot_be_written_is_said_before_the_work(shipped: Path) -> None:
    before = as_nobody()
    walked = walk("verbs", shipped, "heavy", before=before, env={"HOME": "/nonexistent"})
    assert_plain(walked)
    for name, found in walked.items():
        if name.startswith(READING) and "--source" not in name:
            assert found["code"] != 3, f"{name}: {found['err']}"
        elif name.startswith(WRITING) and "none" not in name and "no-such" not in name:
            assert found["code"] == 3, f"{name}: {found['out']}"
            assert "UDACISENSE_HOME" in found["err"], f"{name}: {found['err']}"
            assert str(shipped) in found["err"], f"{name}: {found['err']}"
    assert not (shipped / ".udacisense").exists()
    assert list(shipped.rglob("*.part")) == []


def test_pages_say_it_before_the_press(shipped: Path) -> None:
    walked = walk("pages", shipped, before=as_nobody(), env={"HOME": "/nonexistent"})
    assert_plain(walked)
    for name, found in walked.items():
        assert "Set UDACISENSE_HOME" in found["out"], name
        assert all(found["buttons"].values()), f"{name}: {found['buttons']}"
    assert sum(len(found["buttons"]) for found in walked.values()) > 5


@pytest.mark.parametrize("what", ["verbs", "pages"])
@pytest.mark.parametrize("unset", [{"HOME": None}, {"HOME": "/nonexistent", "UDACISENSE_HOME": "missing"}])
def test_no_home(what: str, unset: dict[str, str | None], shipped: Path, tmp_path: Path) -> None:
    if unset.get("UDACISENSE_HOME"):
        unset = {**unset, "UDACISENSE_HOME": str(tmp_path / "not" / "there")}
    assert_plain(walk(what, shipped, env=unset))


@pytest.mark.parametrize("what", ["verbs", "pages"])
@pytest.mark.parametrize("packages", PACKAGES, ids=lambda p: p[0])
def test_missing_packages(what: str, packages: tuple[str, ...], shipped: Path, tmp_path: Path) -> None:
    walked = walk(what, shipped, env=hidden(tmp_path / "hiding", *packages))
    assert_plain(walked)
    if what == "verbs":
        reading = [found for name, found in walked.items() if name.startswith(("env", "models", "ready", "report"))]
        assert all(found["code"] != 3 for found in reading), reading


@pytest.mark.parametrize("what", ["verbs", "pages"])
def test_no_data(what: str, shipped: Path, tmp_path: Path) -> None:
    assert_plain(walk(what, shipped, env={"UDACISENSE_DATA_DIR": str(tmp_path / "nothing")}))
    empty = tmp_path / "empty"
    empty.mkdir()
    assert_plain(walk(what, shipped, env={"UDACISENSE_DATA_DIR": str(empty)}))


@pytest.fixture
def full_disk(shipped: Path, tmp_path: Path) -> Iterator[Path]:
    """The home on a small disk of its own without a byte left."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", str(place)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("a small disk can only be made by root")
    try:
        home = place / "home"
        shutil.copytree(shipped, home)
        with open(place / "ballast", "wb", buffering=0) as file:
            try:
                while file.write(b"0" * 65536):
                    pass
            except OSError:
                pass
        yield home
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


def test_a_full_disk(full_disk: Path) -> None:
    walked = walk("verbs", full_disk, "heavy")
    assert_plain(walked)
    for name, found in walked.items():
        if name.startswith(READING) and "--source" not in name:
            assert found["code"] != 3, f"{name}: {found['err']}"
        elif name.startswith(WRITING) and "none" not in name and "no-such" not in name:
            assert found["code"] == 3, f"{name}: {found['out']}"
            assert "Free some space" in found["err"], f"{name}: {found['err']}"
            assert "another format" not in found["err"]
    pages = walk("pages", full_disk)
    assert_plain(pages)
    assert all(all(found["buttons"].values()) for found in pages.values())
    assert list(full_disk.rglob("*.part")) == []
