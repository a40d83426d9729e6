"""Drive the app from its front door in tests: fixtures and small readers shared by the page tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import streamlit as st
from pydantic import TypeAdapter
from streamlit.testing.v1 import AppTest

from udacisense.models.summary import Summary
from udacisense.report.markdown import JOINER
from udacisense.settings import PROJECT

APP = str(PROJECT / "app.py")
SUMMARY = {
    "layers": [
        {"name": "a", "kind": "Conv2d", "output_shape": [8, 2, 2], "parameters": 216, "macs": 864, "sparsity": 0.25},
        {"name": "b", "kind": "ReLU", "output_shape": [8, 2, 2], "parameters": 0, "macs": None, "sparsity": None},
        {"name": "c", "kind": "Linear", "output_shape": [10], "parameters": 330, "macs": 320, "sparsity": 0.0},
    ],
    "parameters": 1_528_106,
    "macs": 55_500_000,
    "size_bytes": 6_253_445,
    "is_quantized": False,
    "sparsity": 0.125,
}


@pytest.fixture(autouse=True)
def quick_answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No child process with torch; every cache empty before and after."""
    st.cache_data.clear()
    st.cache_resource.clear()
    monkeypatch.setattr("ui.overview.machine.devices_to_come", lambda: SimpleNamespace(done=lambda: True))
    monkeypatch.setattr("ui.overview.machine.devices", lambda: (("cpu", "cuda:0 (Test GPU)"), None))
    monkeypatch.setattr("ui.shared.torch_child.ask", lambda *question: SUMMARY)
    monkeypatch.setattr("ui.shared.cache.remote_summary", lambda checkpoint: TypeAdapter(Summary).validate_python(SUMMARY))
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


def app(page: str = "", **query: str) -> AppTest:
    """The app after its first run, then on a page with these query parameters."""
    at = AppTest.from_file(APP, default_timeout=60).run()
    assert not at.exception
    return at if not page else go(at, page, **query)


def go(at: AppTest, page: str, **query: str) -> AppTest:
    """Open a page; with query parameters as a link that carries them."""
    at.switch_page(page)
    for name, value in query.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception
    return at


def words(at: AppTest) -> str:
    """Everything that the page says in text, as people read it: what is escaped is shown without its backslashes."""
    kinds = (at.markdown, at.caption, at.warning, at.info, at.error, at.success, at.header)
    said = [seen(str(element.value)) for kind in kinds for element in kind]
    return "\n".join([*said, *(str(element.value) for element in at.code)])


def seen(markdown: str) -> str:
    """Markdown without the signs that keep text from being read as markup."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown).replace(JOINER, "")


def metrics(at: AppTest) -> dict[str, str]:
    return {metric.label: str(metric.value) for metric in at.metric}
