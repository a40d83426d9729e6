"""The documents in a real browser: every page opens and the search answers without a request to another machine."""

from __future__ import annotations

import functools
import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from udacisense.settings import PROJECT

pytestmark = pytest.mark.e2e


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path) -> Path:
    command = [sys.executable, str(PROJECT / "tools" / "docs.py"), "--quiet", "--site-dir", str(tmp_path / "site")]
    subprocess.run(command, check=True, timeout=250)
    return tmp_path / "site"


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_the_documents_ask_no_other_machine(page: Page, site: Path, address: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for path in sorted(site.rglob("*.html")):
        page.goto(f"{address}/{path.relative_to(site)}")
        assert page.locator("h1").first.is_visible()
    page.goto(f"{address}/index.html")
    page.get_by_placeholder("Search").click()
    page.get_by_placeholder("Search").press_sequentially("near-tie", delay=50)
    expect(page.locator(".md-search-result__link").first).to_be_attached()
    assert len(asked) > 50
    assert [url for url in asked if not url.startswith((f"{address}/", "data:", "blob:"))] == []
