"""The canvas that the sample pack is drawn on: 100 x 100 units, and its colours."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

Colour = tuple[int, int, int]

SIZE_PX = 224
_OVERSAMPLE = 4
_UNIT = SIZE_PX * _OVERSAMPLE / 100

WOOD: tuple[Colour, ...] = ((139, 90, 43), (101, 67, 33), (181, 136, 99), (222, 184, 135), (92, 51, 23), (240, 236, 228))
CLOTH: tuple[Colour, ...] = ((160, 60, 50), (60, 90, 150), (90, 130, 90), (120, 110, 100), (200, 170, 120), (80, 60, 90))
PLASTIC: tuple[Colour, ...] = ((30, 30, 34), (225, 222, 212), (70, 72, 80), (190, 40, 40), (245, 245, 245), (40, 80, 120))
METAL: tuple[Colour, ...] = ((90, 90, 96), (180, 180, 186), (184, 150, 70), (40, 40, 44))
DARK: Colour = (34, 34, 38)
PALE: Colour = (248, 246, 240)


class Canvas:
    """A picture drawn in units of a hundredth of its side."""

    def __init__(self, image: Image.Image) -> None:
        self.image = image
        self.pen = ImageDraw.Draw(image)

    @classmethod
    def filled(cls, colour: Colour) -> Canvas:
        """A canvas of one colour."""
        return cls(Image.new("RGBA", (SIZE_PX * _OVERSAMPLE,) * 2, (*colour, 255)))

    @classmethod
    def empty(cls) -> Canvas:
        """A transparent canvas."""
        return cls(Image.new("RGBA", (SIZE_PX * _OVERSAMPLE,) * 2, (0, 0, 0, 0)))

    def box(
        self, x0: float, y0: float, x1: float, y1: float, fill: Colour, radius: float = 0, edge: Colour | None = None
    ) -> None:
        """A rectangle from corner to corner."""
        box = [x0 * _UNIT, y0 * _UNIT, x1 * _UNIT, y1 * _UNIT]
        self.pen.rounded_rectangle(box, radius * _UNIT, fill=fill, outline=edge, width=round(0.7 * _UNIT))

    def disc(self, x: float, y: float, rx: float, ry: float, fill: Colour) -> None:
        """An ellipse around a centre."""
        self.pen.ellipse([(x - rx) * _UNIT, (y - ry) * _UNIT, (x + rx) * _UNIT, (y + ry) * _UNIT], fill=fill)

    def shape(self, points: Sequence[tuple[float, float]], fill: Colour) -> None:
        """A polygon."""
        self.pen.polygon([(x * _UNIT, y * _UNIT) for x, y in points], fill=fill)

    def line(self, points: Sequence[tuple[float, float]], fill: Colour, width: float) -> None:
        """A line with round corners and ends."""
        self.pen.line([(x * _UNIT, y * _UNIT) for x, y in points], fill=fill, width=round(width * _UNIT), joint="curve")
        for x, y in points:
            self.disc(x, y, width / 2, width / 2, fill)

    def with_layer(self, layer: Canvas, tilt_degrees: float, scale: float, shift: tuple[float, float]) -> Canvas:
        """This canvas with another one turned, shrunk and placed on it, over its shadow."""
        side = self.image.width
        small = layer.image.resize((round(side * scale),) * 2, Image.Resampling.BOX)
        small = small.rotate(tilt_degrees, Image.Resampling.BICUBIC)
        corner = tuple(round((side - small.width) / 2 + s * _UNIT) for s in shift)
        shadow = Image.new("RGBA", small.size, (0, 0, 0, 0))
        shadow.paste((30, 25, 20, 60), mask=small.getchannel("A"))
        offset = round(1.6 * _UNIT)
        for image, by in ((shadow, offset), (small, 0)):
            full = Image.new("RGBA", self.image.size, (0, 0, 0, 0))
            full.paste(image, (corner[0] + by, corner[1] + by))
            self.image.alpha_composite(full)
        return self

    def shrunk(self) -> Image.Image:
        """The finished RGB picture."""
        return self.image.convert("RGB").resize((SIZE_PX, SIZE_PX), Image.Resampling.BOX)


def darker(colour: Colour, by: float = 0.75) -> Colour:
    """The colour in shade; `by` above 1 is lighter."""
    red, green, blue = (min(255, round(c * by)) for c in colour)
    return red, green, blue
