"""What each file costs to make: processor seconds of every step, all in one process, ladders up to the first that passes.

python -m benchmarks.conversion_cost CHECKPOINT [FORMAT...]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from udacisense.conversion.convert import targets
from udacisense.conversion.recipe_search import judge_rung
from udacisense.conversion.steps import ConversionSteps
from udacisense.models.checkpoint import find_checkpoint
from udacisense.types import Checkpoint, ConversionRecipe, Format, Precision

T = TypeVar("T")


def timed(step: Callable[[], T]) -> tuple[T, float]:
    """What a step gives, and its processor seconds."""
    started = time.process_time()
    found = step()
    return found, time.process_time() - started


def one(
    workshop: ConversionSteps, checkpoint: Checkpoint, fmt: Format, precision: Precision, recipe: ConversionRecipe, place: Path
) -> bool:
    """Make and measure one file, print a row; whether the ladder ends with it."""
    path = place / f"{precision}-{recipe.name}" / fmt.file_name
    path.parent.mkdir(parents=True)
    fp32 = next(iter(place.glob(f"fp32-*/{fmt.file_name}")), None)
    _, export_s = timed(lambda: workshop.export(checkpoint, fmt.name, precision, recipe, path))
    row = f"{fmt.name:17}{precision:9}{recipe.name:24}{export_s:7.1f} s"
    if fmt.unavailable("run") is not None or precision == "fp32":
        print(row, flush=True)
        return True
    found, measure_s = timed(lambda: workshop.measure(checkpoint, fmt.name, path, fp32))
    trial = judge_rung(recipe, path.stat().st_size, found)
    print(f"{row} + {measure_s:4.1f} s measuring, {trial.reason}", flush=True)
    return trial.passed


def main(name: str, *formats: str) -> None:
    """Every format and precision that this machine can write."""
    workshop, checkpoint = ConversionSteps(), find_checkpoint(name)
    with tempfile.TemporaryDirectory() as folder:
        for fmt in (f for f in targets().values() if not formats or f.name in formats):
            for precision in fmt.precisions if fmt.unavailable("export") is None else ():
                for recipe in fmt.recipes_for(precision):
                    if one(workshop, checkpoint, fmt, precision, recipe, Path(folder) / fmt.name):
                        break
    print(f"{time.process_time():.1f} s in all, imports and reading the images included")


if __name__ == "__main__":
    main(*sys.argv[1:])
