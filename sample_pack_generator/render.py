"""Renders the sample pack: `python render.py --out DIR`."""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path

from household.manifest import FILE, plans, problems
from household.subjects import SUBJECTS


def main(arguments: list[str] | None = None) -> int:
    """Renders, previews or compares, and says how the pack stands; 1 where it is not whole, or an image came out another."""
    options = _options(arguments)
    if options.preview:
        return _preview(options.out, options.only)
    if options.compare is not None:
        return _compare(options.out, options.compare, options.choice, options.threads)
    if options.training is not None:
        return _train(options)
    return _render(options.out, options.only)


def _options(arguments: list[str] | None) -> argparse.Namespace:
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
    parser.add_argument(
        "--training", type=int, metavar="COUNT", help="so many images of each class to train on, not the pack's"
    )
    parser.add_argument("--skip", choices=list(SUBJECTS), action="append", default=[], help="leave a training class out")
    parser.add_argument("--size", type=int, default=176, help="edge of a training image in pixels")
    parser.add_argument("--workers", type=int, default=2, help="processes that render training images")
    options = parser.parse_args(arguments)
    if find_spec("mitsuba") is None:
        parser.error("Mitsuba, the renderer, is not installed. Run `pip install -r requirements.txt`.")
    if options.compare is not None and not (options.out / FILE).is_file():
        parser.error(f"{options.out} holds no pack to compare with: it has no {FILE}. Name the folder of a pack.")
    return options


def _render(out: Path, only: str | None) -> int:
    from household.pack import render_pack

    for plan, seconds in render_pack(out, only):
        print(f"{plan.file}  {seconds:.1f} s", flush=True)
    wrong = problems(out)
    print("The pack is whole." if not wrong else f"{len(wrong)} things are missing or wrong, first: {wrong[0]}")
    return int(bool(wrong) and only is None)


def _train(options: argparse.Namespace) -> int:
    from household.training import missing, plans, render_training

    classes = [name for name in SUBJECTS if options.only in (None, name) and name not in options.skip]
    wanted = plans(options.training, classes)
    for plan, seconds in render_training(options.out, wanted, options.size, options.workers):
        print(f"{plan.file}  {seconds:.1f} s", flush=True)
    left = missing(options.out, wanted)
    print(f"All {len(wanted)} images are there." if not left else f"{len(left)} of {len(wanted)} images are missing.")
    return int(bool(left))


def _compare(folder: Path, count: int, choice: int, threads: int) -> int:
    from household.pack import TOLERANCE, compare
    from household.tracer import use_threads

    use_threads(threads)
    worst = 0.0
    for plan, same, difference in compare(folder, count, choice):
        told = "the same bit for bit" if same else f"differs by {difference:.3f} of 255 on average"
        print(f"{plan.file}  {told}", flush=True)
        worst = max(worst, difference)
    return int(worst >= TOLERANCE)


def _preview(out: Path, only: str | None) -> int:
    from PIL import Image

    from household.pack import picture
    from household.sheets import sheet

    out.mkdir(parents=True, exist_ok=True)
    for name in [only] if only else SUBJECTS:
        images = [Image.fromarray(picture(name, plan.seed, 96, 16)[0]) for plan in plans(name)[:20]]
        sheet(images, 10, 96).save(out / f"preview_{name}.png")
        print(f"{name}: {len(images)} images", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
