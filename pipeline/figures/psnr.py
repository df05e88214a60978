"""How far each denoiser converged: PSNR on held-out and on training frames, side by side."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from pipeline.figures.style import figure, panels, readable

_LINES = {
    "psnr_held_out_15": ("held out, 15/255", "#56B4E9", "-"),
    "psnr_held_out_25": ("held out, 25/255", "#0072B2", "-"),
    "psnr_held_out_50": ("held out, 50/255", "#000000", "-"),
    "psnr_train_25": ("training frames, 25/255", "#D55E00", "--"),
}


def denoising_history(history: pd.DataFrame) -> bool:
    """Whether a training's history is that of a denoiser."""
    return any(column in history for column in _LINES)


def psnr_figure(histories: Mapping[str, pd.DataFrame]) -> Figure:
    """One panel per training; `histories` has columns `step` and `psnr_*`. Those of held-out frames may be missing."""
    columns = min(3, len(histories))
    rows = -(-len(histories) // columns)
    drawn = figure(max(3.6, 2.6 * columns), 2.4 * rows)
    places = panels(drawn, len(histories), columns)
    for axes, (name, history) in zip(places, histories.items(), strict=True):
        for column, (label, tint, dash) in _LINES.items():
            if column not in history:
                continue
            axes.plot(history["step"], history[column], dash, color=tint, label=label, linewidth=1.2)
        axes.set_title(readable(name), fontsize=8)
        axes.set_xlabel("step")
    places[0].set_ylabel("PSNR, dB")
    places[-1].legend(frameon=False, fontsize=6)
    return drawn
