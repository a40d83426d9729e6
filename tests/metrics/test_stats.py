"""Every statistic against scipy or a brute-force reference."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats as reference

from udacisense.metrics import percentiles, stats

times = st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=60)
levels = st.sampled_from([0.8, 0.9, 0.95, 0.99])


@given(times, st.floats(0, 100))
def test_percentile_interpolates_between_neighbours(values: list[float], q: float) -> None:
    ordered = sorted(values)
    place = q / 100 * (len(ordered) - 1)
    below, above = ordered[math.floor(place)], ordered[math.ceil(place)]
    assert stats.percentile(values, q) == pytest.approx(below + (place - math.floor(place)) * (above - below))


@given(times)
def test_median_and_mean(values: list[float]) -> None:
    ordered = sorted(values)
    middle = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    assert stats.median(values) == pytest.approx(middle)
    assert stats.mean(values) == pytest.approx(math.fsum(values) / len(values))


def test_no_values_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one value"):
        stats.median([])


@given(times)
def test_outliers_agree_with_scipys_mad(values: list[float]) -> None:
    scale = 1.4826 * reference.median_abs_deviation(values)
    if scale > 0:
        expected = [i for i, v in enumerate(values) if abs(v - np.median(values)) > 10 * scale]
        assert list(stats.mad_outliers(values)) == expected


def test_outliers_are_found_where_the_mad_is_zero() -> None:
    assert stats.mad_outliers([1.0] * 50 + [9.0]) == (50,)
    assert stats.mad_outliers([1.0] * 50) == ()


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), levels)
def test_wilson_is_scipys(counts: tuple[int, int], level: float) -> None:
    successes, total = counts
    expected = reference.binomtest(successes, total).proportion_ci(level, method="wilson")
    found = stats.wilson_interval(successes, total, level)
    assert found.value == successes / total
    assert found.interval == pytest.approx((expected.low, expected.high), abs=1e-9)


@pytest.mark.parametrize(("successes", "total"), [(1, 0), (-1, 5), (6, 5)])
def test_wilson_refuses_impossible_counts(successes: int, total: int) -> None:
    with pytest.raises(ValueError, match="between 0 and total"):
        stats.wilson_interval(successes, total)


@given(st.integers(0, 900), st.integers(0, 900))
def test_mcnemar_is_the_exact_binomial_test(lost: int, won: int) -> None:
    expected = reference.binomtest(lost, lost + won).pvalue if lost + won else 1.0
    assert stats.mcnemar(lost, won) == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_bootstrap_interval_contains_its_value_and_shrinks_with_more_blocks() -> None:
    rng = np.random.default_rng(1)
    few = stats.bootstrap_interval(rng.normal(10, 1, size=(8, 5)).tolist())
    many = stats.bootstrap_interval(rng.normal(10, 1, size=(80, 5)).tolist())
    assert few.low < few.value < few.high
    assert many.high - many.low < (few.high - few.low) / 2


def test_percentiles_of_drawn_blocks_are_numpys_of_their_values() -> None:
    rng = np.random.default_rng(4)
    blocks = [rng.gamma(2, 1, n) for n in (30, 1, 41, 22, 60, 35, 17)]
    drawn = rng.integers(0, len(blocks), (40, len(blocks)))
    wanted = [np.percentile(np.concatenate([blocks[i] for i in row]), 95) for row in drawn]
    assert percentiles._percentiles(blocks, drawn, 95) == pytest.approx(wanted)


def test_intervals_of_percentiles_hold_them_about_as_often_as_their_docstring_says() -> None:
    def start(rng: np.random.Generator, runs: int) -> np.ndarray:
        return (1 + 0.04 * rng.normal()) * (1 + rng.gamma(2, 0.03, runs))

    rng = np.random.default_rng(5)
    truth = np.percentile(np.concatenate([start(rng, 100) for _ in range(5000)]), 95)
    found = [percentiles.percentile_interval([start(rng, 100) for _ in range(8)], 95) for _ in range(60)]
    assert 46 <= sum(e.low <= truth <= e.high for e in found) <= 60
    with pytest.raises(ValueError, match="at least 6 blocks"):
        percentiles.percentile_interval([[1.0]] * 5, 95)


def test_an_average_of_uneven_blocks_is_the_plain_average_and_lies_in_its_interval() -> None:
    """Blocks last equally long, so a slow one holds fewer runs."""
    blocks = [[0.005] * 120, [0.05] * 12, [0.005] * 130, [0.06] * 10, [0.005] * 110, [0.005] * 125, [0.05] * 11]
    found = stats.bootstrap_interval(blocks)
    assert found.value == pytest.approx(np.mean(np.concatenate(blocks)))
    assert found.low < found.value < found.high


def test_intervals_over_blocks_cover_as_often_as_they_say() -> None:
    rng = np.random.default_rng(2)
    hits = 0
    for trial in range(200):
        found = stats.bootstrap_interval(rng.normal(5, 1, size=(8, 3)).tolist(), seed=trial)
        hits += found.low <= 5 <= found.high
    assert 182 <= hits <= 198  # 95 % of 200, within three standard deviations


SIX = st.lists(st.floats(0.5, 2), min_size=6, max_size=6, unique=True)
EVERY_DRAW = np.array(list(product(range(6), repeat=6)))


def enumerated(series: list[float], level: float) -> tuple[float, float]:
    """The same interval from all 46,656 draws of six blocks, written out formula by formula with scipy's distributions."""
    values, n = np.array(series), 6
    t = reference.t.ppf(0.5 + level / 2, n - 1)
    tail = reference.norm.cdf(-math.sqrt(n / (n - 1)) * t)
    worth = worth_of(series)
    stretch = math.sqrt(n / worth) * reference.t.ppf(0.5 + level / 2, worth - 1) / t
    low, high = np.quantile(values[EVERY_DRAW].mean(axis=1), [tail, 1 - tail])
    return values.mean() + stretch * (low - values.mean()), values.mean() + stretch * (high - values.mean())


