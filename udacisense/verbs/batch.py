"""Verbs for all files of a checkpoint at once: convert to every format and precision, verify every file."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, cast

from udacisense.errors import FormatError
from udacisense.processes.locks import heavy_work
from udacisense.progress import Shares, side_by_side
from udacisense.provenance import cores
from udacisense.settings import settings
from udacisense.types import Artifact, Checkpoint, Precision, SplitName, Verification
from udacisense.verbs.measure import keep_accuracy

if TYPE_CHECKING:
    from udacisense.artifacts import Named
    from udacisense.conversion.worker_client import ConverterClient

ALL = "all"
"""In place of a format, a precision or an artifact: each of them."""

MAX_CONVERTERS = 2
"""Each takes a core, and more than a gigabyte of memory."""

Pair = tuple[str, Precision]
"""A format's name and one of its precisions."""


# --- convert -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Conversions:
    """Result of converting to many formats."""

    artifacts: tuple[Artifact, ...]
    failures: tuple[str, ...]  # a sentence for each conversion that gave no file


def convert_all(checkpoint: Named, format: str = ALL, precision: str = ALL) -> Conversions:
    """Convert a checkpoint to each format and precision ("all", or one of them) that this machine can write.

    >>> verbs.convert_all("model.pth", precision="int8")

    One that fails leaves a record of it and the others go on. Two formats at a time are converted where there are two cores,
    each in a process that is kept for the next. Nothing is published: two precisions share a file name.

    Raises:
        NotFoundError: no such checkpoint. FormatError: no such format, or none of them offers the precision.
    """
    from udacisense.artifacts import named_checkpoint

    found = named_checkpoint(checkpoint)
    files = convert_pairs(found, _pairs(format, precision)).values()
    made, failed = (tuple(f for f in files if isinstance(f, kind)) for kind in (Artifact, str))
    return Conversions(cast(tuple[Artifact, ...], made), cast(tuple[str, ...], failed))


def convert_pairs(checkpoint: Checkpoint, pairs: Sequence[Pair]) -> dict[Pair, Artifact | str]:
    """The file of each pair, made before or now, or why there is none."""
    from udacisense.conversion.convert import made_before

    files: dict[Pair, Artifact | str | None] = {pair: made_before(checkpoint, *pair) for pair in pairs}
    missing = [pair for pair, artifact in files.items() if artifact is None]
    if missing:  # only then is there anything to wait for
        what = f"converting {checkpoint.id} to {len(missing)} files"
        with heavy_work(what, seeded=False, into=(settings().models_dir / "mobile",)):
            _Conversion(checkpoint, missing, files).run()
    return cast(dict[Pair, Artifact | str], files)


def _pairs(format: str, precision: str) -> list[Pair]:
    """Each format with each of its precisions, as far as they were asked for and can be written here."""
    from udacisense.conversion.convert import target, targets

    chosen = targets().values() if format == ALL else (target(format),)
    pairs = [(f.name, p) for f in chosen if f.unavailable("export") is None for p in f.precisions if precision in (ALL, p)]
    if not pairs:
        raise FormatError(f"No format that this machine can write offers {precision}. Name another precision, or all.")
    return pairs


class _Conversion:
    """Many conversions, a format after the other in each of the processes that convert."""

    def __init__(self, checkpoint: Checkpoint, pairs: Sequence[Pair], files: dict[Pair, Artifact | str | None]) -> None:
        self._checkpoint, self._files = checkpoint, files
        self._formats: SimpleQueue[list[Pair]] = SimpleQueue()
        names = list(dict.fromkeys(name for name, _ in pairs))
        for name in names:
            self._formats.put([pair for pair in pairs if pair[0] == name])
        self._places, self._shares = {pair: i for i, pair in enumerate(pairs)}, Shares(len(pairs))
        self._processes = min(MAX_CONVERTERS, cores(), len(names))

    def run(self) -> None:
        from udacisense.conversion.convert import open_converter

        with ThreadPoolExecutor(self._processes) as crew, ExitStack() as stack:  # an end from outside ends the processes first
            work = [crew.submit(self._work, stack.enter_context(open_converter())) for _ in range(self._processes)]
            for one in work:
                one.result()

    def _work(self, converter: ConverterClient) -> None:
        while True:
            try:
                pairs = self._formats.get_nowait()
            except Empty:
                return
            for pair in pairs:
                with self._shares.one(self._places[pair], f"{' '.join(pair)}: "):
                    self._files[pair] = self._convert(pair, converter)

    def _convert(self, pair: Pair, converter: ConverterClient) -> Artifact | str:
        from udacisense.conversion.convert import convert

        try:
            return convert(self._checkpoint, *pair, converter=converter)
        except FormatError as exc:
            return str(exc)


# --- verify --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verifications:
    """Result of verifying every file."""

    verifications: tuple[Verification, ...]
    failures: tuple[str, ...]  # a sentence for each file that could not be verified


def verify_all(
    checkpoint: Named | None = None, source: str | None = None, split: str = "test", scheme: str | None = None
) -> Verifications:
    """Verify each artifact (of one checkpoint, where given) on a split; proof of the same file and images is not made again.

    >>> verbs.verify_all(source="folder")

    Raises:
        NotFoundError: no such checkpoint. DataError: no such images.
    """
    from udacisense.artifacts import list_artifacts, named_checkpoint
    from udacisense.data.sources import load_dataset
    from udacisense.models.checkpoint import list_checkpoints
    from udacisense.verify import verify

    known = list_checkpoints().records if checkpoint is None else (named_checkpoint(checkpoint),)
    artifacts = [a for a in list_artifacts().records if checkpoint is None or a.checkpoint_id == known[0].id]
    with heavy_work(f"verifying {len(artifacts)} files"):

        def prove(artifact: Artifact) -> Verification | str:
            try:
                data = load_dataset(cast(SplitName, split), source, scheme, artifact.spec)
                record = _proved(artifact, data.ref.dataset_id) or verify(artifact, data, known=known)
                keep_accuracy(artifact, data, known)
            except FormatError as exc:
                return str(exc)
            return record

        found = side_by_side(artifacts, prove, cores(), lambda a: f"{a.format} {a.precision}: ")
    proved, failed = (tuple(f for f in found if isinstance(f, kind)) for kind in (Verification, str))
    return Verifications(cast(tuple[Verification, ...], proved), cast(tuple[str, ...], failed))


def _proved(artifact: Artifact, dataset_id: str) -> Verification | None:
    from udacisense.records.queries import verifications_of

    return verifications_of(artifact.sha256).where(lambda row: bool(row["dataset_id"] == dataset_id)).newest()
