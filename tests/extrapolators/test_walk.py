"""What holds for every extrapolator, on the exact denoiser of a circle."""

from __future__ import annotations

import pytest
import torch
from circle import Broken, angle, oracle, point
from torch import Generator, Tensor

from pipeline.config.methods import Latent, Linear, Method, TangentFlow, TangentSpace
from manex.denoisers.base import Denoiser
from manex.extrapolators.base import ItemNoise, WalkError
from manex.extrapolators.walk import walk
from manex.geometry.products import GeometryError
from manex.networks.vae import VAE

LINEAR = Linear(algorithm="linear", frames=5, sigma_255=25, eta=1)
SPACE = TangentSpace(algorithm="tangent_space", frames=5, sigma_255=25, eta=1, rank=1)
FLOW = TangentFlow(algorithm="tangent_flow", frames=5, sigma_255=25, substeps=2, corrector=1, draws=2)
RANDOM: list[Method] = [LINEAR, SPACE, FLOW]
KEYS = [(0, 0), (0, 1), (7, 0)]
STARTS = torch.tensor([0.3, 2.0, 0.3], dtype=torch.float64)


def by_name(cfg: Method) -> str:
    return cfg.algorithm


def walked(cfg: Method, items: list[int], denoiser: Denoiser | None = None) -> Tensor:
    """The frames of some items of the batch, shape (item, frame, 1, 4, 4)."""
    first, second, noise = point(STARTS[items]), point(STARTS[items] + 0.2), ItemNoise([KEYS[i] for i in items])
    return torch.stack([state.frame for state in walk(cfg, denoiser or oracle(), first, second, noise)], 1)


@pytest.mark.parametrize("cfg", RANDOM, ids=by_name)
def test_a_walk_has_as_many_frames_as_asked(cfg: Method) -> None:
    assert walked(cfg, [0, 1]).shape == (2, 5, 1, 4, 4)


@pytest.mark.parametrize("cfg", RANDOM, ids=by_name)
def test_the_same_seed_walks_the_same_way(cfg: Method) -> None:
    assert torch.equal(walked(cfg, [0, 1, 2]), walked(cfg, [0, 1, 2]))


@pytest.mark.parametrize("cfg", RANDOM, ids=by_name)
def test_another_seed_walks_another_way_from_the_same_frames(cfg: Method) -> None:
    frames = walked(cfg, [0, 2])
    assert (frames[0] - frames[1]).abs().amax() > 1e-3


@pytest.mark.parametrize("cfg", RANDOM, ids=by_name)
def test_a_video_walks_alone_as_it_walks_in_company(cfg: Method) -> None:
    together = walked(cfg, [0, 1, 2])
    for item in range(3):
        torch.testing.assert_close(walked(cfg, [item])[0], together[item], rtol=0, atol=1e-8)


@pytest.mark.parametrize("cfg", RANDOM, ids=by_name)
def test_the_order_of_the_videos_is_of_no_account(cfg: Method) -> None:
    torch.testing.assert_close(walked(cfg, [2, 0, 1]), walked(cfg, [0, 1, 2])[[2, 0, 1]], rtol=0, atol=1e-8)


@pytest.mark.parametrize("cfg", RANDOM, ids=by_name)
def test_a_longer_walk_begins_like_a_shorter_one(cfg: Method) -> None:
    longer = cfg.model_copy(update={"frames": 8})
    assert torch.equal(walked(longer, [0, 1])[:, :5], walked(cfg, [0, 1]))


@pytest.mark.parametrize("cfg", [*RANDOM, Latent(algorithm="latent", frames=2, eta=1)], ids=by_name)
@pytest.mark.parametrize(("change", "reason"), [(0.0, "identical"), (float("nan"), "not finite")])
def test_two_frames_without_a_velocity_are_told_with_their_video(cfg: Method, change: float, reason: str) -> None:
    first = point(STARTS)
    second = point(STARTS + 0.2)
    second[1] = first[1] + change
    model = VAE(1, 4, 3).double().eval() if isinstance(cfg, Latent) else oracle()
    with pytest.raises(WalkError, match=rf"video 1: .*{reason}"):
        list(walk(cfg, model, first, second, ItemNoise(KEYS)))


@pytest.mark.parametrize("cfg", [*RANDOM, FLOW.model_copy(update={"corrector": 0})], ids=by_name)
def test_a_denoiser_that_gives_no_numbers_ends_the_walk_with_a_message(cfg: Method) -> None:
    with pytest.raises((WalkError, GeometryError), match="the denoiser return"):
        walked(cfg, [0, 1], Broken().eval())


def test_an_items_noise_is_its_own_and_normal(generator: Generator) -> None:
    frames = torch.zeros(3, 1, 4, 4, dtype=torch.float64)
    alone, together = ItemNoise([(7, 0)]), ItemNoise(KEYS)
    for _ in range(3):
        assert torch.equal(alone.like(frames[:1])[0], together.like(frames)[2])
    draws = torch.stack([ItemNoise([(0, video)]).like(torch.zeros(1, 1, 8, 8)) for video in range(500)])
    assert abs(draws.mean().item()) < 4 / draws.numel() ** 0.5
    assert abs(draws.var().item() - 1) < 4 * (2 / draws.numel()) ** 0.5


def test_streams_of_different_seeds_and_videos_are_not_the_same() -> None:
    frame = torch.zeros(1, 1, 2, 2)
    streams = {
        tuple(ItemNoise([(seed, video)]).like(frame).flatten().tolist()) for seed in range(9) for video in range(9)
    }
    assert len(streams) == 81


def test_the_circle_of_these_tests_is_a_circle_in_the_grey_range() -> None:
    angles = torch.linspace(-3, 3, 50).double()
    frames = point(angles)
    torch.testing.assert_close(angle(frames), angles)
    torch.testing.assert_close((frames - 0.5).flatten(1).norm(dim=1), torch.ones(50).double())
    assert frames.min() > 0.1
    assert frames.max() < 0.9
