"""A walking figure drawn by us: real occlusion and articulation, and yet every frame's phase is known.

Seen from the side, walking to the right on the spot, as a crop that follows a person shows it. Limbs are capsules,
painted from far to near: the far arm and leg vanish behind the body, and are darker than the near ones, so that half a
period later is another image and the latent is one circle.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from manex.datasets.base import Latent
from manex.datasets.videos import LatentVideos

Array = NDArray[np.float64]

FAR, BODY, NEAR = 0.4, 0.7, 1.0
"""Grey levels of the far limbs, of torso and head, of the near limbs."""
LAG = 0.6
"""Lag of the arms behind the legs, in radians, so that the figure never comes to rest."""


class Walker(Latent):
    """An articulated figure, drawn; the latent is the phase of its gait, a circle.

    Example:
        >>> from manex import Walker
        >>> Walker(gait="held_out").people
        10
    """

    people: int = Field(10, ge=1, le=1000, description="bodies, one per video")
    size: int = Field(32, ge=16, le=512, description="side of a frame in pixels")
    gait: Literal["training", "held_out"] = Field("training", description="held_out: a run, which no walk contains")


@dataclass(frozen=True)
class Gait:
    """How all people walk; angles in radians.

    Attributes:
        stride: largest angle of the thigh from the vertical.
        lift: largest bend of the knee, while the leg swings forward.
        swing: largest angle of the upper arm.
        lean: of the torso, forward.
        bob: rise and fall of the hip, in units of the figure's height.
    """

    stride: float
    lift: float
    swing: float
    lean: float
    bob: float


GAITS = {
    "training": Gait(stride=0.5, lift=1.1, swing=0.55, lean=0.06, bob=0.012),
    "held_out": Gait(stride=0.75, lift=1.7, swing=0.9, lean=0.2, bob=0.03),
}
"""A walk, and a run, which no denoiser of the walk has seen."""


@dataclass(frozen=True)
class Body:
    """One person; lengths in units of the figure's height, `height` in units of the frame's."""

    height: float
    leg: float
    torso: float
    arm: float
    thickness: float
    girth: float
    head: float


def walker(cfg: Walker, raw: None = None) -> LatentVideos:
    """`cfg.people` walkers through one period of their gait in `cfg.frames` equal steps of phase.

    Example:
        >>> from manex import Walker, walker
        >>> walker(Walker(people=2, frames=8, dense=20, size=16)).videos.shape
        (2, 8, 1, 16, 16)
    """

    def circle(samples: int) -> Array:
        return np.arange(samples, dtype=np.float64) * 360 / samples

    gait, people = GAITS[cfg.gait], bodies(cfg.people)
    return LatentVideos(
        videos=np.stack([draw(body, gait, circle(cfg.frames), cfg.size) for body in people]),
        coordinates=circle(cfg.frames),
        dense=np.stack([draw(body, gait, circle(cfg.dense), cfg.size) for body in people]),
        dense_coordinates=circle(cfg.dense),
        unit="degrees",
        period=360.0,
    )


def bodies(people: int) -> list[Body]:
    """Different people, always the same ones: the first three of ten are the first three of a hundred."""
    ranges = {
        "height": (0.80, 0.92),
        "leg": (0.42, 0.52),
        "torso": (0.22, 0.28),
        "arm": (0.28, 0.40),
        "thickness": (0.024, 0.046),
        "girth": (0.045, 0.085),
        "head": (0.05, 0.075),
    }
    low, high = np.array(list(ranges.values())).T
    rows = [low + (high - low) * np.random.default_rng(person).random(len(ranges)) for person in range(people)]
    return [Body(**dict(zip(ranges, map(float, row), strict=True))) for row in rows]


def draw(body: Body, gait: Gait, degrees: Array, size: int) -> NDArray[np.float32]:
    """A body at each phase.

    Args:
        degrees: (frame,) phase of the near leg, which is foremost at 90.

    Returns:
        (frame, 1, size, size), grey levels in [0, 1]; edges are smoothed over one pixel.
    """
    centres = (np.arange(size) + 0.5) / size
    x, y = np.meshgrid(centres - 0.5, 0.95 - centres)  # y upwards from the ground
    image = np.zeros((len(degrees), size, size))
    for start, end, radius, grey in limbs(body, gait, np.radians(degrees)):
        covered = np.clip(0.5 + size * (radius - _distance(x, y, start, end)), 0, 1)
        image += covered * (grey - image)
    return image[:, None].astype(np.float32)


Limb = tuple[Array, Array, float, float]


def limbs(body: Body, gait: Gait, phase: Array) -> Iterator[Limb]:
    """The capsules of a figure from far to near: (frame, 2) ends, radius, grey level; in units of the frame's side.

    Thighs swing as the sine of the phase, the knee bends while the thigh comes forward, arms swing against the legs,
    and the hip is highest when the legs pass each other.
    """
    h = body.height
    foot = 0.16 * body.leg
    hip = np.stack([np.zeros_like(phase), h * (body.leg + foot / 4 + gait.bob * (np.cos(2 * phase) - 1))], 1)
    neck = hip + h * body.torso * _towards(np.pi - np.full_like(phase, gait.lean))
    skull = neck + h * (0.8 * body.girth + body.head) * _towards(np.pi - np.full_like(phase, gait.lean))

    def leg(phase: Array, grey: float) -> Iterator[Limb]:
        thigh = gait.stride * np.sin(phase) + 0.1
        knee_bend = gait.lift * np.exp(2 * (np.cos(phase + 0.35) - 1)) + 0.08
        knee = hip + h * body.leg / 2 * _towards(thigh)
        ankle = knee + h * body.leg / 2 * _towards(thigh - knee_bend)
        toe = ankle + h * foot * _towards(thigh - knee_bend + 1.45)
        yield ankle, toe, 0.7 * h * body.thickness, grey
        yield knee, ankle, 0.85 * h * body.thickness, grey
        yield hip, knee, 1.15 * h * body.thickness, grey

    def arm(phase: Array, grey: float) -> Iterator[Limb]:
        upper = gait.swing * np.sin(phase)
        shoulder = neck - h * 0.04 * _towards(np.pi - np.full_like(phase, gait.lean))
        elbow = shoulder + h * body.arm / 2 * _towards(upper)
        wrist = elbow + h * body.arm / 2 * _towards(upper + 0.35 + 0.25 * np.sin(phase))
        yield elbow, wrist, 0.75 * h * body.thickness, grey
        yield shoulder, elbow, 0.9 * h * body.thickness, grey

    yield from arm(phase - LAG, FAR)  # against the far leg, with the near one
    yield from leg(phase + np.pi, FAR)
    yield hip, neck, h * body.girth, BODY
    yield skull, skull, h * body.head, BODY
    yield from leg(phase, NEAR)
    yield from arm(phase + np.pi - LAG, NEAR)


def _towards(angle: Array) -> Array:
    """Unit vectors, (frame, 2): angle 0 points down, pi / 2 forward (right)."""
    return np.stack([np.sin(angle), -np.cos(angle)], -1)


def _distance(x: Array, y: Array, start: Array, end: Array) -> Array:
    """(frame, height, width): from every pixel to the segment from `start` to `end`."""
    along = end - start
    length = np.maximum((along**2).sum(1), 1e-12)[:, None, None]  # a point is a segment without length
    dx, dy = (along[:, i, None, None] for i in (0, 1))
    px, py = x - start[:, 0, None, None], y - start[:, 1, None, None]
    share = np.clip((px * dx + py * dy) / length, 0, 1)
    distance: Array = np.hypot(px - share * dx, py - share * dy)
    return distance
