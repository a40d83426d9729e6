"""`locate`: layer-by-layer comparison, the first block whose output in the file diverges from the reference's."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from udacisense import scratch
from udacisense.artifacts import check_unchanged, open_session, source_checkpoint, subject_format
from udacisense.conversion.worker_client import ConverterClient, ConverterError
from udacisense.data.dataset import Dataset
from udacisense.data.preprocess import preprocess
from udacisense.errors import MeasureError, RunError, UdaciSenseError, UnavailableError
from udacisense.evaluation.predictions import data_options
from udacisense.foreign import in_brief
from udacisense.formats import get_format
from udacisense.number_format import decibels
from udacisense.progress import report
from udacisense.provenance import here
from udacisense.records import store
from udacisense.settings import settings
from udacisense.types import Artifact, Checkpoint, ConversionRecipe, Images, LayerGap, Localisation, SearchMethod, WrittenFile
from udacisense.verify.intermediate_values import intermediate_reader
from udacisense.verify.layer_errors import (
    EXPECTED_DB,
    Array,
    Closest,
    bisect,
    broken_step,
    first_departure,
    level,
    measure_gap,
    seen,
    steepest,
)

Found = tuple[SearchMethod, tuple[LayerGap, ...], tuple[LayerGap, ...], tuple[str, ...]]
"""The method that was used, the gaps of the blocks, of the steps inside the broken one, and what failed before."""
IMAGES = 10
"""Images looked at: the first of each class."""


def locate(
    artifact: Artifact,
    data: Dataset,
    against: Checkpoint | None = None,
    *,
    method: SearchMethod | None = None,
    every: bool = False,
) -> Localisation:
    """Find the first block whose output diverges; saves the record.

    Args:
        against: the reference; None = the checkpoint that the file was made from.
        method: "values" reads the file's intermediate values, "prefixes" converts the network up to single blocks; None = the
            first where the format's runtime lets its values be seen, else the second.
        every: with prefixes, convert each beginning (slow) instead of halving.

    Raises:
        NotFoundError: the checkpoint is not here. UnavailableError: the format does not run on this machine.
        RunError: the file cannot be run, or the reference has no blocks. MeasureError: the split has no image.
    """
    own = source_checkpoint(artifact)
    made = here(_command(artifact, data, against, method, every))
    _check_runs(artifact)
    images = first_of_each_class(data, own)
    report(0.0, "the reference's blocks")
    search = Search(artifact, own, reference_values(against or own, images), images)
    chosen, gaps, inside, failed = search.run(method, every)
    found = first_departure(gaps, artifact.precision)
    step = broken_step(inside, artifact.precision, _before(gaps, found)) if found else None
    reference = against or own
    record = Localisation(
        id=store.new_id(f"locate-{artifact.id}"),
        artifact_id=artifact.id,
        artifact_sha256=artifact.sha256,
        checkpoint_id=reference.id,
        checkpoint_sha256=reference.sha256,
        data=data.ref,
        images=len(images),
        method=chosen,
        gaps=gaps,
        inside=inside,
        departs=found.name if found else None,
        step=step.name if step else None,
        reason=_reason(artifact, chosen, gaps, found, step),
        made=made,
        warnings=(*failed, *_warnings(chosen, gaps, search.blocks, every)),
    )
    store.save(record)
    return record


def reference_values(checkpoint: Checkpoint, images: Images) -> Mapping[str, Array]:
    """The reference's outputs by place: blocks, and before each block the steps inside it."""
    from udacisense.models.truncation import block_values

    return block_values(checkpoint, images)


def first_of_each_class(data: Dataset, checkpoint: Checkpoint) -> Images:
    """The first image of each class of the split, at most IMAGES, preprocessed; of a split without labels the first ones.

    Raises:
        MeasureError: the split has none.
    """
    if not len(data):
        raise MeasureError("The split has no image to look at. Pick another split or data source.")
    known = np.unique(data.labels[data.labels >= 0])
    first = [int(np.flatnonzero(data.labels == label)[0]) for label in known][:IMAGES] or range(min(IMAGES, len(data)))
    return preprocess([data.images[i] for i in first], checkpoint.preprocessing)


