"""Ways to the top eigenspace of a denoiser's Jacobian, ours and its rivals', for `benchmarks.geometry` to compare.

Each takes a map of frames and one point, (1, channel, height, width), and returns orthonormal vectors, (1, K, channel,
height, width), with the number of products it took.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from manex.arrays import FrameMap, Frames
from manex.geometry.eigen import top_eigenspace
from manex.geometry.products import Jacobian

K = 5
"""Vectors asked for."""

Method = Callable[[FrameMap, Frames], tuple[Tensor, int]]


def ours(function: FrameMap, point: Frames, tolerance: float = 1e-3) -> tuple[Tensor, int]:
    """The default: replay of the linear part, block Krylov."""
    space = top_eigenspace(Jacobian(function, point), K, tolerance=tolerance)
    return space.vectors, space.products


def ours_exact(function: FrameMap, point: Frames) -> tuple[Tensor, int]:
    """Our dense solver."""
    space = top_eigenspace(Jacobian(function, point), K, "exact")
    return space.vectors, space.products


def algorithm_4(function: FrameMap, point: Frames, symmetrise: bool, epsilon: float) -> tuple[Tensor, int]:
    """The paper's Algorithm 4 by torch.func, one vector at a time: v <- J_D v, less what has been found, over its norm.

    The start is random (with the paper's, the image itself, a homogeneous network leaves nothing to deflate).
    """
    _, pull = torch.func.vjp(function, point)[:2]
    generator, found, products = torch.Generator().manual_seed(0), [], 0
    for _ in range(K):
        v = torch.randn(point.shape, generator=generator)
        v = v / v.norm()
        for _ in range(1000):
            image = torch.func.jvp(function, (point,), (v,))[1]
            products += 1
            if symmetrise:
                image, products = (image + pull(v)[0]) / 2, products + 1
            for w in found:
                image = image - (image * w).sum() * w
            before, v = v, image / image.norm()
            if (v - before).norm() <= epsilon:
                break
        found.append(v)
    return torch.stack([v[0] for v in found])[None], products


def rows_by_backward(function: FrameMap, point: Frames) -> tuple[Tensor, int]:
    """The dense Jacobian, one backward pass for each pixel (the UNet paper's code), symmetrised, then eigh."""
    y = point.clone().requires_grad_()
    value = function(y).flatten()
    rows = [torch.autograd.grad(value[i], y, retain_graph=True)[0].flatten() for i in range(len(value))]
    matrix = torch.stack(rows)
    vectors = torch.linalg.eigh((matrix + matrix.T) / 2)[1][:, -K:].T
    return vectors.reshape(1, K, *point.shape[1:]), len(value)


def differences(function: FrameMap, point: Frames, steps: int = 40) -> tuple[Tensor, int]:
    """Block power iteration on (D(y + h v) - D(y)) / h: no gradients, and no transpose."""
    generator, h = torch.Generator().manual_seed(0), 1e-2
    rows = torch.linalg.qr(torch.randn(point[0].numel(), K, generator=generator))[0].T
    with torch.no_grad():
        value = function(point)
        for _ in range(steps):
            images = (function(point + h * rows.reshape(K, *point.shape[1:])) - value) / h
            rows = torch.linalg.qr(images.flatten(1).T)[0].T
    return rows.reshape(1, K, *point.shape[1:]), steps * K


def scipy_eigsh(function: FrameMap, point: Frames) -> tuple[Tensor, int]:
    """scipy's Lanczos on a LinearOperator that calls torch.func.jvp and vjp."""
    from scipy.sparse.linalg import LinearOperator, eigsh

    _, pull = torch.func.vjp(function, point)[:2]
    calls = 0

    def matvec(x):
        nonlocal calls
        calls += 2
        v = torch.as_tensor(x, dtype=point.dtype).reshape(point.shape)
        return ((torch.func.jvp(function, (point,), (v,))[1] + pull(v)[0]) / 2).detach().double().flatten().numpy()

    n = point[0].numel()
    start = torch.randn(n, generator=torch.Generator().manual_seed(0)).double().numpy()
    operator = LinearOperator((n, n), matvec=matvec, dtype="float64")
    columns = eigsh(operator, k=K, which="LA", tol=1e-4, v0=start)[1]
    return torch.from_numpy(columns.T.copy()).reshape(1, K, *point.shape[1:]), calls


METHODS: dict[str, Method] = {
    "**ours** (replay, block Krylov)": ours,
    "ours, dense": ours_exact,
    "Algorithm 4, torch.func.jvp, eps 1e-3": partial(algorithm_4, symmetrise=False, epsilon=1e-3),
    "Algorithm 4 on (J + J^T) / 2, eps 1e-3": partial(algorithm_4, symmetrise=True, epsilon=1e-3),
    "row-by-row backward + eigh": rows_by_backward,
    "finite differences, power iteration": differences,
    "scipy eigsh, torch.func products": scipy_eigsh,
}


def truths(function: FrameMap, point: Frames) -> tuple[Tensor, Tensor]:
    """The exact top spaces of the symmetric part and of J itself, orthonormal, (1, K, channel, height, width)."""
    matrix = Jacobian(function, point, "vjp").dense()[0].double()
    symmetric = torch.linalg.eigh((matrix + matrix.T) / 2)[1][:, -K:]
    values, columns = torch.linalg.eig(matrix)
    # Real and imaginary parts span the invariant space; a pair of complex vectors cut in half keeps its real part.
    top = columns[:, values.abs().argsort(descending=True)[:K]]
    invariant = torch.linalg.svd(torch.cat([top.real, top.imag], dim=1), full_matrices=False)[0][:, :K]
    return tuple(c.T.reshape(1, K, *point.shape[1:]) for c in (symmetric, invariant))
