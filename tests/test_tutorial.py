"""The tutorial does what it says: its commands run in their order on a copy of the shipped files, and give what it tells of."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from udacisense.cli.app import app
from udacisense.settings import PROJECT

TUTORIAL = PROJECT / "docs" / "tutorial.md"
TEXT = TUTORIAL.read_text(encoding="utf-8")
COMMANDS = re.findall(r"```bash\n(.*?)```", TEXT, re.DOTALL)
WRITTEN = re.compile(r"(?:python -m udacisense|^udacisense)[ \t]+(?P<verb>[a-z]+)(?P<rest>[^`\n|;]*)", re.MULTILINE)
NEW = "onnx-fp16-4ce2fa81-8facd5"
SHIPPED = ("baseline_mobilenet", "pipeline_03", "mobile")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder that a newcomer stands in: the shipped files and records, and no images but the sample pack's."""
    if not all((PROJECT / "models" / name).is_dir() for name in SHIPPED):
        pytest.skip("the shipped files are not here")
    for name in SHIPPED:
        shutil.copytree(PROJECT / "models" / name, tmp_path / "models" / name)
    shutil.copytree(PROJECT / "results", tmp_path / "results")
    (tmp_path / "udacisense").symlink_to(PROJECT / "udacisense")
    return tmp_path


def done(command: str, folder: Path) -> str:
    """What a command prints in bash, in the environment that the tests run in."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {"PATH": path, "HOME": str(folder), "UDACISENSE_HOME": str(folder), "COLUMNS": "200"}
    ran = subprocess.run(
        ["bash", "-euc", command], cwd=folder, env=env, capture_output=True, text=True, timeout=900, check=False
    )
    assert ran.returncode == 0, f"{command}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(shutil.which("bash") is None, reason="the tutorial is for bash")
def test_every_command_of_the_tutorial_runs(folder: Path) -> None:
    listed, ready, made, proof, timed, judged, answer, _report = [done(command, folder) for command in COMMANDS]
    assert len(re.findall(r"^mobilenet_v3_small-", listed, re.MULTILINE)) == 2
    assert len(list((folder / "models" / "mobile").glob("*/artifact.json"))) == 7 + 1
    assert ready.startswith("onnx-int8-4ce2fa81-e2cad3: ")
    assert made.startswith(f"{NEW}: "), f"the tutorial speaks of {NEW}"
    assert "160 of 160" in proof
    assert NEW in timed
    assert judged.startswith(f"{NEW}: ")
    assert "lamp" in answer
    assert (folder / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    "page", [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md"))], ids=lambda path: str(path.relative_to(PROJECT))
)
def test_commands_of_the_documents_exist(page: Path) -> None:
    verbs = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for found in WRITTEN.finditer(page.read_text(encoding="utf-8")):
        assert found["verb"] in verbs, found[0]
        known = {"--help", *(option for p in verbs[found["verb"]].params for option in p.opts)}
        assert set(re.findall(r"(?<!\S)--[a-z-]+", found["rest"])) <= known, found[0]
