"""The frame around every page: title, navigation, running jobs. Called first by app.py and by each page."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from udacisense.errors import SettingError
from udacisense.records.queries import look_anew
from udacisense.settings import settings
from udacisense.verbs.places import cannot_start
from ui.shared.jobs import watch_jobs
from ui.shared.plain_text import Markdown, escape
from ui.shared.widgets import remembered

ROOT = Path(__file__).resolve().parents[2]
ICON = ROOT / "ui" / "icon.png"
WORDMARK = ROOT / "ui" / "wordmark.svg"

NAVIGATION: dict[str, tuple[tuple[str, str, str], ...]] = {
    "": (("app.py", "Overview", "dashboard"),),
    "Build": (
        ("pages/dataset.py", "Dataset", "photo_library"),
        ("pages/models.py", "Models", "neurology"),
        ("pages/convert.py", "Convert", "sync_alt"),
    ),
    "Prove": (
        ("pages/verify.py", "Verify", "difference"),
        ("pages/benchmark.py", "Benchmark", "timer"),
        ("pages/history.py", "History", "history"),
        ("pages/readiness.py", "Readiness", "fact_check"),
    ),
    "Try": (("pages/classify.py", "Classify", "image_search"),),
}
"""Section caption -> (page, label, Material symbol)."""


def frame(title: Markdown, lead: Markdown = "", icon: Markdown = "") -> None:
    """Set the tab's title, draw the sidebar, and head the page with its title and one sentence on what it answers.

    Args:
        title: the page's name.
        lead: the question that the page answers, in one sentence.
        icon: a Material symbol's name for the heading; none by default, the sidebar carries the icons.
    """
    look_anew()
    st.set_page_config(page_title=f"{title} · UdaciSense", page_icon=str(ICON), layout="wide")
    st.logo(str(WORDMARK), size="large", icon_image=str(ICON))
    _check_settings()
    with st.sidebar:
        _navigation()
        watch_jobs()
    st.title(title, anchor=False, icon=f":material/{icon}:" if icon else None)
    if lead:
        st.markdown(f":gray[{lead}]", width=760)
    refused = cannot_start()
    if refused:
        st.warning(f"{escape(refused)} Until then the buttons that start such work are off.", icon=":material/lock:")


def _check_settings() -> None:
    """End the page with the reason where a setting of the environment cannot be used."""
    try:
        settings()
    except SettingError as exc:
        st.error(escape(exc), icon=":material/error:")
        st.stop()


def _navigation() -> None:
    for section, pages in NAVIGATION.items():
        with st.container(gap="xxsmall"):
            if section:
                st.markdown(f":gray[**{section}**]")
            for page, label, icon in pages:
                st.page_link(page, label=label, icon=f":material/{icon}:", query_params=remembered(), width="stretch")
