"""Sheets of many small images: a class at a glance, or a numbered blind test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

GAP = 2


def sheet(images: Sequence[Image.Image], columns: int, edge: int, numbered_from: int | None = None) -> Image.Image:
    """The images in rows, each `edge` pixels, with a running number under each if asked."""
    foot = 0 if numbered_from is None else 13
    rows = -(-len(images) // columns)
    paper = Image.new("RGB", (columns * (edge + GAP), rows * (edge + GAP + foot)), "white")
    pen = ImageDraw.Draw(paper)
    for place, image in enumerate(images):
        x, y = place % columns * (edge + GAP), place // columns * (edge + GAP + foot)
        paper.paste(
            image.convert("RGB").resize((edge, edge), Image.Resampling.BOX if edge < 64 else Image.Resampling.LANCZOS), (x, y)
        )
        if numbered_from is not None:
            pen.text((x + 2, y + edge), str(numbered_from + place), fill="black", font=ImageFont.load_default(11))
    return paper


def class_sheet(pack: Path, class_name: str, edge: int = 96) -> Image.Image:
    """All images of a class, train first."""
    files = sorted(pack.glob(f"*/{class_name}/*.webp"), key=lambda path: path.name)
    return sheet([Image.open(path) for path in files], 10, edge)


def blind_test(pack: Path, out: Path, count: int, seed: int, edge: int = 112) -> None:
    """Writes numbered sheets of `count` images drawn from the pack, and the key apart from them."""
    files = sorted(pack.glob("*/*/*.webp"))
    order = np.random.default_rng(seed).permutation(len(files))[:count]
    chosen = [files[k] for k in order]
    out.mkdir(parents=True, exist_ok=True)
    for start in range(0, count, 50):
        images = [Image.open(path) for path in chosen[start : start + 50]]
        sheet(images, 10, edge, numbered_from=start + 1).save(out / f"blind_{start // 50 + 1}.png")
    key = "\n".join(f"{number + 1} {path.parent.name} {path.name}" for number, path in enumerate(chosen))
    (out / "key.txt").write_text(key + "\n", encoding="utf-8")
