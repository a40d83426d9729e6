"""State of the Overview: contents of the store, progress of each artifact, and the next step. No Streamlit calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from udacisense import verbs
from udacisense.artifacts import cannot_run, list_artifacts
from udacisense.models.checkpoint import list_checkpoints
from udacisense.number_format import count, mb
from udacisense.records import queries
from udacisense.report.subject_names import subject_name, techniques
from udacisense.types import Artifact, Benchmark, Checkpoint, Evaluation, Readiness, Verification
from udacisense.verdict_words import rule_title
from ui.overview.speed import TimeRatio, against_baseline
from ui.shared.plain_text import Markdown, escape

R = TypeVar("R", Evaluation, Verification, Benchmark, Readiness)
MEASUREMENTS = (Evaluation, Verification, Benchmark, Readiness)
"""The kinds of record that the store is counted by."""


@dataclass(frozen=True, slots=True)
class StoreSnapshot:
    """Contents of the store, oldest first, and a sentence for each file that could not be read."""

    checkpoints: tuple[Checkpoint, ...]
    artifacts: tuple[Artifact, ...]
    evaluations: tuple[Evaluation, ...]  # of each artifact the newest, real images first; so are the three that follow
    verifications: tuple[Verification, ...]
    benchmarks: tuple[Benchmark, ...]
    readiness: tuple[Readiness, ...]
    on_the_sample: tuple[Verification, ...]  # of each artifact that real images have the say on, its newest on the sample
    speeds: Mapping[str, TimeRatio]  # sha256 of each file that was timed beside the baseline
    problems: tuple[str, ...]
    records: int  # measurements of every kind, of artifacts or not


@dataclass(frozen=True, slots=True)
class Progress:
    """The newest record of each kind on the very bytes of one artifact, real images first; None = not done yet."""

    artifact: Artifact
    verification: Verification | None
    evaluation: Evaluation | None
    benchmark: Benchmark | None
    readiness: Readiness | None
    on_the_sample: Verification | None  # a limit beside the verification, never its place
    speed: TimeRatio | None  # against the baseline of the same run


@dataclass(frozen=True, slots=True)
class Step:
    """Next step: its reason, its page, and the command that does the same."""

    title: str
    text: Markdown
    page: str
    link: str
    command: str | None = None


def read_store() -> StoreSnapshot:
    """The store as it is now."""
    checkpoints, artifacts = list_checkpoints(), list_artifacts()
    files = tuple(dict.fromkeys(artifact.sha256 for artifact in artifacts.records))
    return StoreSnapshot(
        checkpoints.records,
        artifacts.records,
        _known(queries.standing_evaluation(sha256) for sha256 in files),
        _known(queries.standing_verification(sha256) for sha256 in files),
        _known(queries.newest_benchmark(sha256) for sha256 in files),
        _known(queries.newest_readiness(sha256) for sha256 in files),
        _known(queries.verification_on_the_sample(sha256) for sha256 in files),
        against_baseline(files),
        (*checkpoints.problems, *artifacts.problems, *verbs.unreadable()),
        queries.how_many(*MEASUREMENTS),
    )


def _known(found: Iterable[R | None]) -> tuple[R, ...]:
    return tuple(record for record in found if record is not None)


def progress(stored: StoreSnapshot) -> tuple[Progress, ...]:
    """Newest record of each kind on each artifact, newest artifact first."""
    return tuple(
        Progress(
            artifact,
            _newest(stored.verifications, artifact.sha256),
            _newest(stored.evaluations, artifact.sha256),
            _newest([b for b in stored.benchmarks if b.plain], artifact.sha256),
            _newest(stored.readiness, artifact.sha256),
            _newest(stored.on_the_sample, artifact.sha256),
            stored.speeds.get(artifact.sha256),
        )
        for artifact in reversed(stored.artifacts)
    )


def _newest(records: Sequence[R], sha256: str) -> R | None:
    return next(reversed(_of(records, sha256)), None)


def _of(records: Sequence[R], sha256: str) -> list[R]:
    return [record for record in records if _sha256(record) == sha256]


def _sha256(record: Evaluation | Verification | Benchmark | Readiness) -> str:
    return record.artifact_sha256 if isinstance(record, Verification | Readiness) else record.subject_sha256


def next_step(stored: StoreSnapshot) -> Step:
    """Next step for the newest artifact, or towards the first one."""
    if not stored.checkpoints:
        return Step(
            "Bring a checkpoint",
            "There is no trained model here yet. Copy the course's `model.pth` to `models/baseline_mobilenet/checkpoints/`, "
            "or train a baseline.",
            "pages/models.py",
            "How to bring one",
            "python -m udacisense train",
        )
    if not stored.artifacts:
        return Step(
            "Convert a checkpoint",
            "A checkpoint is here, but no file that a phone can run. Convert it; every later step works on the converted file.",
            "pages/convert.py",
            "Convert",
            "python -m udacisense run",
        )
    rows = progress(stored)
    newest = next((row for row in rows if cannot_run(row.artifact) is None), rows[0])
    passed = [row.artifact for row in rows if row.readiness and row.readiness.status == "pass"]
    known = techniques(stored.checkpoints)
    if newest.readiness and passed:
        return _ready(min(passed, key=lambda artifact: artifact.size_bytes), len(passed), len(rows), known)
    return _next_for(newest, subject_name(newest.artifact, known))


def _next_for(newest: Progress, name: str) -> Step:
    artifact = newest.artifact
    if newest.verification is None:
        text = f"{escape(name)} has not been compared with its checkpoint yet."
        return Step("Verify the newest file", text, "pages/verify.py", "Verify", f"python -m udacisense verify {artifact.id}")
    if newest.benchmark is None:
        text = f"Speed and memory of {escape(name)} have not been measured on this machine yet."
        command = f"python -m udacisense benchmark {artifact.checkpoint_id} {artifact.id}"
        return Step("Benchmark the newest file", text, "pages/benchmark.py", "Benchmark", command)
    if newest.readiness is None:
        text = f"Verification and benchmark of {escape(name)} are here. Apply the rules to them."
        return Step(
            "Check readiness of the newest file",
            text,
            "pages/readiness.py",
            "Check readiness",
            f"python -m udacisense ready {artifact.id}",
        )
    return _not_ready(newest.readiness, name)


def _ready(smallest: Artifact, passed: int, files: int, known: Mapping[str, str]) -> Step:
    """The release candidate by name, and how many files pass beside it."""
    which = f"{passed:d} of {count(files, 'file')} {'passes' if passed == 1 else 'pass'} every rule"
    least = "it is" if passed == 1 else "the smallest is"
    text = (
        f"{which}; {least} **{escape(subject_name(smallest, known))}**, {mb(smallest.size_bytes)}. Try it on your own images."
    )
    return Step("Ready for release", text, "pages/classify.py", "Classify images")


def _not_ready(readiness: Readiness, name: str) -> Step:
    wanted = [v for v in readiness.verdicts if v.status == readiness.status]
    names = ", ".join(escape(rule_title(v.title)) for v in wanted[:3]) + (" and more" if len(wanted) > 3 else "")
    if readiness.status == "fail":
        return Step("Not ready", f"{escape(name)} fails: {names}.", "pages/readiness.py", "Show verdicts")
    return Step(
        "Inconclusive",
        f"Rules that are inconclusive on {escape(name)}: {names}.",
        "pages/readiness.py",
        "Show missing evidence",
    )
