"""A pinhole camera that frames the subject by itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from household.draw import Draw
from household.geometry import Floats
from household.subject import Subject


@dataclass(frozen=True)
class Camera:
    """Where the camera is, what it looks at, and its angle of view in degrees (both ways, the picture is square)."""

    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    angle: float


def aim(d: Draw, subject: Subject) -> Camera:
    """A camera whose picture the subject fills as far as it asks for, a little off the middle."""
    yaw, pitch = d.uniform("yaw", *subject.yaw), d.uniform("pitch", *subject.pitch)
    angle, fill = d.uniform("angle", 24.0, 40.0), d.uniform("fill", *subject.fill)
    shift = np.array([d.uniform("shift_x", -1, 1), d.uniform("shift_y", -1, 1)]) * max(0.02, 0.9 * (1 - fill) / 2)
    points = subject.points()
    middle = (points.min(axis=0) + points.max(axis=0)) / 2 if subject.look_at is None else np.array(subject.look_at)
    back = direction(yaw, pitch)
    eye, target = _frame(points, middle, back, angle, fill, recentre=subject.look_at is None)
    _, right, up = _axes(-back)
    offset = 2 * np.tan(np.radians(angle / 2)) * float(np.linalg.norm(eye - target)) * (shift[0] * right + shift[1] * up)
    return Camera(_triple(eye - offset), _triple(target - offset), angle)


def direction(yaw: float, pitch: float) -> Floats:
    """The unit vector from the subject to a camera at this yaw (0 is straight in front, at -y) and pitch."""
    a, e = np.radians(yaw), np.radians(pitch)
    return np.array([np.sin(a) * np.cos(e), -np.cos(a) * np.cos(e), np.sin(e)])


def _axes(forward: Floats) -> tuple[Floats, Floats, Floats]:
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    return forward, right, np.cross(right, forward)


def project(points: Floats, eye: Floats, forward: Floats, angle: float) -> Floats:
    """Points (n, 3) in the picture: x to the right, y up, -0.5..0.5 within the frame; (n, 2)."""
    forward, right, up = _axes(forward)
    seen = points - eye
    depth = np.maximum(seen @ forward, 1e-3) * 2 * np.tan(np.radians(angle / 2))
    return np.stack([seen @ right / depth, seen @ up / depth], -1)


def _frame(points: Floats, target: Floats, back: Floats, angle: float, fill: float, recentre: bool) -> tuple[Floats, Floats]:
    distance = 3.0 * float(np.linalg.norm(points.max(axis=0) - points.min(axis=0)))
    _, right, up = _axes(-back)
    for _ in range(12):
        seen = project(points, target + back * distance, -back, angle)
        low, high = seen.min(axis=0), seen.max(axis=0)
        if recentre:
            middle = (low + high) / 2 * distance * 2 * np.tan(np.radians(angle / 2))
            target = target + middle[0] * right + middle[1] * up
        distance *= float(max(high - low)) / fill
    return target + back * distance, target


def _triple(vector: Floats) -> tuple[float, float, float]:
    x, y, z = (round(float(v), 5) for v in vector)
    return x, y, z