@dataclass(frozen=True, slots=True)
class Search:
    """One file beside its reference's values on some images."""

    artifact: Artifact
    own: Checkpoint  # that the file was made from
    reference: Mapping[str, Array]
    images: Images

    @property
    def blocks(self) -> tuple[str, ...]:
        """The blocks along the network, without the steps inside them."""
        return tuple(place for place in self.reference if not is_step(place))

    def run(self, method: SearchMethod | None, every: bool) -> Found:
        """By the method asked for; by default the file's values, or where these cannot be read, converted beginnings."""
        failed: tuple[str, ...] = ()
        if method == "values" or (method is None and subject_format(self.artifact).intermediates is not None):
            try:
                return "values", *self.by_values(), ()
            except RunError as exc:
                if method == "values":
                    raise
                failed = (str(exc),)
        return "prefixes", self.by_prefixes(every), (), failed

    def by_values(self) -> tuple[tuple[LayerGap, ...], tuple[LayerGap, ...]]:
        """The gap of every block by the file's own intermediate values, and of the steps inside the block that diverges.

        Raises:
            RunError: the runtime does not give the file's intermediate values.
        """
        closest = Closest()
        try:
            read = intermediate_reader(self.artifact)
            for i in range(len(self.images)):
                report(i / len(self.images), f"image {i + 1} of {len(self.images)}")
                one = {place: value[i : i + 1] for place, value in self.reference.items()}
                closest.add(one, read(self.images[i : i + 1]))
        except UdaciSenseError:
            raise
        except Exception as exc:  # the seam: every runtime has errors of its own
            raise RunError(
                f"The intermediate values of {self.artifact.id} cannot be read: {in_brief(exc)}. "
                "--method prefixes does without them."
            ) from exc
        gaps = seen(closest.gaps(self.blocks))
        found = first_departure(gaps, self.artifact.precision)
        steps = [p for p in self.reference if found and is_step(p) and p.startswith(f"{found.name}.")]
        return gaps, closest.gaps(steps)

    def by_prefixes(self, every: bool) -> tuple[LayerGap, ...]:
        """The gaps of the beginnings that were converted alone; the last is the file itself."""
        blocks = self.blocks
        with ConverterClient() as converter, tempfile.TemporaryDirectory(prefix=scratch.prefix()) as folder:

            def look(block: str) -> LayerGap:
                report(blocks.index(block) / len(blocks), f"converting up to {block}")
                found = self._file() if block == blocks[-1] else self._beginning(converter, block, Path(folder))
                return measure_gap(block, self.reference[block], found)

            return tuple(look(block) for block in blocks) if every else bisect(blocks, look, self.artifact.precision)

    def _file(self) -> Array:
        return _answer(open_session(self.artifact, threads=settings().threads).predict(self.images), self.artifact.id)

    def _beginning(self, converter: ConverterClient, block: str, folder: Path) -> Array:
        from udacisense.models.truncation import save_beginning

        fmt, a = get_format(self.artifact.format), self.artifact
        place = folder / block
        place.mkdir()
        beginning = save_beginning(self.own, block, place)
        try:
            converter.export(beginning, a.format, a.precision, _recipe(a), place / fmt.file_name)
            file = WrittenFile(place / fmt.file_name, a.format)
            return _answer(fmt.load(file, settings().threads).predict(self.images), f"up to {block}")
        except UdaciSenseError:
            raise
        except ConverterError as exc:
            raise RunError(
                f"The network up to {block} could not be converted to {a.format} {a.precision}: {in_brief(exc)}."
            ) from exc


def is_step(place: str) -> bool:
    """Whether a place lies inside a block: "features.4.block.2"."""
    return place.count(".") > 1


def _answer(found: Array, name: str) -> Array:
    if not np.isfinite(found).all():
        raise MeasureError(f"{name} answers with values that are not numbers. Convert it at a higher precision.")
    return found


def _check_runs(artifact: Artifact) -> None:
    reason = subject_format(artifact).unavailable("run")
    if reason is not None:
        raise UnavailableError(f"{artifact.id} cannot run here: {reason}")
    check_unchanged(artifact)


def _recipe(artifact: Artifact) -> ConversionRecipe:
    """The recipe that the file was made by, with the very blocks that it kept in float: a beginning would choose others."""
    offered = get_format(artifact.format).recipes_for(artifact.precision)
    recipe = next((r for r in offered if r.name == artifact.recipe.get("recipe")), offered[0])
    kept = artifact.recipe.get("blocks_in_float")
    return replace(recipe, options={**recipe.options, "float": kept}) if kept else recipe


# --- the record ---------------------------------------------------------------------------------------------------------


def _command(artifact: Artifact, data: Dataset, against: Checkpoint | None, method: str | None, every: bool) -> str:
    options = [data_options(data.ref)]
    options += [f"--against {against.id}"] if against else []
    options += [f"--method {method}"] if method else []
    options += ["--every"] if every else []
    return f"python -m udacisense locate {artifact.id} {' '.join(options)}"


def _reason(
    artifact: Artifact, method: SearchMethod, gaps: Sequence[LayerGap], found: LayerGap | None, step: LayerGap | None
) -> str:
    if found is None:
        fall = steepest(gaps, artifact.precision)
        rounding = f"the {EXPECTED_DB[artifact.precision]:g} dB that rounding to {artifact.precision} leaves"
        steep = (
            f"; the steepest fall below {rounding} is {decibels(fall[1])} at {fall[0].name}" if fall else f", above {rounding}"
        )
        return f"No layer diverges: {_db(gaps[0])} after {gaps[0].name}, {_db(gaps[-1])} at {gaps[-1].name}{steep}."
    before = gaps[: gaps.index(found)]
    held = f"the blocks looked at before it have at least {_db(min(before, key=level))}" if before else "nothing lies before it"
    said = f"{found.name} is the first block whose output diverges: {_db(found)}, where {held}."
    if step is not None:
        return f"{said} Inside it, {step.name} falls most, to {_db(step)}."
    if method == "prefixes" and found is gaps[-1]:
        return (
            f"{said} Every shorter network that was converted agrees, so either the last layer breaks or the file is not what "
            f"its checkpoint converts to. Convert {artifact.checkpoint_id} again and compare."
        )
    return said


def _before(gaps: Sequence[LayerGap], found: LayerGap) -> float:
    """The ratio in dB of the block before; infinite before the first."""
    place = gaps.index(found)
    return level(gaps[place - 1]) if place else math.inf


def _db(gap: LayerGap) -> str:
    return "identical values" if gap.sqnr_db is None else decibels(gap.sqnr_db)


def _warnings(method: SearchMethod, gaps: Sequence[LayerGap], blocks: Sequence[str], every: bool) -> tuple[str, ...]:
    missing = [block for block in blocks if block not in {gap.name for gap in gaps}]
    if method == "values":
        return (f"The file has no value of its own for {', '.join(missing)}: fused away.",) if missing else ()
    said = "The file does not show its intermediate values, so the network was converted up to single blocks instead."
    looked = "" if every else f" Halving looked at {len(gaps)} of {len(blocks)} blocks; --every converts each of them."
    return (said + looked,)
