"""Views of the Classify page: the choice of images, and the answers of the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import streamlit as st

from udacisense.data.dataset import Dataset
from udacisense.data.kinds import NAMES
from udacisense.data.sources import available_sources, default_source, describe, own_spec
from udacisense.errors import UdaciSenseError
from udacisense.number_format import ms, percent
from udacisense.types import SOURCES, SourceName, Subject
from ui.classify import cached_sessions
from ui.classify.cached_sessions import ClassificationResult
from ui.classify.visitors import visitor
from ui.shared import cache, captions, charts
from ui.shared import rows as shared_rows
from ui.shared.chart_block import chart, table
from ui.shared.entries import format_of
from ui.shared.plain_text import Markdown, escape
from ui.shared.widgets import error_box

MOST_FILES = 20
TILE_PX = 76  # at least: four in a row on a phone, ten on a wide screen
THUMBNAIL_PX = 208
PREVIEW_PX = 240
NOT_KEPT = "Uploads are not stored: they stay in this server's memory until a minute or so after you close the page."
KINDS = {
    "sample": "Dataset images",
    "upload": "Upload",
    "camera": "Camera",
}
ICONS = {"sample": ":material/photo_library:", "upload": ":material/upload:", "camera": ":material/photo_camera:"}

COLUMNS = {
    "image": st.column_config.TextColumn("Image", pinned=True),
    "answer": st.column_config.TextColumn("Answer"),
    "probability_percent": st.column_config.ProgressColumn("Probability", format="%.1f %%", min_value=0, max_value=100),
    "decode_ms": st.column_config.NumberColumn("Decode, ms", format="%.1f"),
    "preprocess_ms": st.column_config.NumberColumn("Preprocessing, ms", format="%.1f"),
    "inference_ms": st.column_config.NumberColumn("Inference, ms", format="%.1f"),
}


@dataclass(frozen=True, slots=True)
class ClassificationRequest:
    """One image to classify."""

    name: str
    look: Callable[[Subject], ClassificationResult]  # raises UdaciSenseError
    truth: str | None = None  # its class, where it is known


def ask() -> Sequence[ClassificationRequest]:
    """The images that the visitor chose; none yet = an empty list."""
    kind = st.segmented_control(
        "Images", list(KINDS), default="sample", required=True, format_func=lambda k: f"{ICONS[k]} {KINDS[k]}", key="from"
    )
    return {"sample": _from_here, "upload": _from_files, "camera": _from_camera}[str(kind)]()


def _from_files() -> Sequence[ClassificationRequest]:
    visitor()
    files = st.file_uploader(
        "Images to classify",
        accept_multiple_files=True,
        key="uploads",
        help=f"{', '.join(NAMES)}, told by content; photographs of any phone. {NOT_KEPT}",
    )
    if len(files) > MOST_FILES:
        st.warning(f"Only the first {MOST_FILES} of {len(files)} files are classified. Upload the others separately.")
    return [_file(f.name, f.getvalue()) for f in files[:MOST_FILES]]


def _from_camera() -> Sequence[ClassificationRequest]:
    visitor()
    shot = st.camera_input("Take a photo", key="camera", resolution="720p", help=NOT_KEPT)
    return [_file("photo", shot.getvalue())] if shot else []


def _file(name: str, raw: bytes) -> ClassificationRequest:
    return ClassificationRequest(name, lambda subject: cached_sessions.classify_file(subject, raw, name))


# --- images that are here already ------------------------------------------------------------------------------------


def _from_here() -> Sequence[ClassificationRequest]:
    source = _source()
    try:
        data = cache.dataset("test", source, spec=own_spec(source))
    except UdaciSenseError as exc:
        error_box(exc)
        return []
    turn = st.session_state.setdefault("sample_turn", 0)
    tiles = [_one_of(np.flatnonzero(data.labels == c), turn) for c in range(len(data.classes))]
    rendered = " These are rendered, and the model learnt from photographs: they say little about its accuracy."
    st.caption(f"Click Classify below an image.{rendered if source == 'sample' else ''}")
    chosen = st.session_state.get("sample_chosen")
    with st.grid(10, min_column_width=TILE_PX, gap="xsmall"):
        for i in (i for i in tiles if i is not None):
            _tile(data, i, data.hashes[i] == chosen)
    st.button("Show other images", icon=":material/shuffle:", on_click=_turn, key="sample_other")
    if chosen not in data.hashes:
        return []
    place = data.hashes.index(chosen)
    pixels, truth = data.images[place], data.classes[data.labels[place]]
    return [
        ClassificationRequest(
            f"{truth} {chosen[:8]}", lambda subject: cached_sessions.classify_pixels(subject, chosen, pixels), truth
        )
    ]


def _tile(data: Dataset, i: int, chosen: bool) -> None:
    name, image = data.classes[data.labels[i]], data.hashes[i]
    with st.container(gap="xxsmall"):
        st.image(cache.thumbnail(image, data.images[i], THUMBNAIL_PX, False), width="stretch", alt=f"A {name}")
        kind: Literal["secondary", "tertiary"] = "secondary" if chosen else "tertiary"
        st.button("Classify", key=f"sample_{name}", on_click=_choose, args=(image,), type=kind, width="stretch")


def _source() -> SourceName:
    """The rendered sample, real test images, or a folder that a person named, where there are some."""
    real = default_source()
    named = {name: describe(name).title for name in available_sources() if name not in SOURCES}
    names: dict[SourceName, str] = {**({real: "Test images"} if real != "sample" else {}), **named, "sample": "Rendered sample"}
    if len(names) == 1:
        return "sample"
    if st.session_state.get("sample_source") not in names:  # forgotten since
        st.session_state.pop("sample_source", None)
    chosen: SourceName = st.segmented_control(
        "Which",
        tuple(names),
        default=real,
        required=True,
        format_func=lambda name: escape(names[name]),
        key="sample_source",
        label_visibility="collapsed",
    )
    return chosen


def _one_of(members: np.ndarray, turn: int) -> int | None:
    return int(members[turn % len(members)]) if len(members) else None


def _choose(image: str) -> None:
    st.session_state["sample_chosen"] = image


def _turn() -> None:
    st.session_state["sample_turn"] += 1


# --- answers -----------------------------------------------------------------------------------------------------------


def answers(subject: Subject, asked: Sequence[ClassificationRequest]) -> None:
    """The answer on each image; an image that fails says why, and the others are answered."""
    with st.spinner("Classifying"):
        found = _ask_all(subject, asked)
    if len(found) > 1:
        rows = [shared_rows.answer(one.name, seen.answer) for one, seen in found]
        table("answers", rows, COLUMNS, f"Answers on {len(found)} images")
    for number, (one, seen) in enumerate(found):
        _card(subject, one, seen, number)
    if found:
        st.caption(
            "Probability: softmax of the logits over the classes of the model, not a certainty; an image of anything else "
            "gets one of their names too. The times are of one run in this app; Benchmark measures them properly."
        )


def _ask_all(
    subject: Subject, asked: Sequence[ClassificationRequest]
) -> list[tuple[ClassificationRequest, ClassificationResult]]:
    """Each with its answer. What is wrong with the model itself is said once, whatever the number of images."""
    found: list[tuple[ClassificationRequest, ClassificationResult]] = []
    said: set[str] = set()
    for one in asked:
        try:
            found.append((one, one.look(subject)))
        except UdaciSenseError as exc:
            if str(exc) not in said:
                error_box(exc)
            said.add(str(exc))
    return found


def _card(subject: Subject, one: ClassificationRequest, seen: ClassificationResult, number: int) -> None:
    best, share = seen.answer.top(1)[0]
    with st.container(border=True):
        left, right = st.columns([1, 2], gap="medium")
        with left:
            st.image(seen.preview, width=_preview_px(seen), alt=f"{one.name}, classified as {best}")
            half = ", smaller than the file's" if seen.reduced else ""
            st.caption(f"{escape(one.name)} · {seen.width_px:d} × {seen.height_px:d} pixels{half}")
        with right:
            st.markdown(f"## {escape(best)} · {percent(share)}")
            if one.truth:
                right_or_wrong = ":green-badge[right]" if one.truth == best else ":red-badge[wrong]"
                st.markdown(f"True class: **{escape(one.truth)}** {right_or_wrong}")
            top = seen.answer.top(5)
            figure = charts.probabilities([n for n, _ in top], [p for _, p in top], format_of(subject))
            rows = lambda: shared_rows.probabilities(one.name, seen.answer)  # noqa: E731
            st.caption(_times(seen))
            chart(f"top5_{number}", "", captions.answer(seen.answer), figure, rows)


def _preview_px(seen: ClassificationResult) -> int:
    """Width of a preview whose longer side has PREVIEW_PX: of a narrow image, no column of thousands of pixels."""
    return max(1, round(PREVIEW_PX * min(1.0, seen.width_px / seen.height_px)))


def _times(seen: ClassificationResult) -> Markdown:
    a = seen.answer
    decode = "Already decoded" if a.decode_s is None else f"Decode **{ms(a.decode_s)}**"
    return f"{decode} · preprocessing **{ms(a.preprocess_s)}** · inference **{ms(a.inference_s)}**"
