"""The study behind the training recipe: one variant of it at a time, at equal CPU time; docs/training.md has the table.

    python -m benchmarks.study [VARIANT ...] [--seconds 150] [--dataset rotated_mnist] [--jobs 2] [--no-walk] [--list]

A variant's schedule is cut to as many steps as fit into the budget on one thread, by the CPU time of its first steps.
Held-out PSNR is that of the run's last weights; DTW-SSID is that of `tangent_flow` with the settings of params.yaml on
two development seeds, never those that Table 1 reports. Variants that lost live here and not in the library.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import torch
from joblib import Parallel, delayed
from torch import nn

from benchmarks.variants import VARIANTS, Variant, bias_free
from manex.datasets.dataset import Dataset
from manex.denoisers.base import Denoiser
from manex.extrapolators.tangent_flow import TangentFlow
from manex.extrapolators.walk import walk
from manex.metrics.scores import score
from manex.noises.draws import ItemNoise
from manex.training import denoising
from manex.training.denoising import Denoising
from manex.training.loop import Training, TrainingDivergedError
from manex.training.optimiser import Optimiser
from manex.training.resunet import ResUNetTraining
from pipeline.config.methods import MethodEntry
from pipeline.config.params import Params, load
from pipeline.paths import Paths
from pipeline.storage.prepared import load_prepared

DEVELOPMENT_SEEDS = (100, 101)
CALIBRATION = 10
"""Steps whose CPU time says how many fit into the budget."""


class TorchOptimiser(Optimiser):
    """One of torch's optimisers in the place of ours."""

    def __init__(self, network: nn.Module, make: Callable[[list[nn.Parameter]], torch.optim.Optimizer]) -> None:
        self.weights, self.matrices = [], []
        self.optimisers = [make(list(network.parameters()))]
        self.rates = [group["lr"] for group in self.optimisers[0].param_groups]


class StudyTraining(Training):
    """A training that follows a variant."""

    def __init__(self, frames: Dataset, cfg: ResUNetTraining, variant: Variant) -> None:
        torch.manual_seed(cfg.seed)
        size = frames.videos.shape[-1]
        network = variant.network(cfg, size) if variant.network else cfg.build(1, size)
        super().__init__(network, frames.training_frames, frames.held_out_frames, cfg)
        self.variant = variant
        if variant.torch_optimiser:
            self.optimiser = TorchOptimiser(network, variant.torch_optimiser)
        assert isinstance(self.objective, Denoising)
        self.drawn, self.whole = self.objective, self.objective.frames
        self.called = variant.prepare(network) if variant.prepare else None
        self.seconds = 0.0  # of CPU, without scoring

    def _update(self) -> float:
        start = time.process_time()
        side = self.variant.patch
        if side:
            y, x = torch.randint(self.whole.shape[-1] - side + 1, (2,), generator=self.generator).tolist()
            self.drawn.frames = self.whole[..., y : y + side, x : x + side]
        plain = self.network
        if self.called is not None:
            self.network = self.called
        loss = super()._update()
        self.network = plain
        self.seconds += time.process_time() - start
        return loss


