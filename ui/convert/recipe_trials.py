"""Recipe trials of a small file: the figures of each in a table, and two charts of the trade-offs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
import streamlit as st

from udacisense.conversion.recipe_search import MAX_LOSS, MIN_AGREEMENT
from udacisense.number_format import MB, MB_HELP, count, mb, percent
from udacisense.types import Artifact, Format, Precision, RecipeTrial
from udacisense.verdict_words import todays_words
from ui.shared.chart_style import OTHER_COLOR, finish, format_color
from ui.shared.plain_text import Markdown, escape, in_chart
from ui.shared.rows import Row

HEIGHT_PX = 300


def promise(fmt: Format, precision: Precision) -> str:
    """Meaning of a precision with several recipes."""
    recipes = count(len(fmt.recipes_for(precision)), "recipe")
    return (
        f"{precision} is the smallest and fastest file that passes: {recipes} are tried in turn until one agrees with the "
        f"checkpoint on at least {percent(MIN_AGREEMENT)} of the validation images and loses at most "
        f"{100 * MAX_LOSS:.1f} points of accuracy there."
    )


def show(artifact: Artifact) -> None:
    """Recipe trials of an artifact: one sentence, two charts, the table."""
    st.markdown("### Recipes tried")
    st.markdown(reading(artifact), width=760)
    measured = [trial for trial in artifact.recipe_trials if trial.agreement is not None]
    if len(measured) > 1:
        for column, look, name in zip(st.columns(2), (FAITHFUL, USEFUL), ("agreement", "accuracy"), strict=True):
            column.plotly_chart(
                pareto(artifact, look), key=f"ladder_{name}_{artifact.id}", config={"displayModeBar": False}, alt=_alt(look)
            )
        st.caption("One point per recipe, numbered as in the table. Up and left is better; filled: passed; largest: chosen.")
    st.dataframe(
        rows(artifact.recipe_trials),
        hide_index=True,
        placeholder="–",
        column_config={
            "Agreement": st.column_config.NumberColumn(format="%.1f %%", help="Share of answers equal to the checkpoint's."),
            "Top-1": st.column_config.NumberColumn(format="%.1f %%", help="On the validation images."),
            "MB": st.column_config.NumberColumn(format="%.2f", help=MB_HELP),
            "Time against fp32": st.column_config.NumberColumn(
                format="%.2f ×",
                help="Median per image, timed in turns with the format's fp32 file on the converting machine.",
            ),
        },
        alt="Each recipe with its size, agreement, accuracy and time, and why it was chosen or not",
    )


def _alt(look: AxisSpec) -> str:
    return f"Each recipe by {look.x_title} and {look.y_title}; the table below has the figures"


def reading(artifact: Artifact) -> Markdown:
    """Result of the recipe search in one sentence."""
    taken = kept(artifact)
    tried = count(len(artifact.recipe_trials), "recipe")
    if taken is None:
        return f"{tried} tried."
    if taken.passed:
        return f"{tried} tried; **{escape(taken.recipe)}** is the first that passed: it {escape(todays_words(taken.reason))}."
    most = f"**{escape(taken.recipe)}** has the highest agreement, {percent(taken.agreement)}"
    return f"{tried} tried and none passed; {most}. It {escape(todays_words(taken.reason))}."


def kept(artifact: Artifact) -> RecipeTrial | None:
    """The trial whose file the artifact is."""
    return next((trial for trial in artifact.recipe_trials if trial.recipe == artifact.recipe.get("recipe")), None)


def rows(ladder: Sequence[RecipeTrial]) -> list[Row]:
    """A row for each recipe, numbered as in the chart."""
    return [
        {
            "No.": number,
            "Recipe": trial.recipe,
            "Passed": trial.passed,
            "Agreement": _percent(trial.agreement),
            "Top-1": _percent(trial.top1),
            "MB": None if trial.size_bytes is None else trial.size_bytes / MB,
            "Time against fp32": trial.time_ratio,
            "Reason": todays_words(trial.reason),
            "Description": trial.what,
        }
        for number, trial in enumerate(ladder, start=1)
    ]


@dataclass(frozen=True, slots=True)
class AxisSpec:
    """Axes of a chart of recipes."""

    x: Callable[[RecipeTrial], float | None]
    y: Callable[[RecipeTrial], float | None]
    x_title: str
    y_title: str
    limit: Callable[[RecipeTrial], float | None]  # the smallest y that passes
    edge: float | None = None  # an x worth a line


FAITHFUL = AxisSpec(
    x=lambda r: None if r.size_bytes is None else r.size_bytes / MB,
    y=lambda r: _percent(r.agreement),
    x_title="size in MB",
    y_title="agreement with checkpoint, %",
    limit=lambda _: 100 * MIN_AGREEMENT,
)
USEFUL = AxisSpec(
    x=lambda r: r.time_ratio,
    y=lambda r: _percent(r.top1),
    x_title="time, fp32 file = 1",
    y_title="top-1, %",
    limit=lambda r: None if r.top1_checkpoint is None else 100 * (r.top1_checkpoint - MAX_LOSS),
    edge=1.0,
)


def pareto(artifact: Artifact, look: AxisSpec = FAITHFUL) -> go.Figure:
    """A numbered point for each measured recipe, the front of those that no other beats in both, and the limit to pass.

    Up and to the left is better; what passed is filled, what was kept is larger.
    """
    points = [
        (n, r, x, y)
        for n, r in enumerate(artifact.recipe_trials, 1)
        for x, y in [(look.x(r), look.y(r))]
        if x and y is not None
    ]
    fig, color, taken = go.Figure(), format_color(artifact.format), kept(artifact)
    front = best_of_both([(x, y) for _, _, x, y in points])
    fig.add_scatter(
        x=[x for x, _ in front],
        y=[y for _, y in front],
        mode="lines",
        line={"color": OTHER_COLOR, "width": 1},
        hoverinfo="skip",
    )
    for number, trial, x, y in points:
        fig.add_scatter(
            x=[x],
            y=[y],
            mode="markers+text",
            text=[f"<b>{number}</b>" if trial is taken else str(number)],
            textposition="top center",
            name=in_chart(trial.recipe),
            marker={
                "size": 16 if trial is taken else 11,
                "color": color,
                "symbol": "circle" if trial.passed else "circle-open",
                "line": {"width": 2, "color": OTHER_COLOR if trial.passed else color},
            },
            hovertemplate=f"{number}. {in_chart(trial.recipe)}<br>{mb(trial.size_bytes)}, "
            f"agreement {percent(trial.agreement)}, top-1 {percent(trial.top1)}{_time(trial)}<extra></extra>",
        )
    return _framed(fig, look, points)


def _framed(fig: go.Figure, look: AxisSpec, points: Sequence[tuple[int, RecipeTrial, float, float]]) -> go.Figure:
    limits = [limit for _, trial, _, _ in points if (limit := look.limit(trial)) is not None]
    dotted = {"dash": "dot", "width": 1, "color": OTHER_COLOR}
    if limits:
        fig.add_hline(y=limits[0], line=dotted, annotation={"text": "needed", "font": {"size": 11}, "yanchor": "top"})
    xs, ys = [x for _, _, x, _ in points], [y for _, _, _, y in points] + limits[:1]
    if look.edge is not None and points:
        fig.add_vline(x=look.edge, line=dotted)
        xs.append(look.edge)
    fig.update_xaxes(title=look.x_title, range=_room(xs))
    fig.update_yaxes(title=look.y_title, range=_room(ys, above=0.25))
    return finish(fig, HEIGHT_PX)


def _room(values: Sequence[float], above: float = 0.1) -> list[float] | None:
    """A range with air around the values, more of it above, where the numbers stand."""
    if not values:
        return None
    low, high = min(values), max(values)
    width = max(high - low, abs(high) * 0.02, 1e-9)
    return [low - 0.1 * width, high + above * width]


def best_of_both(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The Pareto front, left to right: the points with no other at most as far right and at least as high."""
    front: list[tuple[float, float]] = []
    for x, y in sorted(set(points), key=lambda p: (p[0], -p[1])):
        if not front or y > front[-1][1]:
            front.append((x, y))
    return front


def _time(trial: RecipeTrial) -> str:
    return "" if trial.time_ratio is None else f", {trial.time_ratio:.2f} × the time of fp32"


def _percent(fraction: float | None) -> float | None:
    return None if fraction is None else 100 * fraction
