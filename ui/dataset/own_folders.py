"""Folders of one's own on the Dataset page: named by path, kept, forgotten, and class names confirmed."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from udacisense.data.health import Health
from udacisense.data.named import forget_source, keep_source, kept_sources
from udacisense.data.sources import folder_of, is_own
from udacisense.errors import UdaciSenseError
from udacisense.types import SourceName
from ui.shared.local import is_local
from ui.shared.plain_text import code, escape
from ui.shared.widgets import errors_shown

_FAULT = "own_folder_fault"


def show_folders() -> None:
    """A field for a folder, and the folders that were named before."""
    st.markdown(
        "A folder with `train/<class>/*.png` and `test/<class>/*.png`, or `<class>/*.png` alone: the split is then made by "
        "hash. Other names of parts (`val`, `eval`, …), a table `filename,label`, and a zip of all that are read too."
    )
    if not is_local():
        st.caption("A path can be given here only where the app serves its own machine alone. On the server's command line:")
        st.code("python -m udacisense data --folder /path/to/images", language=None, wrap_lines=True)
        return
    with st.form("own_folder", border=False):
        st.text_input("Folder or zip on this machine", key="own_path", placeholder="/home/me/images")
        st.text_input("Name", key="own_name", placeholder="the folder's own", help="Small letters, digits, - and _")
        st.checkbox("Use it wherever no source is named", key="own_default")
        st.form_submit_button("Add folder", icon=":material/create_new_folder:", on_click=_add)
    fault = st.session_state.pop(_FAULT, None)
    if fault:
        st.error(escape(fault), icon=":material/error:")
    with errors_shown():
        _list()


def _add() -> None:
    path, name = st.session_state["own_path"].strip(), st.session_state["own_name"].strip()
    if not path:
        st.session_state[_FAULT] = "No folder was named. Write its path, such as /home/me/images."
        return
    try:
        st.session_state["source"] = keep_source(Path(path), name or None, default=st.session_state["own_default"])
    except (UdaciSenseError, OSError) as exc:
        st.session_state[_FAULT] = str(exc)


def _list() -> None:
    kept = kept_sources()
    for name, source in kept.sources.items():
        with st.container(horizontal=True, vertical_alignment="center"):
            used = " · used where none is named" if name == kept.default else ""
            st.markdown(f"**{escape(name)}** {code(source.path)}{used}")
            st.button("Forget", key=f"forget_{name}", on_click=_forget, args=(name,), type="tertiary")


def _forget(name: SourceName) -> None:
    try:
        forget_source(name)
    except (UdaciSenseError, OSError) as exc:
        st.session_state[_FAULT] = str(exc)
    if st.session_state.get("source") == name:
        del st.session_state["source"]


def show_names(health: Health) -> None:
    """Names in the folder that may mean a class: read as one only once a person ticked it."""
    pairs = dict((*health.maybe, *health.same))
    if not pairs or not is_own(health.source) or not is_local():
        return
    st.header("Names that may mean a class", anchor=False)
    st.caption(
        "Nothing is read under another name until you say so. What you confirm is kept with the folder, and told with "
        "every figure."
    )
    for name in pairs:
        st.session_state.setdefault(_key(health.source, name), name in dict(health.same))
    with st.form("same_names", border=False):
        for name, meant in sorted(pairs.items()):
            st.checkbox(f"{code(name)} is {code(meant)}", key=_key(health.source, name))
        st.form_submit_button("Confirm", icon=":material/check:", on_click=_confirm, args=(health.source, pairs))
    fault = st.session_state.pop(_FAULT, None)
    if fault:
        st.error(escape(fault), icon=":material/error:")


def _key(source: SourceName, name: str) -> str:
    return f"same_{source}_{name}"


def _confirm(source: SourceName, pairs: dict[str, str]) -> None:
    ticked = {name: meant if st.session_state[_key(source, name)] else "" for name, meant in pairs.items()}
    try:
        keep_source(folder_of(source), source, ticked)
    except (UdaciSenseError, OSError) as exc:
        st.session_state[_FAULT] = str(exc)
