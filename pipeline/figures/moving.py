"""A moving picture: videos side by side, as a GIF."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pipeline.figures.style import readable
from pipeline.figures.videos import Video, sampled

COLUMNS = 6
LABEL = 13
GAP = 4
TILE = 96
"""Least side of a tile, in pixels; frames are magnified by a whole number."""


def moving_picture(videos: Mapping[str, Video], ticks: int = 50, milliseconds: int = 90) -> bytes:
    """The same bytes for the same frames.

    Videos of different lengths play in the same time: at each tick every video has played the same share of its length.

    Args:
        videos: grey levels in [0, 1], by the name that is written above.
    """
    shape = next(iter(videos.values())).shape
    height, width = shape[-2:]
    scale = -(-TILE // max(height, width))
    columns = min(COLUMNS, len(videos))
    cell = (width * scale + GAP, height * scale + GAP + LABEL)
    size = (columns * cell[0] + GAP, -(-len(videos) // columns) * cell[1] + GAP)
    places = [(GAP + i % columns * cell[0], GAP + i // columns * cell[1]) for i in range(len(videos))]
    shown = [_pixels(video, ticks) for video in videos.values()]
    colour = "L" if shape[1] == 1 else "RGB"
    ground = Image.new(colour, size, "#000000" if colour == "RGB" else 40)
    pen, font = ImageDraw.Draw(ground), ImageFont.load_default(10)
    for name, (x, y) in zip(videos, places, strict=True):
        pen.text((x, y), readable(name), font=font, fill="#ffffff" if colour == "RGB" else 255)
    pages = []
    for tick in range(ticks):
        page = ground.copy()
        for frames, (x, y) in zip(shown, places, strict=True):
            tile = Image.fromarray(frames[tick]).resize((width * scale, height * scale), Image.Resampling.NEAREST)
            page.paste(tile, (x, y + LABEL))
        pages.append(page)
    written = BytesIO()
    pages[0].save(written, "GIF", save_all=True, append_images=pages[1:], duration=milliseconds, loop=0)
    return written.getvalue()


def _pixels(video: Video, ticks: int) -> np.ndarray:
    """Bytes, (tick, height, width) or (tick, height, width, 3)."""
    chosen = video[sampled(len(video), ticks)].permute(0, 2, 3, 1).clamp(0, 1)
    pixels: np.ndarray = (chosen * 255).round().byte().numpy()
    return pixels[..., 0] if pixels.shape[-1] == 1 else pixels
