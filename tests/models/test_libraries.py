"""Real models of diffusers and deepinv, small and trained here for some seconds, walk as denoisers."""

from __future__ import annotations

import importlib.util
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import TypeAdapter
from safetensors.torch import load_file, save_file
from torch import Tensor

from manex.extrapolators.tangent_flow import TangentFlow
from manex.extrapolators.walk import walk
from manex.geometry.products import Jacobian
from manex.noises.draws import ItemNoise
from pipeline.config.plugins import PlugIn
from pipeline.errors import UserError
from pipeline.models.adapted import Adapted
from pipeline.models.libraries import _library, diffusers_model
from pipeline.models.plugin import load_plug_in
from pipeline.paths import Paths

pytestmark = pytest.mark.slow
SIGMA = 25 / 255
FLOW = TangentFlow(sigma=SIGMA, substeps=1)


def library(name: str) -> Any:
    package = name.partition(".")[0]
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed: pip install '.[{package}]'")
    return _library(name, "test")


def discs(count: int, generator: torch.Generator) -> Tensor:
    """Images of a disc anywhere, (count, 1, 18, 18)."""
    place, pixel = 5 + 8 * torch.rand(count, 2, 1, 1, generator=generator), torch.arange(18.0)
    distance = (pixel - place[:, 0]) ** 2 + (pixel[:, None] - place[:, 1]) ** 2
    return torch.sigmoid(9 - distance)[:, None]


def load(tmp_path: Path, section: dict[str, Any], frames: Tensor) -> Adapted:
    cfg: PlugIn = TypeAdapter(PlugIn).validate_python(section)
    return load_plug_in(cfg, frames, SIGMA, Paths(tmp_path), "cpu", "denoiser")


def assert_fit(denoiser: Adapted, generator: torch.Generator) -> None:
    """It removes noise from images it has not seen, has the Jacobian that differences show, and walks."""
    clean = discs(8, generator)
    noisy = clean + SIGMA * torch.randn(clean.shape, generator=generator)
    with torch.no_grad():
        assert (denoiser(noisy, SIGMA) - clean).square().mean() < 0.5 * SIGMA**2
    double = denoiser.double()
    y, v = noisy[:1].double(), torch.randn(1, 2, 1, 18, 18, dtype=torch.float64, generator=generator)
    jacobian = Jacobian(double.at(SIGMA), y)
    assert jacobian.exact
    differences = Jacobian(double.at(SIGMA), y, backend="finite_difference").jvp(v)
    # Both libraries keep parts, such as the embedding of time, in single precision.
    torch.testing.assert_close(jacobian.jvp(v), differences, atol=1e-3, rtol=1e-3)
    states = list(islice(walk(FLOW, denoiser.float(), clean[:1], clean[1:2], ItemNoise([(0, 0)])), 2))
    assert all(state.frame.isfinite().all() for state in states)


@pytest.mark.parametrize("predicts", ["epsilon", "sample"])
def test_a_unet_of_diffusers_trained_here_denoises_and_walks(
    predicts: str, tmp_path: Path, generator: torch.Generator
) -> None:
    diffusers = library("diffusers")
    torch.manual_seed(0)
    unet = diffusers.UNet2DModel(
        sample_size=20, in_channels=1, out_channels=1, layers_per_block=1, block_out_channels=(16, 32),
        down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        norm_num_groups=4, attention_head_dim=8,
    )  # fmt: skip
    scheduler = diffusers.DDPMScheduler(prediction_type=predicts)
    optimiser = torch.optim.Adam(unet.parameters(), 3e-3)
    for _ in range(150):
        frames = torch.nn.functional.pad(2 * discs(16, generator) - 1, (0, 2, 0, 2), value=-1)
        noise = torch.randn(frames.shape, generator=generator)
        steps = torch.randint(0, 250, (16,), generator=generator)  # sigma up to 0.5 in grey levels
        wanted = noise if predicts == "epsilon" else frames
        loss = (unet(scheduler.add_noise(frames, noise, steps), steps).sample - wanted).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    folder = tmp_path / "data" / "own" / "pipeline"
    unet.save_pretrained(folder / "unet")
    scheduler.save_pretrained(folder / "scheduler")
    denoiser = load(tmp_path, {"kind": "diffusers", "weights": "pipeline"}, discs(4, generator))
    assert denoiser.multiple == 2
    assert denoiser.channels == 1
    assert_fit(denoiser, generator)


def small_unet(diffusers: Any) -> Any:
    torch.manual_seed(0)
    return diffusers.UNet2DModel(
        sample_size=8, in_channels=1, out_channels=1, layers_per_block=1, block_out_channels=(8, 16),
        down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        norm_num_groups=4, attention_head_dim=8,
    ).eval()  # fmt: skip


def save_pipeline(folder: Path, unet: Any, scheduler: Any) -> Path:
    """A pipeline on disk; the file of its weights."""
    unet.save_pretrained(folder / "unet")
    scheduler.save_pretrained(folder / "scheduler")
    return folder / "unet" / "diffusion_pytorch_model.safetensors"


