"""Training as a generator of records; the caller decides about progress, logging and checkpoints."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from manex.arrays import Frames
from manex.datasets.dataset import Order
from manex.training.objective import HeldOut
from manex.training.optimiser import Optimiser, average_into, rate_factor
from manex.training.settings import TrainingSettings


class TrainingDivergedError(RuntimeError):
    """The loss is no longer a number, or has exploded."""


@dataclass(frozen=True)
class Record:
    """The state of a training after `step` optimiser steps.

    Attributes:
        loss: mean over the steps since the last record.
        scores: PSNR in dB, by `psnr_held_out_15`, ..., `psnr_train_25`; other names for other networks.
    """

    step: int
    loss: float
    scores: dict[str, float]


class Training:
    """One training run that can be stopped anywhere and resumed with the same result, bit for bit.

    Args:
        network: untrained; changed in place.
        frames: clean frames to train on, shuffled: their order carries no information.
        held_out: clean frames never trained on.
        cfg: the settings of the network and its training.
        order: which frames follow one another; only for networks that are trained on ordered clips.

    Raises:
        ValueError: ordered clips are needed, and there are none.

    Example:
        >>> from manex import ResUNetTraining, Training
        >>> cfg = ResUNetTraining(widths=(4, 8), steps=4, batch=8, learning_rate=0.02, record_every=2)
        >>> frames = torch.rand(20, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        >>> training = Training.begin(cfg, frames[4:], held_out=frames[:4])
        >>> [record.step for record in training.run()]
        [2, 4]
        >>> denoiser = cfg.finished(training.average)
        >>> denoiser(frames, 0.1).shape
        torch.Size([20, 1, 8, 8])
    """

    def __init__(
        self,
        network: nn.Module,
        frames: Frames,
        held_out: HeldOut,
        cfg: TrainingSettings,
        order: Order | None = None,
    ) -> None:
        self.network, self.frames, self.held_out, self.cfg = network, frames, held_out, cfg
        self.objective = cfg.objective(frames, held_out, order)
        self.average = copy.deepcopy(network).requires_grad_(False)
        self.optimiser = Optimiser(network, cfg.optimiser, cfg.learning_rate, cfg.weight_decay)
        self.generator = Generator().manual_seed(cfg.seed)
        self.step = 0
        self.best, self.waited = float("-inf"), 0
        self.first_loss = float("nan")

    @classmethod
    def begin(cls, cfg: TrainingSettings, frames: Frames, held_out: HeldOut, order: Order | None = None) -> Training:
        """A run of the network that `cfg` describes, its first weights drawn with `cfg.seed`, where the frames are.

        Raises:
            ValueError: ordered clips are needed, and there are none.
        """
        torch.manual_seed(cfg.seed)  # layers draw their first weights from the global generator, on the CPU
        network = cfg.build(frames.shape[1], frames.shape[-1]).to(frames.device)
        return cls(network, frames, held_out, cfg, order)

    @property
    def finished(self) -> str | None:
        """Why training is over: "budget" or "plateau"; None if it is not."""
        if self.step >= self.cfg.steps:
            return "budget"
        return "plateau" if self.cfg.patience and self.waited >= self.cfg.patience else None

    def run(self) -> Iterator[Record]:
        """Train to the end, yielding a record every `cfg.record_every` steps.

        Raises:
            TrainingDivergedError: the loss is not finite, or a thousand times that of the first step; the state is
                then useless, and the caller's last checkpoint is the one to keep.
        """
        total, since = 0.0, 0
        while not self.finished:
            loss = self._update()
            if self.step == 0:
                self.first_loss = loss
            if not loss < 1000 * max(self.first_loss, 1e-12):
                raise TrainingDivergedError(
                    f"loss {loss:.3g} at step {self.step} after {self.first_loss:.3g} at the first; lower learning_rate"
                )
            self.step += 1
            total, since = total + loss, since + 1
            if self.step % self.cfg.record_every == 0 or self.step == self.cfg.steps:
                scores = self.objective.scores(self.average.eval())
                self._watch(next(iter(scores.values())))
                yield Record(self.step, total / since, scores)
                total, since = 0.0, 0

    def state(self) -> dict[str, Tensor]:
        """Everything the rest of the run depends on, as plain tensors."""
        parts = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state(),
            "run": {
                "generator": self.generator.get_state(),
                "progress": torch.tensor([self.step, self.best, self.waited, self.first_loss], dtype=torch.float64),
            },
        }
        return {f"{part}.{key}": value for part, values in parts.items() for key, value in values.items()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Resume a run from `state()`."""

        def part(name: str) -> dict[str, Tensor]:
            return {key.removeprefix(name): value for key, value in state.items() if key.startswith(name)}

        self.network.load_state_dict(part("network."))
        self.average.load_state_dict(part("average."))
        self.optimiser.restore(part("optimiser."))
        self.generator.set_state(state["run.generator"].cpu())
        step, self.best, waited, self.first_loss = state["run.progress"].tolist()
        self.step, self.waited = int(step), int(waited)

    def _update(self) -> float:
        self.network.train()
        loss = self.objective.loss(self.network, self.generator)
        self.optimiser.step(loss, rate_factor(self.cfg.decay, self.step, self.cfg.steps))
        average_into(self.average, self.network, self.cfg.ema, self.step)
        return loss.item()

    def _watch(self, score: float) -> None:
        self.waited = 0 if score > self.best + 0.01 else self.waited + 1
        self.best = max(self.best, score)
