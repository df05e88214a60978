from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from manex.datasets.dataset import Order
from manex.denoisers.wiener import Wiener
from manex.extrapolators.linear import Linear
from manex.extrapolators.walk import walk
from manex.noises.draws import ItemNoise
from manex.training.diffusion import DiffusionTraining
from manex.training.loop import Training
from manex.training.mcvd import MCVDTraining
from manex.training.rnn_ode import RNNODETraining
from manex.training.settings import TrainingSettings

MCVD = MCVDTraining(widths=(4, 8), future=2, steps=6, batch=8, learning_rate=0.02)
RNN = RNNODETraining(latent=3, hidden=8, horizon=6, steps=6, batch=8, learning_rate=0.01)
OUT = torch.tensor([5, 11, 26])


def videos(generator: Generator) -> Tensor:
    return torch.rand(2, 16, 1, 8, 8, generator=generator)


def kind(cfg: TrainingSettings) -> str:
    return type(cfg).__name__


def whole(rows: Tensor) -> Order:
    """Clips of equal length."""
    return rows, torch.ones(rows.shape, dtype=torch.bool)


def rows_of_clips() -> Tensor:
    out = torch.zeros(32, dtype=torch.bool)
    out[OUT] = True
    return torch.where(out, -out.long().cumsum(0), (~out).long().cumsum(0) - 1).reshape(2, 16)


def trained(cfg: TrainingSettings, every: Tensor, held_out: Tensor, rows: Tensor) -> dict[str, Tensor]:
    kept = torch.ones(32, dtype=torch.bool)
    kept[OUT] = False
    run = Training.begin(cfg, every.flatten(0, 1)[kept], held_out, whole(rows))
    list(run.run())
    return run.average.state_dict()


@pytest.mark.parametrize("cfg", [MCVD, RNN], ids=kind)
def test_what_the_held_out_frames_show_does_not_change_a_training_on_clips(
    cfg: TrainingSettings, generator: Generator
) -> None:
    every = videos(generator)
    held_out = every.flatten(0, 1)[OUT]
    one, other = (
        trained(cfg, every, shown, rows_of_clips()) for shown in (held_out, torch.full_like(held_out, torch.nan))
    )
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


@pytest.mark.parametrize("cfg", [MCVD, RNN], ids=kind)
def test_the_order_of_the_frames_changes_a_training_on_clips(cfg: TrainingSettings, generator: Generator) -> None:
    every = videos(generator)
    held_out = every.flatten(0, 1)[OUT]
    one, other = (trained(cfg, every, held_out, rows) for rows in (rows_of_clips(), rows_of_clips().flip(1)))
    assert any(not torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("cfg", [MCVD, RNN], ids=kind)
def test_clips_without_an_order_are_refused(cfg: TrainingSettings) -> None:
    with pytest.raises(ValueError, match="needs to know which frames follow one another"):
        Training.begin(cfg, torch.rand(9, 1, 8, 8), torch.rand(3, 1, 8, 8))


def test_clips_with_a_gap_each_are_refused() -> None:
    rows = torch.tensor([[0, 1, -1, 2, 3, -2, 4, 5, -3]])
    with pytest.raises(ValueError, match="no 4 frames in a row of which none is held out"):
        Training.begin(MCVD, torch.rand(6, 1, 8, 8), torch.rand(3, 1, 8, 8), whole(rows))


@pytest.mark.parametrize("cfg", [MCVD, RNN], ids=kind)
def test_there_may_be_more_held_out_frames_than_training_frames(cfg: TrainingSettings, generator: Generator) -> None:
    rows = torch.stack([torch.cat([4 * i + torch.arange(4), -1 - 12 * i - torch.arange(12)]) for i in range(2)])
    frames = torch.rand(32, 1, 8, 8, generator=generator)
    *_, last = Training.begin(cfg, frames[:8], frames[8:], whole(rows)).run()
    assert [name for name, score in last.scores.items() if not 0 < score < 100] == []
    assert len(last.scores) == 2


@pytest.mark.parametrize("cfg", [MCVD, RNN], ids=kind)
def test_a_network_that_predicts_videos_is_no_denoiser_of_frames(cfg: TrainingSettings) -> None:
    finished, frame = cfg.finished(cfg.build(1, 8)), torch.rand(1, 1, 8, 8)
    with pytest.raises(TypeError, match=f"linear takes a model of type Denoiser, not {type(finished).__name__}"):
        next(walk(Linear(sigma=0.1, eta=1), finished, frame, 1 - frame, ItemNoise([(0,)])))


def test_a_trained_diffusion_model_is_a_denoiser_at_every_noise_level(generator: Generator) -> None:
    """For Gaussian images the exact denoiser is known: training comes nearer to it than doing nothing does."""
    axes = torch.linspace(-1, 1, 8).expand(1, 1, 8, 8)
    frames = 0.5 + 0.25 * torch.randn(200, 1, 1, 1, generator=generator) * axes
    cfg = DiffusionTraining(widths=(8,), steps=300, batch=16, learning_rate=0.02, ema=0.9)
    run = Training.begin(cfg, frames[40:], frames[:40])
    list(run.run())
    denoiser, exact = cfg.finished(run.average), Wiener(frames[40:])
    for sigma in (0.05, 0.2, 0.8):
        noisy = frames[:40] + sigma * torch.randn(40, 1, 8, 8, generator=generator)
        found, best = denoiser(noisy, sigma), exact(noisy, sigma)
        assert (found - best).square().mean() < 0.3 * (noisy - best).square().mean()
