"""The Python API: the example of its docstring runs, its names are typed and win over modules, and importing it is light."""

from __future__ import annotations

import ast
import doctest
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import udacisense
from tests import story
from tests.data.conftest import noise
from tests.fakes import fake_artifact, fake_checkpoint, fake_format
from tests.networks import saved
from udacisense import formats
from udacisense.errors import FormatError, MeasureError, NotFoundError
from udacisense.records.store import new_id, save
from udacisense.settings import PROJECT
from udacisense.types import Benchmark, Format, Subject

PLACE = ("models", "baseline_mobilenet", "checkpoints", "model.pth")
HEAVY = {"torch", "numpy", "pydantic", "streamlit", "pandas", "PIL", "scipy", "typer", "rich"}
MOST_MODULES = 40  # 29 on Python 3.11


def run_example(home: Path, monkeypatch: pytest.MonkeyPatch) -> doctest.TestResults:
    """Run the docstring's example where a photograph lies beside models/."""
    Image.fromarray(noise(1, 40, 60)).save(home / "photo.png")
    monkeypatch.chdir(home)
    example = doctest.DocTestParser().get_doctest(udacisense.__doc__ or "", {}, "udacisense", None, 0)
    return doctest.DocTestRunner().run(example)


@pytest.fixture
def fake_times(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Times without processes; the protocols that were asked for."""
    asked: list[Any] = []

    def timed(subjects: Sequence[Subject], protocol: Any, **_: Any) -> tuple[Benchmark, ...]:
        asked.append(protocol.name)
        rng = np.random.default_rng(0)
        records = [replace(story.benchmark(s, "fake", 0.005, rng), id=new_id(f"bench-{s.id}")) for s in subjects]
        for record in records:
            save(record)
        return tuple(records)

    monkeypatch.setattr(import_module("udacisense.benchmark.run"), "benchmark", timed)
    return asked


def test_the_example_of_the_docstring_runs(
    sample_home: Path, fake_formats: dict[str, Format], fake_times: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(formats.FORMATS, "onnx", fake_format("onnx"))
    fake_checkpoint(sample_home.joinpath(*PLACE))
    assert run_example(sample_home, monkeypatch) == (0, 13)
    assert fake_times == ["quick"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_example_of_the_docstring_runs_on_real_files(sample_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(sample_home.joinpath(*PLACE))
    assert run_example(sample_home, monkeypatch).failed == 0


def test_records_ids_and_paths_name_the_same(sample_home: Path, fake_formats: dict[str, Format], fake_times: list[Any]) -> None:
    checkpoint = fake_checkpoint(sample_home.joinpath(*PLACE))
    artifact = fake_artifact(sample_home / "models" / "mobile", checkpoint, "fake", "model.fake")
    for subject in (checkpoint, artifact):
        assert udacisense.open(subject.id) == udacisense.open(subject.path) == udacisense.open(str(subject.path)) == subject
    for named in (artifact, artifact.id, artifact.path):
        assert udacisense.judge(named).artifact_id == artifact.id
        assert [b.subject_id for b in udacisense.benchmark(named, checkpoint.path)] == [artifact.id, checkpoint.id]
    assert fake_times == ["standard"] * 3


def test_what_a_function_cannot_take_is_told(sample_home: Path, fake_formats: dict[str, Format]) -> None:
    checkpoint = fake_checkpoint(sample_home.joinpath(*PLACE))
    artifact = fake_artifact(sample_home / "models" / "mobile", checkpoint, "fake", "model.fake")
    with pytest.raises(FormatError, match=f"Convert its checkpoint, {checkpoint.id}"):
        udacisense.convert(artifact)
    for judged in (udacisense.verify, udacisense.judge):
        with pytest.raises(FormatError, match="is a checkpoint, not an artifact"):
            judged(checkpoint)
    with pytest.raises(NotFoundError, match="'nothing'"):
        udacisense.open("nothing")
    with pytest.raises(MeasureError, match="nothing to time"):
        udacisense.benchmark()


# --- the names ---------------------------------------------------------------------------------------------------------


def fresh(code: str) -> Any:
    """What a fresh process prints as JSON."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PROJECT, timeout=120)
    return json.loads(done.stdout)


def test_importing_it_imports_nothing_else_of_weight() -> None:
    code = "import sys, json; before = set(sys.modules); import udacisense; print(json.dumps(list(set(sys.modules) - before)))"
    imported = set(fresh(code))
    assert {name for name in imported if name.partition(".")[0] == "udacisense"} == {"udacisense"}
    assert {name.partition(".")[0] for name in imported} & HEAVY == set()
    assert len(imported) <= MOST_MODULES


def test_every_name_is_there_and_known_to_type_checkers() -> None:
    tree = ast.parse(Path(udacisense.__file__).read_text(encoding="utf-8"))
    (typed,) = [node for node in tree.body if isinstance(node, ast.If)]
    names = [alias.name for node in typed.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert sorted(names) == sorted(udacisense.__all__)
    assert set(udacisense.__all__) <= set(dir(udacisense))
    for node in typed.body:
        assert isinstance(node, ast.ImportFrom)
        for alias in node.names:
            assert getattr(udacisense, alias.name) is getattr(import_module(str(node.module)), alias.name)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        udacisense.nothing  # noqa: B018


def test_a_function_keeps_its_name_when_a_module_called_alike_is_imported() -> None:
    code = (
        "import json, udacisense.verify.compare, udacisense.benchmark.run, udacisense.conversion.convert, udacisense.classify\n"
        "from udacisense.verify import NEAR_TIE\n"
        "print(json.dumps([f'{f.__module__}.{f.__name__}' for f in"
        " (udacisense.verify, udacisense.benchmark, udacisense.convert, udacisense.classify)]))"
    )
    assert fresh(code) == ["udacisense.api.verify", "udacisense.api.benchmark", "udacisense.api.convert",
                           "udacisense.classify.classify"]  # fmt: skip


@pytest.mark.slow
def test_the_types_are_known_to_mypy(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "from typing import assert_type\n"
        "import udacisense\n"
        "found = udacisense.open('x')\n"
        "assert_type(found, udacisense.Checkpoint | udacisense.Artifact)\n"
        "assert_type(udacisense.convert(found, 'onnx', 'fp32'), udacisense.Artifact)\n"
        "assert_type(udacisense.verify(found), udacisense.Verification)\n"
        "assert_type(udacisense.benchmark(found, 'y'), tuple[udacisense.Benchmark, ...])\n"
        "assert_type(udacisense.judge(found), udacisense.Readiness)\n"
        "assert_type(udacisense.classify('a.png', found), udacisense.Classification)\n"
        "udacisense.judge(1)  # type: ignore[arg-type]\n"
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT)
    assert done.returncode == 0, done.stdout
