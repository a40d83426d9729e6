"""The visitor behind a session, and what happens to their uploads when they leave.

Streamlit keeps a session for a while after its browser is gone, in case it comes back, and drops it no sooner than another one
leaves. A session that uploaded something is therefore closed by the clock, and its files with it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

if TYPE_CHECKING:
    from streamlit.runtime.app_session import AppSession

GRACE_S = 60.0
"""How long a session that uploaded something may come back; less than Streamlit's own server.disconnectedSessionTTL."""


def visitor() -> str:
    """A name for this session; from now on it is closed, with all that it uploaded, `GRACE_S` after its browser is gone."""
    return _present()


def _left(session_id: str) -> None:
    """The browser is gone, and Streamlit clears what was cached for it; the rest goes when the time is over."""
    session = runtime.get_instance().get_app_session(session_id) if runtime.exists() else None
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # the caches were cleared, nobody left
        return
    if session is not None:
        loop.call_later(GRACE_S, _close, session)


def _close(session: AppSession) -> None:
    server = runtime.get_instance()
    if not server.is_active_session(session.id):  # it did not come back
        server.close_session(session.id)
        session.session_state.clear()  # Streamlit may hold the last session until the next one comes


@st.cache_resource(scope="session", on_release=_left, show_spinner=False)
def _present() -> str:
    context = get_script_run_ctx()
    return context.session_id if context else ""
