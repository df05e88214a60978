"""Time to a held-out PSNR: the shipped recipe against the paper's reference recipe, same machine, same threads.

    python -m benchmarks.training [--decibel 29] [--cap 10] [--threads 2]

The reference (Kadkhodaie et al. 2024): bias-free UNet of width 64, Adam at 0.001 halved every 100 epochs, batch 512,
sigma = U^2, as profiles/paper.yaml has it. It may take `cap` times our time; if it is not there by then, the ratio is a
lower bound. Only optimiser steps are timed, not the scoring between them. Each contender has a process of its own, so
that its peak memory is its own. A plain loop over the same network, the textbook way in float32, gives images a second
to compare.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from dataclasses import dataclass

import torch
from torch import nn

from manex.training.loop import Training
from manex.training.optimiser import Optimiser
from manex.training.settings import TrainingSettings
from pipeline.config.params import load
from pipeline.paths import Paths
from pipeline.storage.prepared import load_prepared

DATASET = "rotated_mnist"


@dataclass(frozen=True)
class Outcome:
    """How far a contender came.

    Attributes:
        psnr: held-out, at sigma 25/255, in dB.
        seconds, cpu_seconds: of optimiser steps.
        megabytes: peak resident memory of the process.
    """

    steps: int
    psnr: float
    seconds: float
    cpu_seconds: float
    images: int
    megabytes: float


class Timed(Training):
    """A training that knows the time its steps took."""

    seconds = cpu_seconds = 0.0

    def _update(self) -> float:
        start, cpu = time.perf_counter(), time.process_time()
        loss = super()._update()
        self.seconds += time.perf_counter() - start
        self.cpu_seconds += time.process_time() - cpu
        return loss


def race(cfg: TrainingSettings, decibel: float, cap: float, threads: int) -> Outcome:
    """Train until the held-out PSNR is reached, or the time is up."""
    torch.set_num_threads(threads)
    frames = load_prepared(DATASET, Paths())
    training = Timed.begin(cfg, frames.training_frames, frames.held_out_frames)
    assert isinstance(training, Timed)
    psnr = float("-inf")
    for record in training.run():
        psnr = record.scores["psnr_held_out_25"]
        if psnr >= decibel or training.seconds >= cap:
            break
    return _outcome(training.step, psnr, training.seconds, training.cpu_seconds, training.step * cfg.batch)


def plain(cfg: TrainingSettings, steps: int, threads: int) -> Outcome:
    """The textbook loop in float32 with the same network, optimiser and batch; a few steps, to be timed."""
    torch.set_num_threads(threads)
    torch.manual_seed(cfg.seed)
    frames = load_prepared(DATASET, Paths()).training_frames
    network = cfg.build(frames.shape[1], frames.shape[-1])
    optimiser = Optimiser(network, "muon", cfg.learning_rate)
    start, cpu = time.perf_counter(), time.process_time()
    for _ in range(steps):
        clean = frames[torch.randint(len(frames), (cfg.batch,))]
        noise = 60 / 255 * torch.rand(cfg.batch, 1, 1, 1) * torch.randn_like(clean)
        optimiser.step(nn.functional.mse_loss(network(clean + noise), noise), 1.0)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu
    return _outcome(steps, float("nan"), seconds, cpu_seconds, steps * cfg.batch)


def _outcome(steps: int, psnr: float, seconds: float, cpu_seconds: float, images: int) -> Outcome:
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Outcome(steps, psnr, seconds, cpu_seconds, images, megabytes)


def main() -> None:
    """Run the contenders one after the other and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--decibel", type=float, default=29)
    parser.add_argument("--cap", type=float, default=10, help="times our time that the reference may take")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    root = Paths()
    ours = load(root.params).training(DATASET, "resunet").settings.model_copy(update={"record_every": 25})
    theirs = load(root.profile("paper")).training(DATASET, "unet").settings.model_copy(update={"record_every": 5})
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        one = pool.apply(race, (ours, arguments.decibel, float("inf"), arguments.threads))
        bare = pool.apply(plain, (ours, 60, arguments.threads))
        other = pool.apply(race, (theirs, arguments.decibel, arguments.cap * one.seconds, arguments.threads))
    print("| what | steps | PSNR, dB | seconds | CPU seconds | images/s | peak memory, MB |\n" + "|---" * 7 + "|")
    contenders = {"our recipe": one, "our network, plain loop, float32": bare, "reference recipe": other}
    for what, found in contenders.items():
        rate = found.images / found.seconds
        print(
            f"| {what} | {found.steps} | {found.psnr:.2f} | {found.seconds:.1f} | {found.cpu_seconds:.1f} "
            f"| {rate:.0f} | {found.megabytes:.0f} |"
        )
    bound = "" if other.psnr >= arguments.decibel else "more than "
    print(f"\nto {arguments.decibel:g} dB, our recipe against the reference:")
    ratio, cpu_ratio = other.seconds / one.seconds, other.cpu_seconds / one.cpu_seconds
    print(f"{bound}{ratio:.1f} times less time, {bound}{cpu_ratio:.1f} times less CPU time")


if __name__ == "__main__":
    main()
