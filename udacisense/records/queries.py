"""Questions about records by name; whoever needs a record asks here, and nothing else reads results/.

What a verdict rests on (real images before the rendered sample, then the newest, never an exploratory one):

- standing_verification: is this file the same model as its checkpoint?
- standing_evaluation: how often is this file right on test images?
- evaluated_on_the_same_images: how do two files do on the same images?
- newest_evaluation, newest_evaluations: how did these files do on each set of images?
- verification_on_the_sample: how did the file do on the rendered sample, where real images have the say?
- benchmarks_of, newest_benchmark: how fast is this file, as rules and tables speak of it?
- benchmarks_of_run, benchmarks_like: what was timed beside it, and the same again at other times?
- newest_readiness: what was this file judged last?
- packages_of, locations_of, failed_conversions: what was made of it, looked for in it, and what did not become a file?
- pipeline_runs, compression_steps: how was a checkpoint compressed?

Each finds its rows in the index and opens only the files that it needs. Records come oldest first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar

from udacisense.errors import StoreError
from udacisense.records import index, store
from udacisense.records.index import Row, batches, look_anew, one_look
from udacisense.records.index_file import digest_of
from udacisense.types import (
    KINDS,
    Benchmark,
    Compression,
    CompressionStep,
    Evaluation,
    FailedConversion,
    Localisation,
    Packaged,
    Readiness,
    SplitName,
    Unfinished,
    Verification,
)

__all__ = ["Found", "Row", "look_anew", "one_look"]

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Found(Generic[R]):
    """Records that answer a question, oldest first; the file of one is opened when the record itself is asked for."""

    rows: tuple[Row, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[R]:
        return _loaded(self.rows)

    def __reversed__(self) -> Iterator[R]:
        return _loaded(reversed(self.rows))

    def where(self, keep: Callable[[Row], bool]) -> Found[R]:
        """Those whose rows are kept."""
        return Found(tuple(row for row in self.rows if keep(row)))

    def sorted_by(self, key: Callable[[Row], Any]) -> Found[R]:
        """In another order; what is level stays as it was."""
        return Found(tuple(sorted(self.rows, key=key)))

    def load(self, row: Row) -> R | None:
        """The record of a row; None where its file is gone, or was damaged since the index was asked."""
        return next(_loaded([row]), None)

    def figures(self, name: str, work_out: Callable[[R], object], *code: ModuleType) -> Iterator[tuple[Row, Any]]:
        """Each row with a figure, worked out of the record once and kept as a JSON value until the file or the code changes.

        Args:
            code: the modules that the figure depends on.
        """
        edition = digest_of(*(Path(str(module.__file__)) for module in code))
        kept = index.kept_figures(self.rows[0].kind, name, edition) if self.rows else {}
        for part in batches([row for row in self.rows if (row.file, row.stamp) not in kept]):
            new = [(row, work_out(record)) for row in part if (record := self.load(row)) is not None]
            index.keep_figures(name, edition, new)
            kept |= {(row.file, row.stamp): json.loads(json.dumps(value)) for row, value in new}
        return ((row, kept[row.file, row.stamp]) for row in self.rows if (row.file, row.stamp) in kept)

    def newest(self) -> R | None:
        """The last; None of none."""
        return next(reversed(self), None)

    def newest_evidence(self) -> R | None:
        """The last; any on real images before all on the rendered sample."""
        found = self.where(is_real).newest()
        return self.newest() if found is None else found

    def last_of_each(self, key: Callable[[Row], object]) -> Found[R]:
        """The last of all that have one key."""
        last = {key(row): row for row in self.rows}
        return self.where(lambda row: last[key(row)] is row)


def _loaded(rows: Iterable[Row]) -> Iterator[R]:
    for row in rows:
        with suppress(StoreError):  # removed or damaged since the index was asked; the next question knows
            yield store.load(row.kind, Path(row.file).stem)


def is_real(row: Row) -> bool:
    """Whether it rests on real images, not on the rendered sample."""
    return bool(row["source"] != "sample")


def _find(
    cls: type[R],
    sha256: Collection[str] | None = None,
    belongs: Collection[str] | None = None,
    ids: Collection[str] | None = None,
) -> Found[R]:
    return Found(index.rows(_folder(cls), sha256, belongs, ids))


def _folder(cls: type) -> str:
    return next(kind for kind, known in KINDS.items() if known is cls)


# --- all records of some kinds ------------------------------------------------------------------------------------------


def unreadable(*kinds: type) -> tuple[str, ...]:
    """A sentence for every record file of these kinds that cannot be read."""
    return tuple(problem for cls in kinds for problem in index.problems(_folder(cls)))


def how_many(*kinds: type) -> int:
    """The number of readable records of these kinds."""
    return sum(index.count(_folder(cls)) for cls in kinds)


# --- accuracy -----------------------------------------------------------------------------------------------------------


def evaluations_of(*sha256: str, split: SplitName | None = None) -> Found[Evaluation]:
    """The evaluations of these files."""
    found: Found[Evaluation] = _find(Evaluation, sha256)
    return found if split is None else found.where(lambda row: bool(row["split"] == split))


def standing_evaluation(sha256: str) -> Evaluation | None:
    """What the accuracy of a file rests on: its newest evaluation on test images, real ones before the rendered sample."""
    return evaluations_of(sha256, split="test").newest_evidence()


def evaluation_on_any_split(sha256: str) -> Evaluation | None:
    """The newest of a file on images of any split, real ones before the rendered sample: what tells whether its names fit."""
    return evaluations_of(sha256).newest_evidence()


def newest_evaluation(sha256: str, dataset_id: str) -> Evaluation | None:
    """The newest of a file on one set of images."""
    return evaluations_of(sha256).where(lambda row: bool(row["dataset_id"] == dataset_id)).newest()


def newest_evaluations(sha256: Collection[str]) -> tuple[Evaluation, ...]:
    """The newest of each of these files on each set of images, and by each name where files have several."""
    found = evaluations_of(*sha256)
    return tuple(
        found.last_of_each(lambda row: (row.sha256, row["subject_id"], row["dataset_id"], row["split"], row["source"]))
    )


def evaluated_on_the_same_images(new: str, old: str) -> tuple[Evaluation, Evaluation] | None:
    """The newest evaluations of two files on one set of images, the new file's first."""
    before = evaluations_of(old)
    sets = {row["dataset_id"] for row in before.rows}
    best = evaluations_of(new).where(lambda row: row["dataset_id"] in sets).newest_evidence()
    if best is None:
        return None
    same = before.where(lambda row: bool(row["dataset_id"] == best.data.dataset_id)).newest()
    return None if same is None else (best, same)


