"""The paper's network: the bias-free UNet of Kadkhodaie, Guth, Simoncelli & Mallat (ICLR 2024)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.arrays import Frames
from pipeline.networks.padding import pad_to_multiple


class BiasFreeBatchNorm(nn.Module):
    """Batch norm without mean or bias: divide each channel by its standard deviation, scale by gamma.

    A mean or a bias would end the network's homogeneity (Mohan et al. 2020), so only the spread is normalised.
    """

    running_sd: Tensor

    def __init__(self, channels: int, momentum: float = 0.1) -> None:
        super().__init__()
        self.momentum = momentum
        self.register_buffer("running_sd", torch.ones(1, channels, 1, 1))
        # The reference starts from small gammas, of order 2 / (9 * 64), clipped at 0.025.
        self.gamma = nn.Parameter((torch.randn(1, channels, 1, 1) * (2 / 9 / 64)).clamp(-0.025, 0.025))

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x * (self.gamma / self.running_sd)
        wide = x if x.dtype == torch.float64 else x.float()  # half precision is too coarse for a variance
        sd = (wide.var(dim=(0, 2, 3), keepdim=True, unbiased=False) + 1e-5).sqrt()
        with torch.no_grad():
            self.running_sd.lerp_(sd, self.momentum)
        return x * (self.gamma / sd).to(x.dtype)


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
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

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
        noise: Tensor = x[..., :height, :width]
        return noise
