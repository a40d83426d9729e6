"""The recipes that were tried for a small file: what each measured, in a table and in a chart of size against agreement."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from udacisense.conversion.ladder import MAX_LOSS, MIN_AGREEMENT
from udacisense.types import Artifact, Format, Precision, Rung
from ui.chart_style import OTHER_COLOR, finish, format_color
from ui.tables import Row
from ui.words import BYTES_A_MB, MB_HELP, count, mb, ms, percent

HEIGHT_PX = 300


def promise(fmt: Format, precision: Precision) -> str:
    """What a precision with several recipes means."""
    recipes = count(len(fmt.recipes_for(precision)), "recipe")
    return (
        f"{precision} is the smallest and fastest file that passes: {recipes} are tried in turn until one agrees with the "
        f"checkpoint on at least {percent(MIN_AGREEMENT)} of the validation pictures and loses at most "
        f"{100 * MAX_LOSS:.1f} points of accuracy there."
    )


def show(artifact: Artifact) -> None:
    """The ladder of an artifact: one sentence, the chart, the table."""
    st.markdown("##### Recipes tried")
    st.markdown(reading(artifact), width=760)
    measured = [rung for rung in artifact.ladder if rung.agreement is not None]
    if len(measured) > 1:
        st.plotly_chart(pareto(artifact), key=f"ladder_{artifact.id}", config={"displayModeBar": False})
    st.dataframe(
        rows(artifact.ladder),
        hide_index=True,
        column_config={
            "Agrees": st.column_config.NumberColumn(format="%.1f %%", help="Answers equal to the checkpoint's."),
            "Top-1": st.column_config.NumberColumn(format="%.1f %%", help="On the validation pictures."),
            "MB": st.column_config.NumberColumn(format="%.2f", help=MB_HELP),
            "Time against fp32": st.column_config.NumberColumn(
                format="%.2f ×",
                help="Median of one picture, timed in turn with the format's fp32 file on the converting machine.",
            ),
        },
        alt="Each recipe with its size, agreement, accuracy and time, and why it was taken or not",
    )


def reading(artifact: Artifact) -> str:
    """The ladder in one sentence."""
    taken = kept(artifact)
    tried = count(len(artifact.ladder), "recipe")
    if taken is None:
        return f"{tried} tried."
    if taken.passed:
        return f"{tried} tried; **{taken.recipe}** is the first that passed: it {taken.reason}."
    return f"{tried} tried and none passed; **{taken.recipe}** agrees most, on {percent(taken.agreement)}. It {taken.reason}."


def kept(artifact: Artifact) -> Rung | None:
    """The rung whose file the artifact is."""
    return next((rung for rung in artifact.ladder if rung.recipe == artifact.recipe.get("recipe")), None)


def rows(ladder: Sequence[Rung]) -> list[Row]:
    """A row for each recipe, numbered as in the chart."""
    return [
        {
            "No.": number,
            "Recipe": rung.recipe,
            "Passed": rung.passed,
            "Agrees": _percent(rung.agreement),
            "Top-1": _percent(rung.top1),
            "MB": None if rung.size_bytes is None else rung.size_bytes / BYTES_A_MB,
            "Time against fp32": rung.latency_s / rung.latency_fp32_s if rung.latency_s and rung.latency_fp32_s else None,
            "Why": rung.reason,
            "What it does": rung.what,
        }
        for number, rung in enumerate(ladder, start=1)
    ]


def pareto(artifact: Artifact) -> go.Figure:
    """Size against agreement, a numbered point for each recipe; up and to the left is better, and what passed is filled."""
    fig = go.Figure()
    taken = kept(artifact)
    for number, rung in enumerate(artifact.ladder, start=1):
        if rung.agreement is None or rung.size_bytes is None:
            continue
        color = format_color(artifact.format)
        fig.add_scatter(
            x=[rung.size_bytes / BYTES_A_MB],
            y=[100 * rung.agreement],
            mode="markers+text",
            text=[f"<b>{number}</b>" if rung is taken else str(number)],
            textposition="top center",
            name=rung.recipe,
            marker={
                "size": 16 if rung is taken else 11,
                "color": color,
                "symbol": "circle" if rung.passed else "circle-open",
                "line": {"width": 2, "color": OTHER_COLOR if rung.passed else color},
            },
            hovertemplate=f"{number}. {rung.recipe}<br>{mb(rung.size_bytes)}, agrees on {percent(rung.agreement)}, top-1 "
            f"{percent(rung.top1)}, {ms(rung.latency_s)}<extra></extra>",
        )
    fig.add_hline(y=100 * MIN_AGREEMENT, line={"dash": "dot", "width": 1, "color": OTHER_COLOR})
    fig.update_xaxes(title="size in MB", rangemode="tozero")
    fig.update_yaxes(title=f"agreement in % (needed: {100 * MIN_AGREEMENT:.0f})")
    return finish(fig, HEIGHT_PX)


def _percent(fraction: float | None) -> float | None:
    return None if fraction is None else 100 * fraction
