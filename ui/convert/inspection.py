"""The panel of the Convert page that says what is truly inside a file."""

from __future__ import annotations

import streamlit as st

from udacisense.errors import UdaciSenseError
from udacisense.inspection.inspection import Advice, Inspection
from udacisense.number_format import MB_HELP, count, mb, percent
from udacisense.report.inside import inspected, port
from udacisense.types import Artifact
from ui.shared import cache
from ui.shared.plain_text import escape
from ui.shared.widgets import error_box

SMALL = 5000
"""Bytes below which stored tensors are shapes and single numbers, not weights that anybody asks for."""

LOOK = {"warning": ("orange", "warning"), "note": ("blue", "info")}


def panel(artifact: Artifact) -> None:
    """Read the file back and show it: where its bytes are, in what it computes, and what to mend."""
    with st.expander(
        "Inside the file: graph and operators", icon=":material/biotech:", key="inside", on_change="rerun"
    ) as expander:
        if not expander.open:
            return
        try:
            found = cache.inspection(artifact)
        except UdaciSenseError as exc:
            error_box(exc)
            return
        _figures(found)
        for finding in found.findings:
            _finding(finding)
        if not found.findings:
            st.caption(":material/check: Nothing in it asks for attention.")
        _tables(found)
        st.caption("Read back from the file itself, not from its recipe. On the command line:")
        st.code(f"python -m udacisense inspect {artifact.id}", language="bash", wrap_lines=True)


def _figures(found: Inspection) -> None:
    share = f"{percent(found.weights_bytes / found.size_bytes)} of the file"
    whole, apart = found.hard_swish_whole, found.hard_swish_decomposed
    ports = ", ".join(port(p).removeprefix(p.name).strip() for p in found.inputs)
    with st.grid(4, min_column_width=150):
        st.metric("Weights", mb(found.weights_bytes), share, "off", delta_arrow="off", border=True, help=MB_HELP)
        st.metric("Runs in int8", percent(found.int8_share), border=True, height="stretch", help="Share of the multiply-adds.")
        if found.delegated_share is not None:
            help = "Share of the multiply-adds; the rest runs on slow portable kernels."
            st.metric("Run by XNNPACK", percent(found.delegated_share), border=True, height="stretch", help=help)
        else:
            help = "Kept as one operator; the others are split into single steps."
            st.metric("Hard-swish", f"{whole:d} of {whole + apart:d}", border=True, height="stretch", help=help)
        st.metric(
            "Input",
            escape(found.layout or "no image"),
            escape(ports),
            "off",
            delta_arrow="off",
            border=True,
            height="stretch",
        )


def _finding(finding: Advice) -> None:
    color, icon = LOOK[finding.weight]
    st.markdown(
        f":{color}[:material/{icon}:] **{escape(finding.what)}** {escape(finding.why)}  \n"
        f":gray[:material/arrow_forward:] {escape(finding.what_to_do)}",
        width=760,
    )


def _tables(found: Inspection) -> None:
    st.dataframe(
        [
            {
                "Operator": row.kind,
                "Run by": row.place,
                "Weights": row.weights or "–",
                "Activations": row.activations or "–",
                "Computes in": row.computes or "–",
                "Count": row.count,
                "Multiply-adds": row.macs / 1e6 or None,
            }
            for row in found.operators
        ],
        hide_index=True,
        height="content",
        placeholder="–",
        column_config={"Multiply-adds": st.column_config.NumberColumn(format="%.2f M", help="For one image.")},
    )
    kinds = ", ".join(
        f"{row.dtype}{f' {row.quantised}' if row.quantised else ''}: {mb(row.stored_bytes)} in {count(row.tensors, 'tensor')}"
        for row in found.weights
        if row.stored_bytes >= SMALL
    )
    told = inspected(found)
    st.caption("  \n".join((f"**Bytes** {escape(told[0])}", f"**Weights** {escape(kinds)}", *map(escape, told[3:]))))
