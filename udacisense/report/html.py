"""Blocks as one HTML page: no script, no other file, readable in light and dark, on paper and on a phone."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape as html_escape

from udacisense.plain_text import one_line
from udacisense.report.blocks import Block, Bullets, Gallery, Heading, Paragraph, Table, Warnings

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""The page asks for nothing: its images and its style are in it, and whatever a text might smuggle in stays still."""

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.2; margin: 2em 0 .5em; } h1 { margin-top: 0; }
.wide { overflow-x: auto; margin: 1rem 0; }
.gallery { display: flex; flex-wrap: wrap; gap: .8rem; } figure { margin: 0; width: 8rem; }
figure img { width: 6rem; height: 6rem; object-fit: contain; image-rendering: pixelated; } figcaption { font-size: .85em; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #8884; }
@media print { body { font-size: 11px; margin: 0; } h2 { break-after: avoid; } tr { break-inside: avoid; } }
"""


def to_html(blocks: Sequence[Block]) -> str:
    """The text of an HTML file; every figure and name in it is escaped."""
    title = next((block.text for block in blocks if isinstance(block, Heading)), "UdaciSense")
    body = "\n".join(_block(block) for block in blocks)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _block(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"<h{level}>{escape(text)}</h{level}>"
        case Paragraph(text):
            return f"<p>{escape(text)}</p>"
        case Bullets(items) | Warnings(items):
            return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"
        case Table(columns, rows):
            head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
            lines = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
            return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>'
        case Gallery(images):
            return '<div class="gallery">' + "".join(_figure(p.png, p.caption) for p in images) + "</div>"


def _figure(png: bytes, caption: str) -> str:
    source = f"data:image/png;base64,{b64encode(png).decode()}"
    return f'<figure><img src="{source}" alt="{escape(caption)}"><figcaption>{escape(caption)}</figcaption></figure>'


def escape(text: str) -> str:
    """The text with all that a browser would read as markup made plain, in one line."""
    return html_escape(one_line(text))
