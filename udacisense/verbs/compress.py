"""`compress`: a pipeline of techniques run, measured side by side, and told in the course's form; `card`: a model's story."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from udacisense.errors import CompressionError
from udacisense.processes.locks import heavy_work
from udacisense.progress import part, report
from udacisense.records.queries import benchmarks_of
from udacisense.records.store import write_text
from udacisense.settings import settings
from udacisense.types import Checkpoint, Mode

if TYPE_CHECKING:
    from udacisense.artifacts import Named
    from udacisense.benchmark.protocol import TimingProtocol
    from udacisense.compression.pipeline import Ran
    from udacisense.compression.pipeline_file import Plan
    from udacisense.report.compression import Compressed

RESULTS = "pipeline_results.json"
"""The course's file about a pipeline, in its folder below models/."""


@dataclass(frozen=True, slots=True)
class Compressing:
    """Answer of `compress`: the table, and the paths of its files."""

    pipeline: str
    mode: Mode
    skipped: tuple[str, ...]  # names of steps that were finished before
    columns: tuple[str, ...]
    table: tuple[tuple[str, ...], ...]  # the start, then each step
    stages: Sequence[dict[str, Any]]  # the same as figures, in the course's form
    records: tuple[str, ...]
    final: Path | None
    results_path: Path | None  # None = nothing was written


def compress(pipeline: str = "pipeline_03", protocol: str = "standard", table_only: bool = False) -> Compressing:
    """Run a pipeline of pipelines/ (or a file), judge every checkpoint on the test split, time all of them side by side.

    >>> verbs.compress("pipeline_03", protocol="quick")

    Finished steps are skipped; what was measured of the same files is not measured again.

    Args:
        protocol: how to time, a name or a .toml file.
        table_only: do no work; tell what the records say.

    Raises:
        RecipeError: a mistake in the pipeline. NotFoundError, CheckpointError: its start or teacher is missing or does not fit.
        CompressionError: a step failed; the others are kept and told.
    """
    from udacisense.benchmark.protocol import get_protocol
    from udacisense.compression.pipeline_file import load_pipeline, plan
    from udacisense.report.compression import compressed

    wanted = load_pipeline(pipeline)
    if table_only:
        return _answer(compressed(wanted.name))
    timing, checked = get_protocol(protocol), plan(wanted)
    with heavy_work(f"compressing by {wanted.name}", into=(wanted.folder,)):
        return _work(checked, timing)


def _work(plan: Plan, protocol: TimingProtocol) -> Compressing:
    from udacisense.compression.pipeline import run_pipeline
    from udacisense.report.compression import collect

    with part(0.0, 0.8):
        ran = run_pipeline(plan)
    if ran.record.failed and plan.pipeline.mode == "chain":
        raise _failed(ran)
    subjects = _subjects(plan, ran)
    with part(0.8, 0.85):
        _evaluate(subjects)
    with part(0.85, 0.99):
        _time(subjects, protocol)
    found = collect(ran.record)
    answer = _answer(found, ran, plan.pipeline.folder.parent / RESULTS)
    if ran.final is not None:
        card(ran.final)
    if ran.record.failed:
        raise _failed(ran)
    report(1.0, "done")
    return answer


def _failed(ran: Ran) -> CompressionError:
    done, planned = len(ran.steps), len(ran.record.planned)
    told = " ".join(f"Step {f.place}, {f.name!r} ({f.technique}), failed: {f.message.rstrip('.')}." for f in ran.record.failed)
    kept = f"The other {done} of {planned} steps are kept" if done else "Nothing was finished before it"
    return CompressionError(
        f"{told} {kept}; mend the step in the pipeline's file or what it names, then run the same command: "
        "finished steps are skipped."
    )


def _subjects(plan: Plan, ran: Ran) -> list[Checkpoint]:
    """The start and every step whose weights are here, the chain's last one under its final name."""
    from udacisense.compression.ledger import weights_of
    from udacisense.models.checkpoint import read_checkpoint

    paths = [weights_of(step) for step in ran.steps]
    found = [read_checkpoint(path) for path in paths if path is not None]
    if ran.final is not None:
        found = [c for c in found if c.sha256 != ran.final.sha256] + [ran.final]
    return list({c.sha256: c for c in (plan.start, *found)}.values())


def _evaluate(subjects: Sequence[Checkpoint]) -> None:
    from udacisense.data.sources import load_dataset
    from udacisense.evaluation.evaluate import evaluate

    data = load_dataset("test")
    for index, subject in enumerate(subjects):
        with part(index / len(subjects), (index + 1) / len(subjects), f"{subject.technique}: "):
            evaluate(subject, data)


def _time(subjects: Sequence[Checkpoint], protocol: TimingProtocol) -> None:
    """Time all of them in one run, unless there is a run of the same protocol with these very files."""
    from udacisense.benchmark.run import benchmark

    runs: dict[str, set[str]] = {}
    for row in benchmarks_of(*(s.sha256 for s in subjects)).rows:
        if row["protocol"] == protocol.name:
            runs.setdefault(row["run_id"], set()).add(row.sha256)
    if not any({s.sha256 for s in subjects} <= files for files in runs.values()):
        benchmark(subjects, protocol)


def _answer(found: Compressed, ran: Ran | None = None, path: Path | None = None) -> Compressing:
    from udacisense.report.compression import course_results
    from udacisense.report.compression_table import grid

    results, table = course_results(found), grid(found)
    if path is not None:
        write_text(path, json.dumps(results, indent=1, allow_nan=False, ensure_ascii=False) + "\n")
    return Compressing(
        pipeline=found.run.pipeline,
        mode=found.run.mode,
        skipped=ran.skipped if ran else (),
        columns=table.columns,
        table=table.rows,
        stages=results["stages"],
        records=found.evidence,
        final=ran.final.path if ran and ran.final else None,
        results_path=path,
    )


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model card, and the file that it was written to."""

    checkpoint_id: str
    text: str
    path: Path


def card(checkpoint: Named, out: Path | None = None) -> ModelCard:
    """Write a checkpoint's model card from the records, by default as <name>.card.md beside the weights.

    >>> verbs.card("model.pth").path

    Raises:
        NotFoundError: no such checkpoint. StoreError: the disk refuses.
    """
    from udacisense.artifacts import named_checkpoint
    from udacisense.report.model_card import model_card

    found = named_checkpoint(checkpoint)
    text = model_card(found)
    path = out or found.path.with_name(f"{found.path.stem}.card.md")
    return ModelCard(found.id, text, write_text(path if path.is_absolute() else settings().home / path, text))
