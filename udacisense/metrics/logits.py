"""Metrics of logits, of one set and of two: pure functions of arrays, sources cited.

Logits are (N, classes) before softmax, in the same order of images on both sides; labels are (N), negative where an image
has none. `before` is the reference.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from udacisense.metrics.stats import Estimate
from udacisense.types import ClassChange, Logits

Labels = NDArray[np.int64]
ECE_BINS = 15
"""Equal bins of confidence: what Guo et al. use."""


# --- one set ------------------------------------------------------------------------------------------------------------


def answers(logits: Logits) -> Labels:
    """The top-1 class of each image (N); of equal logits the lower class."""
    found: Labels = logits.argmax(axis=1).astype(np.int64)
    return found


def top(logits: Logits, k: int) -> Labels:
    """The k highest classes of each image, highest first (N, k); of equal logits the lower class."""
    found: Labels = (-logits).argsort(axis=1, kind="stable")[:, :k].astype(np.int64)
    return found


def probabilities(logits: Logits) -> NDArray[np.float64]:
    """Softmax (N, classes): the only place where logits become probabilities."""
    from scipy import special

    shares: NDArray[np.float64] = special.softmax(logits.astype(np.float64), axis=1)
    return shares


def topk_accuracy(logits: Logits, labels: Labels, k: int) -> float | None:
    """Share (0..1) of the labelled images whose label is among the k highest; None where no image has a label."""
    known = labels >= 0
    if not known.any():
        return None
    return float((top(logits[known], k) == labels[known][:, None]).any(axis=1).mean())


def confusion(logits: Logits, labels: Labels, classes: int) -> tuple[tuple[int, ...], ...]:
    """Counts of labelled images: rows are the true class, columns the answer."""
    known = labels >= 0
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (labels[known], answers(logits[known])), 1)
    return tuple(tuple(int(n) for n in row) for row in counts)


def calibration_error(logits: Logits, labels: Labels, bins: int = ECE_BINS) -> float | None:
    """Expected calibration error (0..1): how far confidence and accuracy lie apart on average; None without labels.

    Naeini et al., AAAI 2015, with the bins of Guo et al., "On Calibration of Modern Neural Networks", ICML 2017: the labelled
    images are parted by the probability of their answer into equal bins, and each bin counts by its images.
    """
    known = labels >= 0
    if not known.any():
        return None
    return _binned_gap(probabilities(logits[known]).max(axis=1), answers(logits[known]) == labels[known], bins)


def _binned_gap(confidence: NDArray[np.float64], right: NDArray[np.bool_], bins: int = ECE_BINS) -> float:
    place = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    gaps = np.abs(np.bincount(place, right, bins) - np.bincount(place, confidence, bins))
    return float(gaps.sum() / confidence.size)


def calibration_estimate(logits: Logits, labels: Labels, resamples: int = 1000, seed: int = 0) -> Estimate:
    """`calibration_error` with a 95 % interval over images: the basic bootstrap, which turns the bias of the error round.

    The error of few images is too large, and that of images drawn again larger still, so the plain percentiles lie above the
    truth; 2 x error - percentile lies about it (Davison and Hinkley, "Bootstrap Methods and their Application", 1997, 5.2).

    Raises:
        ValueError: no image has a label.
    """
    known = np.flatnonzero(labels >= 0)
    value = calibration_error(logits, labels)
    if value is None:
        raise ValueError("a calibration error needs at least one labelled image")
    right, confidence = answers(logits[known]) == labels[known], probabilities(logits[known]).max(axis=1)
    drawn = np.random.default_rng(seed).integers(0, known.size, size=(resamples, known.size))
    found = [_binned_gap(confidence[row], right[row]) for row in drawn]
    high, low = (2 * value - float(q) for q in np.quantile(found, [0.025, 0.975]))
    return Estimate(value, max(0.0, min(low, value)), max(high, value))


# --- two sets -----------------------------------------------------------------------------------------------------------


def gaps(before: Logits, after: Logits) -> NDArray[np.float64]:
    """Absolute difference of each logit (N, classes)."""
    found: NDArray[np.float64] = np.abs(before.astype(np.float64) - after)
    return found


def psnr_db(before: Logits, after: Logits) -> float | None:
    """Peak signal-to-noise ratio of the logits in dB; the peak is the range of the reference. None = identical outputs.

    10 log10(range**2 / mean squared error), ITU-T J.144's definition with the signal's own range for the peak.
    """
    reference = before.astype(np.float64)
    error = float(((reference - after) ** 2).mean())
    peak = float(np.ptp(reference))
    if error == 0 or peak == 0:
        return None
    return 10 * math.log10(peak**2 / error)


def cosine(before: Logits, after: Logits) -> float | None:
    """Mean cosine (-1..1) of the two logit vectors of an image; None where a vector is all zero."""
    old, new = before.astype(np.float64), after.astype(np.float64)
    lengths = np.linalg.norm(old, axis=1) * np.linalg.norm(new, axis=1)
    if not lengths.all():
        return None
    return float(np.clip((old * new).sum(axis=1) / lengths, -1, 1).mean())


def divergence(before: Logits, after: Logits) -> float:
    """Mean Kullback-Leibler divergence of the probabilities from the reference's, in nats: sum p log(p / q).

    Kullback and Leibler, The Annals of Mathematical Statistics 1951. From logarithms, not by `rel_entr` of probabilities: one
    that is too small for a float would make it infinite.
    """
    from scipy import special

    old, new = (special.log_softmax(side.astype(np.float64), axis=1) for side in (before, after))
    return max(0.0, float((np.exp(old) * (old - new)).sum(axis=1).mean()))


def agreement(before: Logits, after: Logits) -> float:
    """Share (0..1) of the images with the same answer."""
    return float((answers(before) == answers(after)).mean())


def top_overlap(before: Logits, after: Logits, k: int = 5) -> float:
    """Mean share (0..1) of the reference's k highest classes that are among the other's k highest, in any order."""
    old, new = top(before, k), top(after, k)
    return float((old[:, :, None] == new[:, None, :]).any(axis=2).mean())


def class_changes(before: Logits, after: Logits, labels: Labels, classes: int) -> tuple[ClassChange | None, ...]:
    """Agreement and accuracies on the images of each class; None where there is no image of it."""
    return tuple(_class_change(before, after, labels, c) for c in range(classes))


def _class_change(before: Logits, after: Logits, labels: Labels, label: int) -> ClassChange | None:
    own = labels == label
    if not own.any():
        return None
    old, new = answers(before[own]), answers(after[own])
    shares = (float((found == label).mean()) for found in (old, new))
    return ClassChange(int(own.sum()), float((old == new).mean()), *shares)
