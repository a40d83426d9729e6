"""Loaded models, kept for all visitors, and answers: on images from here for all, on a visitor's own for that visitor alone.

Keys are hashes of files. Only the Classify page needs this.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import streamlit as st

from udacisense.artifacts import open_apart
from udacisense.classify import Classification, Classifier, checkpoint_of, open_classifier
from udacisense.data.images import decode_upload
from udacisense.data.preprocess import describe_preprocessing
from udacisense.types import Pixels, Subject
from ui.classify.visitors import visitor
from ui.shared.cache import shrunk, thumbnail

KEPT_MODELS = 3
PREVIEW_PX = 320


@dataclass(frozen=True, slots=True)
class ClassificationResult:
    """One classified image."""

    answer: Classification
    preview: bytes  # PNG
    height_px: int
    width_px: int
    reduced: bool = False  # read smaller than it is


def classify_file(subject: Subject, raw: bytes, name: str) -> ClassificationResult:
    """The subject's answer on a visitor's file; computed once for the same bytes, so its times are those of the first run.

    Nothing of the file is kept beyond the visitor's session: answers and preview lie in a cache that ends with it.

    Raises:
        ImageError: the file is no image that is read here. UdaciSenseError: the subject cannot be loaded or run.
    """
    return _file(subject.id, subject.sha256, _asks(subject), hashlib.sha256(raw).hexdigest(), subject, raw, name)


def classify_pixels(subject: Subject, image_hash: str, pixels: Pixels) -> ClassificationResult:
    """The subject's answer on an image of a source, which is decoded already; computed once for all visitors.

    Raises:
        UdaciSenseError: the subject cannot be loaded or run.
    """
    return _pixels(subject.id, subject.sha256, _asks(subject), image_hash, subject, pixels)


def _asks(subject: Subject) -> str:
    """How the subject's images are prepared and its classes are called: part of every key, since a card may be rewritten."""
    return repr(describe_preprocessing(checkpoint_of(subject)))


@st.cache_data(scope="session", max_entries=64, max_size="8MiB", show_spinner=False)
def _file(
    subject_id: str,
    sha256: str,
    asks: str,
    image_sha256: str,  # noqa: ARG001 - part of the key
    _subject: Subject,
    _raw: bytes,
    _name: str,
) -> ClassificationResult:
    found = decode_upload(_raw, _name, visitor())
    answer = _classifier(subject_id, sha256, asks, _subject).classify(found.pixels, found.seconds)
    height, width = found.pixels.shape[:2]
    return ClassificationResult(answer, shrunk(found.pixels, PREVIEW_PX), height, width, found.reduced)


@st.cache_data(max_entries=512, max_size="64MiB", show_spinner=False)
def _pixels(
    subject_id: str, sha256: str, asks: str, image_hash: str, _subject: Subject, _pixels: Pixels
) -> ClassificationResult:
    answer = _classifier(subject_id, sha256, asks, _subject).classify(_pixels)
    return ClassificationResult(answer, thumbnail(image_hash, _pixels, PREVIEW_PX, False), _pixels.shape[0], _pixels.shape[1])


@st.cache_resource(max_entries=KEPT_MODELS, show_spinner="Loading the model")
def _classifier(subject_id: str, sha256: str, asks: str, _subject: Subject) -> Classifier:  # noqa: ARG001 - they are the key
    """A warm model; the hash is part of the key, so a file that changed is loaded again."""
    return open_classifier(_subject, open_apart)
