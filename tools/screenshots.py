"""Take the README's screenshots of the running app, on the shipped records and the sample pack.

    python tools/screenshots.py [--out docs/images] [--widths 1440 390] [--appearances light dark]

The sample pack is ours to show; images of CIFAR-100 are not, so UDACISENSE_DATA_DIR is ignored here.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

PROJECT = Path(__file__).resolve().parents[1]
PAGES = ("", "dataset", "models", "convert", "verify", "benchmark", "readiness", "history", "classify")
START_S = 60
SETTLE_MS = 2500  # charts and tables draw after the script has ended


@contextmanager
def app() -> Iterator[str]:
    """The app's address while it runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("UDACISENSE_")}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}"]
    process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _wait(port: int) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise TimeoutError(f"The app did not answer within {START_S} s.")


def shoot(browser: Browser, address: str, out: Path, width: int, appearance: str, pages: tuple[str, ...]) -> None:
    """One image a page, as tall as the page; "" is the Overview."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=appearance)  # type: ignore[arg-type]
    page = context.new_page()
    for name in pages:
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{address}/{name}")
        page.get_by_role("heading", level=1).wait_for()
        page.wait_for_timeout(SETTLE_MS)
        _grow(page, width)
        page.screenshot(path=out / f"{name or 'overview'}-{width}-{appearance}.png")
    context.close()


def _grow(page: Page, width: int) -> None:
    """Make the window as tall as the page, until nothing more comes in below."""
    height = 0
    while _height(page) > height:
        height = _height(page)
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_function("!document.querySelector('[data-testid=stSkeleton]')")
        page.wait_for_function("[...document.images].every(image => image.complete)")
        page.wait_for_timeout(SETTLE_MS // 2)


def _height(page: Page) -> int:
    tall = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    return min(max(int(tall), 844), 3600)


def main() -> None:
    """Both widths, both appearances."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=PROJECT / "docs" / "images")
    parser.add_argument("--widths", type=int, nargs="+", default=[1440, 390])
    parser.add_argument("--appearances", nargs="+", default=["light", "dark"])
    parser.add_argument("--pages", nargs="+", default=list(PAGES), choices=PAGES)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with app() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for width in options.widths:
            for appearance in options.appearances:
                shoot(browser, address, options.out, width, appearance, tuple(options.pages))
        browser.close()


if __name__ == "__main__":
    main()
