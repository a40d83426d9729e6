"""The only module that knows Mitsuba: a scene in, linear light out."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from household.compose import Scene
from household.denoise import denoise
from household.materials import Material, Part, linear

VARIANT = "scalar_rgb"
"""Needs no LLVM and compiles nothing for each scene; LLVM's variant took longer for one small picture of each scene."""
GUIDE_SAMPLES = 9
"""Samples a pixel for the surface colours, normals and depths that guide the filter."""


@cache
def mitsuba() -> Any:
    """Mitsuba with its variant set.

    One thread and a box filter, so that sums run in one order and a picture comes out the same bit for bit.
    """
    import drjit
    import mitsuba as mi

    mi.set_variant(VARIANT)
    drjit.set_thread_count(1)
    return mi


def use_threads(count: int) -> None:
    """Trace with this many threads from now on, to see whether it changes a picture."""
    import drjit

    mitsuba()
    drjit.set_thread_count(count)


def renderer() -> str:
    """Name, version and variant of the renderer, for the manifest."""
    mi = mitsuba()
    return f"mitsuba {mi.__version__} {mi.variant()}"


def trace(scene: Scene, size: int, samples: int, seed: int) -> NDArray[np.float32]:
    """Linear light (size, size, 3) of the scene, path-traced with this many samples a pixel, then filtered."""
    mi = mitsuba()
    content: dict[str, Any] = {
        "type": "scene",
        "integrator": {"type": "path", "max_depth": 5},
        "sensor": _sensor(mi, scene, size),
        "light": {
            "type": "envmap",
            "bitmap": mi.Bitmap(scene.light),
            "to_world": mi.ScalarTransform4f().rotate([1, 0, 0], 90),
        },
    }
    for number, part in enumerate(scene.parts):
        content[f"part{number}"] = _shape(mi, part, f"part{number}")
    loaded = mi.load_dict(content)
    light = _image(mi.render(loaded, spp=samples, seed=seed))
    guide = mi.load_dict({"type": "aov", "aovs": "albedo:albedo,normal:sh_normal,depth:depth"})
    layers = _image(mi.render(loaded, integrator=guide, spp=GUIDE_SAMPLES, seed=seed))
    albedo, normal, depth = np.split(layers, [3, 6], axis=2)
    return denoise(light, albedo, normal, depth)


def _image(rendered: Any) -> NDArray[np.float32]:
    return np.nan_to_num(np.asarray(rendered, dtype=np.float32))


def _sensor(mi: Any, scene: Scene, size: int) -> dict[str, Any]:
    camera = scene.camera
    return {
        "type": "perspective",
        "fov": camera.angle,
        "to_world": mi.ScalarTransform4f().look_at(list(camera.eye), list(camera.target), [0, 0, 1]),
        "film": {"type": "hdrfilm", "width": size, "height": size, "pixel_format": "rgb", "rfilter": {"type": "box"}},
        "sampler": {"type": "multijitter"},
    }


def _shape(mi: Any, part: Part, name: str) -> Any:
    properties = mi.Properties()
    properties["bsdf"] = mi.load_dict(_surface(mi, part.material))
    if part.material.emission:
        light = {"type": "area", "radiance": _colour(mi, part.material, part.material.emission)}
        properties["emitter"] = mi.load_dict(light)
    mesh = part.mesh
    shape = mi.Mesh(
        name, len(mesh.vertices), len(mesh.faces), props=properties, has_vertex_normals=True, has_vertex_texcoords=True
    )
    values = mi.traverse(shape)
    values["vertex_positions"] = np.ascontiguousarray(mesh.vertices, dtype=np.float32).ravel()
    values["vertex_normals"] = np.ascontiguousarray(mesh.normals, dtype=np.float32).ravel()
    values["vertex_texcoords"] = np.ascontiguousarray(mesh.uv / part.material.tile, dtype=np.float32).ravel()
    values["faces"] = np.ascontiguousarray(mesh.faces, dtype=np.uint32).ravel()
    values.update()
    return shape


def _surface(mi: Any, material: Material) -> dict[str, Any]:
    inner = {
        "type": "principled",
        "base_color": _colour(mi, material, 1.0),
        "roughness": material.roughness,
        "metallic": material.metallic,
        "specular": material.specular,
    }
    return {"type": "twosided", "bsdf": inner}


def _colour(mi: Any, material: Material, factor: float) -> dict[str, Any]:
    if material.texture is None:
        return {"type": "rgb", "value": (linear(np.array(material.colour)) * factor).tolist()}
    rows = linear(material.texture)[::-1] * factor  # Mitsuba's v runs down the picture
    light = np.ascontiguousarray(rows, dtype=np.float32)
    return {"type": "bitmap", "bitmap": mi.Bitmap(light), "raw": True, "wrap_mode": "repeat"}
