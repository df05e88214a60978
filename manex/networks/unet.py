"""The paper's network: the bias-free UNet of Kadkhodaie, Guth, Simoncelli & Mallat (ICLR 2024)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from manex.arrays import Frames
from manex.networks.bias_free import BiasFreeBatchNorm, he_initialise
from manex.networks.padding import pad_to_multiple


def _block(inputs: int, outputs: int, first: bool = False) -> nn.Sequential:
    """Two 3x3 convolutions; the reference leaves the very first one unnormalised."""
    layers: list[nn.Module] = [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)]
    if not first:
        layers.append(BiasFreeBatchNorm(outputs))
    layers += [nn.ReLU(), nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), BiasFreeBatchNorm(outputs), nn.ReLU()]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    """Predicts the noise in an image; three poolings, width to 8 x width channels, no bias anywhere.

    Homogeneous in evaluation mode: net(c y) = c net(y) for c > 0, hence net(y) = J(y) y.

    Args:
        channels: image channels.
        width: channels of the first level; 64 is the paper's (7.66 M weights).
    """

    def __init__(self, channels: int = 1, width: int = 64) -> None:
        super().__init__()
        widths = [width, 2 * width, 4 * width]
        self.encoder = nn.ModuleList(
            _block(inputs, outputs, first=level == 0)
            for level, (inputs, outputs) in enumerate(zip([channels, *widths], widths, strict=False))
        )
        self.middle = _block(4 * width, 8 * width)
        self.upsample = nn.ModuleList(nn.ConvTranspose2d(2 * w, w, 2, stride=2, bias=False) for w in reversed(widths))
        self.decoder = nn.ModuleList(_block(2 * w, w) for w in reversed(widths[1:]))
        self.decoder.append(
            nn.Sequential(
                nn.Conv2d(2 * width, width, 3, padding=1, bias=False),
                BiasFreeBatchNorm(width),
                nn.ReLU(),
                nn.Conv2d(width, channels, 3, padding=1, bias=False),
            )
        )
        he_initialise(self)

    def forward(self, noisy: Frames) -> Frames:
        """The noise in the image; 20 pixels are zero-padded to 24 inside, which eight divides."""
        height, width = noisy.shape[-2:]
        x = pad_to_multiple(noisy, 8)
        skips = []
        for block in self.encoder:
            skips.append(block(x))
            x = F.avg_pool2d(skips[-1], 2)
        x = self.middle(x)
        for upsample, block in zip(self.upsample, self.decoder, strict=True):
            x = block(torch.cat([upsample(x), skips.pop()], dim=1))
        noise: Frames = x[..., :height, :width]
        return noise
