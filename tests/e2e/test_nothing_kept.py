"""What a visitor brings is gone from the server's process soon after they leave, and never lay on its disk."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import PROJECT, STEP_MS, _wait
from tests.e2e.test_way_through import BASELINE, choose, drawn
from ui.classify.cached_sessions import PREVIEW_PX
from ui.shared.cache import shrunk

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

GRACE_S = 1.0
GONE_S = 60.0


class WatchedApp:
    """The app with a window into its memory."""

    def __init__(self, folder: Path) -> None:
        self.temporary, self.home = folder / "temporary", folder / "home"
        self.temporary.mkdir()
        shutil.copytree(PROJECT / BASELINE, self.home / BASELINE)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("UDACISENSE_")}
        environment |= {"UDACISENSE_HOME": str(self.home), "TMPDIR": str(self.temporary)}
        command = [sys.executable, "-m", "tests.e2e.watched_app", str(port), str(GRACE_S)]
        with (folder / "server.log").open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=PROJECT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )
        _wait(self.process, port)  # type: ignore[arg-type]
        self.address = f"http://127.0.0.1:{port}"

    def holders(self, marks: dict[str, bytes]) -> dict[str, list[str]]:
        """What holds these bytes in the memory of the app's process."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({what: mark.hex() for what, mark in marks.items()}) + "\n")
        self.process.stdin.flush()
        while not (line := self.process.stdout.readline()).startswith("{"):
            assert line, "the app ended"
        found: dict[str, list[str]] = json.loads(line)
        return found

    def files(self, wanted: bytes) -> list[Path]:
        """The files below the home and the temporary folder that hold these bytes."""
        files = (p for folder in (self.temporary, self.home) for p in folder.rglob("*") if p.is_file())
        return [p for p in files if wanted in p.read_bytes()]


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[WatchedApp]:
    app = WatchedApp(tmp_path)
    yield app
    app.process.kill()
    app.process.communicate()


def photograph(seed: int, side: int) -> tuple[bytes, np.ndarray]:
    """A file of noise, and its pixels."""
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "WEBP", lossless=True)
    return out.getvalue(), pixels


def upload(page: Page, name: str, raw: bytes) -> None:
    page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(
        {"name": name, "mimeType": "image/webp", "buffer": raw}
    )
    expect(page.get_by_text(f"{name} ·")).to_be_visible()


def shown(page: Page) -> bytes:
    """The preview as the browser has it."""
    address = page.get_by_test_id("stImage").locator("img").last.get_attribute("src")
    assert address is not None
    return page.request.get(urljoin(page.url, address)).body()


def test_an_upload_is_gone_soon_after_its_visitor_left(browser: Browser, watched: WatchedApp) -> None:
    small, pixels = photograph(1, 96)
    costly, _ = photograph(2, 2100)  # more than is decoded in the app's own process, and than an upload that stays in memory
    context = browser.new_context()
    context.set_default_timeout(STEP_MS)
    expect.set_options(timeout=STEP_MS)
    page = context.new_page()
    page.goto(f"{watched.address}/classify")
    drawn(page)
    choose(page, "Upload")
    drawn(page)
    upload(page, "costly.webp", costly)
    upload(page, "small.webp", small)
    drawn(page)
    marks = {
        "upload": small[200:264], "costly upload": costly[200:264], "pixels": pixels.tobytes()[:48], "name": b"small.webp",
        "preview": shrunk(pixels, PREVIEW_PX)[-80:-30], "preview, shown": shown(page)[-80:-30],
        "hash": hashlib.sha256(small).hexdigest().encode(),
    }  # fmt: skip
    here = watched.holders(marks)
    there = ("upload", "costly upload", "name", "preview", "preview, shown")
    assert all(here[what] for what in there), "the window sees what is there"
    context.close()

    deadline = time.monotonic() + GONE_S
    while any((found := watched.holders(marks)).values()) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert not {what: where for what, where in found.items() if where}
    assert not [path for mark in marks.values() for path in watched.files(mark)]
