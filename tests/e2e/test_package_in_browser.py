"""The browser code of an ONNX package, as its README says to run it: installed, served, opened; it gets the golden logits."""

from __future__ import annotations

import functools
import http.server
import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.packaging.conftest import package_of

__all__ = ["package_of"]
pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


class Quiet(http.server.SimpleHTTPRequestHandler):
    """What `python -m http.server` does, without a word."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def package(package_of: Callable[[str], Path], tmp_path: Path) -> Path:
    """The ONNX package with its browser runtime installed; skips where npm cannot bring it."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    place = Path(shutil.copytree(package_of("onnx"), tmp_path / "package"))
    command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts"]
    try:
        done = subprocess.run(command, cwd=place / "web", capture_output=True, text=True, check=False, timeout=120)
    except subprocess.TimeoutExpired:
        pytest.skip("npm did not bring onnxruntime-web within two minutes")
    if done.returncode:
        pytest.skip(f"npm cannot bring onnxruntime-web here: {done.stderr[-200:]}")
    return place


@pytest.fixture
def served(package: Path) -> Iterator[str]:
    """Where the package is served."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(package)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_the_page_passes_its_self_test_and_tells_what_an_image_shows(package: Path, served: str, page: Page) -> None:
    page.goto(f"{served}/web/index.html")
    answer = page.locator("#answer")
    expect(answer).not_to_have_text("Loading")
    expect(answer).to_have_text("Self-test passed. Choose an image.")
    golden = json.loads((package / "golden" / "golden.json").read_text(encoding="utf-8"))["pictures"]
    labels = (package / "labels.txt").read_text(encoding="utf-8").split()
    for image in golden[:3]:
        page.set_input_files("#file", package / "golden" / image["file"])
        expect(answer).to_have_text(labels[max(range(len(labels)), key=image["logits"].__getitem__)])


def test_the_page_tells_when_the_answers_or_the_pixels_are_wrong(package: Path, served: str, page: Page) -> None:
    path = package / "golden" / "golden.json"
    golden = json.loads(path.read_text(encoding="utf-8"))
    others = [{**p, "logits": [x + 1000 for x in p["logits"]]} for p in golden["pictures"]]
    path.write_text(json.dumps(golden | {"pictures": others}), encoding="utf-8")
    page.goto(f"{served}/web/index.html")
    expect(page.locator("#answer")).to_contain_text("Self-test failed: 0-clock.png: the logits differ by")
    pair = {"file": "resize-0.png", "expected": "resized-1.png"}
    path.write_text(json.dumps(golden | {"resize": [pair]}), encoding="utf-8")
    page.reload()
    expect(page.locator("#answer")).to_contain_text("Self-test failed: resize-0.png: resized pixels differ by")
