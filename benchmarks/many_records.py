"""Processor time and peak memory of lists, pages and rules in a home with many records.

    python -m benchmarks.many_records make HOME [--records 10000]
    python -m benchmarks.many_records measure HOME [--rounds 3]

`make` fills a new folder with a copy of the shipped models and with records: the shipped ones again and again under other ids,
dates and file digests; every twentieth is about the files that are there. `measure` has the index built,
then runs each case in processes of its own and prints a line for each: processor seconds of the first time and of the third,
imports left out, and the peak of resident memory, all beside the same in a home without records.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

PROJECT = Path(__file__).resolve().parents[1]
OWN_EVERY = 20
"""Every so many generations of records are about the very files in models/."""
PAGES = {
    "Overview": "app.py",
    "Benchmark": "pages/benchmark.py",
    "Readiness": "pages/readiness.py",
    "Models": "pages/models.py",
    "Verify": "pages/verify.py",
    "History": "pages/history.py",
    "Convert": "pages/convert.py",
}
CASES = ("runs", "ready", "ready one", *PAGES)

CHILD = """
import json, resource, sys, time
from pathlib import Path
case, page = sys.argv[1:]
def cpu():
    own = resource.getrusage(resource.RUSAGE_SELF)
    return own.ru_utime + own.ru_stime
def peak():
    return int(next(l for l in Path("/proc/self/status").read_text().splitlines() if l.startswith("VmHWM")).split()[1]) / 1024
if page:
    from streamlit.testing.v1 import AppTest
    import importlib, pkgutil, ui
    for found in pkgutil.walk_packages(ui.__path__, "ui."):
        importlib.import_module(found.name)
    at = AppTest.from_file("app.py", default_timeout=600)
    if page != "app.py":
        at.switch_page(page)
    def work():
        at.run()
        assert not at.exception, at.exception
else:
    from udacisense import verbs
    from udacisense.artifacts import list_artifacts
    import udacisense.history.runs, udacisense.readiness, udacisense.report
    one = list_artifacts().records[-1].id
    def build():
        from udacisense.records import queries
        from udacisense.types import KINDS
        queries.how_many(*KINDS.values())
    work = {"build": build, "runs": verbs.runs, "ready": verbs.ready, "ready one": lambda: verbs.ready(one)}[case]
took = []
for _ in range(3):
    before, began = cpu(), time.perf_counter()
    work()
    took.append((cpu() - before, time.perf_counter() - began))
print("measured", json.dumps({"cpu": [t[0] for t in took], "wall": [t[1] for t in took], "peak_mib": peak()}))
"""


def make(home: Path, records: int) -> None:
    """Fill a new home with `records` records."""
    home.mkdir(parents=True)
    shutil.copytree(PROJECT / "models", home / "models")
    shutil.copytree(PROJECT / "results" / "predictions", home / "results" / "predictions")
    shipped = sorted((PROJECT / "results").glob("*/*.json"))
    shipped += [path for path in shipped if path.parent.name == "benchmark"]  # nothing is done more often than timing
    once, written = len(set(shipped)), 0
    for generation in range(records // len(shipped) + 1):
        for place, path in enumerate(shipped[: records - written]):
            text = _again(path.read_text(encoding="utf-8"), 2 * generation + (place >= once))
            folder = home / "results" / path.parent.name
            folder.mkdir(exist_ok=True)
            (folder / f"{json.loads(text)['record']['id']}.json").write_text(text, encoding="utf-8")
            written += 1
    size = sum(path.stat().st_size for path in home.glob("results/*/*.json"))
    print(f"{written} records, {size / 1e6:.0f} MB")


def _again(text: str, generation: int) -> str:
    """A record of an earlier time: other dates and ids, and in most generations of other files."""
    random.seed(generation)
    suffix = f"{generation:06x}"
    text = re.sub(r"-(\d{8}T\d{6})-[0-9a-f]{6}\b", lambda m: f"-{_earlier(m[1], generation)}-{suffix}", text)
    text = re.sub(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)Z", lambda m: f"{_earlier(m[1], generation)}Z", text)
    if generation % OWN_EVERY:
        text = re.sub(r'"([0-9a-f]{64})"', lambda m: f'"{_other(m[1], generation)}"', text)
    return text


def _earlier(told: str, generation: int) -> str:
    form = "%Y%m%dT%H%M%S" if "-" not in told else "%Y-%m-%dT%H:%M:%S"
    return (datetime.strptime(told, form) - timedelta(hours=5 * generation)).strftime(form)


def _other(sha256: str, generation: int) -> str:
    return hashlib.sha256(f"{sha256}{generation}".encode()).hexdigest()


def measure(home: Path, rounds: int, cases: list[str]) -> None:
    """Print one line a case: the first time in a fresh process, and the third, beside the same in a home without records."""
    empty = home.with_name(f"{home.name}-empty")
    if not empty.exists():
        make(empty, 0)
    shutil.rmtree(home / ".udacisense", ignore_errors=True)
    for case in ["build", *cases]:
        try:
            full, bare = ([_run(place, case) for _ in range(1 if case == "build" else rounds)] for place in (home, empty))
        except subprocess.CalledProcessError as exc:
            print(f"{case:10} failed: {exc.stderr[-400:]}")
            continue
        first, later = (median(r["cpu"][i] for r in full) for i in (0, 2))
        first_bare, later_bare = (median(r["cpu"][i] for r in bare) for i in (0, 2))
        peak, peak_bare = (max(r["peak_mib"] for r in found) for found in (full, bare))
        print(
            f"{case:10} first {first:6.2f} s (without records {first_bare:5.2f}), again {later:6.2f} s ({later_bare:5.2f}), "
            f"peak {peak:5.0f} MiB ({peak_bare:4.0f})",
            flush=True,
        )


def _run(home: Path, case: str) -> dict[str, list[float]]:
    environment = os.environ | {"UDACISENSE_HOME": str(home), "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-c", CHILD, case, PAGES.get(case, "")]
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=True)
    answer: dict[str, list[float]] = json.loads(next(_answers(done.stdout)))
    return answer


def _answers(out: str) -> Iterator[str]:
    return (line.removeprefix("measured ") for line in out.splitlines() if line.startswith("measured "))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    making = verbs.add_parser("make")
    making.add_argument("home", type=Path)
    making.add_argument("--records", type=int, default=10_000)
    measuring = verbs.add_parser("measure")
    measuring.add_argument("home", type=Path)
    measuring.add_argument("--rounds", type=int, default=3)
    measuring.add_argument("--cases", nargs="*", default=list(CASES), choices=CASES)
    asked = parser.parse_args()
    if asked.verb == "make":
        make(asked.home.absolute(), asked.records)
    else:
        measure(asked.home.absolute(), asked.rounds, asked.cases)


if __name__ == "__main__":
    main()
