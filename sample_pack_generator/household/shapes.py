"""Curved and jointed shapes on top of the plain meshes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from household.geometry import ORIGIN, Floats, Mesh, Point, flat, join, sheet, smooth_normals


def rounded_box(
    width: float, depth: float, height: float, radius: float, at: Point = ORIGIN, bulge: float = 0.0, steps: int = 4
) -> Mesh:
    """A box with round edges; `bulge` (metres) puffs it out across its thinnest way, as a cushion."""
    half = np.array([width, depth, height]) / 2
    r = min(radius, *half)
    lines = [_edge_lines(h, r, steps, bulge > 0) for h in half]
    faces = [_round_face(half, r, lines, axis, sign) for axis in range(3) for sign in (-1.0, 1.0)]
    mesh = join(faces)
    if bulge > 0:
        points = _puff(mesh.vertices, half, bulge)
        mesh = Mesh(points, smooth_normals(points, mesh.faces), mesh.uv, mesh.faces)
    return mesh.at(at[0], at[1], at[2] + half[2])


def _edge_lines(half: float, radius: float, steps: int, fine: bool) -> Floats:
    arc = half - radius + radius * np.tan(np.linspace(0, np.pi / 4, steps + 1))
    inner = half - radius
    middle = np.linspace(-inner, inner, 9)[1:-1] if fine else np.array([0.0])
    return np.unique(np.round(np.concatenate([-arc, middle, arc]), 7))


def _round_face(half: Floats, radius: float, lines: list[Floats], axis: int, sign: float) -> Mesh:
    first, second = [k for k in range(3) if k != axis]
    a, b = np.meshgrid(lines[first], lines[second])
    points = np.zeros((*a.shape, 3))
    points[..., first], points[..., second], points[..., axis] = a, b, sign * half[axis]
    core = np.clip(points, -(half - radius), half - radius)
    outward = points - core
    outward /= np.linalg.norm(outward, axis=-1, keepdims=True) + 1e-12
    uv = np.stack([a + half[first], b + half[second]], -1)
    mesh = sheet(core + radius * outward, uv)
    flipped = mesh.normals.mean(axis=0)[axis] * sign < 0
    return Mesh(mesh.vertices, outward.reshape(-1, 3), mesh.uv, mesh.faces[:, ::-1] if flipped else mesh.faces)


def _puff(points: Floats, half: Floats, bulge: float) -> Floats:
    share = np.clip(points / half, -1, 1)
    drop = 1 - share**2
    grow = np.stack([drop[:, 1] * drop[:, 2], drop[:, 0] * drop[:, 2], drop[:, 0] * drop[:, 1]], -1)
    thin = np.where(np.arange(3) == np.argmin(half), 1.0, 0.15)
    return np.asarray(points + bulge * thin * grow * np.sign(share) * np.abs(share) ** 2)


def lathe(profile: Sequence[tuple[float, float]], segments: int = 40, smooth: bool = False) -> Mesh:
    """A profile of (radius, z) from bottom to top turned about z; `smooth` rounds the corners of the profile."""
    angles = np.linspace(0, 2 * np.pi, segments + 1)
    ring = np.stack([np.cos(angles), np.sin(angles)], -1)
    if smooth:
        return _revolve(np.array(profile, dtype=float), ring)
    pairs = itertools.pairwise(profile)
    return join(_revolve(np.array(pair, dtype=float), ring) for pair in pairs)


def _revolve(profile: Floats, ring: Floats) -> Mesh:
    radius, z = profile[:, 0][:, None], profile[:, 1][:, None]
    points = np.stack([radius * ring[:, 0], radius * ring[:, 1], np.broadcast_to(z, (len(profile), len(ring)))], -1)
    widest = max(float(profile[:, 0].max()), 1e-3)
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(profile, axis=0), axis=1))])
    around = np.linspace(0, 2 * np.pi * widest, len(ring))
    return sheet(points, np.stack(np.meshgrid(around, length), -1))


def cylinder(radius: float, height: float, at: Point = ORIGIN, top: float | None = None) -> Mesh:
    """A closed cylinder, or a cone's stump with another `top` radius."""
    upper = radius if top is None else top
    return lathe([(0, 0), (radius, 0), (upper, height), (0, height)]).at(*at)


def ball(radius: float, at: Point = ORIGIN, share: float = 1.0) -> Mesh:
    """A ball around `at`; `share` 0.5 is its upper half."""
    angles = np.linspace(np.pi / 2 - np.pi * share, np.pi / 2, 18)
    profile = [(radius * float(np.cos(a)), radius * float(np.sin(a))) for a in angles]
    return lathe(profile, smooth=True).at(*at)


