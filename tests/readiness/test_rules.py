from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from udacisense.errors import RecipeError
from udacisense.readiness.measures.registry import MEASURES
from udacisense.readiness.rules import SHIPPED, left_out_words, load_rules
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
    assert {r.measure for r in found.rules.values()} < set(MEASURES)
    assert found.sha256 == hashlib.sha256((PROJECT / "readiness.toml").read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "hold no rule", id="empty"),
        pytest.param("[latency", "is not a TOML file", id="not TOML"),
        pytest.param("\udcff", "is not a TOML file", id="not text"),
        pytest.param(RULE.replace('"latency"', '"speed"'), "latency / measure", id="unknown measure"),
        pytest.param(RULE.replace("limit = 200\n", ""), "needs a limit and a bound", id="no limit"),
        pytest.param(RULE.replace("200", "inf"), "finite", id="infinite limit"),
        pytest.param(RULE.replace("200", '"fast"'), "latency / limit", id="limit of words"),
        pytest.param(RULE.replace("200", "nan"), "latency / limit.*finite", id="limit that is no number"),
        pytest.param(RULE.replace("200", '"200"'), "latency / limit.*valid number", id="limit that is a word"),
        pytest.param(RULE.replace("200", "true"), "latency / limit.*valid number", id="limit that is yes"),
        pytest.param(RULE.replace("200", "-1"), "latency: limit must be a number from 0", id="limit below anything"),
        pytest.param(RULE.replace("200", "1e300"), "latency / limit", id="limit beyond anything"),
        pytest.param(RULE.replace("below", "under"), "latency / bound", id="unknown bound"),
        pytest.param(RULE.replace("below", "at_least"), "good latency lies below", id="slow files would pass"),
        pytest.param(RULE.replace('"ms"', '"s"'), "is measured in ms", id="another unit than the figure's"),
        pytest.param(RULE + "limt = 3\n", "limt", id="misspelt key"),
        pytest.param(RULE + 'against = "baseline"\n', "latency is compared with nothing", id="latency against something"),
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


def test_what_the_product_measures_is_known_without_its_file() -> None:
    found = load_rules(PROJECT / "readiness.toml")
    assert {key: (r.measure, r.against) for key, r in found.rules.items()} == SHIPPED
    assert found.left_out == ()
    assert left_out_words(()) == ""


def test_a_rule_that_was_deleted_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(RULE)
    assert load_rules(path).left_out == tuple(name for name in SHIPPED if name != "latency")
    path.write_text(RULE.replace("[latency]", "[accuracy_near_baseline]"))
    assert "accuracy_near_baseline" in load_rules(path).left_out, "another rule of that name is not that rule"
    assert "latency" not in load_rules(path).left_out, "a rule by another name is that rule"
    assert left_out_words(["latency"]) == (
        "The rules file leaves out 1 rule of the product: latency. Nothing was judged by it."
    )
