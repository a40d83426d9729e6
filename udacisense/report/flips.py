"""Changed answers in a report beyond the record: top classes of both files, and the images that may be shown.

A report gets passed on. The rendered sample pack is the product's own, so its images are always shown; photographs of a data
source (CIFAR-100's carry no licence to pass them on) are put into the file only where the person who makes it asks for that.
"""

from __future__ import annotations

import io
from dataclasses import replace

from PIL import Image

from udacisense.data.sources import load_dataset
from udacisense.errors import DataError
from udacisense.report.artifact_evidence import ArtifactEvidence
from udacisense.report.equivalence import SHOWN
from udacisense.types import Pixels, Verification
from udacisense.verify import logits_of, top_classes

SIDE_PX = 96


def with_flips(evidence: ArtifactEvidence, images: bool = False) -> ArtifactEvidence:
    """The evidence with both files' top classes on the changed answers and their images, as far as these are here.

    Args:
        images: show images of any data source, not of the sample pack alone.
    """
    v = evidence.verification
    if v is None or not v.flips:
        return evidence
    raw = logits_of(v)
    shown = pngs(v) if images or v.data.source == "sample" else {}
    return replace(evidence, top_classes=top_classes(*raw, v.flips) if raw else {}, images=shown)


def pngs(v: Verification) -> dict[str, bytes]:
    """The first changed images as small PNGs, by id; none where the source is not here or not the same any more."""
    try:
        data = load_dataset(v.data.split, v.data.source, v.data.scheme, v.spec)
    except DataError:
        return {}
    wanted = {f.image for f in sorted(v.flips, key=lambda f: -f.margin)[:SHOWN]}
    found = zip(data.hashes, data.images, strict=True)
    return {name: png(pixels) for name, pixels in found if name in wanted}


def png(pixels: Pixels) -> bytes:
    """An image as PNG, at most SIDE_PX on its longer side."""
    image = Image.fromarray(pixels)
    image.thumbnail((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()
