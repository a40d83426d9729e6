"""What a class module hands over: its parts, and how it wants to be seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from household.geometry import Floats, bounds
from household.materials import Colour, Part

Place = Literal["floor", "desk", "wall"]
Span = tuple[float, float]


@dataclass(frozen=True)
class Subject:
    """Parts around the origin: standing on z = 0 (floor, desk), or hung on the wall y = 0 around z = 0 (wall).

    Attributes:
        yaw: degrees to the left and right from which the camera may look.
        pitch: degrees above the horizon from which the camera may look.
        fill: share of the picture's edge that the subject's longer side takes; above 1 is a close-up.
        look_at: a point to keep in the middle instead of the subject's own middle.
        companions: parts that belong to the scene but do not count for the framing.
        dim: a factor on the light around, below 1 for an evening in which the subject itself shines.
    """

    parts: tuple[Part, ...]
    place: Place = "floor"
    yaw: Span = (-40.0, 40.0)
    pitch: Span = (8.0, 25.0)
    fill: Span = (0.78, 0.96)
    look_at: tuple[float, float, float] | None = None
    companions: tuple[Part, ...] = ()
    dim: float = 1.0

    def points(self) -> Floats:
        """All vertices (n, 3)."""
        return np.concatenate([part.mesh.vertices for part in self.parts])

    def colour(self) -> Colour:
        """The mean colour of its surfaces by area."""
        weights = np.array([part.mesh.area() for part in self.parts])
        r, g, b = np.average([part.material.mean() for part in self.parts], axis=0, weights=weights)
        return float(r), float(g), float(b)

    def bounds(self) -> tuple[Floats, Floats]:
        """The lowest and the highest corner."""
        return bounds(part.mesh for part in self.parts)
