"""The image of the pipeline, deployment_pipeline_summary.png: measured values only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from udacisense.number_format import NOT_MEASURED
from udacisense.plain_text import one_line
from udacisense.records.store import replace_file
from udacisense.report.pipeline import PipelineStage, PipelineSummary
from udacisense.verdict_words import RULE, rule_title

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's palette, which colour-blind people can tell apart
_BLUE, _VERMILION, _GREEN, _GREY = "#0072B2", "#D55E00", "#009E73", "#999999"
_COLOURS = {"pass": _GREEN, "fail": _VERMILION, "unknown": _GREY}
_PANELS: tuple[tuple[str, str, str, Callable[[PipelineStage], float | None]], ...] = (
    ("Accuracy", "Top-1 accuracy (%)", "{:.1f} %", lambda s: s.top1_percent),
    ("Size", "File size (MB of 1,048,576 bytes)", "{:.2f} MB", lambda s: s.size_mb),
    ("Inference time", "Average time of one image (ms)", "{:.2f} ms", lambda s: s.mean_ms),
)


def draw_pipeline(pipeline: PipelineSummary, path: Path) -> Path:
    """Draw accuracy, size and time of each stage and the rules of the recommended file; returns the path.

    Raises:
        StoreError: the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure = Figure(figsize=(16, 12), layout=ConstrainedLayoutEngine(w_pad=0.3, h_pad=0.3))
    axes = figure.subplots(2, 2).flat
    for axis, panel in zip(axes, _PANELS, strict=False):
        _bars(axis, pipeline.stages, *panel)
    if pipeline.on_sample:
        figure.axes[0].set_ylabel("Top-1 accuracy on the rendered sample (%)")
    _rules(figure, figure.axes[3], pipeline)
    FigureCanvasAgg(figure)
    with replace_file(path) as part:
        figure.savefig(part, format="png", dpi=150)
    return path


def _bars(
    axis: Any,
    stages: tuple[PipelineStage, ...],
    title: str,
    label: str,
    words: str,
    value_of: Callable[[PipelineStage], float | None],
) -> None:
    values = [value_of(stage) for stage in stages]
    bars = axis.bar([stage.name.replace(" ", "\n") for stage in stages], [value or 0.0 for value in values], color=_BLUE)
    axis.bar_label(bars, [NOT_MEASURED if v is None else words.format(v) for v in values], padding=3, fontweight="bold")
    axis.set_title(f"{title} through the pipeline", fontsize=14, fontweight="bold")
    axis.set_ylabel(label)
    axis.margins(y=0.12)


def _rules(figure: Figure, axis: Any, pipeline: PipelineSummary) -> None:
    """One bar for each rule, coloured and named by its verdict."""
    judged = pipeline.readiness_of(pipeline.mobile)
    axis.set_title(f"Readiness of {pipeline.mobile.name}", fontsize=14, fontweight="bold")
    axis.set_axis_off()
    verdicts = judged.verdicts if judged else ()
    for row, verdict in enumerate(verdicts):
        colour, word = _COLOURS[verdict.status], RULE[verdict.status]
        axis.text(0.0, -row, word, color="white", backgroundcolor=colour, va="center", fontweight="bold")
        axis.text(0.2, -row, one_line(rule_title(verdict.title)), va="center", fontsize=12, parse_math=False)
    axis.set_xlim(0, 1)
    axis.set_ylim(-max(len(verdicts), 1), 1)
    if judged is None:
        axis.text(0.0, 0.0, NOT_MEASURED, va="center", fontsize=12)
    figure.suptitle(f"Baseline to mobile: {one_line(pipeline.mobile.subject.id)}", fontsize=16, parse_math=False)