def tube(path: Sequence[Point | Floats] | Floats, radius: float | Sequence[float], sides: int = 12) -> Mesh:
    """A round bar along a path, with closed ends; one radius, or one for each point."""
    points = np.asarray(path, dtype=float)
    radii = np.broadcast_to(np.asarray(radius, dtype=float), (len(points),))
    return _sweep(points, radii, sides, turn=0.0, smooth=True)


def beam(start: Point, end: Point, size: float, end_size: float | None = None) -> Mesh:
    """A square bar between two points, tapered to `end_size`."""
    radii = np.array([size, size if end_size is None else end_size]) / np.sqrt(2)
    return _sweep(np.array([start, end], dtype=float), radii, 4, turn=np.pi / 4, smooth=False)


def _frames(points: Floats) -> tuple[Floats, Floats]:
    tangents = np.gradient(points, axis=0)
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True) + 1e-12
    side = np.cross(tangents[0], [0.0, 1.0, 0.0])
    if np.linalg.norm(side) < 1e-6:
        side = np.array([1.0, 0.0, 0.0])
    sides, ups = [], []
    for tangent in tangents:
        side = side - tangent * (side @ tangent)
        side = side / (np.linalg.norm(side) + 1e-12)
        sides.append(side)
        ups.append(np.cross(tangent, side))
    return np.array(sides), np.array(ups)


def _sweep(points: Floats, radii: Floats, sides: int, turn: float, smooth: bool) -> Mesh:
    side, up = _frames(points)
    angles = np.linspace(0, 2 * np.pi, sides + 1) + turn
    ring = np.cos(angles)[None, :, None] * side[:, None] + np.sin(angles)[None, :, None] * up[:, None]
    grid = points[:, None] + radii[:, None, None] * ring
    wall = sheet(grid) if smooth else join(sheet(grid[:, k : k + 2]) for k in range(sides))
    return join([wall, _cap(grid[0], points[0], outward=False), _cap(grid[-1], points[-1], outward=True)])


def _cap(ring: Floats, centre: Floats, outward: bool) -> Mesh:
    following, previous = (ring[1:], ring[:-1]) if outward else (ring[:-1], ring[1:])
    return flat(np.stack([np.broadcast_to(centre, previous.shape), previous, following], 1))


def prism(outline: Sequence[tuple[float, float]] | Floats, thickness: float) -> Mesh:
    """A plate with an outline of (x, z), counter-clockwise seen from -y; its front at -thickness, its back at y = 0.

    The outline must be seen whole from its middle (the faces are fans around it).
    """
    points = np.asarray(outline, dtype=float)
    front = np.stack([points[:, 0], np.full(len(points), -thickness), points[:, 1]], -1)
    back = front * [1, 0, 1]
    middle, following = front.mean(axis=0), np.roll(front, -1, axis=0)
    fan = np.stack([np.broadcast_to(middle, front.shape), front, following], 1)
    uv = (fan[..., [0, 2]] - points.min(axis=0)).reshape(-1, 2)
    lid = flat(fan, uv)
    behind = flat(fan[:, ::-1] * [1, 0, 1], uv)
    walls = np.stack([front, back, np.roll(back, -1, axis=0), following], 1)
    rim = flat(np.concatenate([walls[:, [0, 1, 2]], walls[:, [0, 2, 3]]]))
    return join([lid, behind, rim])


def circle(radius: float, count: int = 48, start: float = 0.0) -> Floats:
    """Points (count, 2) of a regular polygon, counter-clockwise from `start` degrees."""
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False) + np.radians(start)
    return radius * np.stack([np.cos(angles), np.sin(angles)], -1)


def curve(*controls: Point, count: int = 16) -> Floats:
    """Points (count, 3) of the Bezier curve of these control points."""
    t = np.linspace(0, 1, count)[:, None]
    points = [np.broadcast_to(np.asarray(c, dtype=float), (count, 3)) for c in controls]
    while len(points) > 1:
        points = [(1 - t) * a + t * b for a, b in itertools.pairwise(points)]
    return points[0]


def both(mesh: Mesh) -> Mesh:
    """The mesh and its mirror image in x."""
    return join([mesh, mesh.scale(x=-1)])


def four(mesh: Mesh) -> Mesh:
    """The mesh and its mirror images in x and y: four legs out of one."""
    pair = both(mesh)
    return join([pair, pair.scale(y=-1)])
