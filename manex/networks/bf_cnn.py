"""BF-CNN: the bias-free DnCNN of Mohan, Kadkhodaie, Simoncelli & Fernandez-Granda (ICLR 2020)."""

from __future__ import annotations

from torch import nn

from manex.arrays import Frames
from manex.networks.bias_free import BiasFreeBatchNorm, he_initialise


class BFCNN(nn.Module):
    """Predicts the noise in an image of any size: 3x3 convolutions at full resolution, ReLU between, no bias anywhere.

    Homogeneous in evaluation mode: net(c y) = c net(y) for c > 0, hence net(y) = J(y) y. There is no pooling: a pixel
    of the answer depends on the square of 2 depth + 1 pixels around it.

    Args:
        channels: image channels.
        width: channels within; 64 is the original's.
        depth: convolutions; 20 is the original's (665,856 weights).
    """

    def __init__(self, channels: int = 1, width: int = 64, depth: int = 20) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.ReLU()]
        for _ in range(depth - 2):
            layers += [nn.Conv2d(width, width, 3, padding=1, bias=False), BiasFreeBatchNorm(width), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Conv2d(width, channels, 3, padding=1, bias=False))
        he_initialise(self)

    def forward(self, noisy: Frames) -> Frames:
        """The noise in the image."""
        noise: Frames = self.layers(noisy)
        return noise
