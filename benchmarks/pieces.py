"""Whether pieces help where no generator is linear in pixels: the walker's gait, one generator per cluster of frames.

    python -m benchmarks.pieces [--people 10]

Angles are medians between A u and the true tangent, on the people trained on and on as many others. The first row is
the principal axis of the nearest training frames. docs/method.md has the table.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator

import torch
from torch import Tensor

from manex.arrays import Frames
from manex.datasets.dataset import Dataset
from manex.datasets.manifold import true_tangents
from manex.datasets.walker import Walker, walker
from manex.geometry.fields import Fields, Linear, Local, host
from manex.geometry.symmetry import neighbour_tangents, symmetries
from manex.geometry.tangent import angles_to

PIECES = (1, 4, 16, 40)
LEAST = 8
"""Frames below which a piece has no generator."""


def clusters(rows: Tensor, count: int) -> Tensor:
    """Centres by k-means, seeded."""
    generator = torch.Generator().manual_seed(0)
    centres = rows[torch.randperm(len(rows), generator=generator)[:count]]
    for _ in range(50):
        own = torch.cdist(rows, centres).argmin(1)
        means = [rows[own == i].mean(0) if bool((own == i).any()) else centres[i] for i in range(count)]
        centres = torch.stack(means)
    return centres


def fields(name: str, frames: Frames) -> Fields:
    """Of a piece."""
    return Local() if name == "local" else Linear(frames, rank=20)


def rows(known: Frames, tangents: Frames, new: Frames, new_tangents: Frames) -> Iterator[str]:
    """One line of a Markdown table per kind of fields and number of pieces, and one of local PCA."""
    spaces = neighbour_tangents(known)
    nearest = torch.cdist(new.flatten(1), known.flatten(1)).topk(3, largest=False).indices
    clouds = host(known).flatten(1)[nearest]
    axes = torch.linalg.svd(clouds - clouds.mean(1, keepdim=True), full_matrices=False)[2][:, 0]
    plain = (angles_to(spaces[:, 0], host(tangents)), angles_to(axes.reshape(new.shape), host(new_tangents)))
    yield f"| local PCA | - | - | - | {plain[0].median():.0f} | {plain[1].median():.0f} |"
    for name in ("local", "linear"):
        for count in PIECES:
            centres = clusters(known.flatten(1), count)
            own, others = (torch.cdist(frames.flatten(1), centres).argmin(1) for frames in (known, new))
            found, angles, new_angles = [], [], []
            for i in range(count):
                mine, theirs = own == i, others == i
                if mine.sum() < LEAST:
                    continue
                piece = symmetries(fields(name, known[mine]), known[mine], spaces[mine])
                found.append(piece)
                best = piece.first(1)
                angles.append(angles_to(best.along(known[mine])[:, 0], host(tangents[mine])))
                new_angles.append(angles_to(best.along(new[theirs])[:, 0], host(new_tangents[theirs])))
            value = statistics.median(float(piece.values[0]) for piece in found)
            gaps = sum(piece.count == 1 for piece in found)
            medians = [float(torch.cat(some).median()) for some in (angles, new_angles)]
            yield f"| {name} | {count} | {value:.2f} | {gaps} of {len(found)} | {medians[0]:.0f} | {medians[1]:.0f} |"


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--people", type=int, default=10)
    people = arguments.parse_args().people
    torch.set_num_threads(1)
    made = Dataset.of(walker(Walker(people=2 * people)), held_out=0)
    tangents = torch.stack([true_tangents(m, v) for m, v in zip(made.manifolds, made.videos, strict=True)])
    halves = [part.flatten(0, 1) for part in (made.videos[:people], tangents[:people])]
    halves += [part.flatten(0, 1) for part in (made.videos[people:], tangents[people:])]
    print("| fields | pieces | eigenvalue | pieces with one symmetry | angle, known | angle, new |")
    print("|---|---:|---:|---:|---:|---:|")
    for row in rows(*halves):
        print(row, flush=True)


if __name__ == "__main__":
    main()
