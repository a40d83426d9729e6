"""Contact sheets and blind tests of a rendered pack: `python sheets.py --pack DIR --out DIR`."""

from __future__ import annotations

import argparse
from pathlib import Path

from household.sheets import blind_test, class_sheet
from household.subjects import SUBJECTS


def main() -> None:
    """Writes `<class>.webp` for every class, or numbered sheets and their key."""
    parser = argparse.ArgumentParser(description="Draw contact sheets of the pack.")
    parser.add_argument("--pack", type=Path, required=True, help="folder of the pack")
    parser.add_argument("--out", type=Path, required=True, help="folder for the sheets")
    parser.add_argument(
        "--blind", type=int, metavar="COUNT", help="numbered sheets of so many random images instead, with key.txt"
    )
    parser.add_argument("--seed", type=int, default=0, help="which random images")
    options = parser.parse_args()
    if options.blind:
        blind_test(options.pack, options.out, options.blind, options.seed)
        return
    options.out.mkdir(parents=True, exist_ok=True)
    for name in SUBJECTS:
        class_sheet(options.pack, name).save(options.out / f"{name}.webp", quality=80, method=6)


if __name__ == "__main__":
    main()
