"""Contrast of the theme's colours by WCAG 2.2 AA: 4.5 to 1 for text (1.4.3), 3 to 1 for what is not text (1.4.11)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator

import pytest

from udacisense.settings import PROJECT

THEME = tomllib.loads((PROJECT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
HUES = ("red", "orange", "yellow", "green", "blue", "gray")
CAPTION_SHARE = 0.6  # Streamlit writes captions in the text's colour at this opacity
WHITE = "#ffffff"


def channels(color: str) -> tuple[float, float, float]:
    r, g, b = (int(color.lstrip("#")[i : i + 2], 16) / 255 for i in (0, 2, 4))
    return r, g, b


def luminance(rgb: tuple[float, float, float]) -> float:
    """Relative luminance as WCAG defines it, 0 black .. 1 white."""
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def over(top: str, ground: str, share: float) -> tuple[float, float, float]:
    r, g, b = (share * t + (1 - share) * u for t, u in zip(channels(top), channels(ground), strict=True))
    return r, g, b


def text_pairs(mode: str) -> Iterator[tuple[str, tuple[float, float, float], tuple[float, float, float]]]:
    theme, sidebar = THEME[mode], THEME[mode]["sidebar"]
    grounds = {
        "page": theme["backgroundColor"],
        "widget": theme["secondaryBackgroundColor"],
        "side": sidebar["backgroundColor"],
    }
    for name, ground in grounds.items():
        yield f"text on {name}", channels(theme["textColor"]), channels(ground)
        yield f"gray text on {name}", channels(theme["grayTextColor"]), channels(ground)
    page = theme["backgroundColor"]
    yield "caption", over(theme["textColor"], page, CAPTION_SHARE), channels(page)
    yield "link", channels(theme["linkColor"]), channels(page)
    yield "selected tab", channels(theme["primaryColor"]), channels(page)
    yield "label of a primary button", channels(theme["violetTextColor"]), channels(theme["primaryColor"])
    yield "code", channels(theme["codeTextColor"]), channels(theme["codeBackgroundColor"])
    yield "table header", channels(theme["dataframeHeaderTextColor"]), channels(theme["dataframeHeaderBackgroundColor"])
    for hue in HUES:
        yield f"{hue} badge", channels(theme[f"{hue}TextColor"]), channels(theme[f"{hue}BackgroundColor"])
        yield f"{hue} text", channels(theme[f"{hue}TextColor"]), channels(page)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_is_readable(mode: str) -> None:
    poor = {name: round(contrast(ink, ground), 2) for name, ink, ground in text_pairs(mode) if contrast(ink, ground) < 4.5}
    assert poor == {}


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_controls_and_charts_stand_out(mode: str) -> None:
    theme = THEME[mode]
    page = channels(theme["backgroundColor"])
    shown = {"tick of a checkbox": contrast(channels(WHITE), channels(theme["primaryColor"]))}
    shown |= {f"chart {color}": contrast(channels(color), page) for color in theme["chartCategoricalColors"][:3]}
    assert {name: round(ratio, 2) for name, ratio in shown.items() if ratio < 3.0} == {}


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_palettes_have_ten_colours(mode: str) -> None:
    """Streamlit reads ten of each; with fewer categorical ones Plotly refuses the list and falls back to its own colours."""
    assert len(THEME[mode]["chartSequentialColors"]) == 10
    assert len(THEME[mode]["chartCategoricalColors"]) == 10
