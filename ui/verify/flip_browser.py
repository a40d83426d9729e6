"""Browser of the changed answers: filters, cards, table. The pixels come from the data source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import streamlit as st

from udacisense.data.dataset import Dataset
from udacisense.errors import UdaciSenseError
from udacisense.number_format import count
from udacisense.report.equivalence import likeliest
from udacisense.types import Flip, Verification
from udacisense.verify import TopK, is_near_tie, top_classes
from ui.shared import cache
from ui.shared import captions as shared_captions
from ui.shared.chart_block import table
from ui.shared.plain_text import Markdown, code, escape
from ui.verify import captions, rows

PAGE_SIZE = 12
THUMB_PX = 96
BREAKS, TIES = "Real breaks", "Near-ties"
ALL = "All"
KIND_HELP = (
    "Near-tie: the checkpoint gave its own answer less than twice the probability of the new one. Real break: any other change."
)

COLUMNS = {
    "image": st.column_config.TextColumn("Image", help="first 16 hex digits of the md5 of its pixels"),
    "true_class": st.column_config.TextColumn("True class"),
    "checkpoint": st.column_config.TextColumn("Checkpoint's answer"),
    "artifact": st.column_config.TextColumn("File's answer"),
    "kind": st.column_config.TextColumn("Kind", help=KIND_HELP),
    "margin": st.column_config.NumberColumn(
        "Margin before", format="%.3f", help="lead of the checkpoint's answer over the file's, in the checkpoint's logits"
    ),
    "margin_after": st.column_config.NumberColumn(
        "Margin after", format="%.3f", help="the same lead in the file's logits; below zero, for the answer changed"
    ),
    "checkpoint_top3": st.column_config.TextColumn("Checkpoint's top 3"),
    "artifact_top3": st.column_config.TextColumn("File's top 3"),
}


def browse(record: Verification) -> None:
    """Browser of the changed answers of a verification."""
    st.markdown(escape(shared_captions.flips(record.flips)))
    if not record.flips:
        return
    st.markdown(escape(captions.kinds(record.flips)))
    chosen = _filtered(record)
    raw = cache.raw_answers(record)
    known = top_classes(*raw, tuple(chosen)) if raw else {}
    _notes(record, raw is not None)
    data = images_of(record)
    page = _page(chosen)
    with st.grid("auto", min_column_width=320, gap="small"):
        for flip in page:
            _card(flip, known.get(flip.image), data, record.classes)
    table("flips", rows.flips(chosen, known, record.classes), COLUMNS, "Images whose answer changed")


def _notes(record: Verification, raw: bool) -> None:
    if images_of(record) is None:
        st.caption("The images are not on this machine, or have changed; the table names them.")
    if not raw:
        st.caption("Likeliest classes not shown: the logits are not on this machine. Verify again to have them.")


def images_of(record: Verification) -> Dataset | None:
    """The split that the record was made on, if it is here and still the same."""
    try:
        data = cache.dataset(record.data.split, record.data.source, record.data.scheme, record.spec)
    except UdaciSenseError:
        return None
    return data if data.ref.dataset_id == record.data.dataset_id else None


# --- filters ------------------------------------------------------------------------------------------------------------


def _filtered(record: Verification) -> list[Flip]:
    """The flips of the kind and the pair that the visitor chose, the largest margin before first."""
    ordered = sorted(record.flips, key=lambda f: -f.margin)
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        kind = st.segmented_control("Kind", [ALL, BREAKS, TIES], default=ALL, required=True, key="flip_kind", help=KIND_HELP)
        of_kind = [f for f in ordered if kind == ALL or is_near_tie(f) == (kind == TIES)]
        pairs = Counter(pair(f, record.classes) for f in of_kind)
        names = [name for name, _ in pairs.most_common()]
        wanted = st.selectbox(
            "Answer before → after",
            [None, *names],
            format_func=lambda name: f"all {count(len(pairs), 'pair')}" if name is None else escape(f"{name} ({pairs[name]})"),
            key=f"flip_pair_{kind}",
            width=280,
        )
    return [f for f in of_kind if wanted in (None, pair(f, record.classes))]


def pair(flip: Flip, classes: Sequence[str]) -> str:
    """Old and new answer: "bed → couch"."""
    return f"{classes[flip.before]} → {classes[flip.after]}"


def _page(found: Sequence[Flip]) -> Sequence[Flip]:
    pages = -(-len(found) // PAGE_SIZE)
    if pages <= 1:
        return found
    number = st.number_input(f"Page (1–{pages:d})", min_value=1, max_value=pages, value=1, key=f"flip_page_{pages}", width=160)
    st.caption(f"{count(len(found), 'image')}, the largest margin before first.")
    return found[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]


# --- cards --------------------------------------------------------------------------------------------------------------


def _card(flip: Flip, top: TopK | None, data: Dataset | None, classes: Sequence[str]) -> None:
    with st.container(border=True, horizontal=True, gap="small"):
        index = place(data).get(flip.image) if data else None
        if data is not None and index is not None:
            tile = cache.thumbnail(flip.image, data.images[index], THUMB_PX, False)
            st.image(tile, width=THUMB_PX, alt=f"{truth(flip, classes)}, {pair(flip, classes)}")
        with st.container(gap="xxsmall", width="stretch"):
            st.markdown(f"**{escape(pair(flip, classes))}**")
            st.markdown(f"{_badge(flip)} {escape(truth(flip, classes))}")
            st.caption("  \n".join([*map(escape, _lines(flip, top, classes)), code(flip.image)]))


def place(data: Dataset) -> Mapping[str, int]:
    """Index of each image in its split, by its id."""
    return {name: i for i, name in enumerate(data.hashes)}


def truth(flip: Flip, classes: Sequence[str]) -> str:
    """True class of the image, where it has a label."""
    return "no label" if flip.label is None else f"true: {classes[flip.label]}"


def _badge(flip: Flip) -> Markdown:
    return ":gray-badge[near-tie]" if is_near_tie(flip) else ":orange-badge[real break]"


def _lines(flip: Flip, top: TopK | None, classes: Sequence[str]) -> list[str]:
    after = "" if flip.margin_after is None else f", after {-flip.margin_after:.2f}"
    lines = [f"margin before {flip.margin:.2f}{after}"]
    if top is not None:
        lines.append(f"checkpoint: {likeliest(top.before, classes)}")
        lines.append(f"file: {likeliest(top.after, classes)}")
    return lines
