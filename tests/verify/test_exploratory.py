"""A verification with a looser tolerance than the rule's shows something and is evidence of nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.driving import app, quick_answers, words  # noqa: F401 - a fixture
from tests.story import Story
from udacisense import verbs
from udacisense.errors import MeasureError
from udacisense.readiness.judge import judge, newest_readiness
from udacisense.records import store
from udacisense.report import collect
from udacisense.types import TOLERANCE, Readiness, Verification
from udacisense.verify import verify


def loosened(record: Verification, tolerance: float = 1000.0, *, older: bool = False) -> Verification:
    """The verification as it comes out with another tolerance; an older version kept it in the checks alone."""
    checks = tuple(replace(check, tolerance=tolerance, outputs_match=True) for check in record.checks)
    return replace(
        record,
        id=f"{record.id}-loose",
        checks=checks,
        verdict="same",
        reason="The logits differ by at most 4.6e+00, below the tolerance of 1e+03.",
        tolerance=None if older else tolerance,
        made=replace(record.made, created="2026-06-01T00:00:00Z"),
    )


@pytest.mark.parametrize("older", [False, True])
def test_the_gate_is_not_opened_by_a_looser_tolerance(older: bool, seeded_home: Story) -> None:
    before = judge(seeded_home.drifting, save=False)
    store.save(loosened(seeded_home.verifications[1], older=older))
    after = judge(seeded_home.drifting, save=False)
    assert [v.status for v in after.verdicts] == [v.status for v in before.verdicts]
    assert after.verdicts[0].evidence == (seeded_home.verifications[1].id,)
    assert collect(seeded_home.drifting).verification == seeded_home.verifications[1]


def test_alone_it_is_no_proof_and_the_reason_says_so(seeded_home: Story) -> None:
    loose = loosened(seeded_home.verifications[1])
    for path in (seeded_home.home / "results" / "verification").glob("*.json"):
        path.unlink()
    store.save(loose)
    found = judge(seeded_home.drifting, save=False).verdicts[0]
    assert (found.status, found.evidence) == ("unknown", ())
    assert found.reason.startswith(
        "Verified only with a looser tolerance than the 1e-05 of the rule, which counts for nothing."
    )
    assert f"Run: python -m udacisense verify {seeded_home.drifting.id}" in found.reason


def test_a_verdict_that_an_older_version_let_rest_on_it_falls_too(seeded_home: Story) -> None:
    loose = loosened(seeded_home.verifications[1], older=True)
    store.save(loose)
    record = seeded_home.readiness[1]
    opened = replace(
        record,
        id="ready-opened",
        status="pass",
        verdicts=(replace(record.verdicts[0], status="pass", evidence=(loose.id,)),),
        made=replace(record.made, created="2026-06-02T00:00:00Z"),
    )
    store.save(opened)
    assert store.records(Readiness).records[-1] == opened
    assert newest_readiness(seeded_home.drifting) == record
    assert collect(seeded_home.drifting).readiness == record


def test_tighter_is_as_good_as_the_rule(seeded_home: Story) -> None:
    record = seeded_home.verifications[0]
    assert not record.exploratory
    assert not replace(record, tolerance=TOLERANCE).exploratory
    assert not replace(record, tolerance=1e-9).exploratory
    assert replace(record, tolerance=2e-5).exploratory
    assert replace(record, tolerance=2e-5).exploratory_words.startswith("Exploratory: made with a tolerance of 2e-05")
    assert record.exploratory_words == ""


def test_records_of_older_versions_are_read_and_count(seeded_home: Story) -> None:
    record = seeded_home.verifications[0]
    path = seeded_home.home / "results" / "verification" / f"{record.id}.json"
    plain = json.loads(path.read_text())
    del plain["record"]["tolerance"]
    path.write_text(json.dumps(plain))
    found = store.load("verification", record.id)
    assert found.tolerance is None
    assert not found.exploratory


def test_it_is_not_taken_for_the_proof_that_verify_all_looks_for(seeded_home: Story) -> None:
    from udacisense.verbs.batch import _proved

    record = seeded_home.verifications[1]
    (seeded_home.home / "results" / "verification" / f"{record.id}.json").unlink()
    store.save(loosened(record))
    assert _proved(seeded_home.drifting, record.data.dataset_id) is None


def test_an_answer_that_is_no_number_is_refused_before_any_work(seeded_home: Story) -> None:
    from tests.fakes import fake_dataset

    with pytest.raises(MeasureError, match="--tolerance cannot be used"):
        verify(seeded_home.faithful, fake_dataset(10), float("nan"))
    assert len(store.records(Verification).records) == len(seeded_home.verifications)


def test_pages_show_it_as_what_it_is(seeded_home: Story) -> None:
    loose = loosened(seeded_home.verifications[1])
    store.save(loose)
    at = app("pages/verify.py", artifact=seeded_home.drifting.id)
    picker = next(box for box in at.selectbox if box.label == "Verification")
    assert picker.value == seeded_home.verifications[1].id, "what counts comes first"
    assert "Exploratory" not in words(at)
    assert any("exploratory" in option for option in picker.options)
    picker.set_value(loose.id).run()
    assert not at.exception
    assert any("Exploratory: made with a tolerance of 1000" in str(w.value) for w in at.warning)
    assert "Same model" not in words(at)


def test_ready_names_what_the_rules_file_leaves_out(seeded_home: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    from udacisense.report import markdown_report
    from udacisense.settings import settings

    rules = seeded_home.home / "rules.toml"
    rules.write_text('[fast]\ntitle = "Fast"\nmeasure = "latency"\nbound = "below"\nlimit = 200\nunit = "ms"\n')
    monkeypatch.setenv("UDACISENSE_RULES_FILE", str(rules))
    settings.cache_clear()
    judged = verbs.ready(seeded_home.faithful.id).readiness[0]
    assert judged.left_out is not None
    assert "same_model" in judged.left_out
    assert "latency" not in judged.left_out
    assert "leaves out 6 rules of the product" in markdown_report([collect(seeded_home.faithful)])
    at = app("pages/readiness.py", artifact=seeded_home.faithful.id)
    assert any("leaves out 6 rules" in str(w.value) for w in at.warning)
