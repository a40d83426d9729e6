"""Loaded models and their answers, kept for all visitors. Keys are hashes of files. Only the Classify page needs this."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import streamlit as st

from udacisense.artifacts import open_apart
from udacisense.settings import settings
from udacisense.types import Pixels, Session, Subject
from ui import answers
from ui.answers import Answer
from ui.cache import thumbnail

KEPT_MODELS = 3
PREVIEW_PX = 320


@dataclass(frozen=True, slots=True)
class Seen:
    """One classified picture."""

    answer: Answer
    preview: bytes  # PNG
    height_px: int
    width_px: int


def classify_file(subject: Subject, raw: bytes, name: str) -> Seen:
    """The subject's answer on a picture file; computed once for the same bytes, so its times are those of the first run.

    Raises:
        ImageError: the file is no picture that is read here. UdaciSenseError: the subject cannot be loaded or run.
    """
    return _file(subject.id, subject.sha256, hashlib.sha256(raw).hexdigest(), subject, raw, name)


def classify_pixels(subject: Subject, picture_hash: str, pixels: Pixels) -> Seen:
    """The subject's answer on a picture that is decoded already; computed once for each.

    Raises:
        UdaciSenseError: the subject cannot be loaded or run.
    """
    return _pixels(subject.id, subject.sha256, picture_hash, subject, pixels)


@st.cache_data(max_entries=512, max_size="64MiB", show_spinner=False)
def _file(subject_id: str, sha256: str, picture_sha256: str, _subject: Subject, _raw: bytes, _name: str) -> Seen:
    pixels, decode_s = answers.decode(_raw, _name)
    return _seen(_session(subject_id, sha256, _subject), picture_sha256, pixels, decode_s)


@st.cache_data(max_entries=512, max_size="64MiB", show_spinner=False)
def _pixels(subject_id: str, sha256: str, picture_hash: str, _subject: Subject, _pixels: Pixels) -> Seen:
    return _seen(_session(subject_id, sha256, _subject), picture_hash, _pixels, None)


def _seen(session: Session, picture_id: str, pixels: Pixels, decode_s: float | None) -> Seen:
    answer = answers.answer(session, pixels, decode_s)
    return Seen(answer, thumbnail(picture_id, pixels, PREVIEW_PX, False), pixels.shape[0], pixels.shape[1])


@st.cache_resource(max_entries=KEPT_MODELS, show_spinner="Loading the model")
def _session(subject_id: str, sha256: str, _subject: Subject) -> Session:  # noqa: ARG001 - they are the key
    """A warm session; the hash is part of the key, so a file that changed is loaded again."""
    return answers.warm(open_apart(_subject, settings().threads))
