"""Every page, with a store whose every text is markup: it is shown as text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.driving import app, go, quick_answers
from tests.hostile import BARE, HOST, NAME, surroundings, tell_hostile
from udacisense.artifacts import list_artifacts
from udacisense.models.checkpoint import list_checkpoints
from udacisense.settings import settings

__all__ = ["quick_answers"]

PLAIN = {
    "id", "key", "form_id", "element_id", "alt", "page", "page_script_hash", "query_string", "url", "file_name", "mime_type",
    "language", "spec", "config", "options", "raw_value", "raw_values", "set_value", "default", "columns", "code_text", "json",
    "url_path",
    "stack_trace", "group_id", "value_str", "theme",
}  # fmt: skip
"""Fields of Streamlit's messages that are not read as Markdown."""
ESCAPED = re.compile(r"\\.")
SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")


@pytest.fixture
def hostile(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tell_hostile(home)
    for name, value in surroundings(home).items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    return home


def protos(block: Any) -> Iterator[Any]:
    if getattr(block, "proto", None) is not None:
        yield block.proto
    for child in getattr(block, "children", {}).values():
        yield from protos(child)


def texts(message: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every string of a message with where it stands."""
    for field, value in message.ListFields():
        if field.name in PLAIN:
            continue
        many = value if not isinstance(value, str | bytes) and hasattr(value, "__iter__") else [value]
        for one in many:
            where = f"{path}.{field.name}"
            if isinstance(one, str):
                yield where, one
            elif hasattr(one, "ListFields"):
                yield from texts(one, where)


def strings(plain: Any) -> Iterator[str]:
    if isinstance(plain, str):
        yield plain
    elif isinstance(plain, dict | list):
        for value in plain.values() if isinstance(plain, dict) else plain:
            yield from strings(value)


def assert_text_is_text(at: AppTest) -> None:
    """Nothing on the page holds markup of a file that would be read as such."""
    assert not at.exception
    found = [p for p in protos(at._tree) if type(p).__name__ != "Json"]
    shown = [pair for proto in found for pair in texts(proto, type(proto).__name__)]
    bare = {(where, b) for where, text in shown for b in BARE if b in ESCAPED.sub("", SPAN.sub("", text))}
    assert bare == set()
    for proto in (p for p in found if type(p).__name__ == "PlotlyChart"):
        drawn = list(strings(json.loads(proto.spec)))
        assert [s for s in drawn if re.search(r"<(a|img|script|b>b)|%\{x\} #|\$x\$", s)] == []
    assert any(HOST in text for _, text in shown), "the page does not show what this test is about"


@pytest.mark.parametrize("page", ["", "pages/dataset.py", "pages/history.py", "pages/classify.py"])
def test_a_page(hostile: Path, page: str) -> None:
    assert_text_is_text(app(page))


@pytest.mark.parametrize("tab", ["Images", "Balance", "Health", "Get images"])
def test_each_tab_of_the_dataset(hostile: Path, tab: str) -> None:
    at = app("pages/dataset.py")
    at.session_state["dataset_tab"] = tab
    assert_text_is_text(at.run())


def test_every_checkpoint(hostile: Path) -> None:
    found = list_checkpoints().records
    assert any(NAME in c.id for c in found)
    at = app()
    for checkpoint in found:
        assert_text_is_text(go(at, "pages/models.py", checkpoint=checkpoint.id))


@pytest.mark.parametrize("page", ["pages/convert.py", "pages/verify.py", "pages/readiness.py", "pages/classify.py"])
def test_every_artifact(hostile: Path, page: str) -> None:
    found = list_artifacts().records
    assert sum(NAME in a.id for a in found) == 4
    at = app()
    for artifact in found:
        assert_text_is_text(go(at, page, artifact=artifact.id, subject=artifact.id))


def test_each_view_of_a_proof_and_of_a_benchmark(hostile: Path) -> None:
    proved = next(a for a in list_artifacts().records if a.format == "torchscript-lite")
    for page, key in (("pages/verify.py", "verify_view"), ("pages/benchmark.py", "bench_view")):
        at = go(app(), page, artifact=proved.id)
        for option in list(at.button_group(key=key).options):
            at.session_state[key] = option if isinstance(option, str) else option.content
            assert_text_is_text(at.run())


def test_an_address_that_names_markup(hostile: Path) -> None:
    for page in ("pages/convert.py", "pages/verify.py"):
        assert_text_is_text(go(app(), page, artifact=f"`{NAME}`"))
