"""Samples of two networks of disjoint halves from the same noise: how alike they are, and what they look like."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from pipeline.figures.style import figure
from pipeline.figures.videos import sheet_of

BLUE, ORANGE = "#0072B2", "#D55E00"
SHOWN = 3
"""Samples of each pair that fit below its histogram."""
ROWS = ("nearest to a", "a", "b", "nearest to b")


def twins_figure(
    table: pd.DataFrame, strips: Mapping[str, Float[Tensor, "four sample channel height width"]], title: str
) -> Figure:
    """A column per pair of networks, by rising numbers of training images: cosines above, samples below.

    Args:
        table: one row per pair and sample, for one beta: `denoiser`, `n`, `cosine_twins`, `cosine_own_a`,
            `cosine_own_b`; pairs without strips are not drawn.
        strips: by `denoiser`, the samples of a and b between the nearest images that a and b were trained on.
    """
    pairs = table[table["denoiser"].isin(list(strips))].drop_duplicates("denoiser").sort_values("n")
    drawn = figure(1.3 * len(pairs) + 0.8, 3.6)
    drawn.suptitle(title, fontsize=8)
    grid = drawn.subplots(2, len(pairs), squeeze=False, height_ratios=(1, 1.4))
    bins = np.linspace(-0.3, 1, 27)
    for (name, n), above, below in zip(pairs[["denoiser", "n"]].itertuples(index=False), *grid, strict=True):
        rows = table[table["denoiser"] == name]
        own = rows[["cosine_own_a", "cosine_own_b"]].to_numpy().flatten()
        for cosines, tint in ((own, ORANGE), (rows["cosine_twins"].to_numpy(), BLUE)):
            known = cosines[np.isfinite(cosines)]
            above.hist(known, bins, weights=np.full(len(known), 1 / len(known)), color=tint, alpha=0.6)
        above.set(xlim=(-0.3, 1.02), ylim=(0, 1), xticks=[0, 0.5, 1], xlabel="cosine")
        above.set_title(f"N = {n:,}", fontsize=8)
        sheet = sheet_of([strip[:SHOWN] for strip in strips[name]], min(SHOWN, strips[name].shape[1]))
        below.imshow(sheet, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        side = sheet.shape[0] / len(ROWS)
        below.set_yticks([(i + 0.5) * side - 0.5 for i in range(len(ROWS))], ROWS if below is grid[1, 0] else [])
        below.set_xticks([])
        below.tick_params(length=0, labelsize=7)
        below.spines[:].set_visible(False)
    for above in grid[0, 1:]:
        above.set_yticklabels([])
    grid[0, 0].set_ylabel("share of samples")
    handles = [grid[0, 0].fill_between([], [], color=tint, alpha=0.6) for tint in (BLUE, ORANGE)]
    words = ("samples of a and b", "a sample and the nearest image trained on")
    drawn.legend(handles, words, frameon=False, fontsize=7, ncols=2, loc="outside lower center")
    return drawn
