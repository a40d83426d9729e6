"""Views of a data source on the Dataset page: figures, balance, health, and how to get real images."""

from __future__ import annotations

from collections.abc import Collection
from typing import get_args

import streamlit as st

from udacisense.data.dataset import Dataset
from udacisense.data.health import Health, overlap
from udacisense.data.sources import SourceInfo, available_sources, default_source, describe, own_spec
from udacisense.models.checkpoint import list_checkpoints, trained_hashes
from udacisense.number_format import count
from udacisense.report.images import few
from udacisense.types import SourceName, SplitName
from ui.dataset import own_folders
from ui.dataset.image_grid import SPLIT_NAMES, balance
from ui.shared import cache
from ui.shared.jobs import job_button, job_panel
from ui.shared.plain_text import code, escape
from ui.shared.widgets import describe_checkpoint

AS_IT_COMES = "as in the dataset"
LISTED = 500  # rows of a list of files


def pick_data() -> tuple[SourceName, SplitName, str | None]:
    """Source, split and the rule that makes the splits; None = the source's own, else by hash."""
    sources = {name: describe(name).title for name in (default_source(), *available_sources())}
    if st.session_state.get("source") not in sources:  # forgotten since, perhaps by somebody else
        st.session_state.pop("source", None)
    with st.container(horizontal=True, gap="medium", vertical_alignment="top"):
        split = st.segmented_control(
            "Split", list(SPLIT_NAMES), default="test", required=True, format_func=SPLIT_NAMES.__getitem__, key="split"
        )
        source = st.selectbox("Source", list(sources), format_func=sources.__getitem__, key="source", width=280)
        scheme = st.selectbox(
            "Split by",
            [AS_IT_COMES, "household-v1", "official"],
            key="scheme",
            width=200,
            help="household-v1: within a class, ordered by md5, the first 100 are test. official: the source's own split. "
            "As in the dataset: the source's own split where it has one, else household-v1.",
        )
    return source, split, None if scheme == AS_IT_COMES else scheme


def figures(data: Dataset, info: SourceInfo) -> None:
    """Number of images, their size in pixels, and the digest of the split."""
    sizes = {image.shape[:2] for image in data.images}
    heights, widths = zip(*sizes, strict=True)
    size = f"{widths[0]} × {heights[0]}" if len(sizes) == 1 else f"{_range(widths)} wide"
    per_class = data.counts().values()
    each = _range(per_class)
    with st.grid(4, min_column_width=150):
        st.metric(f"{SPLIT_NAMES[data.ref.split]} images", f"{len(data):,}", border=True)
        st.metric("Images per class", escape(each), border=True)
        st.metric("Size in pixels", escape(size), border=True)
        st.metric(
            "Skipped files", len(data.skipped), border=True, help="Files that are not read; the Health tab says which and why."
        )
    st.caption(
        f"{escape(f'{info.title}: {info.meaning}')} Split **{escape(data.ref.scheme)}** · "
        f"dataset {code(data.ref.dataset_id)} · {code(info.location)}"
    )


def _range(counts: Collection[int]) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low}–{high}"


def show_balance(data: Dataset, source: SourceName, scheme: str | None) -> None:
    """Images per class in both splits, as a chart and in one sentence."""
    counts = {name: cache.dataset(name, source, scheme, own_spec(source)).counts() for name in get_args(SplitName)}
    here = data.counts()
    most, least = max(here, key=here.__getitem__), min(here, key=here.__getitem__)
    if here[most] == here[least]:
        st.markdown(f"Every class has {count(here[most], 'image')} in this split, so plain accuracy treats them alike.")
    else:
        st.markdown(
            f"**{escape(most)}** has {here[most]:,} images and **{escape(least)}** {here[least]:,}: read accuracy per class."
        )
    st.plotly_chart(balance(counts), theme="streamlit", config={"displayModeBar": False})


def show_health(health: Health, data: Dataset) -> None:
    """Faults of the files of a source, and the checkpoints that were trained on these images."""
    own_folders.show_names(health)
    if not health.findings:
        st.success(
            "Every file is a readable image in the folder of a class, no image is a duplicate, and the classes are balanced.",
            icon=":material/check_circle:",
        )
    for finding in health.findings:
        if finding.level == "problem":
            st.error(escape(finding.message), icon=":material/error:")
        else:
            st.warning(escape(finding.message), icon=":material/info:")
    with st.grid(4, min_column_width=150):
        st.metric("Files not read", len(health.skipped), border=True)
        st.metric("Unknown folders", len(health.wrong_classes), border=True)
        st.metric("Duplicates", len(health.duplicates), border=True)
        st.metric("Train-test leaks", len(health.across_splits), border=True)
    _list_files(health)
    st.header("Seen in training", anchor=False)
    st.caption("A checkpoint evaluated on images that it was trained on looks better than it is.")
    show_overlap(data)


def _list_files(health: Health) -> None:
    if health.skipped:
        with st.expander(f"{count(len(health.skipped), 'skipped file')}", icon=":material/broken_image:"):
            st.markdown("\n".join(f"- {escape(f'{one.files:,} {one.kind}: {few(one)}')}" for one in health.left_out))
            rows = [{"File": s.path, "Kind": s.kind, "Why": s.reason} for s in health.skipped[:LISTED]]
            st.dataframe(rows, hide_index=True, alt="Files that were skipped, and why")
    if health.duplicates:
        with st.expander(count(len(health.duplicates), "duplicate"), icon=":material/content_copy:"):
            twice = health.duplicates[:LISTED]
            rows = [{"Image": d.image, "Classes": ", ".join(d.classes), "Files": " · ".join(d.places)} for d in twice]
            st.dataframe(rows, hide_index=True, alt="Duplicates and their files")


def show_overlap(data: Dataset) -> None:
    """For each checkpoint, how many of these images it was trained on."""
    checkpoints = list_checkpoints().records
    if not checkpoints:
        st.caption("No checkpoint is here to compare with.")
        return
    st.dataframe(
        [
            {
                "Checkpoint": describe_checkpoint(c),
                "Trained on": "not recorded" if h is None else f"{overlap(data, h):,} of {len(data):,}",
            }
            for c, h in ((c, trained_hashes(c)) for c in checkpoints)
        ],
        hide_index=True,
        alt="Images of this split that each checkpoint was trained on",
    )


def how_to_get_images() -> None:
    """The way to CIFAR-100, asked for explicitly, and to images of one's own."""
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**CIFAR-100, household classes**")
        if "cifar100" in available_sources():
            st.markdown(f":material/check: Downloaded to {code(describe('cifar100').location)}.")
        else:
            st.markdown(
                "6,000 photographs of the ten classes. The archive (about 170 MB) is checked against its checksum "
                "and kept in `data/`."
            )
            sure = st.checkbox("Yes, download about 170 MB from cs.toronto.edu", key="download_sure")
            job_button("Download CIFAR-100", ["data", "--download"], "Download CIFAR-100", key="download", disabled=not sure)
            job_panel("download", verb="data")
    with right:
        st.markdown("**Images of your own**")
        own_folders.show_folders()
