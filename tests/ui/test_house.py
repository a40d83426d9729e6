"""Pages stay thin: what they import and how long they are."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from udacisense.settings import PROJECT

PAGES = (PROJECT / "app.py", *sorted((PROJECT / "pages").glob("*.py")))
ALLOWED = {"streamlit", "ui", "udacisense", "__future__"}
LONGEST = 80


def imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_page_is_thin(page: Path) -> None:
    assert {name.split(".")[0] for name in imported(page)} <= ALLOWED
    assert len(page.read_text(encoding="utf-8").splitlines()) <= LONGEST


def test_navigation_names_every_page() -> None:
    from ui.shared.frame import NAVIGATION

    listed = {page for pages in NAVIGATION.values() for page, _, _ in pages}
    assert listed == {path.relative_to(PROJECT).as_posix() for path in PAGES}


def test_only_ui_pages_and_the_app_import_streamlit() -> None:
    package = sorted((PROJECT / "udacisense").rglob("*.py"))
    assert [path.name for path in package if "streamlit" in {name.split(".")[0] for name in imported(path)}] == []
