"""Random small networks from the operations that people use."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

WIDTH, SIZE = 4, 4


class Wrong(torch.autograd.Function):
    """A custom function with a mistake in its backward."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.sin()

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return 1.3 * gradient * x.cos()


class WrongTwice(Wrong):
    """The same mistake in both modes, in the form that torch.func takes."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x):
        return x.sin()

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[0])
        ctx.save_for_forward(inputs[0])

    @staticmethod
    def jvp(ctx, tangent):
        return 1.3 * tangent * ctx.saved_tensors[0].cos()


class Layers(nn.Module):
    """Layers that a step may use; every step has its own."""

    def __init__(self) -> None:
        super().__init__()
        w = WIDTH
        self.conv, self.grouped = nn.Conv2d(w, w, 3, padding=1), nn.Conv2d(w, w, 3, padding=1, groups=2)
        self.dilated = nn.Conv2d(w, w, 3, padding=2, dilation=2, padding_mode="circular")
        self.down, self.up = nn.Conv2d(w, w, 2, 2), nn.ConvTranspose2d(w, w, 2, 2)
        self.group, self.instance = nn.GroupNorm(2, w), nn.InstanceNorm2d(w, affine=True)
        self.batch, self.layer = nn.BatchNorm2d(w), nn.LayerNorm(w)
        self.linear, self.prelu = nn.Linear(w, w), nn.PReLU(w)
        self.attention = nn.MultiheadAttention(w, 2, batch_first=True)
        self.gru = nn.GRU(w, w, batch_first=True)


def tokens(x: Tensor) -> Tensor:
    return x.flatten(2).mT


def frames(t: Tensor) -> Tensor:
    return t.mT.unflatten(2, (SIZE, SIZE))


def in_place(layers: Layers, x: Tensor) -> Tensor:
    h = layers.conv(x)
    h[:, 1:3].mul_(2.0).add_(x[:, 1:3] ** 2)
    return h


def assigned(layers: Layers, x: Tensor) -> Tensor:
    h = layers.conv(x).clone()
    h[:, :, ::2] = x[:, :, 1::2].tanh()
    return h


def into_empty(layers: Layers, x: Tensor) -> Tensor:
    h = torch.empty_like(x)
    h.copy_(layers.conv(x))
    return h


def by_out(layers: Layers, x: Tensor) -> Tensor:
    h = torch.empty_like(x)
    with torch.no_grad():
        torch.mul(layers.conv(x), 2.0, out=h)
    return x + h


def selective(layers: Layers, x: Tensor) -> Tensor:
    branches = torch.stack([layers.conv(x), layers.grouped(x)], 1)
    weights = torch.stack([layers.linear(branches[:, i].mean((2, 3))) for i in (0, 1)], 1).softmax(1)
    return (branches * weights[..., None, None]).sum(1)


def foreach(layers: Layers, x: Tensor) -> Tensor:
    a, b = torch._foreach_mul([layers.conv(x), layers.grouped(x)], 0.5)
    return torch.add(*torch._foreach_sigmoid([a, b]))


def unseen(layers: Layers, x: Tensor) -> Tensor:
    with torch.no_grad():
        return x + layers.conv(x).roll(1, 3)


def inferred(layers: Layers, x: Tensor) -> Tensor:
    with torch.inference_mode():
        h = layers.conv(x)
    return x - h


def through_numpy(layers: Layers, x: Tensor) -> Tensor:
    h = torch.empty_like(x)
    h.numpy()[...] = layers.conv(x).detach().numpy() ** 2
    return x + h


def by_items(layers: Layers, x: Tensor) -> Tensor:
    return torch.stack([item * layers.conv(item[None]).sum().item() for item in x])


def in_a_thread(layers: Layers, x: Tensor) -> Tensor:
    with ThreadPoolExecutor(1) as pool:
        return x - pool.submit(layers.conv, x).result().detach()


def scaled_attention(layers: Layers, x: Tensor) -> Tensor:
    q, k, v = layers.conv(x).flatten(2).chunk(4, 1)[:3]
    return x + F.scaled_dot_product_attention(q, k, v).unflatten(2, (SIZE, SIZE))


STEPS = {
    "conv": lambda m, x: m.conv(x),
    "grouped conv": lambda m, x: m.grouped(x),
    "dilated circular conv": lambda m, x: m.dilated(x),
    "strided and transposed conv": lambda m, x: m.up(m.down(x)),
    "group norm": lambda m, x: m.group(x),
    "instance norm": lambda m, x: m.instance(x),
    "batch norm": lambda m, x: m.batch(x),
    "layer norm": lambda m, x: frames(m.layer(tokens(x))),
    "rms norm": lambda m, x: frames(F.rms_norm(tokens(x), (WIDTH,), eps=0.1)),
    "normalize": lambda m, x: F.normalize(x + 1, dim=1),
    "relu": lambda m, x: F.relu(x, inplace=True),
    "leaky relu": lambda m, x: F.leaky_relu(x, 0.1),
    "prelu": lambda m, x: m.prelu(x),
    "gelu": lambda m, x: F.gelu(x),
    "silu": lambda m, x: F.silu(x),
    "mish": lambda m, x: F.mish(x),
    "softplus": lambda m, x: F.softplus(x),
    "hardswish": lambda m, x: F.hardswish(x),
    "tanh": lambda m, x: x.tanh(),
    "gated": lambda m, x: m.conv(x) * m.grouped(x).sigmoid(),
    "squeeze and excite": lambda m, x: x * m.linear(x.mean((2, 3))).sigmoid()[..., None, None],
    "softmax": lambda m, x: x.softmax(1),
    "log softmax": lambda m, x: x.log_softmax(3),
    "linear": lambda m, x: frames(m.linear(tokens(x))),
    "attention": lambda m, x: frames(m.attention(tokens(x), tokens(x), tokens(x), need_weights=False)[0]),
    "scaled attention": scaled_attention,
    "matmul": lambda m, x: x @ x.softmax(3),
    "einsum": lambda m, x: torch.einsum("bchw,bdhw->bcdhw", x, x.tanh()).sum(2),
    "bmm": lambda m, x: frames(torch.bmm(tokens(x), (x.flatten(2) @ tokens(x)) / 16)),
    "gru": lambda m, x: frames(m.gru(tokens(x))[0]),
    "stack": lambda m, x: torch.stack([m.conv(x), m.grouped(x)]).mean(0),
    "cat": lambda m, x: torch.cat([x[:, 2:], m.conv(x)[:, :2]], 1),
    "chunk": lambda m, x: torch.cat([a * b for a, b in [x.chunk(2, 1)] * 2], 1),
    "split": lambda m, x: torch.cat(x.split([1, 3], 1)[::-1], 1),
    "unbind": lambda m, x: torch.stack(x.unbind(1)[::-1], 1),
    "interpolate": lambda m, x: F.interpolate(m.down(x), scale_factor=2, mode="bilinear"),
    "nearest": lambda m, x: F.interpolate(m.down(x), size=(SIZE, SIZE)),
    "bicubic": lambda m, x: F.interpolate(m.down(x), size=(SIZE, SIZE), mode="bicubic"),
    "pixel shuffle": lambda m, x: F.pixel_shuffle(F.pixel_unshuffle(x, 2).flip(1), 2),
    "roll": lambda m, x: x.roll((1, 2), (2, 3)),
    "flip": lambda m, x: x.flip(3),
    "pad": lambda m, x: F.pad(x, (1, 1, 1, 1), mode="reflect")[..., 2:, 2:],
    "average pool": lambda m, x: F.avg_pool2d(x, 3, 1, 1),
    "max pool": lambda m, x: F.max_pool2d(x, 3, 1, 1),
    "adaptive pool": lambda m, x: x - F.adaptive_avg_pool2d(x, 2).repeat_interleave(2, 2).repeat_interleave(2, 3),
    "unfold": lambda m, x: F.fold(F.unfold(x, 3, padding=1).tanh(), (SIZE, SIZE), 3, padding=1),
    "indexing": lambda m, x: x[:, [3, 1, 0, 2]][..., torch.arange(SIZE) % 3],
    "gather": lambda m, x: x.gather(3, torch.arange(SIZE).flip(0).expand_as(x)),
    "where": lambda m, x: torch.where(x > 0.1, x, 0.2 * x + 0.08),
    "masked": lambda m, x: x.masked_fill(torch.eye(SIZE).bool(), 0.3),
    "clamp": lambda m, x: x.clamp(-0.8, 0.8),
    "maximum": lambda m, x: torch.maximum(x, m.conv(x)),
    "sort": lambda m, x: x.sort(3).values,
    "cumsum": lambda m, x: x.cumsum(2),
    "norm": lambda m, x: x / (1 + x.norm(dim=1, keepdim=True)),
    "std": lambda m, x: x - x.var((2, 3), keepdim=True).add(0.1).sqrt(),
    "fft": lambda m, x: torch.fft.irfft2(torch.fft.rfft2(x) * 0.7, s=x.shape[2:]),
    "addcmul": lambda m, x: torch.addcmul(x, m.conv(x), torch.ones_like(x), value=0.5),
    "lerp": lambda m, x: torch.lerp(x, m.conv(x), 0.3),
    "baddbmm": lambda m, x: torch.baddbmm(x.flatten(0, 1), x.flatten(0, 1), x.flatten(0, 1)).view_as(x) / 4,
    "selective kernel": selective,
    "in place on a view": in_place,
    "assignment": assigned,
    "copy into an empty": into_empty,
    "foreach": foreach,
    "checkpoint": lambda m, x: checkpoint(m.conv, x, use_reentrant=False),
    "no_grad": lambda m, x: torch.no_grad()(m.conv)(x),
}

HIDING = {
    "no_grad and roll": unseen,
    "inference_mode": inferred,
    "detach": lambda m, x: x - m.conv(x).detach(),
    ".data": lambda m, x: x - m.conv(x).data,
    ".item()": by_items,
    "out=": by_out,
    "numpy": through_numpy,
    "thread": in_a_thread,
    "wrong backward": lambda m, x: Wrong.apply(m.conv(x)),
}
"""What hides something from autograd while a residual path goes on, so that nothing fails."""

STEPS |= HIDING


class Drawn(nn.Module):
    """The named steps one after the other, between a stem and a head; a residual path if asked."""

    def __init__(self, names: list[str], residual: bool, seed: int) -> None:
        super().__init__()
        self.names, self.residual = names, residual
        self.stem, self.head = nn.Conv2d(1, WIDTH, 3, padding=1), nn.Conv2d(WIDTH, 1, 3, padding=1)
        self.layers = nn.ModuleList(Layers() for _ in names)
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for parameter in self.parameters():
                fan = max(1, parameter[0].numel()) if parameter.ndim > 1 else 4
                parameter.copy_(torch.randn(parameter.shape, generator=generator) / fan**0.5)
        self.double().eval().requires_grad_(False)

    def forward(self, y: Tensor) -> Tensor:
        x = self.stem(y)
        for name, layers in zip(self.names, self.layers, strict=True):
            x = STEPS[name](layers, x)
        x = self.head(x)
        return y - x if self.residual else x
