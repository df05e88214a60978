"""What holds for every extrapolator, on the exact denoiser of a circle."""

from __future__ import annotations

from itertools import islice

import pytest
import torch
from circle import Broken, angle, oracle, point
from torch import Tensor

from manex.denoisers.base import Denoiser
from manex.errors import GeometryError, WalkError
from manex.extrapolators.base import Walk
from manex.extrapolators.latent import Latent
from manex.extrapolators.linear import Linear
from manex.extrapolators.persistence import Persistence
from manex.extrapolators.tangent_flow import TangentFlow
from manex.extrapolators.tangent_space import TangentSpace
from manex.extrapolators.walk import walk
from manex.networks.vae import VAE
from manex.noises.draws import ItemNoise

LINEAR = Linear(sigma=25 / 255, eta=1)
SPACE = TangentSpace(sigma=25 / 255, eta=1, rank=1)
FLOW = TangentFlow(sigma=25 / 255, substeps=2, corrector=1, draws=2)
RANDOM: list[Walk] = [LINEAR, SPACE, FLOW]
KEYS = [(0, 0), (0, 1), (7, 0)]
STARTS = torch.tensor([0.3, 2.0, 0.3], dtype=torch.float64)


def by_name(cfg: Walk) -> str:
    return type(cfg).__name__


def walked(cfg: Walk, items: list[int], denoiser: Denoiser | None = None, frames: int = 5) -> Tensor:
    """The frames of some items of the batch, shape (item, frame, 1, 4, 4)."""
    first, second, noise = point(STARTS[items]), point(STARTS[items] + 0.2), ItemNoise([KEYS[i] for i in items])
    states = walk(cfg, denoiser or oracle(), first, second, noise)
    return torch.stack([state.frame for state in islice(states, frames)], 1)


@pytest.mark.parametrize("cfg", RANDOM, ids=by_name)
def test_a_walk_has_as_many_frames_as_are_taken(cfg: Walk) -> None:
    assert walked(cfg, [0, 1], frames=6).shape == (2, 6, 1, 4, 4)


@pytest.mark.parametrize("cfg", RANDOM, ids=by_name)
def test_the_same_seed_walks_the_same_way(cfg: Walk) -> None:
    assert torch.equal(walked(cfg, [0, 1, 2]), walked(cfg, [0, 1, 2]))


@pytest.mark.parametrize("cfg", RANDOM, ids=by_name)
def test_another_seed_walks_another_way_from_the_same_frames(cfg: Walk) -> None:
    frames = walked(cfg, [0, 2])
    assert (frames[0] - frames[1]).abs().amax() > 1e-3


@pytest.mark.parametrize("cfg", RANDOM, ids=by_name)
def test_a_video_walks_alone_as_it_walks_in_company(cfg: Walk) -> None:
    together = walked(cfg, [0, 1, 2])
    for item in range(3):
        torch.testing.assert_close(walked(cfg, [item])[0], together[item], rtol=0, atol=1e-8)


@pytest.mark.parametrize("cfg", RANDOM, ids=by_name)
def test_the_order_of_the_videos_is_of_no_account(cfg: Walk) -> None:
    torch.testing.assert_close(walked(cfg, [2, 0, 1]), walked(cfg, [0, 1, 2])[[2, 0, 1]], rtol=0, atol=1e-8)


@pytest.mark.parametrize("cfg", RANDOM, ids=by_name)
def test_a_longer_walk_begins_like_a_shorter_one(cfg: Walk) -> None:
    assert torch.equal(walked(cfg, [0, 1], frames=8)[:, :5], walked(cfg, [0, 1]))


@pytest.mark.parametrize("cfg", [*RANDOM, Latent(eta=1)], ids=by_name)
@pytest.mark.parametrize(("change", "reason"), [(0.0, "identical"), (float("nan"), "not finite")])
def test_two_frames_without_a_velocity_are_refused_with_their_video(cfg: Walk, change: float, reason: str) -> None:
    first = point(STARTS)
    second = point(STARTS + 0.2)
    second[1] = first[1] + change
    model = VAE(1, 4, 3).double().eval() if isinstance(cfg, Latent) else oracle()
    with pytest.raises(WalkError, match=rf"video 1: .*{reason}"):
        next(walk(cfg, model, first, second, ItemNoise(KEYS)))


@pytest.mark.parametrize("cfg", [*RANDOM, FLOW.model_copy(update={"corrector": 0})], ids=by_name)
def test_a_denoiser_that_gives_no_numbers_ends_the_walk_with_a_message(cfg: Walk) -> None:
    with pytest.raises((WalkError, GeometryError), match="the denoiser return"):
        walked(cfg, [0, 1], Broken().eval())


def test_a_model_of_the_wrong_type_is_refused() -> None:
    frame = torch.rand(1, 1, 4, 4)
    with pytest.raises(TypeError, match="persistence takes a model of type NoneType, not VAE"):
        next(walk(Persistence(), VAE(1, 4, 3), frame, frame, ItemNoise([(0, 0)])))


def test_the_circle_of_these_tests_is_a_circle_in_the_grey_range() -> None:
    angles = torch.linspace(-3, 3, 50).double()
    frames = point(angles)
    torch.testing.assert_close(angle(frames), angles)
    torch.testing.assert_close((frames - 0.5).flatten(1).norm(dim=1), torch.ones(50).double())
    assert frames.min() > 0.1
    assert frames.max() < 0.9
