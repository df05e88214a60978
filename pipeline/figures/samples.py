"""Samples of a denoiser's prior, a row per beta, each above the training frame nearest to it."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from pipeline.figures.videos import sheet_figure


def samples_figure(
    samples: Float[Tensor, "beta sample channel height width"],
    nearest: Float[Tensor, "beta sample channel height width"],
    betas: Sequence[float],
    title: str,
) -> Figure:
    """Two rows per beta: samples, and training frames."""
    rows: dict[str, Tensor] = {}
    for beta, drawn, near in zip(betas, samples, nearest, strict=True):
        rows |= {f"beta {beta:g}": drawn, f"nearest to beta {beta:g}": near}
    return sheet_figure(rows, samples.shape[1], title)
