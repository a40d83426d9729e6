"""Every Streamlit cache. A key is a content hash or a digest of the files in a folder, never an array and never a bare path."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from PIL import Image

from udacisense import scratch, verbs
from udacisense.data.dataset import Dataset
from udacisense.data.health import Health, check_health
from udacisense.data.preprocess import resize
from udacisense.data.sources import fingerprint, load_dataset, own_spec
from udacisense.errors import CheckpointError
from udacisense.evaluation.predictions import Predictions
from udacisense.inspection.inspection import Inspection
from udacisense.models.card_parts import Summary
from udacisense.models.summary import remote_summary, summary_on_card
from udacisense.packaging.contents import packed_formats
from udacisense.records.store import sha256_of
from udacisense.types import HOUSEHOLD, Artifact, Checkpoint, ModelSpec, Pixels, SourceName, SplitName, Verification
from udacisense.verify import logits_of
from ui.shared import torch_child

if TYPE_CHECKING:
    import plotly.graph_objects as go

# --- images ----------------------------------------------------------------------------------------------------------


def dataset(split: SplitName, source: SourceName, scheme: str | None = None, spec: ModelSpec = HOUSEHOLD) -> Dataset:
    """One split as a model sees it, decoded once for all visitors; read again when a file of the source changes.

    Raises:
        DataError: the source cannot be used.
    """
    return _dataset(split, source, scheme, spec, fingerprint(source, spec))


@st.cache_resource(max_entries=4, show_spinner="Reading the images")
def _dataset(
    split: SplitName,
    source: SourceName,
    scheme: str | None,
    spec: ModelSpec,
    digest: str,  # noqa: ARG001 - part of the cache key
) -> Dataset:
    return load_dataset(split, source, scheme, spec)


def health(source: SourceName, scheme: str | None = None) -> Health:
    """Unreadable files, wrong folders, duplicates and balance of a source.

    Raises:
        DataError: the source cannot be used.
    """
    return _health(source, scheme, fingerprint(source, own_spec(source)))


@st.cache_resource(max_entries=4, show_spinner="Checking every image")
def _health(source: SourceName, scheme: str | None, digest: str) -> Health:  # noqa: ARG001 - part of the cache key
    return check_health(source, scheme)


@st.cache_data(max_entries=4096, max_size="64MiB", show_spinner=False)
def thumbnail(image_hash: str, _pixels: Pixels, side_px: int, as_input: bool) -> bytes:  # noqa: ARG001 - part of the cache key
    """`shrunk`, made once for all visitors: for images of a source only, never for what a visitor brings."""
    return shrunk(_pixels, side_px, as_input)


def shrunk(pixels: Pixels, side_px: int, as_input: bool = False) -> bytes:
    """A PNG of an image at `side_px` on its longer side: its own pixels kept sharp, or as the network's input shows it."""
    image = Image.fromarray(resize(pixels) if as_input else pixels)
    scale = side_px / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    sharp = scale > 1 and not as_input
    image = image.resize(size, Image.Resampling.NEAREST if sharp else Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


# --- evidence ---------------------------------------------------------------------------------------------------------------


def raw_answers(record: Verification) -> tuple[Predictions, Predictions] | None:
    """The checkpoint's and the artifact's raw answers behind a verification; None where they are not on this machine."""
    return _raw_answers(record.id, record) or None


@st.cache_resource(max_entries=16, show_spinner=False)
def _raw_answers(record_id: str, _record: Verification) -> tuple[Predictions, Predictions] | tuple[()]:  # noqa: ARG001 - part of the cache key
    return logits_of(_record) or ()


# --- models ------------------------------------------------------------------------------------------------------------


def summary(checkpoint: Checkpoint) -> Summary:
    """Summary of a checkpoint: from its card, else read once in a child process.

    Raises:
        CheckpointError: the file cannot be loaded.
    """
    return _summary(checkpoint.sha256, checkpoint)


@st.cache_resource(max_entries=16, show_spinner="Reading the layers")
def _summary(sha256: str, _checkpoint: Checkpoint) -> Summary:  # noqa: ARG001 - part of the cache key
    found = summary_on_card(_checkpoint)
    return found or remote_summary(_checkpoint)


def inspection(artifact: Artifact) -> Inspection:
    """Inspection of an artifact's file, made once in a child process.

    Raises:
        InspectError: the file is cut off, damaged or hostile.
    """
    return _inspection(sha256_of(artifact.path), artifact.id)


@st.cache_resource(max_entries=32, show_spinner="Reading the file back")
def _inspection(sha256: str, artifact_id: str) -> Inspection:  # noqa: ARG001 - part of the cache key
    return verbs.inspect(artifact_id)


def can_package(artifact: Artifact) -> bool:
    """Whether there is a package for app developers for an artifact's format."""
    return artifact.format in packed_formats()


def package(artifact: Artifact) -> bytes:
    """The zip for app developers, packed once in a child process, because it runs the file.

    Raises:
        CheckpointError: it cannot be packed, for the reason in the message.
    """
    return _package(sha256_of(artifact.path), artifact.id)


@st.cache_data(max_entries=4, max_size="64MiB", show_spinner=False)
def _package(sha256: str, artifact_id: str) -> bytes:  # noqa: ARG001 - part of the cache key
    with tempfile.TemporaryDirectory(prefix=scratch.prefix()) as folder:
        written = Path(folder) / f"{artifact_id}.zip"
        torch_child.ask("package", artifact_id, str(written))
        return written.read_bytes()


# --- charts ------------------------------------------------------------------------------------------------------------


def drawn(name: str, key: str, build: Callable[[], tuple[str, go.Figure]]) -> tuple[str, go.Figure]:
    """The sentence and the figure of a chart, made once for the records that `key` names. Read only: all visitors share it."""
    return _drawn(name, key, build)


@st.cache_resource(max_entries=128, show_spinner=False)
def _drawn(name: str, key: str, _build: Callable[[], tuple[str, go.Figure]]) -> tuple[str, go.Figure]:  # noqa: ARG001 - the key
    return _build()


# --- machine -----------------------------------------------------------------------------------------------------------


@st.cache_resource(show_spinner=False)
def devices_to_come() -> Future[tuple[str, ...]]:
    """This machine's devices, which a child process lists once for all visitors."""
    return torch_child.start("devices")


@st.cache_resource(show_spinner=False)
def devices() -> tuple[tuple[str, ...], str | None]:
    """Devices that the child found, or why it found none; waits for it."""
    try:
        return tuple(devices_to_come().result()), None
    except CheckpointError as exc:
        return (), str(exc)
