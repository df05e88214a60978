from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from pipeline.config.training import DiffusionTraining, MCVDTraining, Model, RNNODETraining
from manex.denoisers.wiener import Wiener
from pipeline.networks.build import build_network
from manex.training.loop import Training
from manex.training.objectives import trained_denoiser

MCVD = MCVDTraining(network="mcvd", widths=(4, 8), future=2, steps=6, batch=8, learning_rate=0.02)
RNN = RNNODETraining(network="rnn_ode", latent=3, hidden=8, horizon=6, steps=6, batch=8, learning_rate=0.01)
OUT = torch.tensor([5, 11, 26])


def videos(generator: Generator) -> Tensor:
    return torch.rand(2, 16, 1, 8, 8, generator=generator)


def order() -> Tensor:
    out = torch.zeros(32, dtype=torch.bool)
    out[OUT] = True
    return torch.where(out, -out.long().cumsum(0), (~out).long().cumsum(0) - 1).reshape(2, 16)


def trained(cfg: Model, every: Tensor, held_out: Tensor, rows: Tensor) -> dict[str, Tensor]:
    kept = torch.ones(32, dtype=torch.bool)
    kept[OUT] = False
    run = Training.begin(cfg, every.flatten(0, 1)[kept], held_out, rows)
    list(run.run())
    return run.average.state_dict()


@pytest.mark.parametrize("cfg", [MCVD, RNN], ids=lambda cfg: cfg.network)
def test_what_the_held_out_frames_show_does_not_change_a_training_on_clips(cfg: Model, generator: Generator) -> None:
    every = videos(generator)
    held_out = every.flatten(0, 1)[OUT]
    one, other = (trained(cfg, every, shown, order()) for shown in (held_out, torch.full_like(held_out, torch.nan)))
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


@pytest.mark.parametrize("cfg", [MCVD, RNN], ids=lambda cfg: cfg.network)
def test_the_order_of_the_frames_changes_a_training_on_clips(cfg: Model, generator: Generator) -> None:
    every = videos(generator)
    held_out = every.flatten(0, 1)[OUT]
    one, other = (trained(cfg, every, held_out, rows) for rows in (order(), order().flip(1)))
    assert any(not torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("cfg", [MCVD, RNN], ids=lambda cfg: cfg.network)
def test_clips_without_an_order_are_told(cfg: Model) -> None:
    with pytest.raises(ValueError, match="needs to know which frames follow one another"):
        Training.begin(cfg, torch.rand(9, 1, 8, 8), torch.rand(3, 1, 8, 8))


def test_clips_with_a_gap_each_are_told() -> None:
    rows = torch.tensor([[0, 1, -1, 2, 3, -2, 4, 5, -3]])
    with pytest.raises(ValueError, match="no 4 frames in a row of which none is held out"):
        Training.begin(MCVD, torch.rand(6, 1, 8, 8), torch.rand(3, 1, 8, 8), rows)


def test_a_network_that_predicts_videos_is_no_denoiser_of_frames() -> None:
    with pytest.raises(TypeError, match="mcvd is no denoiser"):
        trained_denoiser(build_network(MCVD, 1, 8), MCVD)


def test_a_trained_diffusion_model_is_a_denoiser_at_every_noise_level(generator: Generator) -> None:
    """Of Gaussian images the exact denoiser is known: training comes nearer to it than doing nothing does."""
    axes = torch.linspace(-1, 1, 8).expand(1, 1, 8, 8)
    frames = 0.5 + 0.25 * torch.randn(200, 1, 1, 1, generator=generator) * axes
    cfg = DiffusionTraining(network="diffusion", widths=(8,), steps=300, batch=16, learning_rate=0.02, ema=0.9)
    run = Training.begin(cfg, frames[40:], frames[:40])
    list(run.run())
    denoiser, exact = trained_denoiser(run.average, cfg), Wiener(frames[40:])
    for sigma in (0.05, 0.2, 0.8):
        noisy = frames[:40] + sigma * torch.randn(40, 1, 8, 8, generator=generator)
        found, best = denoiser(noisy, sigma), exact(noisy, sigma)
        assert (found - best).square().mean() < 0.3 * (noisy - best).square().mean()