def worth_of(series: list[float]) -> float:
    """n (1 - r) / (1 + r), term by term."""
    n, middle = len(series), math.fsum(series) / len(series)
    apart = [v - middle for v in series]
    total = math.fsum(v * v for v in apart)
    if n < 4 or total == 0:
        return float(n)
    r = math.fsum(apart[i] * apart[i + 1] for i in range(n - 1)) / total
    r = min(max((n * r + 1) / (n - 3), 0.0), 0.99)
    return max(n * (1 - r) / (1 + r), 2.0)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=40))
def test_what_a_series_is_worth_term_by_term(series: list[float]) -> None:
    assume(np.var(series) > 1e-12 or np.var(series) == 0)
    assert stats.independent(series) == pytest.approx(worth_of(series), rel=1e-6)


@settings(max_examples=40, deadline=None)
@given(SIX, st.sampled_from([0.8, 0.9, 0.95]))
def test_the_interval_of_an_average_is_that_of_every_draw(series: list[float], level: float) -> None:
    found, wanted = stats.bootstrap_interval([[v] for v in series], level), enumerated(series, level)
    assert found.value == pytest.approx(np.mean(series))
    assert found.interval == pytest.approx(wanted, abs=0.15 * (wanted[1] - wanted[0]))


@settings(max_examples=40, deadline=None)
@given(SIX, SIX)
def test_the_interval_of_a_ratio_is_that_of_every_draw(above: list[float], below: list[float]) -> None:
    logs = [math.log(a / b) for a, b in zip(above, below, strict=True)]
    found, wanted = stats.ratio_interval([[v] for v in above], [[v] for v in below]), enumerated(logs, 0.95)
    assert math.log(found.value) == pytest.approx(np.mean(logs), abs=1e-12)
    assert np.log(found.interval) == pytest.approx(wanted, abs=0.15 * (wanted[1] - wanted[0]))


def test_ratio_cancels_what_slows_both() -> None:
    rng = np.random.default_rng(3)
    slowness = rng.uniform(1, 3, size=12)
    old = [[0.010 * s] * 5 for s in slowness]
    new = [[0.004 * s] * 5 for s in slowness]
    found = stats.ratio_interval(new, old)
    assert found == pytest.approx((0.4, 0.4, 0.4))


def test_same_subject_twice_is_rarely_called_different() -> None:
    rng = np.random.default_rng(4)
    wrong = 0
    for trial in range(200):
        a, b = rng.lognormal(0, 0.05, size=(2, 10, 20))
        found = stats.ratio_interval(a.tolist(), b.tolist(), seed=trial)
        wrong += not found.low <= 1 <= found.high
    assert wrong <= 18  # 5 % of 200, within three standard deviations


def test_few_or_unpaired_blocks_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 6 blocks, got 5"):
        stats.ratio_interval([[1.0]] * 5, [[1.0]] * 5)
    with pytest.raises(ValueError, match="in pairs, got 6 and 7"):
        stats.ratio_interval([[1.0]] * 6, [[1.0]] * 7)


def test_accuracy_difference_agrees_with_drawing_the_images_themselves() -> None:
    rng = np.random.default_rng(5)
    before, after = rng.random(400) < 0.8, rng.random(400) < 0.75
    drawn = rng.integers(0, 400, size=(4000, 400))
    brute = after[drawn].mean(axis=1) - before[drawn].mean(axis=1)
    found = stats.accuracy_difference(before, after)
    assert found.value == pytest.approx(after.mean() - before.mean())
    assert found.interval == pytest.approx(tuple(np.quantile(brute, [0.025, 0.975])), abs=0.006)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=300))
