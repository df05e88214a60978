"""A network or function with another convention, as a denoiser of grey levels in [0, 1]."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from manex.arrays import Frames, Level
from manex.denoisers.base import Denoiser
from manex.networks.padding import pad_to_multiple
from pipeline.models.own_state import undisturbed


class Adapted(Denoiser):
    """D(y) from a module that may predict the noise, take sigma, or use another range or number of channels.

    With black at `low` and white at `high`, the module is given low + (high - low) y, whose noise has standard
    deviation |high - low| sigma. One channel is repeated to three, and the result averaged; three channels go through a
    one-channel module one by one.

    Args:
        module: called with frames, and with a tensor (batch,) of noise levels in its own unit if `conditioned`.
        predicts: what it returns, in its own unit.
        value_range: (low, high).
        channels: how many it takes; None: any.
        multiple: frames are padded with black at the bottom and right to a multiple of this, and the result is cropped.
        homogeneous: whether D(c y) = c D(y).
        sigma_range: noise levels it was trained on, in grey levels.
        differentiable: False if autograd cannot see through it: its Jacobian is taken by finite differences.
    """

    def __init__(
        self,
        module: nn.Module,
        predicts: Literal["image", "noise"] = "image",
        conditioned: bool = False,
        value_range: tuple[float, float] = (0.0, 1.0),
        channels: int | None = None,
        multiple: int = 1,
        homogeneous: bool = False,
        sigma_range: tuple[float, float] | None = None,
        differentiable: bool = True,
    ) -> None:
        super().__init__()
        if value_range[0] == value_range[1]:
            raise ValueError(f"range {value_range}: black and white are the same")
        self.module = module
        self.predicts = predicts
        self.conditioned = conditioned
        self.value_range = value_range
        self.channels = channels
        self.multiple = multiple
        self.homogeneous = homogeneous
        self.blind = not conditioned
        self.sigma_range = sigma_range
        self.differentiable = differentiable
        self.training = module.training  # wrapping must not make a trained network look untrained

    def forward(self, noisy: Frames, sigma: Level) -> Frames:
        """The clean image.

        Raises:
            ValueError: the module changes the shape or the dtype.
        """
        low, high = self.value_range
        given = self._spread(low + (high - low) * pad_to_multiple(noisy, self.multiple))
        levels = _per_image(abs(high - low) * sigma, given)
        # The fused kernels of attention cannot be differentiated twice, which J v from J^T v needs.
        with sdpa_kernel(SDPBackend.MATH), undisturbed():
            returned = self.module(given, levels) if self.conditioned else self.module(given)
        if not isinstance(returned, Tensor) or returned.shape != given.shape:
            found = tuple(returned.shape) if isinstance(returned, Tensor) else type(returned).__name__
            raise ValueError(f"it turns frames of shape {tuple(given.shape)} into {found}; the shape must be kept")
        if returned.dtype != given.dtype:
            raise ValueError(f"it turns {given.dtype} into {returned.dtype}; the dtype must be kept")
        if type(returned) is not Tensor:  # of a subclass, with arithmetic of its own
            returned = returned.as_subclass(Tensor)
        predicted = self._gathered(returned, noisy)
        if self.predicts == "noise":
            return noisy - predicted / (high - low)
        return (predicted - low) / (high - low)

    def _spread(self, frames: Frames) -> Tensor:
        """As many channels as the module takes."""
        if self.channels in (None, frames.shape[1]):
            return frames
        return torch.cat([frames] * 3, 1) if self.channels == 3 else frames.flatten(0, 1).unsqueeze(1)

    def _gathered(self, frames: Tensor, noisy: Frames) -> Tensor:
        """As many channels, rows and columns as the noisy frames have."""
        if self.channels == 3 and noisy.shape[1] == 1:
            frames = (frames[:, :1] + frames[:, 1:2] + frames[:, 2:]) / 3
        elif self.channels == 1 and noisy.shape[1] != 1:
            frames = frames.reshape(*noisy.shape[:2], *frames.shape[-2:])
        return frames[..., : noisy.shape[-2], : noisy.shape[-1]]


def _per_image(level: Level, given: Frames) -> Tensor:
    """(batch,): the noise level of every image that the module is given; channels may have become images."""
    if not isinstance(level, Tensor):
        return torch.full((len(given),), level, dtype=given.dtype, device=given.device)
    return level.to(given).flatten().repeat_interleave(len(given) // len(level))


class OnArrays(nn.Module):
    """A function of numpy arrays as a module: autograd cannot see through it.

    Args:
        function: maps an array (batch, channel, height, width), and the noise level as a float if it is called with
            one, to an array of the same shape; each item on its own.
        arguments: passed on at every call, by name.
    """

    def __init__(self, function: Callable[..., Any], arguments: dict[str, Any] | None = None) -> None:
        super().__init__()
        self.function = partial(function, **(arguments or {}))
        self.eval()  # nothing to train

    def forward(self, frames: Frames, sigma: Tensor | None = None) -> Tensor:
        """What the function returns, on the frames' device; images of different noise levels one by one.

        Raises:
            ValueError: it returns complex numbers or integers.
        """
        if sigma is not None and bool((sigma != sigma[0]).any()):
            return torch.cat([self(image[None], level[None]) for image, level in zip(frames, sigma, strict=True)])
        array = frames.detach().cpu().numpy().copy()  # a function that works in place must not change the frames
        levels = () if sigma is None else (float(sigma[0]),)
        returned = np.asarray(self.function(array, *levels))
        if not np.issubdtype(returned.dtype, np.floating):
            raise ValueError(f"it returns an array of {returned.dtype}; grey levels are floating-point numbers")
        return torch.from_numpy(np.array(returned, order="C")).to(
            frames
        )  # a copy: it may be a buffer of the function's