OLD = {".to_q.": ".query.", ".to_k.": ".key.", ".to_v.": ".value.", ".to_out.0.": ".proj_attn."}


def test_weights_with_the_old_names_of_attention_are_read(tmp_path: Path) -> None:
    diffusers = library("diffusers")
    unet = small_unet(diffusers)
    file = save_pipeline(tmp_path, unet, diffusers.DDPMScheduler())
    weights = {}
    for name, tensor in load_file(file).items():
        for new, old in OLD.items():
            name = name.replace(new, old)
        weights[name] = tensor
    assert any(".proj_attn." in name for name in weights)
    save_file(weights, file, {"format": "pt"})
    module, channels, multiple = diffusers_model(tmp_path, "denoiser")
    assert (channels, multiple) == (1, 2)
    y, t = torch.randn(1, 1, 8, 8), torch.tensor([10.0])
    with torch.no_grad():
        torch.testing.assert_close(module.network(y, t).sample, unet(y, t).sample)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("conv_in.weight", None, "missing keys: conv_in.weight"),
        ("conv_in.weights", torch.ones(1), "unexpected keys: conv_in.weights"),
        (
            "conv_in.weight",
            torch.ones(3, 3),
            r"size mismatch for conv_in.weight: .* is torch.Size\(\[8, 1, 3, 3\]\)\.$",
        ),
        ("conv_in.weight", torch.ones(8, 1, 3, 3, dtype=torch.int8), '"conv_in.weight" of .* is I8, not a weight'),
    ],
)
def test_weights_that_do_not_fit_a_unet_are_named(name: str, value: Tensor | None, said: str, tmp_path: Path) -> None:
    diffusers = library("diffusers")
    file = save_pipeline(tmp_path, small_unet(diffusers), diffusers.DDPMScheduler())
    weights = {key: tensor for key, tensor in load_file(file).items() if key != name}
    save_file(weights | ({} if value is None else {name: value}), file, {"format": "pt"})
    with pytest.raises(UserError, match=said):
        diffusers_model(tmp_path, "denoiser")


@pytest.mark.parametrize("kind", ["DDPMScheduler", "DDIMScheduler", "EulerDiscreteScheduler"])
def test_schedulers_of_zero_terminal_snr_are_read(kind: str, tmp_path: Path) -> None:
    diffusers = library("diffusers")
    scheduler = getattr(diffusers, kind)(rescale_betas_zero_snr=True, prediction_type="v_prediction")
    save_pipeline(tmp_path, small_unet(diffusers), scheduler)
    module, _, _ = diffusers_model(tmp_path, "denoiser")
    levels = ((1 - scheduler.alphas_cumprod) / scheduler.alphas_cumprod).sqrt()[:-1]
    assert module.sigma_range == pytest.approx((float(levels[0]), float(levels[-1])), rel=1e-4)


@pytest.mark.parametrize("kind", ["FlowMatchEulerDiscreteScheduler", "ScoreSdeVeScheduler"])
def test_schedulers_without_a_variance_preserving_schedule_are_refused(kind: str, tmp_path: Path) -> None:
    diffusers = library("diffusers")
    save_pipeline(tmp_path, small_unet(diffusers), getattr(diffusers, kind)())
    with pytest.raises(UserError, match="only variance-preserving ones fit"):
        diffusers_model(tmp_path, "denoiser")


def test_a_denoiser_of_deepinv_trained_here_denoises_and_walks(tmp_path: Path, generator: torch.Generator) -> None:
    models = library("deepinv.models")
    torch.manual_seed(0)
    arguments = {"in_channels": 1, "out_channels": 1, "nc": [8, 8, 16, 16], "nb": 1}
    network = models.DRUNet(**arguments, pretrained=None)
    optimiser = torch.optim.Adam(network.parameters(), 3e-3)
    for _ in range(200):
        frames = discs(16, generator)
        sigma = 0.2 * torch.rand(16, generator=generator)
        noisy = frames + sigma.reshape(-1, 1, 1, 1) * torch.randn(frames.shape, generator=generator)
        loss = (network(noisy, sigma) - frames).abs().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    (tmp_path / "data" / "own").mkdir(parents=True)
    save_file(network.state_dict(), tmp_path / "data" / "own" / "drunet.safetensors")
    section = {"kind": "deepinv", "model": "DRUNet", "arguments": arguments, "weights": "drunet.safetensors"}
    assert_fit(load(tmp_path, section, discs(4, generator)), generator)


def test_a_model_that_deepinv_has_not_is_told_with_the_nearest(tmp_path: Path, generator: torch.Generator) -> None:
    library("deepinv.models")
    with pytest.raises(UserError, match=r'denoiser.model: "DRUnet" is not in deepinv.models; did you mean "DRUNet"'):
        load(tmp_path, {"kind": "deepinv", "model": "DRUnet"}, discs(4, generator))


def test_a_library_that_is_not_installed_is_told_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "deepinv.models", None)
    with pytest.raises(UserError, match=r"deepinv cannot be imported .* --editable '.\[deepinv\]'"):
        _library("deepinv.models", "denoiser")
