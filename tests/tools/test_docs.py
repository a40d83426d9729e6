"""The site of docs/ is built strictly, asks no other machine for anything, and knows every verb, setting and function."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import typer
from markdown.extensions.toc import slugify

from tools import reference
from udacisense import api
from udacisense.cli.app import app
from udacisense.formats import FORMATS
from udacisense.settings import PREFIX, PROJECT, Settings

PAGES = sorted((PROJECT / "docs").rglob("*.md"))
OUTSIDE = (PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", PROJECT / "CHANGELOG.md", *PROJECT.glob("*/README.md"))
LINK = re.compile(r"\]\((?!https?:)(?P<path>[^)#\s]+)(?:#(?P<anchor>[^)]*))?\)")
NAMED = re.compile(r"\bdocs/[\w./-]*\w")
WRITTEN_IN = ("*.py", "*.toml", "*.txt", "*.md", ".ci/*")
LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}


def built(project: Path, site: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(project / "tools" / "docs.py"), "--site-dir", str(site)]
    env = {"PATH": os.environ["PATH"], "HOME": str(site.parent), "NO_COLOR": "1"}
    return subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, timeout=250, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs") / "site"
    done = built(PROJECT, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


class Loaded(HTMLParser):
    """What a page loads by itself when it is opened; a link that a reader may follow is none of it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag in LOADS and named.get("rel") != "canonical":
            self.found.append(named.get(LOADS[tag]) or "")


def loads(html: str) -> list[str]:
    page = Loaded()
    page.feed(html)
    return page.found


def test_every_page_is_built_and_loads_from_its_own_folder_only(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > len(PAGES) + len(reference.pages())  # these, and the page for what is not found
    for page in pages:
        foreign = [path for path in loads(page.read_text(encoding="utf-8")) if re.match(r"\w+:|//", path)]
        assert foreign == [], page
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*[\"']?(https?:)?//", sheet.read_text(encoding="utf-8")), sheet


def test_what_a_page_loads_is_found() -> None:
    html = '<link href="https://fonts.example/a.css" rel="stylesheet"><a href="https://b"></a><script src="c.js"></script>'
    assert loads(html) == ["https://fonts.example/a.css", "c.js"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"index.md": "# Home\n\n[gone](nowhere.md)\n"}, "nowhere.md"),
        ({"index.md": "# Home\n\n[gone](glossary.md#nowhere)\n"}, "#nowhere"),
        ({"stray.md": "# A page that nothing leads to\n"}, "stray.md"),
    ],
)
@pytest.mark.slow
def test_a_dead_link_or_a_page_outside_the_navigation_fails(change: dict[str, str], told: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    ignored = shutil.ignore_patterns("__pycache__", "sample")
    for name in ("docs", "tools", "udacisense"):
        shutil.copytree(PROJECT / name, copy / name, ignore=ignored)
    for path in (*PROJECT.glob("*.toml"), PROJECT / "mkdocs.yml", PROJECT / "ui" / "icon.png"):
        target = copy / path.relative_to(PROJECT)
        target.parent.mkdir(exist_ok=True)
        shutil.copy(path, target)
    for name, text in change.items():
        (copy / "docs" / name).write_text(text, encoding="utf-8")
    done = built(copy, tmp_path / "site")
    assert done.returncode != 0
    assert told in done.stdout + done.stderr


@pytest.mark.parametrize("page", [*OUTSIDE, *PAGES], ids=lambda path: str(path.relative_to(PROJECT)))
def test_links_lead_to_files_of_the_checkout(page: Path) -> None:
    for link in LINK.finditer(page.read_text(encoding="utf-8")):
        target = page.parent / link["path"]
        assert target.exists(), link[0]
        assert not link["anchor"] or link["anchor"] in anchors(target), link[0]


def anchors(page: Path) -> set[str]:
    """What the headings of a page are reached by."""
    return {slugify(heading, "-") for heading in re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)}


def test_the_pages_that_code_names_are_there() -> None:
    tracked = subprocess.run(["git", "ls-files", "-z", *WRITTEN_IN], cwd=PROJECT, capture_output=True, text=True, check=False)
    if tracked.returncode:
        pytest.skip("this is no git checkout")
    missing = set()
    for name in filter(None, tracked.stdout.split("\0")):
        path = PROJECT / name
        if path.suffix in {".py", ".toml", ".txt", ".md", ""} and path.is_file() and path != Path(__file__):
            named = NAMED.findall(path.read_text(encoding="utf-8", errors="replace"))
            missing |= {
                f"{name}: {page}" for page in named if not any((PROJECT / "docs").glob(f"{page.removeprefix('docs/')}*"))
            }
    assert missing == set()


@pytest.mark.parametrize(
    "page",
    [*OUTSIDE, *PAGES, PROJECT / "pyproject.toml", PROJECT / ".streamlit" / "config.toml"],
    ids=lambda path: str(path.relative_to(PROJECT)),
)
def test_the_tests_that_are_named_are_there(page: Path) -> None:
    named = re.findall(r"(?<![\w/])tests/[\w/]*\w(?:\.py)?", page.read_text(encoding="utf-8"))
    own = PROJECT / "sample_pack_generator" if page.is_relative_to(PROJECT / "sample_pack_generator") else PROJECT
    assert [name for name in named if not (own / name).exists()] == []


def test_the_reference_knows_every_verb_setting_format_and_function() -> None:
    pages = reference.pages()
    group = typer.main.get_command(app)
    for name, verb in group.commands.items():  # type: ignore[attr-defined]
        section = pages["reference/verbs.md"].split(f"\n## {name}\n")[1].split("\n## ")[0]
        assert [
            option for p in verb.params for option in p.opts if option.startswith("--") and f"`{option}`" not in section
        ] == []
    assert [n for n in Settings.model_fields if f"`{PREFIX}{n.upper()}`" not in pages["reference/settings.md"]] == []
    assert [n for n in FORMATS if n != "torch" and f"`--format {n}`" not in pages["reference/formats.md"]] == []
    assert [n for n in api.__all__ if f"\n### {n}\n" not in pages["reference/api.md"]] == []
    for text in pages.values():
        assert str(PROJECT) not in text, "the page of one machine is that of every other"
