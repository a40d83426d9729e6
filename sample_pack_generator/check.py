"""Every check of the generator and of the pack that it made; stops at the first that fails.

python check.py            all of it: some images are rendered anew and compared with the shipped ones
python check.py --quick    without types, slow tests and rendering; needs neither mypy nor Mitsuba
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACK = HERE.parent / "udacisense" / "data" / "sample"


def checks(quick: bool) -> list[tuple[str, list[str]]]:
    """Name and command of each check."""
    python = [sys.executable]
    module = [*python, "-m"]
    tests = [*module, "pytest", "-q"]
    lint = [("format", [*module, "ruff", "format", "--check", "."]), ("lint", [*module, "ruff", "check", "."])]
    if quick:
        return [*lint, ("quick tests", [*tests, "-m", "not slow"])]
    types = ("types", [*module, "mypy"])
    render = ("rendered anew", [*python, "render.py", "--out", str(PACK), "--compare", "6"])
    return [*lint, types, ("tests", tests), render]


def main() -> int:
    """Run the checks; returns the exit code of the first that fails, else 0."""
    for name, command in checks("--quick" in sys.argv[1:]):
        print(f"== {name}", flush=True)
        began = time.monotonic()
        code = subprocess.run(command, cwd=HERE, check=False).returncode
        print(f"== {name}: {'ok' if code == 0 else f'FAILED ({code})'} in {time.monotonic() - began:.0f} s", flush=True)
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
