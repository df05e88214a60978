"""All frames of one video, by every method, in one picture from which a browser can cut tiles."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from io import BytesIO

from jaxtyping import Float
from PIL import Image
from torch import Tensor

from pipeline.figures.videos import sheet_of

COLUMNS = 32
"""Frames per row; longer videos are thinned out evenly, shorter ones repeat frames."""


def sprite(videos: Sequence[Float[Tensor, "frame channel height width"]]) -> str:
    """A PNG as a data address: one row per video, `COLUMNS` tiles each, without borders."""
    sheet = (sheet_of(list(videos), COLUMNS, border=0).clip(0, 1) * 255).round().astype("uint8")
    return data_address(png(Image.fromarray(sheet[..., 0] if sheet.shape[2] == 1 else sheet)), "image/png")


def png(image: Image.Image) -> bytes:
    """The same bytes for the same picture."""
    written = BytesIO()
    image.save(written, "PNG", optimize=True)
    return written.getvalue()


def data_address(content: bytes, kind: str) -> str:
    """A `data:` address, so that the page needs no other file."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
