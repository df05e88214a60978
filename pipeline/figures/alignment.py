"""Fig. 4: how two videos are aligned, and how far apart the aligned frames are."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from manex.metrics.dtw import aligned_distances, dtw_scores, unwarped_distances
from pipeline.figures.style import figure

EXACT, GREEDY = "#D55E00", "#56B4E9"


def alignment_figure(distances: Float[np.ndarray, "truth generated"], title: str) -> Figure:
    """Distance matrix with both paths; the exact path frame by frame; distances after and without alignment.

    Args:
        distances: 1 - SSIM of every truth frame to every generated frame.
        title: the dataset and the method.
    """
    scores = dtw_scores(distances[None], paths=True)
    assert scores.exact_paths is not None
    assert scores.greedy_paths is not None
    exact, greedy = scores.exact_paths[0], scores.greedy_paths[0]
    drawn = figure(6.8, 2.5)
    drawn.suptitle(title, fontsize=8)
    matrix, matches, curve = drawn.subplots(1, 3, width_ratios=(1.1, 1, 1.2))
    image = matrix.imshow(distances, cmap="viridis", vmin=0, aspect="auto", interpolation="nearest")
    matrix.plot(greedy[:, 1], greedy[:, 0], "--", color="white", linewidth=1.4, label="greedy")
    matrix.plot(exact[:, 1], exact[:, 0], color=EXACT, linewidth=1.6, label="exact")
    matrix.legend(fontsize=6, loc="upper right", framealpha=0.8, facecolor="#888888")
    matrix.set(xlabel="generated frame", ylabel="truth frame")
    drawn.colorbar(image, ax=matrix, label="1 - SSIM")
    _matches(matches, exact)
    for path, name, tint, dash in ((exact, "exact", EXACT, "-"), (greedy, "greedy", GREEDY, "--")):
        curve.plot(aligned_distances(distances, path), dash, color=tint, label=name, linewidth=1.3)
    curve.plot(unwarped_distances(distances), ":", color="black", label="no warp", linewidth=1.1)
    curve.set(xlabel="truth frame", ylabel="1 - SSIM", ylim=(0, None))
    curve.legend(frameon=False, fontsize=6)
    return drawn


def _matches(axes: Axes, path: Int[np.ndarray, "_length 2"]) -> None:
    """The pairs of the exact path, the two videos as two rows of dots."""
    truth, generated = path.T
    axes.plot(np.stack([truth, generated]), np.array([[1], [0]]).repeat(len(path), 1), color="#999999", linewidth=0.5)
    axes.plot(np.unique(truth), np.ones(truth.max() + 1), ".", color="#0072B2", markersize=3)
    axes.plot(np.unique(generated), np.zeros(generated.max() + 1), ".", color="#009E73", markersize=3)
    axes.set_yticks([0, 1], ["generated", "truth"])
    axes.set_xlabel("frame")
    axes.spines["left"].set_visible(False)
    axes.set_ylim(-0.2, 1.2)
