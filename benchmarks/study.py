"""The study behind the training recipe: one variant of it at a time, at equal CPU time; docs/training.md has the table.

    python -m benchmarks.study [VARIANT ...] [--seconds 150] [--dataset rotated_mnist] [--jobs 2] [--list]

A variant's schedule is cut to as many steps as fit into the budget on one thread, by the CPU time of its first steps.
Held-out PSNR is that of the run's last weights; DTW-SSID is that of `tangent_flow` with the settings of params.yaml on
two development seeds, never those that Table 1 reports. Variants that lost live here and not in the library.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from joblib import Parallel, delayed
from torch import Tensor, nn

from pipeline.config.methods import TangentFlow
from pipeline.config.params import load
from pipeline.config.training import DenoiserTraining, ResUNetTraining, UNetTraining
from pipeline.denoisers.base import Denoiser
from pipeline.extrapolators.base import ItemNoise
from pipeline.extrapolators.walk import walk
from pipeline.metrics.dtw import dtw_scores
from pipeline.metrics.ssim import ssim_distances
from pipeline.networks.build import build_network
from pipeline.networks.resunet import ResUNet
from pipeline.paths import Paths
from pipeline.stages.prepared import Prepared, load_prepared
from pipeline.training import loop
from pipeline.training.loop import Training, TrainingDivergedError, trained_denoiser
from pipeline.training.optimiser import Optimiser

DEVELOPMENT_SEEDS = (100, 101)
CALIBRATION = 6
"""Steps whose CPU time says how many fit into the budget; the first two warm up."""


class DenseResUNet(ResUNet):
    """The residual UNet with a fully connected layer across the coarsest level."""

    def __init__(self, channels: int, widths: tuple[int, ...], size: int) -> None:
        super().__init__(channels, widths)
        multiple = 2 ** len(self.shrink)
        side = -(-size // multiple)
        self.middle = Dense(self.middle, widths[-1] * side * side)


class Dense(nn.Module):
    """A block, then every position of its output mixed with every other."""

    def __init__(self, block: nn.Module, features: int) -> None:
        super().__init__()
        self.block, self.mix = block, nn.Linear(features, features)
        nn.init.zeros_(self.mix.weight)

    def forward(self, x: Tensor) -> Tensor:
        x = self.block(x)
        return x + self.mix(F.silu(x).flatten(1)).reshape(x.shape)


@dataclass(frozen=True)
class Variant:
    """What differs from the recipe.

    Attributes:
        settings: fields of the training's section.
        network: (settings, frames' size) -> another network than the settings describe.
        torch_optimiser: parameters -> an optimiser that the library does not offer.
        prepare: network -> what is called in its place (compiled, other memory layout).
        sigmas: (largest, count, generator) -> noise levels of another law.
        patch: side of random crops to train on; 0: whole frames.
    """

    settings: dict[str, Any] = field(default_factory=dict)
    network: Callable[[Any, int], nn.Module] | None = None
    torch_optimiser: Callable[[list[nn.Parameter]], torch.optim.Optimizer] | None = None
    prepare: Callable[[nn.Module], nn.Module] | None = None
    sigmas: Callable[..., Tensor] | None = None
    patch: int = 0


REFERENCE = {"optimiser": "adam", "learning_rate": 0.001, "decay": "halving", "sigma_max_255": 255.0}
REFERENCE |= {"sigma_law": "quadratic", "batch": 512, "ema": 0.0, "bfloat16": False}
"""The recipe of the paper's reference (Kadkhodaie et al. 2024)."""


def _bias_free(width: int, **settings: Any) -> Variant:
    return Variant(settings={**settings}, network=lambda cfg, size: build_network(_unet(cfg, width), 1, size))


def _unet(cfg: ResUNetTraining, width: int) -> UNetTraining:
    shared = {name: getattr(cfg, name) for name in DenoiserTraining.model_fields}
    return UNetTraining(network="unet", width=width, **shared)


def _log_uniform(largest: float, count: int, generator: torch.Generator) -> Tensor:
    low = 1 / 255
    return low * (largest / low) ** torch.rand(count, 1, 1, 1, generator=generator)


def _torch(make: Callable[..., torch.optim.Optimizer], **settings: Any) -> Variant:
    return Variant(torch_optimiser=lambda parameters: make(parameters, **settings))


VARIANTS: dict[str, Variant] = {
    "recipe": Variant(),
    "unet_64_reference": _bias_free(64, **REFERENCE),
    "unet_64_adam": _bias_free(64, optimiser="adam", learning_rate=0.001),
    "unet_32_adam": _bias_free(32, optimiser="adam", learning_rate=0.001),
    "unet_32_muon": _bias_free(32),
    "unet_64_muon": _bias_free(64),
    "dense": Variant(network=lambda cfg, size: DenseResUNet(1, cfg.widths, size)),
    "three_levels": Variant({"widths": (32, 64, 128)}),
    "narrow": Variant({"widths": (16, 32, 64, 64)}),
    "wide": Variant({"widths": (48, 96, 192, 192)}),
    "adam": Variant({"optimiser": "adam", "learning_rate": 0.002}),
    "adamw": _torch(torch.optim.AdamW, lr=0.002, weight_decay=0.01),
    "nadam": _torch(torch.optim.NAdam, lr=0.002),
    "sgd": _torch(torch.optim.SGD, lr=0.5, momentum=0.9, nesterov=True),
    "muon_rate_0.01": Variant({"learning_rate": 0.01}),
    "muon_rate_0.04": Variant({"learning_rate": 0.04}),
    "halving": Variant({"decay": "halving"}),
    "batch_16": Variant({"batch": 16}),
    "batch_32": Variant({"batch": 32}),
    "batch_96": Variant({"batch": 96}),
    "batch_192": Variant({"batch": 192}),
    "ema_0": Variant({"ema": 0.0}),
    "ema_0.99": Variant({"ema": 0.99}),
    "sigma_40": Variant({"sigma_max_255": 40.0}),
    "sigma_100": Variant({"sigma_max_255": 100.0}),
    "sigma_quadratic": Variant({"sigma_law": "quadratic"}),
    "sigma_log_uniform": Variant(sigmas=_log_uniform),
    "float32": Variant({"bfloat16": False}),
    "channels_last": Variant(prepare=lambda net: net.to(memory_format=torch.channels_last)),
    "compile": Variant(prepare=lambda net: torch.compile(net)),  # type: ignore[return-value,unused-ignore]
    "patches_12": Variant(patch=12),
    "decay_0": Variant({"weight_decay": 0.0}),
    "decay_0.03": Variant({"weight_decay": 0.03}),
    "decay_0.1": Variant({"weight_decay": 0.1}),
    "decay_0.3": Variant({"weight_decay": 0.3}),
    "decay_1": Variant({"weight_decay": 1.0}),
}


class TorchOptimiser(Optimiser):
    """One of torch's optimisers in the place of ours."""

    def __init__(self, network: nn.Module, make: Callable[[list[nn.Parameter]], torch.optim.Optimizer]) -> None:
        self.weights, self.matrices = [], []
        self.optimisers = [make(list(network.parameters()))]
        self.rates = [group["lr"] for group in self.optimisers[0].param_groups]


class StudyTraining(Training):
    """A training that follows a variant."""

    def __init__(self, frames: Prepared, cfg: ResUNetTraining, variant: Variant) -> None:
        torch.manual_seed(cfg.seed)
        size = frames.videos.shape[-1]
        network = variant.network(cfg, size) if variant.network else build_network(cfg, 1, size)
        super().__init__(network, frames.training_frames, frames.held_out_frames, cfg)
        self.variant = variant
        if variant.torch_optimiser:
            self.optimiser = TorchOptimiser(network, variant.torch_optimiser)
        self.whole, self.called = self.frames, variant.prepare(network) if variant.prepare else None
        self.seconds = 0.0  # of CPU, without scoring

    def _update(self) -> float:
        start = time.process_time()
        side = self.variant.patch
        if side:
            y, x = torch.randint(self.whole.shape[-1] - side + 1, (2,), generator=self.generator).tolist()
            self.frames = self.whole[..., y : y + side, x : x + side]
        plain = self.network
        if self.called is not None:
            self.network = self.called
        loss = super()._update()
        self.network = plain
        self.seconds += time.process_time() - start
        return loss


def run(name: str, dataset: str, seconds: float) -> dict[str, Any]:
    """Train one variant on one thread for a CPU time, and score it."""
    torch.set_num_threads(1)
    params, variant = load(Paths().params), VARIANTS[name]
    frames = load_prepared(dataset, Paths())
    base = params.training(dataset, "resunet")
    assert isinstance(base, ResUNetTraining)
    cfg = base.model_copy(update={**variant.settings, "patience": 0, "steps": 10**6, "record_every": 10**6})
    law = loop.draw_sigmas
    if variant.sigmas:
        chosen = variant.sigmas
        loop.draw_sigmas = lambda _, largest, count, generator: chosen(largest, count, generator)  # type: ignore[assignment]
    try:
        steps = max(CALIBRATION, round(seconds / _seconds_a_step(StudyTraining(frames, cfg, variant))))
        cfg = cfg.model_copy(update={"steps": steps, "record_every": max(1, steps // 10)})
        training = StudyTraining(frames, cfg, variant)
        history = list(training.run())
    except TrainingDivergedError:
        return {"variant": name, "steps": 0}
    finally:
        loop.draw_sigmas = law
    settings: Any = _unet(cfg, 1) if variant.network and name.startswith("unet") else cfg
    denoiser = trained_denoiser(training.average, settings)
    flow = params.method(dataset, "tangent_flow")
    assert isinstance(flow, TangentFlow)
    flow = flow.model_copy(update={"remove_brightness": denoiser.homogeneous})
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
        "dtw_ssid": round(development_score(denoiser, frames, flow), 4),
    }


def _seconds_a_step(training: StudyTraining) -> float:
    times = []
    for training.step in range(CALIBRATION):
        before = training.seconds
        training._update()
        times.append(training.seconds - before)
    return statistics.median(times[2:])


def development_score(denoiser: Denoiser, frames: Prepared, flow: TangentFlow) -> float:
    """Mean DTW-SSID of `tangent_flow` over all videos and the development seeds."""
    count, seeds = len(frames.videos), DEVELOPMENT_SEEDS
    given = frames.videos[:, :2].repeat(len(seeds), 1, 1, 1, 1)
    noise = ItemNoise([(seed, video) for seed in seeds for video in range(count)])
    walked = [state.frame for state in walk(flow, denoiser, given[:, 0], given[:, 1], noise)]
    videos = torch.cat([given, torch.stack(walked, 1)], 1).clamp(0, 1)
    distances = torch.stack([ssim_distances(frames.videos[i % count], video) for i, video in enumerate(videos)])
    return float(dtw_scores(distances).exact.mean())


def _rows(names: list[str], dataset: str, seconds: float, jobs: int) -> Iterator[dict[str, Any]]:
    yield from Parallel(jobs, return_as="generator")(delayed(run)(name, dataset, seconds) for name in names)


def main() -> None:
    """Print the table, a line a variant as it is done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("variants", nargs="*", default=list(VARIANTS), metavar="VARIANT")
    parser.add_argument("--seconds", type=float, default=150, help="CPU seconds of training a variant")
    parser.add_argument("--dataset", default="rotated_mnist")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="print the names of the variants and stop")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.variants) - VARIANTS.keys()):
        parser.error(f"unknown variants: {', '.join(unknown)}; --list names them")
    if arguments.list:
        print("\n".join(VARIANTS))
        return
    header: list[str] = []
    for row in _rows(arguments.variants, arguments.dataset, arguments.seconds, arguments.jobs):
        if not header and len(row) > 2:
            header = list(row)
            print("| " + " | ".join(header) + " |\n|" + "---|" * len(header), flush=True)
        print("| " + " | ".join(str(row.get(name, "diverged")) for name in header or row) + " |", flush=True)


if __name__ == "__main__":
    main()
