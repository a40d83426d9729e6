"""Every measure of logits against scipy or a brute-force reference."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import special
from scipy import stats as reference
from scipy.spatial import distance

from udacisense.metrics import logits as measure
from udacisense.types import Logits

CLASSES = 6
values = st.floats(-30, 30, width=32)


@st.composite
def one(draw: Any, max_images: int = 25) -> Logits:
    """Logits of some images; equal values are likely, as ties are what implementations differ on."""
    n = draw(st.integers(1, max_images))
    return np.asarray(draw(arrays(np.float32, (n, CLASSES), elements=st.one_of(values, st.sampled_from([0.0, 1.0])))))


@st.composite
def two(draw: Any) -> tuple[Logits, Logits, np.ndarray]:
    """Two sets of logits of the same images with their labels, some of which are missing."""
    before = draw(one())
    after = draw(arrays(np.float32, before.shape, elements=values))
    labels = draw(arrays(np.int64, len(before), elements=st.integers(-1, CLASSES - 1)))
    return before, np.asarray(after), np.asarray(labels)


@given(one())
def test_probabilities_are_shares_in_the_ratio_of_the_powers(logits: Logits) -> None:
    for row, shares in zip(logits.tolist(), measure.probabilities(logits).tolist(), strict=True):
        powers = [math.exp(value - max(row)) for value in row]
        assert shares == pytest.approx([power / math.fsum(powers) for power in powers], abs=1e-12)


def test_probabilities_of_large_logits_do_not_overflow() -> None:
    assert measure.probabilities(np.array([[1e4, 1e4, -1e4]], np.float32)).tolist() == [[0.5, 0.5, 0.0]]


@given(one(), st.integers(1, CLASSES))
def test_top_k_is_a_stable_sort(logits: Logits, k: int) -> None:
    expected = [sorted(range(CLASSES), key=lambda c, row=row: (-row[c], c))[:k] for row in logits.tolist()]
    assert measure.top(logits, k).tolist() == expected
    assert measure.answers(logits).tolist() == [row[0] for row in expected]


@given(two(), st.integers(1, CLASSES))
def test_accuracy_counts_labelled_images_only(pair: tuple[Logits, Logits, np.ndarray], k: int) -> None:
    logits, _, labels = pair
    found = measure.topk_accuracy(logits, labels, k)
    best = measure.top(logits, k).tolist()
    hits = [label in row for label, row in zip(labels.tolist(), best, strict=True) if label >= 0]
    assert found == (pytest.approx(sum(hits) / len(hits)) if hits else None)


@given(two())
def test_confusion_by_counting(pair: tuple[Logits, Logits, np.ndarray]) -> None:
    logits, _, labels = pair
    expected = [[0] * CLASSES for _ in range(CLASSES)]
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        if label >= 0:
            expected[label][row.index(max(row))] += 1
    assert [list(row) for row in measure.confusion(logits, labels, CLASSES)] == expected


@given(two(), st.integers(1, 20))
def test_calibration_error_bin_by_bin(pair: tuple[Logits, Logits, np.ndarray], bins: int) -> None:
    logits, _, labels = pair
    known = [i for i, label in enumerate(labels) if label >= 0]
    found = measure.calibration_error(logits, labels, bins)
    if not known:
        assert found is None
        return
    shares = measure.probabilities(logits)
    total = 0.0
    for b in range(bins):
        members = [i for i in known if b / bins < shares[i].max() <= (b + 1) / bins]
        if members:
            accuracy = sum(int(measure.answers(logits)[i] == labels[i]) for i in members) / len(members)
            total += len(members) / len(known) * abs(accuracy - sum(shares[i].max() for i in members) / len(members))
    assert found == pytest.approx(total, abs=1e-9)


def test_calibration_error_by_hand() -> None:
    sure_and_wrong = np.array([[50.0, 0.0], [50.0, 0.0]], np.float32)
    assert measure.calibration_error(sure_and_wrong, np.array([1, 1])) == pytest.approx(1.0)
    assert measure.calibration_error(sure_and_wrong, np.array([0, 0])) == pytest.approx(0.0)
    assert measure.calibration_error(sure_and_wrong, np.array([0, 1])) == pytest.approx(0.5)


def test_the_interval_of_a_calibration_error_holds_the_true_one() -> None:
    """Answers that are right less often than their confidence says, by 10 % of it: the true error is known."""

    def drawn(rng: np.random.Generator, images: int) -> tuple[Logits, np.ndarray, np.ndarray]:
        confidence = 0.5 + 0.5 * rng.beta(4, 1.5, images)
        logits = np.stack([np.log(confidence / (1 - confidence)), np.zeros(images)], axis=1).astype(np.float32)
        return logits, (rng.random(images) > 0.9 * confidence).astype(np.int64), confidence

    rng = np.random.default_rng(8)
    truth = float(0.1 * drawn(rng, 200_000)[2].mean())
    found = [measure.calibration_estimate(*drawn(rng, 400)[:2], resamples=200) for _ in range(60)]
    assert 51 <= sum(e.low <= truth <= e.high for e in found) <= 60
    assert all(0 <= e.low <= e.value <= e.high for e in found)
    with pytest.raises(ValueError, match="labelled image"):
        measure.calibration_estimate(*drawn(rng, 3)[:1], np.array([-1, -1, -1]))


@given(two())
def test_divergence_is_scipys_entropy(pair: tuple[Logits, Logits, np.ndarray]) -> None:
    before, after, _ = pair
    p, q = (special.softmax(side.astype(np.float64), axis=1) for side in (before, after))
    assert measure.divergence(before, after) == pytest.approx(reference.entropy(p, q, axis=1).mean(), rel=1e-6, abs=1e-9)
    assert measure.divergence(before, before) == 0


@given(two())
def test_cosine_is_scipys(pair: tuple[Logits, Logits, np.ndarray]) -> None:
    before, after, _ = pair
    lengths = [np.linalg.norm(row.astype(np.float64)) for side in (before, after) for row in side]
    assume(all(length > 1e-6 for length in lengths))
    expected = np.mean([1 - distance.cosine(a.astype(float), b.astype(float)) for a, b in zip(before, after, strict=True)])
    assert measure.cosine(before, after) == pytest.approx(expected, abs=1e-9)


def test_a_vector_of_zeros_has_no_direction() -> None:
    assert measure.cosine(np.zeros((1, 3), np.float32), np.ones((1, 3), np.float32)) is None


@given(two())
def test_psnr_from_its_parts(pair: tuple[Logits, Logits, np.ndarray]) -> None:
    before, after, _ = pair
    error = np.mean([(float(a) - float(b)) ** 2 for a, b in zip(before.ravel(), after.ravel(), strict=True)])
    peak = float(before.max()) - float(before.min())
    assume(error > 1e-12 and peak > 1e-6)
    assert measure.psnr_db(before, after) == pytest.approx(20 * math.log10(peak) - 10 * math.log10(error), abs=1e-6)


@given(two(), st.integers(1, CLASSES))
def test_overlap_by_sets(pair: tuple[Logits, Logits, np.ndarray], k: int) -> None:
    before, after, _ = pair
    rows = zip(measure.top(before, k).tolist(), measure.top(after, k).tolist(), strict=True)
    assert measure.top_overlap(before, after, k) == pytest.approx(np.mean([len({*a} & {*b}) / k for a, b in rows]))
    assert measure.agreement(before, after) == measure.top_overlap(before, after, 1)


@given(two())
def test_classes_add_up_to_the_whole(pair: tuple[Logits, Logits, np.ndarray]) -> None:
    before, after, labels = pair
    found = [c for c in measure.class_changes(before, after, labels, CLASSES) if c]
    known = labels >= 0
    assert sum(c.images for c in found) == known.sum()
    if known.any():
        agreeing = sum(c.agreement * c.images for c in found) / known.sum()
        assert agreeing == pytest.approx(measure.agreement(before[known], after[known]))
        right = sum(c.accuracy_after * c.images for c in found) / known.sum()
        assert right == pytest.approx(measure.topk_accuracy(after, labels, 1))
