"""Every check of the project, in the order in which a mistake is cheapest to find; stops at the first that fails.

python tools/check.py            all of it, as continuous integration runs it
python tools/check.py --quick    without the slow conversions and the browser
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent  # not resolved: in a virtual environment the tools lie beside its own python

TYPED = ("udacisense", "ui", "pages", "app.py", "server", "tools", "benchmarks")


def checks(quick: bool) -> list[tuple[str, list[str]]]:
    """Name and command of each check."""
    python = sys.executable
    pytest = [python, "-m", "pytest", "-q", "-m"]
    slow = [("slow and browser tests", [*pytest, "slow or e2e", "-n", "2", "--dist", "loadgroup", "--durations", "25"])]
    return [
        ("format", [python, "-m", "ruff", "format", "--check", "."]),
        ("lint", [python, "-m", "ruff", "check", "."]),
        ("types", [python, "-m", "mypy", "--strict", *TYPED]),
        ("imports", [str(BIN / "lint-imports")]),
        ("import circles", [python, "tools/import_cycles.py"]),
        ("errors named", [python, "tools/raises.py"]),
        ("tests", [*pytest, "not slow and not e2e", "-n", "2", "--dist", "loadfile"]),
        *([] if quick else slow),
    ]


def main() -> int:
    """Run the checks; returns the exit code of the first that fails, else 0."""
    for name, command in checks("--quick" in sys.argv[1:]):
        print(f"== {name}: {' '.join(command[1:] or command)}", flush=True)
        began = time.monotonic()
        code = subprocess.run(command, cwd=PROJECT, check=False).returncode
        print(f"== {name}: {'ok' if code == 0 else f'FAILED ({code})'} in {time.monotonic() - began:.0f} s", flush=True)
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
