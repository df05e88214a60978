"""The default network: a residual UNet with group norm, SiLU and biases, which converges in minutes on a CPU."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from manex.arrays import Frames
from manex.networks.padding import pad_to_multiple


class ResidualBlock(nn.Module):
    """x + conv(silu(norm(conv(silu(norm(x)))))), starting as the identity: its last convolution starts at zero."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(_groups(inputs), inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm2 = nn.GroupNorm(_groups(outputs), outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Tensor) -> Tensor:
        change = self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))
        out: Tensor = self.shortcut(x) + change
        return out


class ResUNet(nn.Module):
    """Predicts the noise in an image of any size; starts from the same small constant for every image.

    Args:
        channels: image channels.
        widths: feature channels of each level; neighbouring levels differ by a factor two in size.
        given: further channels that it reads, behind the image's.
    """

    def __init__(self, channels: int = 1, widths: Sequence[int] = (32, 64, 128, 128), given: int = 0) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels + given, widths[0], 3, padding=1)
        self.encoder = nn.ModuleList(ResidualBlock(w, w) for w in widths)
        pairs = list(itertools.pairwise(widths))
        self.shrink = nn.ModuleList(nn.Conv2d(fine, coarse, 2, stride=2) for fine, coarse in pairs)
        self.middle = ResidualBlock(widths[-1], widths[-1])
        self.grow = nn.ModuleList(nn.ConvTranspose2d(coarse, fine, 2, stride=2) for fine, coarse in reversed(pairs))
        self.decoder = nn.ModuleList(ResidualBlock(2 * fine, fine) for fine, _ in reversed(pairs))
        self.head = nn.Conv2d(widths[0], channels, 3, padding=1)
        nn.init.zeros_(self.head.weight)

    def forward(self, noisy: Float[Tensor, "batch read height width"]) -> Frames:
        """The noise in the image, which is the first of the channels that it reads."""
        height, width = noisy.shape[-2:]
        x = self.stem(pad_to_multiple(noisy, 2 ** len(self.shrink)))
        skips = []
        for block, shrink in zip(self.encoder, self.shrink, strict=False):  # the coarsest level has no way down
            skips.append(block(x))
            x = shrink(skips[-1])
        x = self.middle(self.encoder[-1](x))
        for grow, block in zip(self.grow, self.decoder, strict=True):
            x = block(torch.cat([grow(x), skips.pop()], dim=1))
        noise: Tensor = self.head(F.silu(x))
        return noise[..., :height, :width]


def _groups(channels: int) -> int:
    return next(groups for groups in (8, 4, 2, 1) if channels % groups == 0)
