"""Records that travel with the product stay readable, with the JSON names and values of the day they were written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from udacisense.records.store import parse, to_json
from udacisense.settings import PROJECT
from udacisense.types import Artifact, Verification
from udacisense.types.kinds import KINDS
from udacisense.verify import reason_of

RESULTS, MOBILE = PROJECT / "results", PROJECT / "models" / "mobile"
SHIPPED = ("benchmark", "compression", "compression_step", "evaluation", "readiness", "selftest", "verification")
STORED_NAMES = {
    "benchmark": {"beside", "whole_s", "others", "waited_s", "timer_s"},
    "verification": {"verdict", "reason", "flips"},
    "artifact": {"ladder"},
}
"""Names on disk that a field of another name could take over one day; files that are out there keep them."""


def files_of(kind: str) -> list[Path]:
    return sorted(MOBILE.glob("*/artifact.json") if kind == "artifact" else (RESULTS / kind).glob("*.json"))


def without_newer(again: Any, plain: Any) -> Any:
    """What was written again, without the fields that a record did not have yet when it was written first."""
    if isinstance(plain, dict):
        return {name: without_newer(again[name], value) for name, value in plain.items()}
    if isinstance(plain, list):
        assert len(again) == len(plain)
        return [without_newer(a, p) for a, p in zip(again, plain, strict=True)]
    return again


def names_in(plain: Any) -> set[str]:
    if isinstance(plain, dict):
        return set(plain).union(*map(names_in, plain.values()))
    return set().union(*map(names_in, plain)) if isinstance(plain, list) else set()


@pytest.mark.parametrize("kind", [*SHIPPED, "artifact"])
def test_each_shipped_record_is_read_and_written_as_it_is(kind: str) -> None:
    cls = Artifact if kind == "artifact" else KINDS[kind]
    names: set[str] = set()
    for path in files_of(kind):
        plain = json.loads(path.read_text(encoding="utf-8"))["record"]
        again = to_json(parse(path.read_text(encoding="utf-8"), kind, cls, path.name))
        assert without_newer(again, plain) == plain
        names |= names_in(plain)
    assert STORED_NAMES.get(kind, {"id"}) <= names, "no shipped record shows them, so nothing would be held to"


@pytest.mark.parametrize("path", files_of("verification"), ids=lambda path: path.stem)
def test_a_shipped_verification_is_told_in_the_words_of_today_with_its_own_figures(path: Path) -> None:
    record = parse(path.read_text(encoding="utf-8"), "verification", Verification, path.name)
    artifact = parse((MOBILE / record.artifact_id / "artifact.json").read_text(), "artifact", Artifact, "artifact.json")
    told = reason_of(record, artifact.precision)
    assert "same model" not in told
    assert f"{record.images:,}" in told.replace("1000", "1,000")
    if record.flips:
        assert f"{record.images - len(record.flips):,} of {record.images:,}" in told
