"""Panel of the machine: devices, versions, seed. Devices are listed by a child process, so that the app needs no torch."""

from __future__ import annotations

import streamlit as st

from udacisense.number_format import count, gb
from udacisense.provenance import machine, versions
from udacisense.settings import settings
from ui.shared.cache import devices, devices_to_come
from ui.shared.plain_text import escape


def panel() -> None:
    """Machine, devices, seed and library versions; settings folded away."""
    here = machine()
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(f"**Processor** {escape(here.cpu)}, {count(here.physical_cores, 'core')}")
        st.markdown(f"**Memory** {gb(here.memory_bytes)} · **System** {escape(here.os)} · **Python** {escape(here.python)}")
        st.fragment(_devices, run_every=None if devices_to_come().done() else "1s")()
        st.markdown(f"**Seed** {settings().seed:d} · **CPU threads for benchmarks** {settings().threads:d}")
    with right:
        st.markdown("**Libraries**")
        st.markdown(" ".join(f":gray-badge[{escape(f'{name} {version}')}]" for name, version in versions().items()))
    with st.expander("Settings", icon=":material/tune:"):
        _settings()


def _devices() -> None:
    if not devices_to_come().done():
        st.markdown("**Devices** :gray[looking for them…]")
        return
    names, problem = devices()
    st.markdown(f"**Devices** {escape(problem or ', '.join(names))}")


def _settings() -> None:
    fields = type(settings()).model_fields
    rows = [
        {"Setting": f"UDACISENSE_{name.upper()}", "Value": str(getattr(settings(), name)), "Meaning": field.description}
        for name, field in fields.items()
    ]
    st.dataframe(rows, hide_index=True, alt="Every setting, its value and its meaning")
