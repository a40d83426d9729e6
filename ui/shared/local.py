"""Whether the app serves this machine alone: only then a page takes a path on its disk."""

from __future__ import annotations

from ipaddress import ip_address

import streamlit as st

_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via")
"""What a proxy writes into a request that it hands on for somebody else."""


def is_local() -> bool:
    """Whether the server listens on this machine only, and no proxy hands this visitor on to it."""
    headers = st.context.headers
    return _is_loopback(st.get_option("server.address")) and not any(headers.get(name) for name in _FORWARDED)


def _is_loopback(address: str | None) -> bool:
    if address == "localhost":
        return True
    try:
        return ip_address(address or "").is_loopback
    except ValueError:
        return False
