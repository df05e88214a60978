"""Wavelet shrinkage: small details are noise."""

from __future__ import annotations

from manex.arrays import Frames, Level
from manex.denoisers.base import Denoiser


class Wavelet(Denoiser):
    """Soft thresholding of Haar details, averaged over all shifts (Donoho and Johnstone 1994; Coifman and Donoho 1995).

    The undecimated transform does the averaging: with filters (1, 1) / 2 and (1, -1) / 2 an image is the sum of its
    four subbands, each filtered forward and back. At level l a detail of white noise has standard deviation
    sigma / 2^l, and the threshold is `strength` of these. Edges are joined to the opposite ones.

    Args:
        strength: threshold in standard deviations of the noise.
        levels: of the transform; the last one is for details of 2^levels pixels.
    """

    def __init__(self, strength: float = 1.0, levels: int = 2) -> None:
        super().__init__()
        self.strength = strength
        self.levels = levels
        self.eval()  # nothing to train

    def forward(self, noisy: Frames, sigma: Level) -> Frames:
        """The image without its small details."""
        return self._shrunk(noisy, sigma, 0)

    def _shrunk(self, image: Frames, sigma: Level, level: int) -> Frames:
        if level == self.levels:
            return image
        shift, threshold = 2**level, self.strength * sigma / 2 ** (level + 1)
        clean = _filtered(self._shrunk(_filtered(image, shift, 1, 1), sigma, level + 1), -shift, 1, 1)
        for down, across in ((1, -1), (-1, 1), (-1, -1)):
            detail = _filtered(image, shift, down, across)
            clean = clean + _filtered(detail - detail.clamp(-threshold, threshold), -shift, down, across)
        return clean


def _filtered(image: Frames, shift: int, down: int, across: int) -> Frames:
    """(x + sign * x shifted) / 2 along both axes; a shift the other way is the transpose."""
    image = (image + down * image.roll(shift, -2)) / 2
    return (image + across * image.roll(shift, -1)) / 2
