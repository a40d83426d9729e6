"""Readiness of an artifact: each rule of readiness.toml becomes a verdict here and nowhere else.

A verdict rests on the newest records of these very files (equal sha256); of timings, on the newest that may decide. Where a
figure has an interval, the whole interval must lie on one side of the limit; otherwise, and wherever a record is missing, the
verdict is "unknown" (shown as "Inconclusive") and says what to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace

from filelock import FileLock

from udacisense.artifacts import source_checkpoint
from udacisense.errors import NotFoundError
from udacisense.models.checkpoint import baseline_for
from udacisense.provenance import here
from udacisense.readiness.measures.measure import JudgedSubject, Measurement
from udacisense.readiness.measures.registry import MEASURES
from udacisense.readiness.rules import Rule, load_rules
from udacisense.records import queries, store
from udacisense.settings import settings
from udacisense.types import Artifact, Checkpoint, Readiness, Status, Verdict

TURN_S = 10.0
"""Longest wait for others that save a judgement, each of which takes milliseconds."""


def judge(artifact: Artifact, *, save: bool = True, known: Iterable[Checkpoint] = ()) -> Readiness:
    """Judge an artifact by every rule from the newest records; no record is added where nothing has changed since the last.

    Args:
        known: checkpoints that the caller has; the artifact's and the baseline are looked for among them first.

    Raises:
        RecipeError: a mistake in the rules.
    """
    rules = load_rules(settings().rules_file)
    case = JudgedSubject(artifact, _checkpoint(artifact, known), baseline_for(artifact.spec, known))
    verdicts = tuple(_verdict(case, key, rule) for key, rule in rules.rules.items())
    record = Readiness(
        id=store.new_id(f"ready-{artifact.id}"),
        artifact_id=artifact.id,
        artifact_sha256=artifact.sha256,
        checkpoint_id=artifact.checkpoint_id,
        baseline_id=case.baseline.id if case.baseline else None,
        rules_sha256=rules.sha256,
        status=overall(verdicts),
        verdicts=verdicts,
        made=here(f"python -m udacisense ready {artifact.id}"),
        left_out=rules.left_out,
    )
    return keep(record, newest_readiness(artifact)) if save else record


def keep(record: Readiness, last: Readiness | None) -> Readiness:
    """Save a judgement, unless the last one comes to the same: then it goes by the last one's id and date.

    Processes that judge at once take turns, and each looks again: the one before it may have saved the same.

    Raises:
        StoreError: the disk refuses.
    """
    if last is not None and says_the_same(record, last):
        return as_last(record, last)
    with _turn():
        last = queries.readiness_of(record.artifact_sha256).newest()
        if last is not None and says_the_same(record, last):
            return as_last(record, last)
        store.save(record)
        return record


@contextmanager
def _turn() -> Iterator[None]:
    """Wait for others that save a judgement; where there can be no lock, two equal judgements are no harm."""
    with ExitStack() as held:
        with suppress(OSError):  # a lock that was not free in time is one too
            path = settings().home / ".udacisense" / "readiness.lock"
            path.parent.mkdir(parents=True, exist_ok=True)
            held.enter_context(FileLock(path, timeout=TURN_S))
        yield


def as_last(record: Readiness, last: Readiness | None) -> Readiness:
    """A judgement under the id, date and rules of the last one where both come to the same, else as it is.

    Its sentences are those of this version: wording may change without a new record.
    """
    if last is None or not says_the_same(record, last):
        return record
    return replace(record, id=last.id, made=last.made, rules_sha256=last.rules_sha256)


def says_the_same(record: Readiness, last: Readiness) -> bool:
    """Whether two judgements of a file come to the same: by each rule the same figure, limit and status from the same records.

    Neither the words of a reason nor the digest of the rules file are asked: another wording or comment is no other verdict.
    """
    return (_facts(record), record.left_out or ()) == (_facts(last), last.left_out or ())


def _facts(record: Readiness) -> list[Verdict]:
    """The verdicts without the words of their reasons; where nothing was measured the reason is the fact."""
    return [v if v.measured is None else replace(v, reason="measured") for v in record.verdicts]


def newest_readiness(artifact: Artifact) -> Readiness | None:
    """The last judgement of this very file."""
    return queries.newest_readiness(artifact.sha256)


def overall(verdicts: Iterable[Verdict]) -> Status:
    """Status of all verdicts together: fail if one fails, else unknown if one is unknown, else pass; of none, unknown."""
    found = {v.status for v in verdicts}
    if "fail" in found:
        return "fail"
    return "pass" if found == {"pass"} else "unknown"


def _checkpoint(artifact: Artifact, known: Iterable[Checkpoint]) -> Checkpoint | None:
    try:
        return source_checkpoint(artifact, known)
    except NotFoundError:
        return None


def _verdict(case: JudgedSubject, key: str, rule: Rule) -> Verdict:
    finding = MEASURES[rule.measure].measured(case, rule.against)
    limit = finding.limit if rule.limit is None else rule.limit
    status, reason = decide(rule, finding)
    return Verdict(
        subject_id=case.artifact.id,
        rule=key,
        title=rule.title,
        status=status,
        reason=reason,
        measured=finding.measured,
        interval=finding.interval,
        limit=limit,
        unit=rule.unit,
        evidence=finding.evidence,
        data=finding.data,
    )


def decide(rule: Rule, finding: Measurement) -> tuple[Status, str]:
    """Status and reason of one finding under its rule."""
    if finding.decided is not None:
        return finding.decided, finding.said
    if finding.measured is None or finding.doubt:
        return "unknown", " ".join(s for s in (finding.said, finding.doubt) if s)
    low, high = finding.range
    assert rule.limit is not None  # a rule without a limit is decided by its finding
    good, bad = (high < rule.limit, low >= rule.limit) if rule.bound == "below" else (low >= rule.limit, high < rule.limit)
    words = f"{'below' if rule.bound == 'below' else 'at least'} {rule.limit:g} {rule.unit}"
    if good:
        return "pass", f"{finding.said} The rule asks for {words}."
    if bad:
        return "fail", f"{finding.said} The rule asks for {words}. {finding.if_failed}"
    advice = " ".join(filter(None, (finding.if_unsure, finding.further(rule.limit) if finding.further else "")))
    return "unknown", f"{finding.said} The rule asks for {words}, and the interval reaches over that limit. {advice}"
