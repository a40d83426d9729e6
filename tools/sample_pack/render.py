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
    if options.compare:
        _compare(options.out, options.compare, options.choice, options.threads)
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
    parser.add_argument(
        "--compare", type=int, metavar="COUNT", help="make so many images anew and compare them with the pack's"
    )
    parser.add_argument("--choice", type=int, default=0, help="which images to compare: neighbours of those of choice 0")
    parser.add_argument("--threads", type=int, default=1, help="threads to compare with; the pack is made with one")
    return parser.parse_args()


def _compare(folder: Path, count: int, choice: int, threads: int) -> None:
    from household.pack import compare
    from household.tracer import use_threads

    use_threads(threads)
    for plan, same, difference in compare(folder, count, choice):
        print(
            f"{plan.file}  {'the same bit for bit' if same else f'differs by {difference:.3f} of 255 on average'}", flush=True
        )


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
