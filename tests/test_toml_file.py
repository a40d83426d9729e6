"""TOML files that people write: one style of message for recipes, pipelines, protocols and rules, and every mistake told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from udacisense.benchmark.protocol import read_protocol
from udacisense.compression.pipeline_file import load_pipeline
from udacisense.errors import MeasureError, RecipeError, UdaciSenseError
from udacisense.readiness.rules import load_rules
from udacisense.toml_file import MAX_BYTES
from udacisense.training.recipe import load_recipe

LOADERS: dict[str, tuple[Callable[[Path], object], type[UdaciSenseError]]] = {
    "recipe": (lambda path: load_recipe(str(path)), RecipeError),
    "pipeline": (lambda path: load_pipeline(str(path)), RecipeError),
    "protocol": (read_protocol, MeasureError),
    "rules": (load_rules, RecipeError),
}
TWO_MISTAKES = {
    "recipe": ('name = "x"\nseed = -1\ndropout = 7\n', ("seed", "dropout", "technique", "stage")),
    "pipeline": ('seed = -1\nmode = "loop"\n', ("seed", "mode", "step")),
    "protocol": ('starts = 0\nrounds = 0\norder = "x"\n', ("starts", "rounds", "order", "block_s")),
    "rules": ("[a]\ntitle = 'A'\n[b]\nlimit = 'x'\n", ("a / measure", "a / unit", "b / title", "b / limit")),
}


@pytest.fixture(params=sorted(LOADERS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def told(kind: str, path: Path) -> str:
    load, error = LOADERS[kind]
    with pytest.raises(error) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert str(caught.value).endswith(".")
    return str(caught.value)


def written(folder: Path, raw: bytes) -> Path:
    path = folder / "mine.toml"
    path.write_bytes(raw)
    return path


def test_every_mistake_is_told_at_once(kind: str, tmp_path: Path) -> None:
    text, keys = TWO_MISTAKES[kind]
    said = told(kind, written(tmp_path, text.encode()))
    assert [key for key in keys if f"{key}: " not in said] == []


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"a = ", id="no value"),
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param(b"a = " + b"[" * 50_000, id="nested without end"),
        pytest.param(b"a = " + b"9" * 50_000, id="a number of 50,000 digits"),
    ],
)
def test_what_is_no_toml_is_called_so(kind: str, tmp_path: Path, raw: bytes) -> None:
    assert "is not a TOML file: " in told(kind, written(tmp_path, raw))


def test_a_file_larger_than_any_of_ours_is_not_read(kind: str, tmp_path: Path) -> None:
    assert "is larger than 1 MB" in told(kind, written(tmp_path, b"#" * (MAX_BYTES + 1)))


def test_a_folder_is_not_taken_for_a_file(kind: str, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").mkdir()
    assert "is a folder, not a file" in told(kind, tmp_path / "mine.toml")


def test_a_thousand_mistakes_are_counted_and_not_all_told(tmp_path: Path) -> None:
    said = told("rules", written(tmp_path, "".join(f"[r{i}]\n" for i in range(1000)).encode()))
    assert "more mistakes" in said
    assert len(said) < 3000