def run(name: str, dataset: str, seconds: float, scored: bool) -> dict[str, Any]:
    """Train one variant on one thread for a CPU time, and score it."""
    torch.set_num_threads(1)
    params, variant = load(Paths().params), VARIANTS[name]
    frames = load_prepared(dataset, Paths())
    base = params.training(dataset, "resunet").settings
    assert isinstance(base, ResUNetTraining)
    cfg = base.model_copy(update={**variant.settings, "patience": 0, "steps": 10**6, "record_every": 10**6})
    law = denoising.draw_sigmas
    if variant.sigmas:
        chosen = variant.sigmas
        denoising.draw_sigmas = lambda _, *drawn: chosen(*drawn)
    try:
        steps = max(CALIBRATION, round(seconds / _seconds_a_step(StudyTraining(frames, cfg, variant))))
        cfg = cfg.model_copy(update={"steps": steps, "record_every": max(1, steps // 10)})
        training = StudyTraining(frames, cfg, variant)
        history = list(training.run())
    except TrainingDivergedError:
        return {"variant": name, "steps": 0}
    finally:
        denoising.draw_sigmas = law
    settings: Any = bias_free(cfg, 1) if variant.network and name.startswith("unet") else cfg
    denoiser = settings.finished(training.average)
    last, best = history[-1].scores, max(history, key=lambda record: record.scores["psnr_held_out_25"])
    return {
        "variant": name,
        "steps": steps,
        "weights": sum(p.numel() for p in training.network.parameters()),
        "cpu_seconds": round(training.seconds),
        **{
            level: round(last[f"psnr_{level}"], 2)
            for level in ("held_out_15", "held_out_25", "held_out_50", "train_25")
        },
        "peak_25": f"{best.scores['psnr_held_out_25']:.2f} at {best.step}",
        "dtw_ssid": round(development_score(denoiser, frames, *flow_of(params, dataset)), 4) if scored else "",
    }


def _seconds_a_step(training: StudyTraining) -> float:
    """CPU time of the quickest step: what else the machine does, and warming up, only add to it."""
    times = []
    for training.step in range(CALIBRATION):
        before = training.seconds
        training._update()
        times.append(training.seconds - before)
    return min(times)


def flow_of(params: Params, dataset: str) -> tuple[TangentFlow, int]:
    """The settings of `tangent_flow`, and how many frames it generates."""
    entry = params.method(dataset, "tangent_flow")
    assert isinstance(entry, MethodEntry)
    assert isinstance(entry.settings, TangentFlow)
    return entry.settings, entry.frames


def development_score(denoiser: Denoiser, dataset: Dataset, flow: TangentFlow, frames: int) -> float:
    """Mean DTW-SSID of `tangent_flow` over all videos and the development seeds."""
    flow = flow.model_copy(update={"remove_brightness": denoiser.homogeneous})
    count, seeds = len(dataset.videos), DEVELOPMENT_SEEDS
    given = dataset.videos[:, :2].repeat(len(seeds), 1, 1, 1, 1)
    noise = ItemNoise([(seed, video) for seed in seeds for video in range(count)])
    states = walk(flow, denoiser, given[:, 0], given[:, 1], noise)
    walked = torch.stack([state.frame for state in islice(states, frames)], 1)
    trials = torch.cat([given, walked], 1).clamp(0, 1).split(count)
    return statistics.fmean(found.numbers["dtw_ssid"] for trial in trials for found in score(dataset, trial))


def _rows(chosen: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The rows of the table, each as soon as it is there."""
    tasks = (delayed(run)(name, chosen.dataset, chosen.seconds, not chosen.no_walk) for name in chosen.variants)
    yield from Parallel(chosen.jobs, return_as="generator")(tasks)


def main() -> None:
    """Print the table, each variant's line as soon as it is done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("variants", nargs="*", default=list(VARIANTS), metavar="VARIANT")
    parser.add_argument("--seconds", type=float, default=150, help="CPU seconds of training a variant")
    parser.add_argument("--dataset", default="rotated_mnist")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--no-walk", action="store_true", help="leave DTW-SSID out, half the time of a short run")
    parser.add_argument("--list", action="store_true", help="print the names of the variants and stop")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.variants) - VARIANTS.keys()):
        parser.error(f"unknown variants: {', '.join(unknown)}; --list names them")
    if arguments.list:
        print("\n".join(VARIANTS))
        return
    header: list[str] = []
    for row in _rows(arguments):
        if not header and len(row) > 2:
            header = list(row)
            print("| " + " | ".join(header) + " |\n|" + "---|" * len(header), flush=True)
        print("| " + " | ".join(str(row.get(name, "diverged")) for name in header or row) + " |", flush=True)


if __name__ == "__main__":
    main()
