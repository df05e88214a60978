"""Grey levels of decoded pictures: their depth, what is behind transparent pixels, how many levels there are."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError

Picture = NDArray[Any]
"""(height, width, 3), RGB, uint8 or uint16, whose whole range it has: white is 255 or 65535."""

FEW = 64
"""Fewer distinct levels than this in a clip are told."""
DARK = 2**14
"""Below this, 16-bit levels that a clip never exceeds are likely to be of 10, 12 or 14 bits."""
SAMPLED = 256
"""Rows and columns of a picture that are looked at to count levels."""


@dataclass(frozen=True)
class Look:
    """How levels are read: the settings of a dataset.

    Attributes:
        ground: grey level behind transparent pixels, 0-255.
        bits: of a level in files of 16 bits; None: 16, and what looks like fewer is refused.
    """

    ground: int = 0
    bits: int | None = None


@dataclass
class Levels:
    """The levels of one clip: each picture goes through `seen`, `finish` judges them all."""

    path: Path
    look: Look
    highest: int = 0
    deep: bool = False
    present: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(2**16, bool))

    def seen(self, picture: Picture, deep: bool) -> Picture:
        """The picture in the whole range of its type, opaque.

        Args:
            picture: with 3 channels, or with a fourth, which is opacity.
            deep: whether its file has 16 bits a level, of which it may use fewer.

        Raises:
            UserError: levels beyond `look.bits`.
        """
        rgb = picture[..., :3]
        if deep:
            self.deep, self.highest = True, max(self.highest, int(rgb.max()))
            if self.look.bits and self.look.bits < 16:
                white = 2**self.look.bits - 1
                if self.highest > white:
                    raise UserError(f"{self.path}: a level of {self.highest}; bits: {self.look.bits} ends at {white}")
                rgb = ((rgb.astype(np.uint32) * 65535 + white // 2) // white).astype(np.uint16)
        if picture.shape[-1] == 4:
            rgb = _on_ground(rgb, picture[..., 3:], self.look.ground)
        self.present[np.unique(rgb[:: -(-len(rgb) // SAMPLED), :: -(-rgb.shape[1] // SAMPLED)])] = True
        return rgb

    def finish(self) -> str:
        """What the user should know of the levels, in words; "" if nothing.

        Raises:
            UserError: 16-bit pictures that use a quarter of their range or less, without a setting that says so.
        """
        if self.deep and not self.look.bits and self.highest < DARK:
            raise UserError(
                f"{self.path}: pictures of 16 bits whose highest level is {self.highest} of 65535: nearly black; "
                "say in params.yaml how many bits they use, such as bits: 12 (bits: 16 if they are really so dark)"
            )
        count = int(self.present.sum())
        return f"only {count} distinct levels" if count < FEW else ""


def _on_ground(rgb: Picture, opacity: Picture, ground: int) -> Picture:
    """Composited, rounded to the nearest level."""
    white = np.iinfo(rgb.dtype).max
    if opacity.min() == white:
        return rgb
    cover = opacity.astype(np.uint64)
    behind = ground * (white // 255)
    mixed = (rgb * cover + behind * (white - cover) + white // 2) // white
    return mixed.astype(rgb.dtype)