# --- verification and verdicts ------------------------------------------------------------------------------------------


def verifications_of(
    artifact_sha256: str, checkpoint_sha256: str | None = None, *, exploratory: bool = False
) -> Found[Verification]:
    """The verifications of a file, against one checkpoint where that is given; `exploratory` ones are evidence of nothing."""
    found: Found[Verification] = _find(Verification, [artifact_sha256])
    return found.where(lambda row: checkpoint_sha256 in (None, row["checkpoint_sha256"])).where(
        lambda row: exploratory or not row["exploratory"]
    )


def standing_verification(artifact_sha256: str, checkpoint_sha256: str | None = None) -> Verification | None:
    """What the sameness of a file rests on: its newest verification that counts, on real images before the rendered sample."""
    return verifications_of(artifact_sha256, checkpoint_sha256).newest_evidence()


def verification_on_the_sample(artifact_sha256: str) -> Verification | None:
    """The newest on the rendered sample of a file that real images have the say on; None where they have not."""
    found = verifications_of(artifact_sha256)
    drawn = found.where(lambda row: not is_real(row))
    return drawn.newest() if len(drawn) < len(found) else None


def locations_of(artifact_sha256: str) -> Found[Localisation]:
    """Layer-by-layer comparisons of a file, oldest first."""
    return _find(Localisation, [artifact_sha256])


def readiness_of(artifact_sha256: str) -> Found[Readiness]:
    """The saved judgements of a file, but for those that older versions let rest on an exploratory verification."""
    loose = {row.id for row in verifications_of(artifact_sha256, exploratory=True).rows if row["exploratory"]}
    found: Found[Readiness] = _find(Readiness, [artifact_sha256])
    return found.where(lambda row: loose.isdisjoint(row["evidence"]))


def newest_readiness(artifact_sha256: str) -> Readiness | None:
    """What a file was judged last."""
    return readiness_of(artifact_sha256).newest()


# --- time ---------------------------------------------------------------------------------------------------------------


def benchmarks_of(*sha256: str) -> Found[Benchmark]:
    """The benchmarks of these files as rules and tables speak of them: one image at a time on an otherwise quiet machine."""
    found: Found[Benchmark] = _find(Benchmark, sha256)
    return found.where(is_plain)


def newest_benchmark(sha256: str) -> Benchmark | None:
    """The newest plain benchmark of a file."""
    return benchmarks_of(sha256).newest()


def unfinished_benchmarks() -> Found[Unfinished]:
    """What is left of runs that were cut short."""
    return _find(Unfinished)


def benchmarks_like(record: Benchmark) -> Found[Benchmark]:
    """Every benchmark of the same file by the same runtime under the same setting."""
    same = ("runtime", "runtime_version", "threads", "batch", "background_processes", "sustained")
    found: Found[Benchmark] = _find(Benchmark, [record.subject_sha256])
    return found.where(lambda row: all(row[name] == getattr(record, name) for name in same))


def benchmarks_of_run(*run_ids: str) -> Found[Benchmark]:
    """Every benchmark of these runs."""
    return _find(Benchmark, belongs=run_ids)


def benchmarks() -> Found[Benchmark]:
    """Every benchmark: for lists of runs, which need the rows alone."""
    return _find(Benchmark)


def is_plain(row: Row) -> bool:
    """Whether a benchmark is what rules and tables speak of."""
    return bool(row["plain"])


# --- conversion and compression -----------------------------------------------------------------------------------------


def failed_conversions() -> Found[FailedConversion]:
    """The last failure of each checkpoint, format and precision."""
    found: Found[FailedConversion] = _find(FailedConversion)
    return found.last_of_each(lambda row: (row["checkpoint_id"], row["format"], row["precision"]))


def packages_of(artifact_sha256: str) -> Found[Packaged]:
    """The packages that were made of a file."""
    return _find(Packaged, [artifact_sha256])


def pipeline_runs(pipeline: str | None = None) -> Found[Compression]:
    """The runs of a compression pipeline, or of all."""
    return _find(Compression, belongs=None if pipeline is None else [pipeline])


def compression_steps(
    ids: Collection[str] | None = None, keys: Collection[str] | None = None, sha256: Collection[str] | None = None
) -> Found[CompressionStep]:
    """The steps with these ids, keys, or results."""
    return _find(CompressionStep, sha256, keys, ids)
