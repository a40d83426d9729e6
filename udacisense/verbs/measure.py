"""Verbs that compute: they hold the machine while they do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

from udacisense.errors import MeasureError
from udacisense.ranges import SEED, TOLERANCE
from udacisense.settings import settings
from udacisense.types import (
    Artifact,
    Benchmark,
    Checkpoint,
    Evaluation,
    Localisation,
    Precision,
    SearchMethod,
    SourceName,
    SplitName,
    Verification,
)
from udacisense.verbs.lock import heavy_work

if TYPE_CHECKING:
    from udacisense.data.dataset import Dataset


def train(recipe: str = "baseline", out: Path | None = None, seed: int | None = None) -> Checkpoint:
    """Train by a recipe of recipes/ (or a file) and save at `out`, by default models/<recipe>/checkpoints/model.pth.

    Args:
        seed: in place of the recipe's; the file then goes to models/<recipe>_seed<seed>/ by default.

    Raises:
        RecipeError: no such recipe, or a mistake in it. DataError: the training images are missing.
    """
    from udacisense.training.recipe import load_recipe

    if seed is not None:
        SEED.check(seed)
    plan = load_recipe(recipe)
    place = plan.name
    if seed is not None and seed != plan.seed:
        plan, place = plan.model_copy(update={"seed": seed}), f"{plan.name}_seed{seed}"
    target = out or _place_of(place)
    with heavy_work(f"training {place}", into=(target.parent,)):
        from udacisense.training.train import train as fit

        return fit(plan, target)


def _place_of(recipe: str) -> Path:
    from udacisense.models.checkpoint import BASELINE

    place = BASELINE if recipe == "baseline" else Path(recipe, *BASELINE.parts[1:])
    return settings().models_dir / place


def convert(
    checkpoint: str | Path, format: str = "torchscript", precision: str = "fp32", recipe: str | None = None
) -> Artifact:
    """Convert a checkpoint and publish the file as models/mobile/<file name>; what was made before is not made again.

    Args:
        recipe: one of the format's recipes for the precision, by name; by default the first whose file passes.

    Raises:
        NotFoundError: no such checkpoint. RecipeError: no such recipe.
        FormatError: no such format, its tools are missing, or the conversion failed.
    """
    from udacisense.conversion.convert import convert as make
    from udacisense.conversion.convert import made_before, publish
    from udacisense.models.checkpoint import find_checkpoint

    found, wanted = find_checkpoint(checkpoint), cast(Precision, precision)
    artifact = made_before(found, format, wanted, recipe)
    if artifact is None:  # only then is there anything to wait for
        with heavy_work(f"converting {found.id} to {format}", seeded=False, into=(settings().models_dir / "mobile",)):
            artifact = make(found, format, wanted, recipe)
    publish(artifact)
    return artifact


def evaluate(
    subject: str | Path, source: str | None = None, split: str = "test", scheme: str | None = None, fresh: bool = False
) -> Evaluation:
    """Accuracy of a checkpoint or artifact on a split; the record of the same file and images is used again unless `fresh`.

    Raises:
        NotFoundError: no such subject. DataError: no such images. FormatError: the file does not load or run.
    """
    from udacisense.artifacts import find_subject
    from udacisense.data.sources import load_dataset
    from udacisense.evaluation import evaluate as evaluation

    found = find_subject(subject)
    with heavy_work(f"evaluating {found.id}"):
        data = load_dataset(cast(SplitName, split), cast(SourceName | None, source), scheme)
        return evaluation.evaluate(found, data, fresh=fresh)


def verify(
    artifact: str | Path,
    source: str | None = None,
    split: str = "test",
    scheme: str | None = None,
    tolerance: float = 1e-5,
) -> Verification:
    """Prove on random inputs and on every image of a split that an artifact is its checkpoint.

    Raises:
        MeasureError: the tolerance is no finite number above 0. NotFoundError: no such artifact, or its checkpoint is gone.
        DataError, FormatError: as in `evaluate`.
    """
    from udacisense.artifacts import find_artifact
    from udacisense.data.sources import load_dataset
    from udacisense.verify import verify as prove

    TOLERANCE.check(tolerance)
    found = find_artifact(artifact)
    with heavy_work(f"verifying {found.id}"):
        data = load_dataset(cast(SplitName, split), cast(SourceName | None, source), scheme)
        record = prove(found, data, tolerance)
        keep_accuracy(found, data)
        return record


def keep_accuracy(artifact: Artifact, data: Dataset) -> None:
    """Evaluate an artifact just verified and its checkpoint: readiness asks for that, and their answers are there already."""
    from udacisense.evaluation.evaluate import evaluate as judge
    from udacisense.models.checkpoint import find_checkpoint

    if (data.labels >= 0).any():
        for subject in (find_checkpoint(artifact.checkpoint_id), artifact):
            judge(subject, data)


def locate(
    artifact: str | Path,
    source: str | None = None,
    split: str = "test",
    scheme: str | None = None,
    against: str | Path | None = None,
    method: str | None = None,
    every: bool = False,
) -> Localisation:
    """Find the first block of the network whose output in an artifact diverges from its checkpoint's, or from `against`'s.

    Args:
        method: "values" reads the file's own inner values, "prefixes" converts beginnings of the network alone; by default
            the first where the format lets its values be seen.
        every: with prefixes, convert each beginning instead of halving.

    Raises:
        NotFoundError: no such artifact or checkpoint. MeasureError: no such method. DataError, FormatError: as in `evaluate`.
    """
    from udacisense.artifacts import find_artifact
    from udacisense.data.sources import load_dataset
    from udacisense.models.checkpoint import find_checkpoint
    from udacisense.verify import locate as search

    if method not in (None, *get_args(SearchMethod)):
        raise MeasureError(f"There is no method {method!r}. Use one of: {', '.join(get_args(SearchMethod))}.")
    found = find_artifact(artifact)
    reference = None if against is None else find_checkpoint(against)
    with heavy_work(f"comparing the layers of {found.id}"):
        data = load_dataset(cast(SplitName, split), cast(SourceName | None, source), scheme)
        return search(found, data, reference, method=cast(SearchMethod | None, method), every=every)


def benchmark(
    subjects: Sequence[str | Path],
    protocol: str = "standard",
    threads: Sequence[int] = (),
    batches: Sequence[int] = (1,),
    busy: int = 0,
    cpus: Sequence[int] = (),
) -> tuple[Benchmark, ...]:
    """Time checkpoints and artifacts side by side; only subjects of one run may be compared.

    Args:
        protocol: a name, or a .toml file. threads: each of these numbers, 0 for all cores; by default the setting.
        batches: each of these numbers of images a run. busy: repeat it beside so many busy processes.
        cpus: pin the timed processes to these cores; by default one for each thread.

    Raises:
        NotFoundError: no such subject. MeasureError: no such protocol, or a subject gave no usable number.
    """
    from udacisense.artifacts import find_subject
    from udacisense.benchmark import run as timing
    from udacisense.benchmark.protocol import get_protocol

    numbers = get_protocol(protocol)
    found = [find_subject(subject) for subject in subjects]
    with heavy_work(f"timing {len(found)} files"):
        return timing.benchmark(found, numbers, threads=threads, batches=batches, busy=busy, cpus=cpus)
