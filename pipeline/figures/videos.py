"""Fig. 2: the true video above what each method makes of its first two frames."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from pipeline.figures.style import figure


def videos_figure(truth: Tensor, generated: Mapping[str, Tensor], columns: int = 12) -> Figure:
    """One row for the truth and one a method; `columns` frames, evenly spaced from first to last.

    Args:
        truth: (frame, channel, height, width), grey levels in [0, 1].
        generated: the same by method, each of any length.
    """
    rows = {"truth": truth, **generated}
    drawn = figure(0.5 * columns + 1, 0.5 * len(rows) + 0.2)
    axes = drawn.subplots(len(rows), 1)
    for axis, (name, video) in zip(axes, rows.items(), strict=True):
        chosen = np.linspace(0, len(video) - 1, columns).round().astype(int)
        strip = np.concatenate([_framed(video[i]) for i in chosen], axis=1)
        axis.imshow(strip, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axis.set_axis_off()
        axis.text(-3, strip.shape[0] / 2, name.replace("_", " "), ha="right", va="center")
    return drawn


def _framed(frame: Tensor) -> np.ndarray:
    image = frame.permute(1, 2, 0).numpy()
    return np.pad(image, ((1, 1), (1, 1), (0, 0)), constant_values=0.4)
