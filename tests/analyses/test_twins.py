"""Twins: the same network twice, exact denoisers of disjoint halves, and functions with errors of their own."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
import torch
from stills import SIZE, Scaled, dataset, member, subject, tables
from torch import Tensor

from manex.analyses.base import Pictures
from manex.analyses.members import Member
from manex.analyses.twins import Twins, pairs, twins
from manex.denoisers.base import Denoiser
from manex.denoisers.mixture import DiracMixture
from manex.denoisers.wiener import Wiener
from manex.errors import ManexError

DATA = dataset()
FRAMES = DATA.training_frames


def found(a: Denoiser, b: Denoiser, count: int = 10, **cfg: Any) -> dict[str, pd.DataFrame]:
    settings = Twins.model_validate({"betas": (1.0,), "samples": 6, "images": 5, "points": 2, "rank": 3, **cfg})
    return tables(twins(couple(a, b, count), DATA, settings))


def couple(a: Denoiser, b: Denoiser, count: int = 10) -> list[Member]:
    return [member("f/a", a, part="first", count=count), member("f/b", b, part="second", count=count)]


def test_the_same_network_twice_draws_the_same_and_is_the_same_function() -> None:
    made = found(Wiener(FRAMES), Wiener(FRAMES))
    own = made["twins"][made["twins"]["denoiser"] == "f/a"]
    assert own["cosine_twins"].to_numpy() == pytest.approx(1, abs=1e-5)
    assert made["functions"]["disagreement"].to_numpy() == pytest.approx(0, abs=1e-9)
    assert made["functions"]["angle"].dropna().to_numpy() == pytest.approx(0, abs=0.01)
    assert made["functions"]["angle"].notna().sum() == 2


@pytest.mark.parametrize("count", [1, 5, 20])
def test_exact_denoisers_of_disjoint_halves_never_generalise(count: int) -> None:
    """Whatever the number of frames, each draws frames it knows, which are not those of its twin."""
    halves = DiracMixture(FRAMES[:count]), DiracMixture(FRAMES[20 : 20 + count])
    made = found(*halves, count=count)["twins"]
    assert len(made) == 12  # the control is these two again
    own, control = (made[made["denoiser"] == name].drop(columns="denoiser") for name in ("f/a", "memoriser"))
    pd.testing.assert_frame_equal(own.reset_index(drop=True), control.reset_index(drop=True))
    assert made[["cosine_own_a", "cosine_own_b"]].min(axis=None) > 0.999
    assert made["cosine_twins"].max() < 0.6
    assert not made["diverged"].any()


def test_what_a_sample_is_like_on_the_average_is_what_a_held_out_frame_is() -> None:
    made = found(Wiener(FRAMES), Wiener(FRAMES), samples=20)["twins"]
    flat = [frames.flatten(1).double() for frames in (DATA.held_out_frames, FRAMES[:10])]
    flat = [rows - rows.mean(1, keepdim=True) for rows in flat]
    cosines = flat[0] @ flat[1].T / (flat[0].norm(dim=1)[:, None] * flat[1].norm(dim=1))
    floor = made[made["denoiser"] == "f/a"]["cosine_floor"]
    assert floor.to_numpy() == pytest.approx(cosines.amax(1).numpy(), abs=1e-5)


class Wrong(Denoiser):
    """The held-out frames, and an error that has nothing to do with them."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        shape = (len(DATA.held_out_frames), 1, SIZE, SIZE)
        self.errors = 0.1 * torch.randn(shape, generator=torch.Generator().manual_seed(seed))
        self.eval()

    def forward(self, noisy: Tensor, sigma: Any) -> Tensor:
        return (DATA.held_out_frames + self.errors)[: len(noisy)] + 0 * noisy


def test_errors_that_have_nothing_to_do_with_each_other_disagree_by_one() -> None:
    made = found(Wrong(1), Wrong(2), images=20, points=1)["functions"]
    disagreement = made["difference"].sum() / (made["error_a"] + made["error_b"]).sum()
    assert disagreement == pytest.approx(1, abs=4 / (20 * SIZE**2) ** 0.5)
    assert made["disagreement"].to_numpy() == pytest.approx(
        (made["difference"] / (made["error_a"] + made["error_b"])).to_numpy()
    )


def test_a_sample_does_not_depend_on_how_many_are_drawn() -> None:
    few, many = (found(Wiener(FRAMES[:10]), Wiener(FRAMES[20:30]), samples=n)["twins"] for n in (2, 5))
    columns = ["cosine_twins", "cosine_own_a", "norm_a", "norm_b"]
    for name in ("f/a", "memoriser"):
        some, first = (made[made["denoiser"] == name][columns].to_numpy()[:2] for made in (few, many))
        assert some == pytest.approx(first, abs=1e-5)


def test_the_pictures_have_each_sample_next_to_the_nearest_frame_of_its_own_part() -> None:
    halves = couple(DiracMixture(FRAMES[:10]), DiracMixture(FRAMES[20:30]))
    cfg = Twins(betas=(1.0, 0.5), samples=4, shown=3, images=2, points=1, rank=1)
    (pictures,) = (part for part in twins(halves, DATA, cfg) if isinstance(part, Pictures))
    strip = pictures.tensors["f/a"]
    assert strip.shape == (4, 3, 1, SIZE, SIZE)
    torch.testing.assert_close(strip[[0, 3]], strip[[1, 2]], rtol=0, atol=0.02)


def test_twins_differ_in_their_half_alone() -> None:
    d = Scaled(1)
    a, b = member("f/a", d, part="first", count=5), member("f/b", d, part="second", count=5)
    others = [
        member("f/long_b", d, part="second", count=5, steps=9),
        member("f/more_b", d, part="second", count=6),
        member("g/b", d, part="second", count=5),
        member("f/all", d),
        subject(d, "f/b"),
    ]
    assert pairs([b, *others, a]) == [(a, b)]
    with pytest.raises(ManexError, match="twins: name two members of a family"):
        list(twins(others, DATA, Twins()))


def test_without_held_out_frames_samples_are_compared_and_functions_are_not() -> None:
    data = dataset(held_out=0)
    made = tables(twins(couple(Wiener(FRAMES), Wiener(FRAMES)), data, Twins(betas=(1.0,), samples=2)))
    assert set(made) == {"twins"}
    assert made["twins"]["cosine_floor"].isna().all()
    assert made["twins"]["cosine_twins"].notna().all()
