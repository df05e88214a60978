"""Small networks and maps with every trait the engine must cope with, and a dense Jacobian to check against."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Residual(nn.Module):
    """GroupNorm, SiLU, convolutions, a LayerNorm and a dense bottleneck, skip connections, padding and cropping."""

    def __init__(self, width: int = 4, size: int = 5) -> None:
        super().__init__()
        half = (size + 1) // 2
        self.stem = nn.Conv2d(1, width, 3, padding=1)
        self.norm = nn.GroupNorm(2, width)
        self.inner = nn.Conv2d(width, width, 3, padding=1)
        self.down = nn.Conv2d(width, 2 * width, 2, 2)
        self.dense = nn.Sequential(nn.LayerNorm(2 * width * half**2), nn.Linear(2 * width * half**2, 7), nn.SiLU())
        self.back = nn.Linear(7, 2 * width * half**2)
        self.up = nn.ConvTranspose2d(2 * width, width, 2, 2)
        self.out = nn.Conv2d(2 * width, 1, 3, padding=1)

    def forward(self, y: Tensor) -> Tensor:
        height, width = y.shape[-2:]
        x = self.stem(F.pad(y, (0, width % 2, 0, height % 2)))
        x = x + self.inner(F.silu(self.norm(x)))
        deep = self.down(x)
        deep = deep + self.back(self.dense(deep.flatten(1))).view_as(deep)
        return self.out(torch.cat([x, self.up(deep)], 1))[..., :height, :width]


class BiasFree(nn.Module):
    """A bias-free ReLU network with max pooling: homogeneous, so that D(y) = J(y) y."""

    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, width, 3, padding=1, bias=False)
        self.deep = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.up = nn.ConvTranspose2d(width, width, 2, 2, bias=False)
        self.last = nn.Conv2d(2 * width, 1, 1, bias=False)

    def forward(self, y: Tensor) -> Tensor:
        x = F.relu(self.first(y), inplace=True)
        deep = torch.relu_(self.deep(F.max_pool2d(x, 2)))
        return self.last(torch.cat([self.up(deep), x], 1))


class Bag(nn.Module):
    """The other operations with a linear rule, one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=2, padding_mode="reflect")
        self.strided = nn.Conv2d(4, 4, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.norm.running_mean = torch.linspace(-1, 1, 4)
        self.norm.running_var = torch.linspace(0.5, 2, 4)

    def forward(self, y: Tensor) -> Tensor:
        x = F.pixel_unshuffle(y, 2)
        x = self.norm(self.mix(x)) * torch.sigmoid(x.mean((2, 3), keepdim=True))
        x = F.gelu(x) / (1 + x**2) - 0.5 * F.avg_pool2d(F.interpolate(x, scale_factor=2), 2)
        x = x.transpose(2, 3) * F.leaky_relu(x, 0.1) + 2 * x.permute(0, 1, 3, 2)
        x = x + F.interpolate(self.strided(x), size=x.shape[2:], mode="bilinear")
        x = torch.cat([x[:, 1:3], torch.ones_like(x[:, :1]), x[:, :1]], 1)
        return F.pixel_shuffle(x, 2) + y.sum(1, keepdim=True)


class Attention(nn.Module):
    """A product of two matrices that both depend on the point: no linear rule."""

    def forward(self, y: Tensor) -> Tensor:
        rows = y.squeeze(1)
        return (torch.softmax(rows @ rows.mT, dim=2) @ rows).unsqueeze(1)


def seeded(network: nn.Module) -> nn.Module:
    """Reproducible float64 weights, none of them zero, in evaluation mode."""
    generator = torch.Generator().manual_seed(7)
    network = network.double().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            shape = parameter.shape
            fan = max(1, parameter[0].numel()) if parameter.ndim > 1 else 4
            parameter.copy_(torch.randn(shape, generator=generator, dtype=torch.float64) / fan**0.5)
    return network


def black_box(y: Tensor) -> Tensor:
    """A smooth map that goes through numpy: autograd cannot see it. Its Jacobian is not symmetric."""
    x = y.numpy()
    return torch.from_numpy(np.sin(x) + 0.5 * np.roll(x, 1, axis=3) ** 2)


def linear_map(matrix: Tensor):
    """y -> M y on flattened frames: its Jacobian is M."""
    return lambda y: (y.flatten(1) @ matrix.T).reshape(y.shape)


def dense(function, points: Tensor) -> Tensor:
    """The Jacobians, shape (batch, n, n), one backward pass for each row: the slow and certain way."""
    blocks = [torch.autograd.functional.jacobian(function, p[None]) for p in points]
    return torch.stack([b.reshape(points[0].numel(), -1) for b in blocks])


def differences(function, points: Tensor, step: float = 1e-6) -> Tensor:
    """Dense Jacobians (batch, n, n) from values alone, one column per pixel."""
    n = points[0].numel()
    basis = step * torch.eye(n, dtype=points.dtype).reshape(n, *points.shape[1:])
    with torch.no_grad():
        columns = [[(function((p + e)[None]) - function((p - e)[None])).flatten() for e in basis] for p in points]
    return torch.stack([torch.stack(c, 1) for c in columns]) / (2 * step)


def sphere(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator, dtype=torch.float64)
