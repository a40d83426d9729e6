from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from udacisense.errors import RecipeError
from udacisense.findings import MEASURES
from udacisense.rules import load_rules
from udacisense.settings import PROJECT

RULE = '[latency]\ntitle = "Fast"\nmeasure = "latency"\nbound = "below"\nlimit = 200\nunit = "ms"\n'


def test_the_products_rules_are_the_notebooks_and_its_own() -> None:
    found = load_rules(PROJECT / "readiness.toml")
    limits = {key: (r.measure, r.against, r.bound, r.limit) for key, r in found.rules.items()}
    assert limits == {
        "same_model": ("sameness", "checkpoint", None, None),
        "accuracy_kept": ("accuracy_change", "checkpoint", "below", 1.0),
        "size_kept": ("size_increase", "checkpoint", "below", 20.0),
        "latency": ("latency", None, "below", 200.0),
        "smaller_than_baseline": ("size_saving", "baseline", "at_least", 30.0),
        "faster_than_baseline": ("time_saving", "baseline", "at_least", 40.0),
        "accuracy_near_baseline": ("accuracy_loss", "baseline", "below", 5.0),
    }
    assert {r.measure for r in found.rules.values()} == set(MEASURES)
    assert found.sha256 == hashlib.sha256((PROJECT / "readiness.toml").read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "hold no rule", id="empty"),
        pytest.param("[latency", "are not TOML", id="not TOML"),
        pytest.param("\udcff", "are not TOML", id="not text"),
        pytest.param(RULE.replace('"latency"', '"speed"'), "latency / measure", id="unknown measure"),
        pytest.param(RULE.replace("limit = 200\n", ""), "needs a limit and a bound", id="no limit"),
        pytest.param(RULE.replace("200", "inf"), "finite", id="infinite limit"),
        pytest.param(RULE.replace("200", '"fast"'), "latency / limit", id="limit of words"),
        pytest.param(RULE + "limt = 3\n", "limt", id="misspelt key"),
        pytest.param(RULE + 'against = "baseline"\n', "latency takes none", id="latency against something"),
        pytest.param(RULE.replace('"latency"', '"size_saving"'), "needs against", id="saving against nothing"),
        pytest.param(RULE.replace('"latency"', '"sameness"'), "takes no limit", id="sameness with a limit"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "rules.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(RecipeError, match=message):
        load_rules(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="cannot be read"):
        load_rules(tmp_path / "none.toml")
