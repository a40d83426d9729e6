"""Images of a source as blocks: where they are, how many of each class, what was not read, and what to mend."""

from __future__ import annotations

from collections.abc import Sequence

from udacisense.data.dataset import LeftOut
from udacisense.data.health import Health
from udacisense.data.sources import SourceInfo
from udacisense.number_format import commas, count
from udacisense.report.blocks import Block, Heading, Paragraph, Table, Warnings
from udacisense.types import DatasetRef


def image_blocks(about: SourceInfo, splits: Sequence[DatasetRef], health: Health) -> list[Block]:
    """A source, its parts class by class, and its health."""
    rows = [(name, *(count(health.counts[ref.split].get(name, 0)) for ref in splits)) for name in health.classes]
    rows.append(("all", *(count(ref.images) for ref in splits)))
    columns = ("class", *(f"{ref.split} ({ref.scheme})" for ref in splits))
    inside = f"The classes are in its folder {health.inside}." if health.inside else None
    texts = (f"{about.title}: {about.location}", inside, about.meaning, about.how_to_get_real)
    return [
        *(Paragraph(text) for text in texts if text),
        Heading(2, "Images"),
        Table(columns, tuple(rows)),
        *(Paragraph(f"{ref.split}: dataset {ref.dataset_id}") for ref in splits),
        *left_out_blocks(health.left_out),
        Warnings(tuple(finding.message for finding in health.findings)),
    ]


def left_out_blocks(found: Sequence[LeftOut]) -> list[Block]:
    """What was not read, by kind, with a few names; nothing where all was read."""
    if not found:
        return []
    rows = tuple((one.kind, count(one.files), few(one)) for one in found)
    return [Heading(2, "Not read"), Table(("why", "files", "which"), rows)]


def few(found: LeftOut) -> str:
    """The first names, and how many more there are."""
    more = found.files - len(found.first)
    return commas([*found.first, *([f"{more:,} more"] if more else [])])
