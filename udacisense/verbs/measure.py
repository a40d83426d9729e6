"""Verbs that compute: they hold the machine while they do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

from udacisense.errors import MeasureError
from udacisense.processes.locks import heavy_work
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
    SplitName,
    Verification,
)

if TYPE_CHECKING:
    from udacisense.artifacts import Named
    from udacisense.data.dataset import Dataset


def train(recipe: str = "baseline", out: Path | None = None, seed: int | None = None) -> Checkpoint:
    """Train by a recipe of recipes/ (or a file) and save at `out`, by default models/<recipe>/checkpoints/model.pth.

    >>> verbs.train("quick", seed=7).path

    Args:
        seed: in place of the recipe's; the file then goes to models/<recipe>_seed<seed>/ by default.

    Raises:
        RecipeError: no such recipe, or a mistake in it. DataError: the training images are missing.
    """
    from udacisense.training.recipe import load_recipe
    from udacisense.training.transfer_recipe import TransferRecipe

    if seed is not None:
        SEED.check(seed)
    plan = load_recipe(recipe)
    place = plan.name
    if seed is not None and seed != plan.seed:
        plan, place = plan.model_copy(update={"seed": seed}), f"{plan.name}_seed{seed}"
    target = out or _place_of(place)
    with heavy_work(f"training {place}", into=(target.parent,)):
        if isinstance(plan, TransferRecipe):
            from udacisense.training.transfer_train import train_transfer

            return train_transfer(plan, target)
        from udacisense.training.train import train as fit

        return fit(plan, target)


def _place_of(recipe: str) -> Path:
    from udacisense.models.checkpoint import BASELINE

    place = BASELINE if recipe == "baseline" else Path(recipe, *BASELINE.parts[1:])
    return settings().models_dir / place


def convert(checkpoint: Named, format: str = "torchscript", precision: str = "fp32", recipe: str | None = None) -> Artifact:
    """Convert a checkpoint and publish the file as models/mobile/<file name>; what was made before is not made again.

    >>> verbs.convert("model.pth", "onnx", "int8").id

    Args:
        recipe: one of the format's recipes for the precision, by name; by default the first whose file passes.

    Raises:
        NotFoundError: no such checkpoint. RecipeError: no such recipe.
        FormatError: no such format, its tools are missing, or the conversion failed.
    """
    from udacisense.artifacts import named_checkpoint
    from udacisense.conversion.convert import convert as make
    from udacisense.conversion.convert import made_before, publish, target

    found, wanted = named_checkpoint(checkpoint), cast(Precision, precision)
    artifact = made_before(found, format, wanted, recipe)
    if artifact is None:  # only then is there anything to wait for
        name = target(format).title.partition(" (")[0]
        with heavy_work(f"converting to {name} {precision}", seeded=False, into=(settings().models_dir / "mobile",)):
            artifact = make(found, format, wanted, recipe)
    publish(artifact)
    return artifact


def evaluate(
    subject: Named, source: str | None = None, split: str = "test", scheme: str | None = None, fresh: bool = False
) -> Evaluation:
    """Accuracy of a checkpoint or artifact on a split; the record of the same file and images is used again unless `fresh`.

    >>> verbs.evaluate("model.pth", source="folder").top1

    Raises:
        NotFoundError: no such subject. DataError: no such images. FormatError: the file does not load or run.
    """
    from udacisense.artifacts import named_subject
    from udacisense.data.sources import load_dataset
    from udacisense.evaluation import evaluate as evaluation
    from udacisense.models.described import spec_of

    found = named_subject(subject)
    with heavy_work(f"evaluating {found.id}"):
        data = load_dataset(cast(SplitName, split), source, scheme, spec_of(found))
        return evaluation.evaluate(found, data, fresh=fresh)


def verify(
    artifact: Named,
    source: str | None = None,
    split: str = "test",
    scheme: str | None = None,
    tolerance: float = 1e-5,
) -> Verification:
    """Prove on random inputs and on every image of a split that an artifact is its checkpoint.

    >>> verbs.verify("onnx-int8-4ce2fa81-e2cad3").verdict

    Raises:
        MeasureError: the tolerance is no finite number above 0. NotFoundError: no such artifact, or its checkpoint is gone.
        DataError, FormatError: as in `evaluate`.
    """
    from udacisense.artifacts import named_artifact
    from udacisense.data.sources import load_dataset
    from udacisense.models.described import spec_of

    TOLERANCE.check(tolerance)
    found = named_artifact(artifact)
    with heavy_work(f"verifying {found.id}"):
        data = load_dataset(cast(SplitName, split), source, scheme, spec_of(found))
        return verify_and_evaluate(found, data, tolerance)


def verify_and_evaluate(
    artifact: Artifact, data: Dataset, tolerance: float = 1e-5, known: Iterable[Checkpoint] = ()
) -> Verification:
    """The proof on one dataset, and beside it both accuracies, see `keep_accuracy`."""
    from udacisense.artifacts import source_checkpoint
    from udacisense.verify import verify as prove

    own = (source_checkpoint(artifact, known),)
    record = prove(artifact, data, tolerance, own)
    keep_accuracy(artifact, data, own)
    return record


def keep_accuracy(artifact: Artifact, data: Dataset, known: Iterable[Checkpoint] = ()) -> None:
    """Evaluate an artifact just verified and its checkpoint: readiness asks for that, and their answers are there already."""
    from udacisense.artifacts import source_checkpoint
    from udacisense.evaluation.evaluate import evaluate as judge

    if (data.labels >= 0).any():
        own = source_checkpoint(artifact, known)
        for subject in (own, artifact):
            judge(subject, data, known=(own,))


def locate(
    artifact: Named,
    source: str | None = None,
    split: str = "test",
    scheme: str | None = None,
    against: Named | None = None,
    method: str | None = None,
    every: bool = False,
) -> Localisation:
    """Find the first block of the network whose output in an artifact diverges from its checkpoint's, or from `against`'s.

    >>> verbs.locate("onnx-int8-4ce2fa81-e2cad3", method="values").departs

    Args:
        method: "values" reads the file's own inner values, "prefixes" converts beginnings of the network alone; by default
            the first where the format lets its values be seen.
        every: with prefixes, convert each beginning instead of halving.

    Raises:
        NotFoundError: no such artifact or checkpoint. MeasureError: no such method. DataError, FormatError: as in `evaluate`.
    """
    from udacisense.artifacts import named_artifact, named_checkpoint
    from udacisense.data.sources import load_dataset
    from udacisense.models.described import spec_of
    from udacisense.verify import locate as search

    if method not in (None, *get_args(SearchMethod)):
        raise MeasureError(f"There is no method {method!r}. Use one of: {', '.join(get_args(SearchMethod))}.")
    found = named_artifact(artifact)
    reference = None if against is None else named_checkpoint(against)
    with heavy_work(f"comparing the layers of {found.id}"):
        data = load_dataset(cast(SplitName, split), source, scheme, spec_of(found))
        return search(found, data, reference, method=cast(SearchMethod | None, method), every=every)


def benchmark(
    subjects: Sequence[Named],
    protocol: str = "standard",
    threads: Sequence[int] = (),
    batches: Sequence[int] = (1,),
    busy: int = 0,
    cpus: Sequence[int] = (),
) -> tuple[Benchmark, ...]:
    """Time checkpoints and artifacts side by side; only subjects of one run may be compared.

    >>> verbs.benchmark(["model.pth", "onnx-int8-4ce2fa81-e2cad3"], "quick")

    Args:
        protocol: a name, or a .toml file. threads: each of these numbers, 0 for all cores; by default the setting.
        batches: each of these numbers of images a run. busy: repeat it beside so many busy processes.
        cpus: pin the timed processes to these cores; by default one for each thread.

    Raises:
        NotFoundError: no such subject. MeasureError: no such protocol, or a subject gave no usable number.
    """
    from udacisense.artifacts import named_subject
    from udacisense.benchmark import run as timing
    from udacisense.benchmark.protocol import get_protocol

    numbers = get_protocol(protocol)
    found = [named_subject(subject) for subject in subjects]
    return timing.benchmark(found, numbers, threads=threads, batches=batches, busy=busy, cpus=cpus)
