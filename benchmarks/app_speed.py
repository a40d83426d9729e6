"""Server start to first rendered page, page switch, and resident memory of the idle app, in headless Chromium.

    python benchmarks/app_speed.py [--rounds 5]

Prints one JSON document. The browser and the server share this machine; run it on an idle one.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from playwright.sync_api import Page, sync_playwright

PROJECT = Path(__file__).resolve().parents[1]
PAGES = ("Dataset", "Models", "Convert", "Verify", "Benchmark", "History", "Readiness", "Classify")
TORCH_FREE = ("Dataset", "Benchmark", "Readiness")
CHARTS = ("Benchmark", "Readiness")
BUDGET_S = 60.0
SETTLE_MS = 1500


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(port: int) -> Iterator[psutil.Process]:
    """The app on `port`, as the README starts it."""
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}"]
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(10)


def wait_until_listening(port: int) -> None:
    """Return when the server answers its health check."""
    deadline = time.monotonic() + BUDGET_S
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise TimeoutError(f"The app did not answer within {BUDGET_S:.0f} s.")


def wait_for_page(page: Page, title: str) -> None:
    """Return when the page of that title is drawn and its script has ended."""
    page.get_by_role("heading", name=title, exact=True).first.wait_for(timeout=BUDGET_S * 1000)
    page.wait_for_function("() => !document.querySelector('[data-testid=\"stStatusWidget\"]')", timeout=BUDGET_S * 1000)


def processor_s(of: psutil.Process) -> float:
    """Processor time of a process and all that it started: on a busy machine it says more than wall clock."""
    total = 0.0
    for process in (of, *of.children(recursive=True)):
        with suppress(psutil.Error):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def browser_process() -> psutil.Process:
    """The browser that this process started."""
    return next(p for p in psutil.Process().children(recursive=True) if "chrom" in p.name())


def switch_to(page: Page, title: str) -> float:
    """Seconds from the click on the sidebar to the page being drawn."""
    began = time.perf_counter()
    page.get_by_test_id("stSidebar").get_by_role("link", name=title).click()
    wait_for_page(page, title)
    return time.perf_counter() - began


def one_round() -> dict[str, float]:
    """One server from its start: first page, first and second visit to each page, memory."""
    port = free_port()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        began = time.perf_counter()
        with server(port) as process:
            wait_until_listening(port)
            listening = time.perf_counter() - began
            page.goto(f"http://127.0.0.1:{port}/")
            wait_for_page(page, "Overview")
            figures = {"listening_s": listening, "first_page_s": time.perf_counter() - began}
            for title in TORCH_FREE:
                figures[f"first_visit_{title}_s"] = switch_to(page, title)
            figures["idle_rss_mb"] = process.memory_info().rss / 2**20
            for title in (*TORCH_FREE, *PAGES, *PAGES):
                figures[f"visit_{title}_s"] = switch_to(page, title)
            parts = {"server": process, "browser": browser_process()}
            for title in CHARTS:
                switch_to(page, "Models")
                page.wait_for_timeout(SETTLE_MS)
                before = {name: processor_s(part) for name, part in parts.items()}
                switch_to(page, title)
                page.wait_for_timeout(SETTLE_MS)
                figures |= {f"cpu_{title}_{name}_s": processor_s(part) - before[name] for name, part in parts.items()}
            figures["rss_after_all_pages_mb"] = process.memory_info().rss / 2**20
        browser.close()
    return figures


def main() -> None:
    """Print median, smallest and largest of each figure over the rounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = [one_round() for _ in range(parser.parse_args().rounds)]
    summary = {
        name: {
            "median": round(statistics.median(r[name] for r in rounds), 3),
            "min": round(min(r[name] for r in rounds), 3),
            "max": round(max(r[name] for r in rounds), 3),
        }
        for name in rounds[0]
    }
    print(json.dumps({"rounds": len(rounds), "figures": summary}, indent=1))


if __name__ == "__main__":
    main()
