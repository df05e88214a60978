"""Fig. 1: why to walk on the manifold. A: along a line and along the manifold; B: one walk around a circle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from manex.denoisers.mixture import DiracMixture
from manex.geometry.eigen import top_eigenspace
from manex.geometry.products import Jacobian
from manex.geometry.tangent import project
from pipeline.figures.style import figure

SIGMA = 0.16
"""Noise level of the plane's denoiser, in units of the circle's radius."""
STRIDE = 0.55
"""Length of a step along the tangent, in the same unit: long, so that it visibly leaves the circle."""
STEPS = 5
BLUE, GREEN, PURPLE = "#0072B2", "#009E73", "#AA4499"


@dataclass(frozen=True, eq=False)
class PlaneWalk:
    """Algorithm 1 in the plane.

    Attributes:
        stations: points after each correction, the two given ones first.
        predicted: where the step along the tangent ends, before the correction that leads to `stations[2:]`.
    """

    stations: Float[np.ndarray, "station 2"]
    predicted: Float[np.ndarray, "step 2"]


def circle_denoiser(points: int = 720) -> DiracMixture:
    """The exact denoiser of the unit circle: points of the plane as images of 1 x 2 pixels."""
    angle = torch.arange(points, dtype=torch.float64) * (2 * torch.pi / points)
    return DiracMixture(torch.stack([angle.cos(), angle.sin()], 1)[:, None, None])


def walk_the_circle(denoiser: DiracMixture, steps: int = STEPS) -> PlaneWalk:
    """Velocity, projection onto the top eigenvector of J_D, step, correction by the denoiser; `steps` times."""
    clean = denoiser.at(SIGMA)
    start = torch.tensor([0.0, STRIDE], dtype=torch.float64) + 0.35
    stations = [torch.stack([a.cos(), a.sin()])[None, None, None] for a in start]
    predicted = []
    for _ in range(steps):
        space = top_eigenspace(Jacobian(clean, stations[-1]), 1, "exact")
        tangent = project(space, stations[-1] - stations[-2])
        predicted.append(stations[-1] + STRIDE * tangent / tangent.norm())
        stations.append(clean(predicted[-1]))
    return PlaneWalk(*(torch.cat(points).reshape(-1, 2).numpy() for points in (stations, predicted)))


def walk_figure(given: Tensor, generated: Tensor, columns: int = 5) -> Figure:
    """Panel A of a digit's two given frames, and panel B.

    Args:
        given: the first two frames, (2, 1, height, width), grey levels.
        generated: what a walk on the manifold made of them, the given frames first.
    """
    drawn = figure(6.8, 2.6)
    left, right = drawn.subfigures(1, 2, squeeze=False, width_ratios=(3.9, 2.9))[0]
    left.suptitle("A  the same path length, along a line and along the manifold", fontsize=8, x=0.02, ha="left")
    right.suptitle("B  a step along the tangent, then back", fontsize=8, x=0.02, ha="left")
    velocity = given[1] - given[0]
    chosen = np.linspace(1, len(generated) // 3, columns).round().astype(int)
    travelled = (generated.diff(dim=0).flatten(1).norm(dim=1).cumsum(0) / velocity.norm()).numpy()
    rows = {
        "line": [given[0] + float(travelled[i - 1]) * velocity for i in chosen],
        "manifold": [generated[i] for i in chosen],
    }
    panels = left.subplots(2, columns, squeeze=False)
    for axes, (name, images) in zip(panels, rows.items(), strict=True):
        for axis, image, index in zip(axes, images, chosen, strict=True):
            # grey for [0, 1]; values outside are marked as in the paper: red above, blue below
            axis.imshow(signed(image[0].numpy()), interpolation="nearest")
            axis.set_xticks([])
            axis.set_yticks([])
            if name == "line":
                axis.set_title(f"{travelled[index - 1]:.0f} steps" if index > 1 else "1 step", fontsize=7)
        axes[0].set_ylabel(name)
    _draw_plane(right.subplots())
    return drawn


def signed(image: Float[np.ndarray, "height width"]) -> Float[np.ndarray, "height width 3"]:
    """Grey levels in [0, 1] as they are; brighter than white turns red, darker than black blue."""
    over, under = np.tanh(np.clip(image - 1, 0, None)), np.tanh(np.clip(-image, 0, None))
    grey = np.clip(image, 0, 1)
    return np.stack([grey, grey - over, grey - over + under], 2).clip(0, 1)


def _draw_plane(axes: Axes) -> None:
    denoiser = circle_denoiser()
    side = np.linspace(-1.55, 1.55, 156)
    grid = np.stack(np.meshgrid(side, side), 2).reshape(-1, 2)
    atoms = denoiser.atoms.flatten(1).numpy()
    gap = ((grid[:, None] - atoms) ** 2).sum(2)
    density = np.exp(-gap / (2 * SIGMA**2)).mean(1).reshape(len(side), -1)
    axes.imshow(density, extent=(side[0], side[-1]) * 2, origin="lower", cmap="Greys", vmax=density.max() * 2)
    walked = walk_the_circle(denoiser)
    for here, ahead, back in zip(walked.stations[1:-1], walked.predicted, walked.stations[2:], strict=True):
        _arrow(axes, here, ahead, GREEN)
        _arrow(axes, ahead, back, PURPLE)
    _arrow(axes, walked.stations[0], walked.stations[1], BLUE)
    given, made = walked.stations[:2], walked.stations[2:]
    axes.plot(*given.T, "s", color=BLUE, markersize=5, label="given")
    axes.plot(*walked.predicted.T, "^", color=GREEN, markersize=5, label="tangent step")
    axes.plot(*made.T, "o", color=PURPLE, markersize=5, label="corrected")
    axes.set_axis_off()
    axes.legend(loc="center", frameon=False, fontsize=7)


def _arrow(axes: Axes, start: Float[np.ndarray, " 2"], end: Float[np.ndarray, " 2"], tint: str) -> None:
    axes.annotate("", tuple(end), tuple(start), arrowprops={"arrowstyle": "->", "color": tint, "linewidth": 1.3})
