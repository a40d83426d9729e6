"""Records in, a document out: Markdown, self-contained HTML, and the image of the pipeline; no measuring, no judging."""

from udacisense.report.artifact_evidence import ArtifactEvidence, collect
from udacisense.report.flips import with_flips
from udacisense.report.history_image import draw_pipeline
from udacisense.report.html import to_html
from udacisense.report.markdown import to_markdown
from udacisense.report.pipeline import PipelineStage, PipelineSummary
from udacisense.report.sections import report_blocks

__all__ = [
    "ArtifactEvidence",
    "PipelineStage",
    "PipelineSummary",
    "collect",
    "draw_pipeline",
    "html_report",
    "markdown_report",
    "report_blocks",
    "to_html",
    "to_markdown",
    "with_flips",
]


def markdown_report(collected: tuple[ArtifactEvidence, ...]) -> str:
    """The report on these artifacts as Markdown."""
    return to_markdown(report_blocks(collected))


def html_report(collected: tuple[ArtifactEvidence, ...]) -> str:
    """The report on these artifacts as one HTML page that needs no other file."""
    return to_html(report_blocks(collected))
