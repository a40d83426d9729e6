"""The search along the network, on numbers alone: matching by content, cliffs, dips that are no breaks, and halving."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udacisense.types import LayerGap, Precision
from udacisense.verify.layer_errors import (
    CLIFF_DB,
    EXPECTED_DB,
    Closest,
    bisect,
    broken_step,
    first_departure,
    measure_gap,
    seen,
    sqnr_db,
    steepest,
)

PLACES = tuple(f"features.{i}" for i in range(13))


def gap(db: float | None, name: str = "x") -> LayerGap:
    return LayerGap(name, None, (2,), db, 0.0)


def curve(*db: float | None) -> tuple[LayerGap, ...]:
    return tuple(gap(value, place) for value, place in zip(db, PLACES, strict=False))


def name(found: LayerGap | None) -> str | None:
    return found.name if found else None


# --- finding values -----------------------------------------------------------------------------------------------------


def reference(rng: np.random.Generator) -> dict[str, np.ndarray]:
    shapes = {"features.0": (4, 6, 6), "features.1": (4, 6, 6), "features.2": (8, 3, 3), "avgpool": (8, 1, 1)}
    return {place: rng.normal(size=(1, *shape)).astype(np.float32) for place, shape in shapes.items()}


def test_values_are_found_by_what_they_hold_whatever_their_name_and_layout() -> None:
    rng = np.random.default_rng(0)
    closest = Closest()
    for _ in range(3):
        held = reference(rng)
        inside = [
            ("weights", rng.normal(size=(8, 3, 3, 3)).astype(np.float32)),
            ("b", held["features.1"] + 1e-4),
            ("a", held["features.0"].transpose(0, 2, 3, 1)),  # channels last
            ("pooled", held["avgpool"].reshape(1, 8)),
            ("c", held["features.2"] + rng.normal(size=(1, 8, 3, 3)).astype(np.float32) * 0.1),
        ]
        closest.add(held, inside)
    found = closest.gaps(("features.0", "features.1", "features.2", "avgpool"))
    assert [g.value for g in found] == ["a", "b", "c", "pooled"]
    assert [g.shape for g in found] == [(4, 6, 6), (4, 6, 6), (8, 3, 3), (8, 1, 1)]
    assert found[0].sqnr_db is None
    assert found[0].max_abs_diff == 0
    assert found[1].sqnr_db == pytest.approx(80, abs=2)
    assert found[1].max_abs_diff == pytest.approx(1e-4, rel=0.01)
    assert found[2].sqnr_db == pytest.approx(20, abs=1)


def test_a_place_without_any_value_of_its_shape_is_left_out() -> None:
    closest = Closest()
    closest.add({"features.0": np.ones((1, 2, 3, 3), np.float32)}, [("other", np.ones((1, 5), np.float32))])
    assert closest.gaps(("features.0",)) == ()


@given(st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=30), st.integers(0, 1000))
def test_sqnr_is_the_ratio_of_powers(values: list[float], seed: int) -> None:
    signal = np.array([values], np.float32)
    noise = np.random.default_rng(seed).normal(size=signal.shape).astype(np.float32)
    found = measure_gap("x", signal, signal + noise)
    error = ((signal + noise) - signal).astype(np.float64)
    expected = sqnr_db(float((signal.astype(np.float64) ** 2).sum()), float((error**2).sum()))
    assert (found.sqnr_db is None) == (expected is None)
    if expected is not None:
        assert found.sqnr_db == pytest.approx(expected, rel=1e-6, abs=1e-6)
    assert found.max_abs_diff == pytest.approx(np.abs(error).max(), rel=1e-6)


def test_twenty_decibels_are_a_tenth_of_the_amplitude() -> None:
    assert sqnr_db(100.0, 1.0) == pytest.approx(20)
    assert sqnr_db(1.0, 0.0) is None


# --- what they say ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("precision", "db", "departs"),
    [
        pytest.param("fp32", (135, 130, 128, 127), None, id="rounding adds up"),
        pytest.param("fp32", (135, 130, 12, 11), "features.2", id="a cliff"),
        pytest.param("fp32", (3, 2, 2, 1), "features.0", id="broken from the start"),
        pytest.param("fp32", (None, None, 60, 60), "features.2", id="far from what fp32 leaves"),
        pytest.param("fp32", (None, 91, 80, 80), "features.2", id="below all before it"),
        pytest.param("int8", (135, 45, 35, 28, 20, 11), None, id="int8 wears down"),
        pytest.param("int8", (40, 38, 19, 18), "features.2", id="int8 breaks"),
        pytest.param("int8", (40, 25, 16, 4), "features.3", id="int8 breaks late"),
        pytest.param("fp16", (60, 55, 52, 39), "features.3", id="fp16 breaks"),
    ],
)
def test_the_first_place_that_departs(precision: Precision, db: tuple[float | None, ...], departs: str | None) -> None:
    assert name(first_departure(curve(*db), precision)) == departs


def test_a_dip_that_comes_back_is_a_value_that_the_file_does_not_have() -> None:
    kept = seen(curve(130, 128, -2, 127, 126))
    assert [g.name for g in kept] == ["features.0", "features.1", "features.3", "features.4"]
    assert seen(curve(130, 128, 12, 11, 14)) == curve(130, 128, 12, 11, 14)
    assert seen(curve(None, None)) == curve(None, None)
    assert seen(curve(130, 5, 4, 3, 127)) == curve(130, 5, 4, 3, 127), "broken for long, then forgotten: no dip"
    assert seen(curve(130, 128, 3)) == curve(130, 128, 3), "the last place has nothing after it"
    assert [g.name for g in seen(curve(3, 130, 128))] == ["features.1", "features.2"]


def test_the_steepest_fall_counts_below_what_rounding_leaves() -> None:
    found = steepest(curve(135, 44, 42, 28, 27), "int8")
    assert found is not None
    assert found[0].name == "features.3"
    assert found[1] == pytest.approx(2)  # from int8's 30, not from 42
    assert steepest(curve(135, 44, 42), "int8") is None
    assert name(broken_step(curve(21, 20.6, 17.8), "int8", 32.2)) == "features.0"
    assert name(broken_step(curve(119, 4, 3), "fp32", 120)) == "features.1"
    assert broken_step(curve(28, 26, 24), "int8", 30) is None, "what any step adds"
    assert broken_step((), "fp32", 120) is None


@given(st.integers(1, 40), st.data())
def test_halving_names_the_block_that_a_full_look_names(places: int, data: st.DataObject) -> None:
    """Sound blocks before the break, departed ones from it on: the same answer in at most log2(places) + 2 looks."""
    broken = data.draw(st.integers(0, places))
    names = tuple(str(i) for i in range(places))
    limit = EXPECTED_DB["fp32"] - CLIFF_DB
    curve = [gap(limit + 30 if i < broken else limit - 30 - i % 5, n) for i, n in enumerate(names)]
    looked: list[str] = []

    def look(place: str) -> LayerGap:
        looked.append(place)
        return curve[int(place)]

    found = bisect(names, look, "fp32")
    assert name(first_departure(found, "fp32")) == name(first_departure(curve, "fp32"))
    assert len(looked) == len(set(looked)) <= math.ceil(math.log2(places)) + 2
    assert [int(g.name) for g in found] == sorted(int(g.name) for g in found)
    if broken == places:
        assert looked == [names[-1]]
