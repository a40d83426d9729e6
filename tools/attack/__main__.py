"""Attack the product as docs/reliability.md tells, and print one JSON document with a row for each attack.

    python -m tools.attack [--short] [--only PART...] [--at-once 2]

Everything happens in temporary folders and in processes bound in time and memory. `--short` is the form for continuous
integration: fewer files of every kind, and no browser. Ends with 1 if anything got through.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))

from tools.attack import browser, cards, files, images, kills, many, records, server, weights, writers  # noqa: E402 - see above
from tools.attack.row import Part, Row  # noqa: E402

PARTS: dict[str, Part] = {
    "weights": weights.weights,
    "scripts": weights.scripts,
    "files": files.files,
    "cards": cards.cards,
    "records": records.records,
    "many": many.many,
    "images": images.images,
    "kills": kills.kills,
    "writers": writers.writers,
    "server": server.server,
    "browser": browser.browser,
}


def rows(name: str, short: bool) -> list[Row]:
    """The rows of a part; a part that breaks is a row that fails."""
    found: list[Row] = []
    arena = Path(tempfile.mkdtemp(prefix="attack-"))
    began = time.monotonic()
    try:
        found.extend(PARTS[name](arena, short))
    except Exception:
        found.append(Row(name, 0, through=[f"the tool itself broke: {traceback.format_exc()[-1500:]}"]))
    finally:
        shutil.rmtree(arena, ignore_errors=True)
    print(f"{name}: {', '.join(row.verdict for row in found)} in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return found


def main() -> int:
    """Run the parts asked for and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--at-once", type=int, default=2)
    asked = parser.parse_args()
    with ThreadPoolExecutor(asked.at_once) as workers:
        told = dict(zip(asked.only, workers.map(lambda name: rows(name, asked.short), asked.only), strict=True))
    document = {name: [row.plain() for row in found] for name, found in told.items()}
    print(json.dumps(document, indent=1))
    return 0 if all(row.verdict == "pass" for found in told.values() for row in found) else 1


if __name__ == "__main__":
    sys.exit(main())
