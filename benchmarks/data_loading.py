"""How long the test images take: from files to decoded arrays, and from arrays to the network's input.

    UDACISENSE_DATA_DIR=<folder with train/ and test/> python benchmarks/data_loading.py [RUNS]

Every run is a fresh process, so nothing is decoded before the clock starts. The aim: 1,000 test images decoded in under 1 s.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
AIM_S = 1.0


def main() -> None:
    if sys.argv[1:] == ["--child"]:
        print(json.dumps(measure()))
        return
    runs = [_run() for _ in range(int(sys.argv[1]) if sys.argv[1:] else 5)]
    images = runs[0]["images"]
    load = f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    print(f"{images:.0f} test images, {len(runs)} fresh processes, {load}")
    for name, title in (
        ("import_s", "import"),
        ("load_s", "find, read, decode and hash"),
        ("preprocess_s", "preprocess, batches of 32"),
    ):
        times = sorted(run[name] for run in runs)
        each = f", {statistics.median(times) / images * 1000:.2f} ms an image" if name != "import_s" else ""
        print(f"  {title:28} median {statistics.median(times):.2f} s, {times[0]:.2f} to {times[-1]:.2f} s{each}")
    median = statistics.median(run["load_s"] for run in runs)
    print(f"aim: decoded in under {AIM_S:g} s: {'reached' if median < AIM_S else 'missed'} ({median:.2f} s)")


def measure() -> dict[str, float]:
    """Seconds of each step in this process."""
    started = time.perf_counter()
    from udacisense.data.preprocess import batches
    from udacisense.data.sources import load_dataset

    imported = time.perf_counter()
    data = load_dataset("test")
    loaded = time.perf_counter()
    for _ in batches(data, 32):
        pass
    done = time.perf_counter()
    return {
        "images": len(data),
        "import_s": imported - started,
        "load_s": loaded - imported,
        "preprocess_s": done - loaded,
    }


def _run() -> dict[str, float]:
    command = [sys.executable, __file__, "--child"]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


if __name__ == "__main__":
    main()
