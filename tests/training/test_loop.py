from __future__ import annotations

from itertools import islice

import pytest
import torch
from torch import Tensor

from manex.denoisers.base import Denoiser
from manex.metrics.psnr import psnr
from manex.training.bf_cnn import BFCNNTraining
from manex.training.diffusion import DiffusionTraining
from manex.training.loop import Training, TrainingDivergedError
from manex.training.mcvd import MCVDTraining
from manex.training.resunet import ResUNetTraining
from manex.training.rnn_ode import RNNODETraining
from manex.training.settings import TrainingSettings
from manex.training.unet import UNetTraining
from manex.training.vae import VAETraining

RESUNET = ResUNetTraining(widths=(4, 8), steps=24, batch=8, record_every=8, learning_rate=0.02, ema=0.9)
SETTINGS = {
    "resunet-muon": RESUNET,
    "resunet-bfloat16": RESUNET.model_copy(update={"bfloat16": True}),
    "unet-adam": UNetTraining(
        width=4, steps=24, batch=8, record_every=8, learning_rate=0.001, ema=0.9,
        optimiser="adam", decay="halving", sigma_law="quadratic",
    ),
    "unet-muon-bfloat16": UNetTraining(
        width=4, steps=24, batch=8, record_every=8, learning_rate=0.02, ema=0.9, bfloat16=True
    ),
    "bf_cnn-bfloat16": BFCNNTraining(
        width=8, depth=3, steps=24, batch=8, record_every=8, learning_rate=0.02, ema=0.9,
        bfloat16=True,
    ),
    "vae": VAETraining(latent=4, steps=24, batch=8, record_every=8, ema=0.9),
    "diffusion": DiffusionTraining(
        widths=(4, 8), steps=24, batch=8, record_every=8, learning_rate=0.02, ema=0.9
    ),
    "mcvd-bfloat16": MCVDTraining(
        widths=(4, 8), steps=24, batch=8, record_every=8, learning_rate=0.02, ema=0.9, bfloat16=True
    ),
    "rnn_ode-adam": RNNODETraining(
        latent=4, hidden=8, horizon=6, steps=24, batch=8, record_every=8, learning_rate=0.01,
        ema=0.9, optimiser="adam",
    ),
}  # fmt: skip


def frames(count: int = 40) -> Tensor:
    """Smooth waves of every phase: one circle, easily learnt."""
    x = torch.linspace(0, 2 * torch.pi, 8)
    phases = torch.linspace(0, 2 * torch.pi, count + 1)[:-1].reshape(-1, 1, 1, 1)
    return 0.5 + 0.4 * torch.sin(x.reshape(1, 1, 1, -1) + x.reshape(1, 1, -1, 1) + phases)


def training(cfg: TrainingSettings, weights: int = 0) -> Training:
    torch.manual_seed(weights)
    every = frames()
    network = cfg.build(1, 8)
    out = torch.arange(40) % 4 == 0
    rows = torch.where(out, -out.long().cumsum(0), (~out).long().cumsum(0) - 1).reshape(1, 40)
    return Training(network, every[~out], every[out], cfg, (rows, torch.ones(1, 40, dtype=torch.bool)))


def with_(cfg: TrainingSettings, **changes: object) -> TrainingSettings:
    return cfg.model_copy(update=changes)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_run_that_was_interrupted_ends_like_one_that_was_not(name: str) -> None:
    cfg = SETTINGS[name]
    whole = training(cfg)
    expected = list(whole.run())
    broken = training(cfg)
    seen = list(islice(broken.run(), 1))
    state = {key: value.clone() for key, value in broken.state().items()}
    resumed = training(cfg, weights=99)  # other first weights: all of it must come from the state
    resumed.restore(state)
    assert [*seen, *resumed.run()] == expected
    assert whole.state().keys() == resumed.state().keys()
    assert [key for key, value in whole.state().items() if not torch.equal(value, resumed.state()[key])] == []


@pytest.mark.parametrize("name", SETTINGS)
def test_the_same_seed_gives_the_same_weights(name: str) -> None:
    runs = [training(with_(SETTINGS[name], steps=6)) for _ in range(2)]
    for run in runs:
        list(run.run())
    first, second = (run.average.state_dict() for run in runs)
    assert [key for key in first if not torch.equal(first[key], second[key])] == []


@pytest.mark.parametrize("name", ["resunet-muon", "unet-adam", "vae", "diffusion", "mcvd-bfloat16", "rnn_ode-adam"])
def test_training_lowers_the_loss(name: str) -> None:
    records = list(training(with_(SETTINGS[name], steps=200, record_every=20, learning_rate=0.01)).run())
    assert records[-1].loss < 0.7 * records[0].loss


def test_a_trained_denoiser_beats_doing_nothing_on_frames_it_never_saw() -> None:
    run = training(with_(RESUNET, steps=300, record_every=100))
    list(run.run())

    class Identity(Denoiser):
        def forward(self, noisy: Tensor, sigma: float) -> Tensor:
            return noisy

    denoiser = run.cfg.finished(run.average)
    assert psnr(denoiser, run.held_out, 50 / 255) > psnr(Identity(), run.held_out, 50 / 255) + 3


def test_records_come_at_every_interval_and_at_the_end() -> None:
    run = training(with_(RESUNET, steps=20, record_every=8))
    assert [record.step for record in run.run()] == [8, 16, 20]
    assert run.finished == "budget"


def test_a_denoiser_is_scored_at_three_noise_levels_on_both_kinds_of_frames() -> None:
    (record,) = training(with_(RESUNET, steps=2)).run()
    assert set(record.scores) == {"psnr_held_out_15", "psnr_held_out_25", "psnr_held_out_50", "psnr_train_25"}


def test_less_noise_is_denoised_to_a_higher_psnr() -> None:
    (record,) = training(with_(RESUNET, steps=100, record_every=100)).run()
    scores = record.scores
    assert scores["psnr_held_out_15"] > scores["psnr_held_out_25"] > scores["psnr_held_out_50"]


def test_training_without_gain_stops_at_the_plateau() -> None:
    run = training(with_(RESUNET, optimiser="adam", learning_rate=1e-12, steps=100, record_every=2, patience=3))
    assert [record.step for record in run.run()] == [2, 4, 6, 8]  # the first sets the mark, three do not pass it
    assert run.finished == "plateau"


def test_without_patience_only_the_budget_ends_a_training() -> None:
    run = training(with_(RESUNET, optimiser="adam", learning_rate=1e-12, steps=12, record_every=2))
    assert len(list(run.run())) == 6
    assert run.finished == "budget"


@pytest.mark.parametrize("name", ["resunet-muon", "unet-adam", "vae", "diffusion", "mcvd-bfloat16", "rnn_ode-adam"])
def test_a_loss_that_explodes_is_reported_with_a_remedy(name: str) -> None:
    run = training(with_(SETTINGS[name], learning_rate=1e20))
    with pytest.raises(TrainingDivergedError, match="lower learning_rate"):
        list(run.run())


def test_frames_that_are_no_numbers_are_reported_at_once() -> None:
    run = training(RESUNET)
    run.frames[:] = float("nan")
    with pytest.raises(TrainingDivergedError, match="at step 0"):
        list(run.run())


def test_a_trained_denoiser_knows_its_noise_levels_and_whether_it_is_homogeneous() -> None:
    for name, homogeneous in (("resunet-muon", False), ("unet-adam", True), ("bf_cnn-bfloat16", True)):
        run = training(SETTINGS[name])
        denoiser = run.cfg.finished(run.average)
        assert denoiser.sigma_range == (0, 60 / 255)
        assert denoiser.homogeneous is homogeneous
