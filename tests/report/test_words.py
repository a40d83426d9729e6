"""Words of reports and pages: rules with their limits, names of files, the inside of a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.story import Story
from udacisense.file_structure.structure import Port
from udacisense.report.inside import port
from udacisense.report.rule_words import rule_words
from udacisense.report.subject_names import artifact_name, format_title, subject_name, techniques
from udacisense.settings import settings
from udacisense.types import Status, Verdict

RULES = """
[mine]
title = "Not slower than half a second"
measure = "latency"
bound = "below"
limit = 500.0
unit = "ms"

[size_kept]
title = "Smaller"
measure = "size_saving"
against = "baseline"
bound = "at_least"
limit = 30.0
unit = "%"
"""


def verdict(rule: str, measured: float | None, limit: float, unit: str) -> Verdict:
    status: Status = "unknown" if measured is None else "pass"
    return Verdict("subject", rule, "title", status, "reason", measured, None, limit, unit, ())


@pytest.fixture
def rules(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = home / "rules.toml"
    path.write_text(RULES, encoding="utf-8")
    monkeypatch.setenv("UDACISENSE_RULES_FILE", str(path))
    settings.cache_clear()
    return path


def test_a_rule_goes_by_its_measure_and_its_bound(rules: Path) -> None:
    assert rule_words(verdict("mine", 7.25, 500.0, "ms")).limit == "below 500 ms"
    own = rule_words(verdict("size_kept", 41.0, 30.0, "%"))
    assert own.limit == "at least 30 %", "the rules file decides, not the shipped rule of the name"
    assert (own.figure, own.quantity) == ("41.0 %", rule_words(verdict("smaller_than_baseline", 41.0, 30.0, "%")).quantity)


def test_what_was_not_measured_has_no_figure(rules: Path) -> None:
    assert not any(c.isdigit() for c in rule_words(verdict("mine", None, 500.0, "ms")).figure)


def test_a_rule_that_is_no_more_goes_by_the_shipped_one_or_by_no_measure(rules: Path) -> None:
    shipped = rule_words(verdict("latency", 7.25, 200.0, "ms"))
    assert shipped.quantity == rule_words(verdict("mine", 7.25, 500.0, "ms")).quantity
    assert shipped.limit == "200 ms", "on which side of it a good file lies is not known any more"
    assert rule_words(verdict("same_model", 99.5, 99.0, "%")).limit == "at least 99 %"
    gone = rule_words(verdict("nobody_knows", 1.0, 2.0, "%"))
    assert gone.quantity not in {shipped.quantity, ""}


def test_a_verdict_is_shown_although_the_rules_cannot_be_read(rules: Path) -> None:
    rules.write_text("[", encoding="utf-8")
    assert rule_words(verdict("latency", 7.25, 200.0, "ms")).figure == "7.25 ms"


def test_a_file_is_named_by_its_format_and_the_technique_of_its_checkpoint(seeded_home: Story) -> None:
    artifact, checkpoint = seeded_home.faithful, seeded_home.checkpoint
    assert artifact_name(artifact) == "TorchScript fp32 (baseline)"
    assert subject_name(checkpoint, {}) == "PyTorch (baseline)"
    assert techniques([artifact, checkpoint]) == {checkpoint.id: "baseline"}
    assert subject_name(artifact, {}) == f"TorchScript fp32 ({checkpoint.sha256[:8]})", "its checkpoint is not here"
    assert subject_name(replace(artifact, format="of tomorrow"), {}).startswith("of tomorrow fp32")
    assert format_title("of tomorrow") == "of tomorrow"


def test_an_input_of_any_size_says_so() -> None:
    assert port(Port("x", (-1, 3, 224, 224), "float32")) == "x float32 anyx3x224x224"
    assert port(Port("", (10,), "int8")) == "int8 10"
