"""Whether to believe a walk: what its denoiser knows of the given images, of their motion, and of the frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jaxtyping import Float
from torch import Generator, Tensor

from manex.arrays import Frames
from manex.denoisers.base import Denoiser
from manex.geometry.products import Jacobian
from manex.geometry.tangent import retention
from manex.metrics.psnr import psnr
from manex.metrics.residual import Residual
from manex.noises.draws import noise_like

UNKNOWN = 3
"""Decibels below held-out frames from which on a denoiser does not know an image."""
DRAWS = 8
"""Noisy copies of each given image."""

HeldOut = Float[Tensor, "known channel height width"]
"""Frames that a denoiser's training never saw."""


@dataclass(frozen=True)
class Trust:
    """What a denoiser knows of two images and of the walk that begins with them.

    Attributes:
        sigma: noise level at which the images are judged, in grey levels.
        psnr: of the two images denoised, in dB.
        psnr_held_out: of frames that no training saw; None if there are none.
        kept: the share of the motion from the first image to the second that the Jacobian keeps: 1 along the manifold,
            0 across it.
        residual: of each frame of the walk, in units of the held-out frames' 95 % quantile (manex/metrics/residual.py);
            None if there are none.
    """

    sigma: float
    psnr: float
    psnr_held_out: float | None
    kept: float
    residual: Float[Tensor, " frame"] | None

    @classmethod
    def of(cls, denoiser: Denoiser, sigma: float, video: Frames, held_out: HeldOut | None) -> Trust:
        """Judge a walk.

        Args:
            video: its frames, of which the first two were given.
            held_out: frames that the denoiser's training never saw; none: nothing to compare with.
        """
        given = video[:2]
        noisy = given[1:] + sigma * noise_like(given[1:], Generator().manual_seed(0), denoiser.noise)
        kept = retention(Jacobian(denoiser.at(sigma), noisy), given[1:] - given[:1])[1]
        known = None if held_out is None or not len(held_out) else held_out.to(video.device)
        return cls(
            sigma=sigma,
            psnr=psnr(denoiser, given, sigma, DRAWS),
            psnr_held_out=None if known is None else psnr(denoiser, known, sigma),
            kept=float(kept.detach()),
            residual=None if known is None else Residual.of(denoiser, known)(video).cpu(),
        )

    def lines(self) -> Iterator[str]:
        """What speaks for the walk and against it, in words."""
        here = f"{self.psnr:.1f} dB at sigma {255 * self.sigma:.3g}/255"
        if self.psnr_held_out is None:
            yield f"how well the denoiser knows these images: {here}; no held-out frames to compare with"
        elif self.psnr < self.psnr_held_out - UNKNOWN:
            yield (
                f"warning: the denoiser does not know these images: {here}, {self.psnr_held_out:.1f} dB on held-out "
                "frames. The walk may turn them into others; take a denoiser trained on images like them"
            )
        else:
            yield f"the denoiser knows these images: {here}, {self.psnr_held_out:.1f} dB on held-out frames"
        told = "on the manifold" if self.kept >= 0.5 else "mostly off the manifold: expect another motion"
        yield f"their motion is {told}: the Jacobian keeps {self.kept:.0%} of it"
        if self.residual is not None:
            far = (self.residual > 1).nonzero().flatten().tolist()
            yield (
                f"warning: from frame {far[0]} on, {len(far)} frames are farther from what the denoiser takes for "
                "images than 95 % of held-out frames (residual)"
                if far
                else "all frames are as near to the images it knows as held-out frames (residual)"
            )