def test_accuracy_difference_brackets_its_value(pairs: list[tuple[bool, bool]]) -> None:
    before, after = (np.array(side) for side in zip(*pairs, strict=True))
    found = stats.accuracy_difference(before, after)
    assert found.low <= found.value <= found.high
    assert found.value == pytest.approx(after.mean() - before.mean())


def test_no_flip_among_few_images_is_not_certainty() -> None:
    few, many = (stats.accuracy_difference([True] * n, [True] * n) for n in (20, 1000))
    assert few.value == many.value == 0
    assert few.high > 0.05
    assert many.high < 0.005


def test_latency_keeps_its_parts_apart() -> None:
    found = stats.latency([0.010] * 98 + [0.5, 0.010], batch=4)
    assert found.runs == 100
    assert found.p50_s == pytest.approx(0.010)
    assert found.mean_s == pytest.approx(0.0149)
    assert found.images_per_s == pytest.approx(4 / 0.0149)
    assert found.outliers == 1


@given(st.floats(0.5, 1), st.floats(0.55, 0.995), levels)
def test_enough_images_for_a_share_leave_out_the_limit_and_one_fewer_do_not(share: float, limit: float, level: float) -> None:
    assume(abs(share - limit) > 0.02)
    n = stats.images_to_tell_share(share, limit, level)
    assert n is not None
    assert not _contains(share, n, limit, level)
    assert n == 1 or _contains(share, n - 1, limit, level)


def _contains(share: float, n: int, limit: float, level: float) -> bool:
    """Whether Wilson's interval of a share that need not be a whole number of images holds the limit."""
    z = reference.norm.ppf(0.5 + level / 2)
    return bool(abs(share - limit) <= z * math.sqrt(limit * (1 - limit) / n) * (1 - 1e-12))


def test_a_share_at_its_limit_can_never_be_told() -> None:
    assert stats.images_to_tell_share(0.99, 0.99) is None
    with pytest.raises(ValueError, match="between 0 and 1"):
        stats.images_to_tell_share(0.9, 1.0)


flips = st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n // 2), st.integers(0, n // 2), st.just(n)))


@given(flips, st.floats(-0.2, 0.2))
def test_the_images_for_a_change_leave_room_for_both_errors(counts: tuple[int, int, int], limit: float) -> None:
    """At that number the standard error times both quantiles just fits between the change and the limit."""
    lost, won, images = counts
    p, q = (lost + 0.5) / (images + 2), (won + 0.5) / (images + 2)
    assume(abs(limit - (q - p)) > 1e-3)
    n = stats.images_to_tell_change(lost, won, images, limit)
    assert n is not None
    room = (reference.norm.ppf(0.975) + reference.norm.ppf(0.8)) * math.sqrt((p + q - (q - p) ** 2) / n)
    fewer = room * math.sqrt(n / max(n - 1, 1))
    assert room <= abs(limit - (q - p)) * (1 + 1e-9)
    assert n == 1 or fewer >= abs(limit - (q - p)) * (1 - 1e-9)


def test_the_images_for_a_change_decide_as_often_as_they_say() -> None:
    """Truth: 1 % lost, 1 % won, limit 1 pp. With the number told, the interval leaves it out in about 80 of 100 tries."""
    n = stats.images_to_tell_change(10, 10, 1000, -0.01)
    assert n is not None
    rng = np.random.default_rng(6)
    drawn = rng.multinomial(n, [0.01, 0.01, 0.98], size=300)
    told = sum(stats.accuracy_difference_of(int(lost), int(won), n).low > -0.01 for lost, won, _ in drawn)
    assert 225 <= told <= 265


def test_a_change_at_its_limit_can_never_be_told() -> None:
    assert stats.images_to_tell_change(0, 0, 10, 0.0) is None


@given(flips)
def test_counts_and_answers_give_one_interval(counts: tuple[int, int, int]) -> None:
    lost, won, images = counts
    before = np.arange(images) < lost
    after = (np.arange(images) >= lost) & (np.arange(images) < lost + won)
    assert stats.accuracy_difference_of(lost, won, images) == stats.accuracy_difference(before, after)


@pytest.mark.parametrize(("lost", "won", "images"), [(0, 0, 0), (-1, 0, 5), (4, 3, 6)])
def test_impossible_flips_are_refused(lost: int, won: int, images: int) -> None:
    for call in (stats.accuracy_difference_of, lambda *n: stats.images_to_tell_change(*n, 0.01)):
        with pytest.raises(ValueError, match="at least 1 image"):
            call(lost, won, images)
