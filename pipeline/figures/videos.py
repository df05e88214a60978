"""Fig. 2: the true video above what each method makes of its first two frames."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from pipeline.figures.style import figure, readable

Video = Float[Tensor, "frame channel height width"]
Image = Float[np.ndarray, "height width channel"]

GROUND = 0.4
"""Grey level between frames."""


def videos_figure(truth: Video, generated: Mapping[str, Video], columns: int = 12, title: str = "") -> Figure:
    """One row for the truth and one per method; `columns` frames, evenly spaced from first to last.

    Args:
        truth: grey levels in [0, 1].
        generated: the same by method, each of any length.
        title: such as the name of the clip.
    """
    return sheet_figure({"truth": truth, **generated}, min(columns, len(truth)), title)


def sheet_figure(rows: Mapping[str, Video], columns: int, title: str = "") -> Figure:
    """Rows of frames with their names, `columns` of each, evenly spaced from first to last."""
    sheet = sheet_of(list(rows.values()), columns)
    side = sheet.shape[0] / len(rows)
    drawn = figure(7.2, 5.7 * sheet.shape[0] / sheet.shape[1] + 0.1)
    axes = drawn.subplots()
    axes.imshow(sheet, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set_yticks([(i + 0.5) * side - 0.5 for i in range(len(rows))], [readable(name) for name in rows])
    axes.set_xticks([])
    axes.set_anchor("E")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if title:
        axes.set_title(title)
    return drawn


def sheet_of(videos: list[Video], columns: int, border: int = 1) -> Image:
    """One row per video, `columns` frames of each, evenly spaced from first to last, with a border round each frame."""
    rows = []
    for video in videos:
        frames = video[sampled(len(video), columns)].permute(0, 2, 3, 1).numpy()
        edge = (border, border)
        framed = np.pad(frames, ((0, 0), edge, edge, (0, 0)), constant_values=GROUND)
        rows.append(np.concatenate(list(framed), axis=1))
    return np.concatenate(rows)


def sampled(length: int, count: int) -> list[int]:
    """`count` frame numbers, evenly spaced from the first to the last."""
    return [int(i) for i in np.linspace(0, length - 1, count).round()]
