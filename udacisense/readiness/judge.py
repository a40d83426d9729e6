"""Readiness of an artifact: each rule of readiness.toml becomes a verdict here and nowhere else.

A verdict rests on the newest records of these very files (equal sha256); of timings, on the newest that may decide. Where a
figure has an interval, the whole interval must lie on one side of the limit; otherwise, and wherever a record is missing, the
verdict is "unknown" (shown as "Inconclusive") and says what to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from udacisense.errors import NotFoundError
from udacisense.models.checkpoint import baseline_checkpoint, find_checkpoint
from udacisense.readiness.measures import MEASURES, JudgedSubject, Measurement
from udacisense.readiness.rules import Rule, load_rules
from udacisense.records import queries, store
from udacisense.records.provenance import here
from udacisense.settings import settings
from udacisense.types import Artifact, Checkpoint, Readiness, Status, Verdict


def judge(artifact: Artifact, *, save: bool = True) -> Readiness:
    """Judge an artifact by every rule from the newest records; no record is added where nothing has changed since the last.

    Raises:
        RecipeError: a mistake in the rules.
    """
    rules = load_rules(settings().rules_file)
    case = JudgedSubject(artifact, _checkpoint(artifact), baseline_checkpoint())
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
    """Save a judgement, unless the last one comes to the same: then it goes by the last one's id and date."""
    if last is None or not says_the_same(record, last):
        store.save(record)
        return record
    return as_last(record, last)


def as_last(record: Readiness, last: Readiness | None) -> Readiness:
    """A judgement under the id and date of the last one where both come to the same, else as it is.

    Its sentences are those of this version: wording may change without a new record.
    """
    same = last is not None and says_the_same(record, last)
    return replace(record, id=last.id, made=last.made) if last is not None and same else record


def says_the_same(record: Readiness, last: Readiness) -> bool:
    """Whether two judgements of a file have the same figures and verdicts by the same rules; their sentences may differ."""
    return _facts(last) == _facts(record)


def _facts(record: Readiness) -> tuple[object, ...]:
    return record.rules_sha256, record.left_out or (), tuple(replace(v, reason="-") for v in record.verdicts)


def newest_readiness(artifact: Artifact) -> Readiness | None:
    """The last judgement of this very file."""
    return queries.readiness_of(artifact.sha256).newest()


def overall(verdicts: Iterable[Verdict]) -> Status:
    """Status of all verdicts together: fail if one fails, else unknown if one is unknown, else pass; of none, unknown."""
    found = {v.status for v in verdicts}
    if "fail" in found:
        return "fail"
    return "pass" if found == {"pass"} else "unknown"


def _checkpoint(artifact: Artifact) -> Checkpoint | None:
    try:
        return find_checkpoint(artifact.checkpoint_id)
    except NotFoundError:
        return None


def _verdict(case: JudgedSubject, key: str, rule: Rule) -> Verdict:
    finding = MEASURES[rule.measure](case, rule.against)
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
