"""The same code on a GPU; skipped where there is none."""

from __future__ import annotations

from itertools import islice

import pytest
import torch

from manex.denoisers.base import Denoiser
from manex.geometry.eigen import top_eigenspace
from manex.geometry.products import Jacobian
from manex.training.loop import Training
from manex.training.resunet import ResUNetTraining
from manex.training.settings import TrainingSettings
from manex.training.unet import UNetTraining
from manex.training.vae import VAETraining

PRESENT = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
MODELS: dict[str, TrainingSettings] = {
    "resunet": ResUNetTraining(widths=(8, 16), steps=20, batch=8, record_every=5, learning_rate=0.02, bfloat16=True),
    "unet": UNetTraining(width=8, steps=20, batch=8, record_every=5, learning_rate=0.02),
    "vae": VAETraining(latent=4, steps=20, batch=8, record_every=5),
}


@pytest.fixture(params=PRESENT)
def device(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if not PRESENT[name]:
        pytest.skip(f"torch sees no {name} device here")
    return name


def training(cfg: TrainingSettings, device: str) -> Training:
    x = torch.linspace(0, 6, 16)
    frames = 0.5 + 0.4 * torch.sin(x[None, :] + x[:, None] + torch.arange(40).reshape(-1, 1, 1, 1) / 6)
    return Training.begin(cfg, frames[8:].to(device), frames[:8].to(device))


@pytest.mark.parametrize("name", MODELS)
def test_the_first_loss_is_that_of_the_cpu(name: str, device: str) -> None:
    here, there = (training(MODELS[name], place)._update() for place in ("cpu", device))
    assert there == pytest.approx(here, rel=0.02)


@pytest.mark.parametrize("name", MODELS)
def test_a_run_goes_on_from_its_state(name: str, device: str) -> None:
    broken = training(MODELS[name], device)
    list(islice(broken.run(), 2))
    resumed = training(MODELS[name], device)
    resumed.restore({key: value.cpu() for key, value in broken.state().items()})
    assert [record.step for record in resumed.run()] == [15, 20]
    assert all(value.isfinite().all() for value in resumed.average.state_dict().values())


@pytest.mark.parametrize("name", ["resunet", "unet"])
def test_the_tangent_space_is_that_of_the_cpu(name: str, device: str) -> None:
    run = training(MODELS[name], device)
    list(run.run())
    network, point = run.average, run.held_out[:1]

    def values(place: str) -> torch.Tensor:
        denoiser: Denoiser = run.cfg.finished(network.to(place))
        return top_eigenspace(Jacobian(denoiser.at(0.1), point.to(place)), 2).values.cpu()

    torch.testing.assert_close(values("cpu"), values(device), rtol=1e-2, atol=1e-3)
