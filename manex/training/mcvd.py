"""Training of masked conditional video diffusion (Voleti, Jolicoeur-Martineau, Pal 2022), on ordered clips."""

from __future__ import annotations

from typing import ClassVar

import torch
from jaxtyping import Float
from pydantic import Field, PositiveInt
from torch import Generator, Tensor, nn

from manex.arrays import Frames
from manex.datasets.dataset import Order
from manex.networks.conditional import ConditionalUNet
from manex.noises.draws import noise_like
from manex.training.clips import GIVEN, Clips, needed
from manex.training.diffusion import Diffusion, diffusion_loss
from manex.training.objective import HeldOut, Objective
from manex.training.on_clips import OnClips, some

BLINDING = 4.0
"""A noise level, in grey levels, that hides an image completely."""


class MCVDTraining(Diffusion):
    """Masked conditional video diffusion: the next frames from the two before them; from ordered clips."""

    ordered: ClassVar[bool] = True

    widths: tuple[PositiveInt, ...] = Field((24, 48, 80, 80), min_length=1, description="channels per level")
    future: PositiveInt = Field(1, description="frames generated at a time")
    masked: float = Field(0.1, ge=0, le=1, description="share of clips whose past is hidden in training")

    def build(self, channels: int, size: int) -> ConditionalUNet:
        """The untrained network."""
        return ConditionalUNet(self.future * channels, self.widths, given=GIVEN * channels)

    def objective(self, frames: Frames, held_out: HeldOut, order: Order | None) -> Objective:
        """EDM's loss on the next frames."""
        return Continuing(self, frames, held_out, needed(order, "mcvd"))


class Continuing(OnClips[MCVDTraining]):
    """EDM's loss on the next frames."""

    def __init__(self, cfg: MCVDTraining, frames: Frames, held_out: HeldOut, order: Order) -> None:
        length = GIVEN + cfg.future
        every = Clips.of(order, length, length)
        super().__init__(cfg, frames, held_out, every)
        self.whole = every.where(every.seen.all(1))
        if not len(self.whole.rows):
            raise ValueError(f"no {length} frames in a row of which none is held out")

    def loss(self, network: nn.Module, generator: Generator) -> Float[Tensor, ""]:
        """The loss on the frames after the two given ones, which are sometimes hidden."""
        chosen = torch.randint(len(self.whole.rows), (self.cfg.batch,), generator=generator)
        clips = self.at(self.whole.rows[chosen])
        hidden = torch.rand(len(clips), 1, 1, 1, generator=generator) < self.cfg.masked
        given = clips[:, :GIVEN].flatten(1, 2) * ~hidden.to(clips.device)
        return diffusion_loss(network, clips[:, GIVEN:].flatten(1, 2), given, self.cfg, generator)

    @torch.no_grad()
    def scores(self, network: nn.Module) -> dict[str, float]:
        """PSNR of the next frames, predicted at a noise level that hides them: near that of the conditional mean."""
        assert isinstance(network, ConditionalUNet)
        found = {}
        for name, held_out in self.parts():
            clips = some(self.clips, self.clips.held_out.any(1)) if held_out else some(self.whole, None)
            given = self.at(clips.rows[:, :GIVEN]).flatten(1, 2)
            next_frames = given.new_zeros(len(given), self.cfg.future * self.frames.shape[1], *given.shape[2:])
            noise = noise_like(next_frames, Generator().manual_seed(0))
            sigmas = torch.full((len(given), 1, 1, 1), BLINDING, device=given.device)
            predicted = network(sigmas * noise, sigmas, given)
            found[f"psnr_next_{name}"] = self.error(predicted.unflatten(1, (self.cfg.future, -1)), clips, held_out)
        return found
