"""From one picture to the model's answer with its times. The only place where logits become probabilities."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from udacisense.data.preprocess import preprocess
from udacisense.labels import CLASSES
from udacisense.predictions import run_session
from udacisense.types import Logits, Pixels, Session


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said about one picture."""

    probabilities: tuple[float, ...]  # in the order of the classes, together 1
    decode_s: float | None  # None = the picture came decoded
    preprocess_s: float
    inference_s: float

    def top(self, number: int = 5) -> tuple[tuple[str, float], ...]:
        """The `number` likeliest classes with their probabilities, likeliest first."""
        order = sorted(range(len(CLASSES)), key=lambda c: -self.probabilities[c])
        return tuple((CLASSES[c], self.probabilities[c]) for c in order[:number])


def softmax(logits: Logits) -> NDArray[np.float64]:
    """Probabilities (N, classes) from logits (N, classes); the row's maximum is taken off first, so nothing overflows."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def answer(session: Session, picture: Pixels, decode_s: float | None = None) -> Answer:
    """The model's answer on one picture, with the times of this very run.

    Raises:
        RunError: the runtime failed. MeasureError: it gave no finite numbers.
    """
    start = time.perf_counter()
    images = preprocess([picture])
    ready = time.perf_counter()
    logits = run_session(session, images, len(CLASSES), "The model")
    end = time.perf_counter()
    return Answer(tuple(softmax(logits)[0].tolist()), decode_s, ready - start, end - ready)


def warm(session: Session) -> Session:
    """The session after one run on a black picture: the first run of a file is much slower than every later one."""
    run_session(session, preprocess(np.zeros((1, 32, 32, 3), np.uint8)), len(CLASSES), "The model")
    return session
