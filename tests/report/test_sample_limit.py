"""A verification on the rendered sample changes no verdict: a file that is ready on real images stays so, and shows a limit.

The record is one that `verify --source sample` made of the shipped ExecuTorch int8 file; the slow test makes it again.
"""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from tests.driving import app, quick_answers, words
from tests.odd_files import verb
from udacisense import verbs
from udacisense.artifacts import find_artifact
from udacisense.cli.answers import BLOCKS
from udacisense.readiness.judge import judge
from udacisense.records import queries, store
from udacisense.report.sections import STATUS_WORDS
from udacisense.report.terminal import to_terminal
from udacisense.settings import PROJECT, settings
from udacisense.types import Verification
from udacisense.verbs.batch import Verifications
from udacisense.verdict_words import EQUIVALENCE, INCONCLUSIVE, READINESS
from ui.readiness.view import HEADLINES

__all__ = ["quick_answers"]

FILE = "executorch-int8-4ce2fa81-3c6d11"
RECORD = Path(__file__).parents[1] / "verify" / "on_the_sample.json"
LIMIT = "On the rendered sample: 145 of 160"
PAGES = {name: f"pages/{name}.py" for name in ("verify", "readiness", "convert", "models")}


@pytest.fixture
def ready_home(sample_home: Path) -> Path:
    """The shipped models and records, with nothing on the sample."""
    for folder in ("models", "results"):
        shutil.copytree(PROJECT / folder, sample_home / folder, dirs_exist_ok=True)
    assert judge(find_artifact(FILE), save=False).status == "pass"
    return sample_home


@pytest.fixture
def drawn(ready_home: Path) -> Verification:
    """The same home after *Verify* was pressed on the sample."""
    record: Verification = store.parse(RECORD.read_text(encoding="utf-8"), "verification", Verification, str(RECORD))
    store.save(record)
    assert (record.data.source, record.verdict, record.images - len(record.flips)) == ("sample", "different", 145)
    return record


def text_of(name: str) -> str:
    """All that a page says of the file."""
    at = app(PAGES[name], artifact=FILE, checkpoint=find_artifact(FILE).checkpoint_id, format="executorch", precision="int8")
    return words(at)


# --- pages ----------------------------------------------------------------------------------------------------------------


def test_overview_says_ready_with_the_sample_in_a_column_of_its_own(drawn: Verification) -> None:
    table = app().dataframe[0].value.set_index("Id")
    assert list(table.loc[FILE, "Readiness"]) == [READINESS["pass"]]
    assert list(table.loc[FILE, "Equivalence"]) == [EQUIVALENCE["same"]]
    assert table.loc[FILE, "On the sample"] == "145 of 160"
    assert (table["On the sample"].drop(FILE).isin([None]) | table["On the sample"].drop(FILE).isna()).all()


def test_readiness_says_ready_beside_the_limit(drawn: Verification) -> None:
    said = text_of("readiness")
    assert HEADLINES["pass"] in said
    assert LIMIT in said


def test_verify_opens_on_what_counts_and_names_the_limit(drawn: Verification) -> None:
    at = app(PAGES["verify"], artifact=FILE)
    assert badges(at) >= {EQUIVALENCE["same"]}
    assert not badges(at) & {READINESS["fail"], EQUIVALENCE["different"]}
    assert LIMIT in words(at)


def test_the_sample_s_own_record_is_shown_without_a_verdict(drawn: Verification) -> None:
    at = app(PAGES["verify"], artifact=FILE)
    at.selectbox(key="pick_verification").set_value(drawn.id).run()
    assert not at.exception
    looks = {*READINESS.values(), *EQUIVALENCE.values()} - {INCONCLUSIVE}
    assert not badges(at) & looks
    standing = queries.standing_verification(drawn.artifact_sha256)
    assert standing is not None
    assert standing.id in words(at), "it says which record counts"


def test_convert_says_ready_beside_the_limit(drawn: Verification) -> None:
    said = text_of("convert")
    assert READINESS["pass"] in said
    assert LIMIT in said


def test_the_model_card_says_ready_beside_the_limit(drawn: Verification) -> None:
    from udacisense.models.checkpoint import find_checkpoint
    from udacisense.report.model_card import model_card

    card = model_card(find_checkpoint(find_artifact(FILE).checkpoint_id)).replace("\\", "")
    (row,) = [line for line in card.splitlines() if line.startswith("|") and FILE in line]
    assert f"| {STATUS_WORDS['pass']} |" in row
    assert LIMIT in card
    assert LIMIT in text_of("models").replace("\\", "")


def badges(at: object) -> set[str]:
    """The words of every badge on a page."""
    import re

    return {m for text in (e.value for e in at.markdown) for m in re.findall(r"-badge\[:material/\w+: ([^\]]+)\]", text)}  # type: ignore[attr-defined]


# --- reports and verbs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["markdown", "html"])
def test_reports_say_ready_beside_the_limit(drawn: Verification, format: str) -> None:
    said = verbs.report(FILE, format).replace("\\", "")
    assert f"Verdict: {STATUS_WORDS['pass']}" in said
    assert LIMIT in said
    assert drawn.id in said
    assert "different:" not in said


def test_ready_says_ready_beside_the_limit(drawn: Verification) -> None:
    code, said = verb("ready", FILE)
    assert (code, LIMIT in said) == (0, True)
    code, told = verb("ready", FILE, "--json")
    assert code == 0
    assert json.loads(told)["limits"][FILE].startswith(LIMIT)


def test_models_says_ready_beside_the_limit(drawn: Verification) -> None:
    found = verbs.models_info()
    assert found.verdicts[FILE] == "pass"
    assert list(found.limits) == [FILE]
    code, said = verb("models")
    assert (code, f"{FILE}. {LIMIT}" in said) == (0, True)


def test_a_listing_of_verifications_says_what_counts(drawn: Verification) -> None:
    out = io.StringIO()
    for verb_name, answer in (("verify_all", Verifications((drawn,), ())), ("verify", drawn)):
        to_terminal(BLOCKS[verb_name](answer), Console(file=out, width=500))
    standing = queries.standing_verification(drawn.artifact_sha256)
    assert standing is not None
    assert out.getvalue().count(f"What counts is the newest verification on real images, {standing.id}") == 2


def test_runs_stay_as_they_were(ready_home: Path) -> None:
    before = verb("runs")
    store.save(store.parse(RECORD.read_text(encoding="utf-8"), "verification", Verification, str(RECORD)))
    assert verb("runs") == before


# --- what it is not -------------------------------------------------------------------------------------------------------


def test_without_real_images_the_sample_is_no_limit_beside_anything(drawn: Verification) -> None:
    for path in (settings().results_dir / "verification").glob("*.json"):
        if path.stem != drawn.id:
            path.unlink()
    assert queries.standing_verification(drawn.artifact_sha256) == drawn
    assert queries.verification_on_the_sample(drawn.artifact_sha256) is None
    assert LIMIT not in text_of("readiness")


@pytest.mark.slow
def test_verify_on_the_sample_makes_that_record(ready_home: Path) -> None:
    record = verbs.verify(FILE, source="sample")
    assert (record.verdict, record.data.source, record.images) == ("different", "sample", 160)
    assert record.images - len(record.flips) == pytest.approx(145, abs=3), "another processor may round another answer"
    assert queries.verification_on_the_sample(record.artifact_sha256) == record
    assert judge(find_artifact(FILE), save=False).status == "pass"
