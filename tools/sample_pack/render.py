"""Renders the sample pack: `python tools/sample_pack/render.py --out DIR`."""

from __future__ import annotations

import argparse
from pathlib import Path

from household.manifest import plans, problems
from household.subjects import SUBJECTS


def main() -> None:
    """Reads the options, renders or previews, and says how the pack stands."""
    options = _options()
    if options.preview:
        _preview(options.out, options.only)
        return
    from household.pack import render_pack

    for plan, seconds in render_pack(options.out, options.only):
        print(f"{plan.file}  {seconds:.1f} s", flush=True)
    wrong = problems(options.out)
    print("The pack is whole." if not wrong else f"{len(wrong)} things are missing or wrong, first: {wrong[0]}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Render the sample pack, or what is missing of it.")
    parser.add_argument("--out", type=Path, required=True, help="folder of the pack")
    parser.add_argument("--only", choices=list(SUBJECTS), help="one class")
    parser.add_argument(
        "--preview", action="store_true", help="small noisy contact sheets instead, preview_<class>.png in the folder"
    )
    return parser.parse_args()


def _preview(out: Path, only: str | None) -> None:
    from household.pack import picture
    from household.sheets import sheet
    from PIL import Image

    out.mkdir(parents=True, exist_ok=True)
    for name in [only] if only else SUBJECTS:
        images = [Image.fromarray(picture(name, plan.seed, 96, 16)[0]) for plan in plans(name)[:20]]
        sheet(images, 10, 96).save(out / f"preview_{name}.png")
        print(f"{name}: {len(images)} images", flush=True)


if __name__ == "__main__":
    main()
