"""No number that is not finite, or absurd, comes in by the command line, the environment or a file: it is named and refused."""

from __future__ import annotations

import json
import signal
import sys
import types
import typing
from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from udacisense import verbs
from udacisense.benchmark.protocol import TimingProtocol
from udacisense.cli.main import main
from udacisense.compression.pipeline_file import Pipeline
from udacisense.compression.step import Step
from udacisense.errors import MeasureError, SettingError
from udacisense.ranges import COMPARISONS, TOLERANCE
from udacisense.readiness.rules import Rule
from udacisense.settings import Settings, settings
from udacisense.training.recipe import TrainingRecipe, TrainingStage

Call = Callable[..., tuple[int, str, str]]
ABSURD = [float("nan"), float("inf"), float("-inf"), 1e300, -1e300, 10**400]
STEPS = get_args(get_args(Step)[0])
FILES: list[type[BaseModel]] = [Rule, TimingProtocol, TrainingRecipe, TrainingStage, Pipeline, *STEPS, Settings]


def numeric_fields() -> Iterator[tuple[type[BaseModel], str]]:
    for model in FILES:
        for name, field in model.model_fields.items():
            parts = {field.annotation, *_parts(field.annotation)}
            if parts & {int, float}:
                yield model, name


def _parts(annotation: Any) -> Iterator[Any]:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType, typing.Annotated):
        for part in get_args(annotation):
            yield part
            yield from _parts(part)


FIELDS = [pytest.param(model, name, id=f"{model.__name__}.{name}") for model, name in numeric_fields()]


def test_every_kind_of_file_has_numbers_that_are_walked() -> None:
    assert {model for model, _ in numeric_fields()} >= {Rule, TimingProtocol, TrainingRecipe, TrainingStage, Pipeline, Settings}
    assert len(FIELDS) > 50


@pytest.mark.parametrize(("model", "name"), FIELDS)
@pytest.mark.parametrize("absurd", ABSURD, ids=lambda v: str(v)[:6])
def test_no_number_of_a_file_or_setting_is_absurd(model: type[BaseModel], name: str, absurd: float) -> None:
    with pytest.raises(ValidationError) as refused:
        model.model_validate({name: absurd})
    assert name in {str(error["loc"][0]) for error in refused.value.errors() if error["loc"]}


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Call]:
    """Run the command line in this process: its code, its answer and what it said beside it."""
    before = signal.getsignal(signal.SIGTERM)

    def run(*argv: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["udacisense", *argv])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    yield run
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(
    ("verb", "option"),
    [
        (("verify", "x"), "--tolerance"),
        (("benchmark", "x"), "--threads"),
        (("benchmark", "x"), "--batch"),
        (("benchmark", "x"), "--busy"),
        (("benchmark", "x"), "--cpus"),
        (("selftest",), "--comparisons"),
        (("train",), "--seed"),
        (("add", "x", "--classes", "a,b", "--input", "96", "--mean", "0", "--std", "1"), "--crop-pct"),
    ],
)
@pytest.mark.parametrize("value", ["nan", "inf", "-1", "1e300", "9" * 40, "many"])
def test_no_number_on_the_command_line_is_absurd(verb: tuple[str, ...], option: str, value: str, home: Any, call: Call) -> None:
    code, _, said = call(*verb, option, value)
    assert code == 3
    assert option in said
    assert "Traceback" not in said
    code, out, _ = call(*verb, option, value, "--json")
    assert code == 3
    assert option in json.loads(out)["error"]


def test_every_number_of_the_command_line_is_checked() -> None:
    """A new option that takes a number needs a range."""
    import inspect

    from udacisense.cli import app

    loose = []
    for command in app.app.registered_commands:
        assert command.callback is not None
        for name, hint in typing.get_type_hints(command.callback, include_extras=True).items():
            kinds = {hint, *_parts(hint)}
            options = [o for o in get_args(hint) if hasattr(o, "callback")]
            if kinds & {int, float} and not any(o.callback for o in options):
                loose.append((command.callback.__name__, name))
    assert inspect.isfunction(app.verify)
    assert loose == []


def test_a_tolerance_of_nothing_is_refused_and_a_small_one_is_not(home: Any, call: Call) -> None:
    assert "above 0" in call("verify", "x", "--tolerance", "0")[2]
    assert "There is no artifact" in call("verify", "x", "--tolerance", "1e-9")[2]


@pytest.mark.parametrize("tolerance", [float("nan"), float("inf"), -1.0, 0.0])
def test_the_verbs_themselves_refuse_them_before_any_work(tolerance: float, home: Any) -> None:
    with pytest.raises(MeasureError, match="--tolerance"):
        verbs.verify("x", tolerance=tolerance)
    with pytest.raises(MeasureError, match="--comparisons"):
        verbs.selftest(comparisons=0)
    with pytest.raises(MeasureError, match="--seed"):
        verbs.train(seed=-1)


def test_a_range_holds_its_bounds() -> None:
    assert [COMPARISONS.fault(v) is None for v in (0, 1, 10_000, 10_001)] == [False, True, True, False]
    assert [TOLERANCE.fault(v) is None for v in (0.0, 5e-324, 1000.0, 1000.1)] == [False, True, True, False]


@pytest.mark.parametrize(
    ("name", "value"),
    [("SEED", "nan"), ("SEED", "-1"), ("JOB_TIMEOUT_S", "inf"), ("THREADS", "0"), ("EVAL_BATCH", "1e99"), ("THREADS", "two")],
)
def test_a_setting_that_cannot_be_used_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    monkeypatch.setenv(f"UDACISENSE_{name}", value)
    settings.cache_clear()
    with pytest.raises(SettingError, match=f"UDACISENSE_{name} cannot be used"):
        settings()
    code, _, said = call("models")
    assert code == 3
    assert f"UDACISENSE_{name}" in said
    assert "Traceback" not in said


def test_an_empty_setting_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UDACISENSE_HOME", "")
    monkeypatch.setenv("UDACISENSE_SEED", "")
    settings.cache_clear()
    assert settings() == Settings()
    assert settings().seed == 42
    assert TypeAdapter(int).validate_python(settings().seed) == 42
