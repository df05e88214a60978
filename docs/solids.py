"""Clips of one's own, made here: turning solids, as COIL shows objects. python docs/solids.py data/raw/solids

Ten textured solids, ellipsoids and boxes by turns, each a folder of 72 pictures, 5 degrees apart, seen from above.
docs/extending.md has the settings that walk round the last one when only the other nine were trained on.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[np.float64]

ABOVE = np.radians(25)
"""How far above the horizon the camera stands."""
LIGHT = np.array([-0.4, 0.6, 0.7])


def write(folder: Path, objects: int = 10, views: int = 72, size: int = 64) -> None:
    """FOLDER/solid_N/view_NNN.png, in grey."""
    for number in range(objects):
        clip = folder / f"solid_{number}"
        clip.mkdir(parents=True, exist_ok=True)
        for index in range(views):
            picture = view(number, 2 * np.pi * index / views, size)
            Image.fromarray((255 * picture).round().astype(np.uint8)).save(clip / f"view_{index:03}.png")


def view(number: int, turned: float, size: int) -> Array:
    """One solid, turned about its vertical axis by an angle; (size, size), grey levels in [0, 1]."""
    rng = np.random.default_rng(number)
    half, waves, phases = rng.uniform(0.4, 0.62, 3), rng.normal(0, 4, (4, 3)), rng.uniform(0, 2 * np.pi, 4)
    place = 1 - (np.arange(2 * size) + 0.5) / size  # twice as fine, to be averaged at the edges
    rows, columns = np.meshgrid(place, -place, indexing="ij")
    to_solid = _about_y(turned) @ _about_x(ABOVE)
    start = np.stack([columns, rows, np.full_like(rows, 2.0)], -1) @ to_solid.T
    ray = to_solid @ np.array([0.0, 0.0, -1.0])
    hit, point, normal = (_box if number % 2 else _ellipsoid)(start, np.where(np.abs(ray) < 1e-9, 1e-9, ray), half)
    texture = np.sin(point @ waves.T + phases).mean(-1)
    light = (normal @ to_solid) @ (LIGHT / np.linalg.norm(LIGHT))
    fine = np.where(hit, (0.6 + 0.6 * texture) * (0.35 + 0.65 * light.clip(0)), 0).clip(0, 1)
    return fine.reshape(size, 2, size, 2).mean((1, 3))


def _ellipsoid(start: Array, ray: Array, half: Array) -> tuple[NDArray[np.bool_], Array, Array]:
    """Where parallel rays meet it, the points and the unit normals there."""
    a, b, c = (ray**2 / half**2).sum(), (start * ray / half**2).sum(-1), (start**2 / half**2).sum(-1) - 1
    root = b**2 - a * c
    point = start + ((-b - np.sqrt(root.clip(0))) / a)[..., None] * ray
    normal = point / half**2
    return root > 0, point, normal / np.linalg.norm(normal, axis=-1, keepdims=True)


def _box(start: Array, ray: Array, half: Array) -> tuple[NDArray[np.bool_], Array, Array]:
    """The same for a box: the last of the three near faces that a ray passes."""
    faces = np.sort(np.stack([(-half - start) / ray, (half - start) / ray]), 0)
    near = faces[0].max(-1)
    point = start + near[..., None] * ray
    normal = np.eye(3)[faces[0].argmax(-1)] * -np.sign(ray)
    return near < faces[1].min(-1), point, normal


def _about_x(angle: float) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def _about_y(angle: float) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


if __name__ == "__main__":
    write(Path(sys.argv[1]))
