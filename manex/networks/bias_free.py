"""What bias-free networks share: their norm, and how their filters are drawn."""

from __future__ import annotations

import torch
from torch import Tensor, nn


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


def he_initialise(network: nn.Module) -> None:
    """Draw the filters of every convolution with the variance that keeps a ReLU network's signal (He et al. 2015).

    The reference draws transposed convolutions so as well, with PyTorch's count of their inputs: its
    `weights_init_kaiming` takes every module with "Conv" in its name.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
