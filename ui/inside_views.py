"""The panel of the Convert page that says what is truly inside a file."""

from __future__ import annotations

import streamlit as st

from udacisense.errors import UdaciSenseError
from udacisense.inspection.inspection import Finding, Inspection
from udacisense.report.inside import inspected, port
from udacisense.types import Artifact
from ui import cache
from ui.widgets import error_box
from ui.words import MB_HELP, count, mb, millions, percent

LOOK = {"warning": ("orange", "warning"), "note": ("blue", "info")}


def panel(artifact: Artifact) -> None:
    """Read the file back and show it: where its bytes are, in what it computes, and what to mend."""
    with st.expander("What is truly inside", icon=":material/biotech:", key="inside", on_change="rerun") as expander:
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
        st.caption("Read back from the file itself, not from its recipe. The same on the command line:")
        st.code(f"python -m udacisense inspect {artifact.id}", language="bash")


def _figures(found: Inspection) -> None:
    share = f"{percent(found.weights_bytes / found.size_bytes)} of the file"
    with st.grid(4, min_column_width=150):
        st.metric("Weights", mb(found.weights_bytes), share, "off", delta_arrow="off", border=True, help=MB_HELP)
        st.metric("Runs in int8", percent(found.int8_share), border=True, height="stretch", help="Share of the multiply-adds.")
        if found.delegated_share is not None:
            st.metric(
                "Run by XNNPACK",
                percent(found.delegated_share),
                border=True,
                height="stretch",
                help="Share of the multiply-adds; the rest is left to slow portable kernels.",
            )
        whole, apart = found.hard_swish_whole, found.hard_swish_decomposed
        st.metric("Hard-swish whole", f"{whole} of {whole + apart}", border=True, height="stretch")
        ports = ", ".join(map(port, found.inputs))
        st.metric("Input", found.layout or "no picture", ports, "off", delta_arrow="off", border=True, height="stretch")


def _finding(finding: Finding) -> None:
    color, icon = LOOK[finding.weight]
    st.markdown(f":{color}[:material/{icon}:] **{finding.what}** {finding.why}  \n{finding.what_to_do}", width=760)


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
                "Multiply-adds": millions(row.macs),
            }
            for row in found.operators
        ],
        hide_index=True,
    )
    kinds = ", ".join(
        f"{row.dtype}{f' {row.quantised}' if row.quantised else ''}: {mb(row.stored_bytes)} in {count(row.tensors, 'tensor')}"
        for row in found.weights
    )
    st.caption(f"**Weights** {kinds}")
    for line in inspected(found)[3:]:
        st.caption(line)
