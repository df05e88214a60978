"""InDI for noise: an image denoised in small steps gains detail and loses accuracy (Delbracio, Milanfar 2023)."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field, PositiveInt

from manex.arrays import Frames
from manex.denoisers.base import Denoiser
from manex.samplers.base import SampleState
from manex.samplers.plug_and_play import repeated
from manex.settings import GreyLevel, Section


class InDI(Section):
    """The noise in the image, and how many steps take it away."""

    sigma: GreyLevel = Field(100 / 255, description="noise level of the image")
    steps: PositiveInt = Field(10, description="calls of the denoiser; 1: the conditional mean")


def indi(denoiser: Denoiser, start: Frames, cfg: InDI) -> Iterator[SampleState]:
    """x_(t-d) = (d / t) D(x_t; t sigma) + (1 - d / t) x_t for t = 1, 1 - d, ..., d = 1 / steps.

    This is DDIM with evenly spaced levels. For a direction of variance c one step leaves c^2 / (c + sigma^2) of it, the
    least error; many leave c, which is what the images have. Other damage than noise needs a network of its own.

    Args:
        start: images with noise of level `sigma`, (batch, channel, height, width).

    Example:
        >>> from manex import DiracMixture
        >>> from manex.samplers.indi import InDI, indi
        >>> frames = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        >>> noisy = frames + 0.1 * torch.randn(5, 1, 8, 8, generator=torch.Generator().manual_seed(1))
        >>> *_, end = indi(DiracMixture(frames), noisy, InDI(sigma=0.1))
        >>> bool((end.clean - frames).abs().max() < 1e-3)
        True
    """
    times = iter(range(cfg.steps, 0, -1))

    def step(frame: Frames) -> tuple[Frames, Frames]:
        left = next(times)
        clean = denoiser(frame, cfg.sigma * left / cfg.steps)
        return clean / left + (1 - 1 / left) * frame, clean

    return repeated(step, start, cfg.steps, cfg.sigma / cfg.steps)
