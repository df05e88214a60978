"""PSNR of what a denoiser makes of noise, against that of the noise: from memorisation to generalisation."""

from __future__ import annotations

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from pipeline.figures.style import figure, readable

SPLITS = {"held_out": ("-", "images never seen"), "train": ("--", "images trained on")}


def curve_figure(table: pd.DataFrame, title: str) -> Figure:
    """A line per number of training images, of its first denoiser, or per denoiser if all have the same number.

    Args:
        table: one row per denoiser, split and noise level: `denoiser`, `n`, `split`, `psnr_in`, `psnr`.
    """
    drawn = figure(4.6, 3.2)
    axes = drawn.subplots()
    every = table.drop_duplicates("denoiser")
    by_n = len(set(every["n"])) > 1
    ordered = every.drop_duplicates("n").sort_values("n") if by_n else every
    shades = mpl.colormaps["viridis"].resampled(len(ordered) + 1)  # the last one is too pale for a line
    given = sorted(table["psnr_in"].unique())
    axes.plot(given, given, ":", color="#999999", linewidth=1, label="not denoised")
    for place, (name, n) in enumerate(zip(ordered["denoiser"], ordered["n"], strict=True)):
        label = f"N = {n:,}" if by_n else readable(name)
        for split, (dash, _) in SPLITS.items():
            rows = table[(table["denoiser"] == name) & (table["split"] == split)]
            words = label if split == "held_out" else None
            axes.plot(rows["psnr_in"], rows["psnr"], dash, color=shades(place), linewidth=1.2, label=words)
    for dash, words in SPLITS.values():
        axes.plot([], [], dash, color="#000000", linewidth=1, label=words)
    axes.set(xlabel="PSNR of the noisy image, dB", ylabel="PSNR of the denoised image, dB")
    axes.set_title(title, fontsize=8)
    axes.grid(color="#dddddd", linewidth=0.5)
    axes.legend(frameon=False, fontsize=6, handlelength=3, loc="upper left", bbox_to_anchor=(1, 1))
    return drawn
