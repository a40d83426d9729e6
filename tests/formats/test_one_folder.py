"""A format is one folder with one record: a toy one, listed and nothing else, is found wherever formats are spoken of."""

from __future__ import annotations

import importlib
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from pkgutil import iter_modules, resolve_name

import numpy as np
import pytest

from tests.fakes import fake_artifact, fake_checkpoint
from udacisense import formats, provenance
from udacisense.conversion.convert import targets
from udacisense.errors import FormatError, InspectError, RunError
from udacisense.formats import FORMATS
from udacisense.inspection import child
from udacisense.inspection.inspect_file import identify, readable
from udacisense.packaging.contents import code, packed_formats, template
from udacisense.settings import PROJECT
from udacisense.types import Artifact, Checkpoint, Format, WrittenFile
from udacisense.verify.intermediate_values import intermediate_reader
from ui.shared.chart_style import OTHER_COLOR, format_color

FOLDER = {
    "__init__.py": "from fmt_toy.format import FORMAT\n",
    "format.py": """
from tests.fakes import fake_format
from udacisense.types import AppCode, FileSigns, Platform, android

FORMAT = fake_format(
    "toy",
    color="#123456",
    libraries=("toy-runtime", "numpy"),
    signs=FileSigns(suffixes=(".toy",), magic=b"TOY1"),
    reader="fmt_toy.reader:read",
    intermediates="fmt_toy.intermediates:read",
    app_code=AppCode(
        home="fmt_toy",
        runtime="toy-runtime",
        platforms=(android("android/ToyClassifier.kt"), Platform("the toy box", ("box/open.toy",))),
        values={"toy_box": "red"},
    ),
)
""",
    "reader.py": """
from udacisense.file_structure.structure import ModelStructure

def read(path):
    return ModelStructure(4, 0, (), (), (), (), {"first": path.read_text()[:3]})
""",
    "intermediates.py": """
def read(file):
    return lambda images: iter([(f"sum of {file.path.name}", images.sum(axis=(1, 2, 3)))])
""",
    "app_code/load.py": "def load(path):\n    return toy\n",
    "app_code/android/ToyClassifier.kt": "// for {{file}} and toy-runtime {{runtime_version}}\n",
    "app_code/box/open.toy": "a {{toy_box}} box\n",
}


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Format]:
    """The folder of a format on the path of Python's modules, and its entry in the list."""
    for place, text in FOLDER.items():
        path = tmp_path / "fmt_toy" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    found: Format = importlib.import_module("fmt_toy").FORMAT
    monkeypatch.setitem(FORMATS, "toy", found)
    yield found
    for name in [name for name in sys.modules if name.partition(".")[0] == "fmt_toy"]:
        del sys.modules[name]


@pytest.fixture
def pair(home: Path) -> tuple[Checkpoint, Artifact]:
    checkpoint = fake_checkpoint(home / "models" / "baseline_mobilenet" / "checkpoints" / "model.pth")
    return checkpoint, fake_artifact(home / "models" / "mobile", checkpoint, "toy", "model.toy")


def test_it_has_its_colour_and_its_libraries(toy: Format) -> None:
    assert format_color("toy") == "#123456"
    assert "toy-runtime" in provenance.libraries()
    assert len(provenance.libraries()) == len(set(provenance.libraries()))


def test_a_checkpoint_can_become_one(toy: Format) -> None:
    assert targets()["toy"] is toy


def test_its_files_are_known_and_taken_apart(toy: Format, tmp_path: Path) -> None:
    named, marked = tmp_path / "a.toy", tmp_path / "b"
    named.write_text("any")
    marked.write_bytes(b"    TOY1")
    assert identify(named) == identify(marked) == "toy"
    assert "toy" in readable()
    assert child.answer("toy", named)["anatomy"]["facts"] == {"first": "any"}


def test_its_inner_values_are_seen(toy: Format, tmp_path: Path) -> None:
    read = intermediate_reader(WrittenFile(tmp_path / "a.toy", "toy"))
    ((name, value),) = read(np.ones((1, 3, 2, 2), np.float32))
    assert (name, value.tolist()) == ("sum of a.toy", [12.0])


def test_its_files_are_packed_with_its_own_code_and_the_shared(toy: Format, pair: tuple[Checkpoint, Artifact]) -> None:
    checkpoint, artifact = pair
    assert "toy" in packed_formats()
    found = code(artifact, checkpoint)
    assert set(found) == {
        *("selftest.py", "box/open.toy", "android/ToyClassifier.kt"),
        *("android/Picture.kt", "android/SelfTest.kt"),
    }
    assert found["box/open.toy"] == "a red box\n"
    assert found["android/ToyClassifier.kt"].startswith(f"// for {artifact.path.name} and toy-runtime ")
    assert "return toy" in found["selftest.py"]
    assert "toy-runtime" in found["selftest.py"]


def test_what_it_leaves_out_is_told_and_nothing_else_is_lost(
    toy: Format, pair: tuple[Checkpoint, Artifact], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = replace(toy, color=None, libraries=(), signs=type(toy.signs)(), reader=None, intermediates=None, app_code=None)
    monkeypatch.setitem(FORMATS, "toy", bare)
    assert format_color("toy") == OTHER_COLOR
    assert "toy" not in (*readable(), *packed_formats())
    assert "no inside" in child.answer("toy", tmp_path)["error"]
    (tmp_path / "a.toy").write_text("any")
    with pytest.raises(InspectError, match="no format that is known"):
        identify(tmp_path / "a.toy")
    with pytest.raises(RunError, match="Fake format toy does not let the inner values"):
        intermediate_reader(WrittenFile(tmp_path / "a.toy", "toy"))
    with pytest.raises(FormatError, match=f"no package for toy files. Formats with one: {', '.join(packed_formats())}"):
        code(pair[1], pair[0])


# --- the real ones ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fmt", FORMATS.values(), ids=list(FORMATS))
def test_whatever_a_record_names_is_there(fmt: Format) -> None:
    for reference in (fmt.reader, fmt.intermediates):
        assert reference is None or callable(resolve_name(reference))
    if fmt.app_code is not None:
        places = (fmt.app_code.load, *(place for platform in fmt.app_code.platforms for place in platform.places))
        assert all(template(place, fmt.app_code.home) for place in places)


def test_no_two_formats_take_each_others_files() -> None:
    every = [fmt.signs for fmt in FORMATS.values()]
    for signs in ([s for one in every for s in one.suffixes], [one.magic for one in every if one.magic]):
        assert len(signs) == len(set(signs))
    members = [one.member for one in every if one.member is not None]
    assert len(members) == len(set(members))


def test_every_folder_of_formats_stands_in_the_contract_that_keeps_them_apart() -> None:
    contracts = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    (apart,) = [c for c in contracts if c["name"] == "A format knows no other format"]
    assert (apart["type"], apart["modules"]) == ("independence", ["udacisense.formats.*"])
    assert all(module.ispkg and module.name.startswith("fmt_") for module in iter_modules(formats.__path__))
