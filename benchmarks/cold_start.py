"""How long the light parts take in a fresh process: `import udacisense`, the command line's help, the list of formats.

    python -m benchmarks.cold_start [--rounds 9]

Prints one JSON document; times in seconds of wall clock. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time

LIST_FORMATS = """
import time
import udacisense.types, udacisense.errors
start = time.perf_counter()
from udacisense.formats import FORMATS
for f in FORMATS.values(): f.name, f.unavailable('export'), f.unavailable('run'), f.runtime_version()
print(time.perf_counter() - start)
"""


IMPORT = """
import time
start = time.perf_counter()
import udacisense
print(time.perf_counter() - start)
"""


def import_s() -> float:
    """`import udacisense`, without the start of Python."""
    done = subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True)
    return float(done.stdout)


def help_s() -> float:
    """`python -m udacisense --help`, from start to end of the process."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "udacisense", "--help"], capture_output=True, check=True)
    return time.perf_counter() - began


def formats_s() -> float:
    """Importing and listing the formats with their availability, without the start of Python."""
    done = subprocess.run([sys.executable, "-c", LIST_FORMATS], capture_output=True, text=True, check=True)
    return float(done.stdout)


def main() -> None:
    """Print median, smallest and largest of each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    measures = {"import_s": import_s, "help_s": help_s, "formats_s": formats_s}
    found = {name: [measure() for _ in range(rounds)] for name, measure in measures.items()}
    print(json.dumps({k: {"median": statistics.median(v), "min": min(v), "max": max(v)} for k, v in found.items()}, indent=1))


if __name__ == "__main__":
    main()
