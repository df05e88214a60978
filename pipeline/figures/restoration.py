"""One image drawn again from several measurements: strips from the truth to the mean of samples."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from pipeline.figures.videos import sheet_figure


def restoration_figure(
    strips: Float[Tensor, "task column channel height width"], tasks: Sequence[str], title: str
) -> Figure:
    """A row per task: the truth, what is measured, the best affine estimator, samples, and their mean."""
    columns = strips.shape[1]
    drawn = sheet_figure(dict(zip(tasks, strips, strict=True)), columns, title)
    (axes,) = drawn.axes
    names = ["truth", "measured", "affine", *(f"sample {k}" for k in range(1, columns - 3)), "mean"]
    side = strips.shape[-1] + 2
    axes.set_xticks([(i + 0.5) * side - 0.5 for i in range(columns)], names, fontsize=7)
    return drawn
