"""An evaluation that cannot be what it seems says so."""

from __future__ import annotations

import numpy as np
import pytest

from udacisense.evaluation.plausibility import doubts
from udacisense.labels import CLASSES

Confusion = list[list[int]]


def sound(images: int = 100, share: float = 0.8, classes: int = 10) -> np.ndarray:
    """A model that is right in `share` of each class's images."""
    right = round(images * share)
    rest, more = divmod(images - right, classes - 1)
    counts = np.full((classes, classes), rest)
    np.fill_diagonal(counts, right)
    counts[:, 0] += np.where(np.arange(classes) == 0, 0, more)
    counts[0, 1] += more
    return counts


def said(counts: np.ndarray, classes: tuple[str, ...] = CLASSES) -> str:
    return " ".join(doubt.said for doubt in doubts(counts.tolist(), classes))


def test_a_model_that_works_raises_no_doubt() -> None:
    assert doubts(sound().tolist(), CLASSES) == ()


def test_the_alphabet_is_recognised_with_the_accuracy_that_it_would_have() -> None:
    order = [sorted(CLASSES).index(name) for name in CLASSES]
    counts = np.zeros((10, 10), int)
    counts[:, order] = sound()  # output number i is the i-th class of the alphabet
    (doubt,) = doubts(counts.tolist(), CLASSES)
    assert doubt.of_labels
    assert "alphabetical" in doubt.said
    assert "80.0" in doubt.said


def test_two_classes_that_changed_places_among_three_are_named_in_their_order() -> None:
    counts = sound(classes=3)[:, [1, 0, 2]]
    assert "the order b, a, c" in said(counts, ("a", "b", "c"))


def test_any_order_is_told_as_the_order_of_the_outputs() -> None:
    rng = np.random.default_rng(4)
    means = rng.permutation(10)  # what output number j stands for
    counts = np.zeros((10, 10), int)
    for output, meant in enumerate(means):
        counts[:, output] = sound()[:, meant]
    assert f"the order {', '.join(CLASSES[m] for m in means)}" in said(counts)


@pytest.mark.parametrize("seed", range(5))
def test_guessing_is_called_guessing_and_no_order_is_made_up(seed: int) -> None:
    counts = np.random.default_rng(seed).multinomial(100, [0.1] * 10, size=10)
    assert "guessing among 10 classes" in said(counts)
    assert "order" not in said(counts)


def test_a_class_that_is_never_right_is_named() -> None:
    counts = sound()
    counts[3] = 0
    counts[3, 0] = 40
    assert f"{CLASSES[3]} (0 of 40)" in said(counts)
    counts[3, 0] = 9
    assert CLASSES[3] not in said(counts), "too few images of it to say so"


def test_few_images_say_how_little_they_tell_and_question_no_name() -> None:
    counts = np.diag([3] * 10)
    counts[0, 1] = 8
    (doubt,) = doubts(counts.tolist(), CLASSES)
    assert not doubt.of_labels
    assert "38 images" in doubt.said


def test_no_image_raises_no_doubt() -> None:
    assert doubts([[0, 0], [0, 0]], ("a", "b")) == ()
