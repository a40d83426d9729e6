"""Triangle meshes in plain NumPy. Metres, z up, a subject's front faces -y; every upright shape stands on its bottom.

Texture coordinates are metres too (a material divides them by its tile), but for decals, where they run from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Axis = Literal["x", "y", "z"]
Point = Sequence[float]
ORIGIN = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Mesh:
    """vertices (n, 3), normals (n, 3), uv (n, 2), faces (m, 3)."""

    vertices: Floats
    normals: Floats
    uv: Floats
    faces: NDArray[np.int64]

    def at(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Mesh:
        """The mesh moved."""
        return Mesh(self.vertices + np.array([x, y, z]), self.normals, self.uv, self.faces)

    def turn(self, axis: Axis, degrees: float) -> Mesh:
        """The mesh turned about an axis through the origin, counter-clockwise seen from the axis's tip."""
        matrix = rotation(axis, degrees)
        return Mesh(self.vertices @ matrix.T, self.normals @ matrix.T, self.uv, self.faces)

    def scale(self, x: float = 1.0, y: float = 1.0, z: float = 1.0) -> Mesh:
        """The mesh stretched about the origin; a negative factor mirrors it."""
        factors = np.array([x, y, z])
        normals = self.normals / factors
        normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-12
        faces = self.faces[:, ::-1] if np.prod(factors) < 0 else self.faces
        return Mesh(self.vertices * factors, normals, self.uv, faces)

    def area(self) -> float:
        """The area of all faces in square metres."""
        a, b, c = (self.vertices[self.faces[:, k]] for k in range(3))
        return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


def rotation(axis: Axis, degrees: float) -> Floats:
    """The 3x3 matrix of a turn about x, y or z."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    rows = {
        "x": [[1, 0, 0], [0, c, -s], [0, s, c]],
        "y": [[c, 0, s], [0, 1, 0], [-s, 0, c]],
        "z": [[c, -s, 0], [s, c, 0], [0, 0, 1]],
    }
    return np.array(rows[axis], dtype=float)


def join(meshes: Iterable[Mesh]) -> Mesh:
    """One mesh out of many."""
    parts = list(meshes)
    starts = np.cumsum([0] + [len(m.vertices) for m in parts])
    return Mesh(
        np.concatenate([m.vertices for m in parts]),
        np.concatenate([m.normals for m in parts]),
        np.concatenate([m.uv for m in parts]),
        np.concatenate([m.faces + start for m, start in zip(parts, starts, strict=False)]),
    )


def flat(triangles: ArrayLike, uv: ArrayLike | None = None) -> Mesh:
    """Triangles (m, 3, 3) with a normal each, seen as facets."""
    points = np.asarray(triangles, dtype=float)
    normals = np.cross(points[:, 1] - points[:, 0], points[:, 2] - points[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-12
    corners = np.zeros((len(points) * 3, 2)) if uv is None else np.asarray(uv, dtype=float).reshape(-1, 2)
    faces = np.arange(len(points) * 3).reshape(-1, 3)
    return Mesh(points.reshape(-1, 3), np.repeat(normals, 3, axis=0), corners, faces)


def quad(corners: ArrayLike, uv: ArrayLike) -> Mesh:
    """Four corners, counter-clockwise seen from the front."""
    c, t = np.asarray(corners, dtype=float), np.asarray(uv, dtype=float)
    order = [0, 1, 2, 0, 2, 3]
    return flat(c[order].reshape(2, 3, 3), t[order])


def sheet(points: ArrayLike, uv: ArrayLike | None = None) -> Mesh:
    """A smooth surface through a grid of points (rows, columns, 3)."""
    grid = np.asarray(points, dtype=float)
    rows, columns = grid.shape[:2]
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    faces = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])
    flat_points = grid.reshape(-1, 3)
    texture = _grid_lengths(grid) if uv is None else np.asarray(uv, dtype=float)
    return Mesh(flat_points, smooth_normals(flat_points, faces), texture.reshape(-1, 2), faces)


def _grid_lengths(grid: Floats) -> Floats:
    along = np.linalg.norm(np.diff(grid, axis=1), axis=2).mean(axis=0)
    across = np.linalg.norm(np.diff(grid, axis=0), axis=2).mean(axis=1)
    u, v = np.concatenate([[0.0], np.cumsum(along)]), np.concatenate([[0.0], np.cumsum(across)])
    return np.stack(np.meshgrid(u, v), -1)


def smooth_normals(vertices: Floats, faces: NDArray[np.int64]) -> Floats:
    """Normals averaged by area over all faces that meet in a place, whatever vertex they use there."""
    _, weld = np.unique(np.round(vertices, 6), axis=0, return_inverse=True)
    weld = weld.reshape(-1)
    corners = vertices[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    total = np.zeros((weld.max() + 1, 3))
    for k in range(3):
        np.add.at(total, weld[faces[:, k]], normals)
    total /= np.linalg.norm(total, axis=1, keepdims=True) + 1e-12
    return total[weld]


def box(width: float, depth: float, height: float, at: Point = ORIGIN) -> Mesh:
    """A box whose texture runs along its longest edge; `at` is the middle of the bottom face."""
    half = np.array([width, depth, height]) / 2
    longest = int(np.argmax(half))
    sides = []
    for axis in range(3):
        first, second = [k for k in range(3) if k != axis]
        if second == longest:
            first, second = second, first
        for sign in (-1.0, 1.0):
            sides.append(_box_side(half, axis, sign, first, second))
    return join(sides).at(at[0], at[1], at[2] + half[2])


def _box_side(half: Floats, axis: int, sign: float, first: int, second: int) -> Mesh:
    corners = np.zeros((4, 3))
    corners[:, axis] = sign * half[axis]
    corners[:, first] = np.array([-1, 1, 1, -1]) * half[first]
    corners[:, second] = np.array([-1, -1, 1, 1]) * half[second]
    normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
    ordered = corners if normal[axis] * sign > 0 else corners[::-1]
    return quad(ordered, ordered[:, [first, second]] + half[[first, second]])


def decal(width: float, height: float) -> Mesh:
    """A picture that faces -y, centred on the origin, its texture running from 0 to 1."""
    w, h = width / 2, height / 2
    return quad([[-w, 0, -h], [w, 0, -h], [w, 0, h], [-w, 0, h]], [[0, 0], [1, 0], [1, 1], [0, 1]])


def bounds(meshes: Iterable[Mesh]) -> tuple[Floats, Floats]:
    """The lowest and the highest corner over all meshes."""
    points = np.concatenate([m.vertices for m in meshes])
    return points.min(axis=0), points.max(axis=0)
