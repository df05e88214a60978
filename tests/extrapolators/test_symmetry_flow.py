"""Walks along generators, on rows that shift and on a circle known exactly."""

from __future__ import annotations

import math
from itertools import islice
from pathlib import Path

import pytest
import torch
from circle import oracle, point
from torch import Tensor

from manex.datasets.dataset import Dataset
from manex.denoisers.memoriser import Memoriser
from manex.errors import WalkError
from manex.extrapolators.base import WalkState
from manex.extrapolators.symmetry_flow import Symmetric, SymmetryFlow, interpolate, residual
from manex.extrapolators.tangent_flow import TangentFlow
from manex.extrapolators.tangent_flow import interpolate as along_tangents
from manex.extrapolators.walk import walk
from manex.noises.draws import ItemNoise
from pipeline.config.entries import parse_entry
from pipeline.config.methods import MethodEntry
from pipeline.models.load import load_model
from pipeline.paths import Paths

CFG = SymmetryFlow(sigma=0.05, tangents="neighbours", axes=1, learn=400, degree=0, corrector=0)


def spot(place: Tensor, width: float = 2.0) -> Tensor:
    """Soft spots in the 16 x 16 plane at places (batch, 2), column and row."""
    axis = torch.arange(16.0)
    across = torch.exp(-((axis - place[:, :1]) ** 2) / (2 * width**2))
    down = torch.exp(-((axis - place[:, 1:]) ** 2) / (2 * width**2))
    return (down[:, None, :, None] * across[:, None, None, :]).clamp(0, 1)


def columns() -> Tensor:
    """Spots of six sizes and heights that shift along their rows."""
    places = torch.linspace(4, 11, 50)
    rows = [(5.5, 1.4), (7.5, 2.0), (6.0, 1.2), (8.5, 1.8), (10.0, 1.5), (7.0, 2.4)]
    return torch.cat([spot(torch.stack([places, torch.full((50,), row)], 1), width) for row, width in rows])


def walked(cfg: SymmetryFlow, model: torch.nn.Module, given: Tensor, frames: int = 6) -> list[WalkState]:
    states = walk(cfg, model, given[:1], given[1:2], ItemNoise([(0, 0)]))
    return list(islice(states, frames))


def given(row: float = 7.5, step: float = 0.3, width: float = 2.0) -> Tensor:
    return spot(torch.tensor([[7.0, row], [7.0 + step, row]]), width)


@pytest.mark.parametrize("changes", [{}, {"anchored": True}, {"substeps": 3}, {"speed": 1.0, "corrector": 0.0}])
@pytest.mark.parametrize("step", [0.3, -0.3])
def test_an_image_of_another_shape_and_place_is_carried_at_the_given_pace(changes: dict, step: float) -> None:  # type: ignore[type-arg]
    cfg = CFG.model_copy(update=changes)
    frames = columns()
    start = given(row=9.0, step=step, width=1.6)
    frame = walked(cfg, cfg.fitted(Memoriser(frames), frames), start)[-1].frame
    axis = torch.arange(16.0)
    column, row = (float((frame * axes).sum() / frame.sum()) for axes in (axis, axis[:, None]))
    assert column == pytest.approx(7 + 7 * step, abs=0.1)
    assert row == pytest.approx(9, abs=0.1)


@pytest.mark.parametrize("way", [1, -1])
def test_interpolation_moves_evenly_between_frames_that_hardly_overlap(way: int) -> None:
    frames = columns()
    ends = [spot(torch.tensor([[place, 9.0]]), 1.0) for place in (4.0, 11.0)][::way]
    states = list(interpolate(CFG.fitted(Memoriser(frames), frames), *ends, 6, CFG, ItemNoise([(0, 0)])))
    axis = torch.arange(16.0)
    places = torch.stack([(state.frame * axis).sum() / state.frame.sum() for state in states])
    assert torch.allclose(places, 7.5 + way * torch.linspace(-2.5, 2.5, 6), atol=0.1)
    assert all(float(state.frame.max()) > 0.85 for state in states)  # one spot, not two that fade over


def test_interpolation_draws_what_comes_in_from_outside_as_the_frame_that_shows_it() -> None:
    frames = columns()
    ends = [spot(torch.tensor([[place, 9.0]]), 1.6) for place in (0.0, 4.0)]
    (state,) = interpolate(CFG.fitted(Memoriser(frames), frames), *ends, 1, CFG, ItemNoise([(0, 0)]))
    assert (state.frame - spot(torch.tensor([[2.0, 9.0]]), 1.6)).abs().max() < 0.1


def test_without_a_symmetry_tangent_flow_interpolates() -> None:
    frames = torch.rand(80, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    model = Memoriser(frames)
    plain = TangentFlow(sigma=CFG.sigma, substeps=CFG.substeps, momentum=CFG.momentum, draws=CFG.draws)
    ours = interpolate(CFG.fitted(model, frames), frames[:1], frames[1:2], 2, CFG, ItemNoise([(0, 0)]))
    same = along_tangents(model, frames[:1], frames[1:2], 2, plain, ItemNoise([(0, 0)]))
    assert all(torch.equal(a.frame, b.frame) for a, b in zip(ours, same, strict=True))


def test_the_record_says_how_many_symmetries_there_are() -> None:
    frames = columns()
    assert walked(CFG, CFG.fitted(Memoriser(frames), frames), given(), 1)[0].record["symmetries"].tolist() == [1]


def test_without_a_symmetry_tangent_flow_walks_and_the_record_says_so() -> None:
    frames = torch.rand(80, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    model = Memoriser(frames)
    ours = walked(CFG, CFG.fitted(model, frames), frames, 3)
    plain = TangentFlow(sigma=CFG.sigma, substeps=CFG.substeps, momentum=CFG.momentum, draws=CFG.draws)
    same = walk(plain, model, frames[:1], frames[1:2], ItemNoise([(0, 0)]))
    assert all(torch.equal(a.frame, b.frame) for a, b in zip(ours, same, strict=False))
    assert [int(state.record["symmetries"]) for state in ours] == [0, 0, 0]


def test_growing_brighter_is_a_symmetry_but_no_motion() -> None:
    pictures = torch.rand(12, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    frames = torch.cat([level * pictures for level in torch.linspace(0.5, 1, 15)])
    cfg = CFG.model_copy(update={"radius": 1})
    model = cfg.fitted(Memoriser(frames), frames)
    assert walked(cfg, model, frames[::12], 1)[0].record["symmetries"].tolist() == [0]
    forced = cfg.model_copy(update={"generators": 1}).fitted(Memoriser(frames), frames)
    assert isinstance(forced, Symmetric)
    assert len(forced.found.values) == 1


def test_linear_fields_walk_round_a_circle_in_steps_of_the_given_length() -> None:
    circle = oracle(200)
    cfg = CFG.model_copy(update={"fields": "linear", "rank": 3, "substeps": 20, "generators": 1})
    frame = walked(cfg, cfg.fitted(circle, circle.atoms), point([0.0, 0.2]), 10)[-1].frame
    assert (frame - point(2.2)).abs().max() < 0.03


def test_steering_leads_tangent_flow_the_same_way() -> None:
    circle = oracle(200)
    cfg = CFG.model_copy(update={"fields": "linear", "rank": 3, "generators": 1, "steering": 1.0, "substeps": 4})
    frame = walked(cfg, cfg.fitted(circle, circle.atoms), point([0.0, 0.2]), 10)[-1].frame
    angle = math.atan2(*(float((frame - 0.5).flatten() @ (point(a) - 0.5).flatten()) for a in (math.pi / 2, 0)))
    assert angle == pytest.approx(2.2, abs=0.15)


def test_an_image_the_denoiser_does_not_know_is_not_corrected() -> None:
    frames = columns()
    cfg = CFG.model_copy(update={"corrector": 1.0, "trust": 3.0})
    model = cfg.fitted(Memoriser(frames), frames)
    starts = (frames[60:62], given(row=3, width=1))
    assert [float(walked(cfg, model, start, 1)[0].record["corrector"]) for start in starts] == [1, 0]


def test_the_residual_of_an_atom_far_from_others_is_zero() -> None:
    atoms = torch.eye(4).reshape(4, 1, 2, 2)
    assert residual(Memoriser(atoms), 0.05, atoms).max() < 1e-6


def test_a_denoiser_without_generators_is_refused() -> None:
    with pytest.raises(WalkError, match="knows no generators"):
        walked(CFG, Memoriser(columns()), given(), 1)
    with pytest.raises(WalkError, match="knows no generators"):
        next(interpolate(Memoriser(columns()), *given().split(1), 1, CFG, ItemNoise([(0, 0)])))


def test_anchored_linear_fields_are_refused() -> None:
    cfg = CFG.model_copy(update={"fields": "linear", "anchored": True})
    with pytest.raises(WalkError, match="fields: local"):
        walked(cfg, cfg.fitted(Memoriser(columns()), columns()), given(), 1)


def test_the_pipeline_gives_the_walk_its_generators(tmp_path: Path) -> None:
    frames = columns()
    made = Dataset(
        videos=frames.reshape(6, 50, 1, 16, 16),
        frames=frames,
        clip=torch.arange(6).repeat_interleave(50),
        held_out=torch.arange(0, 300, 60),
    )
    section = {"algorithm": "symmetry_flow", "denoiser": "memoriser", "frames": 2, "sigma_255": 15}
    entry = parse_entry(MethodEntry, section, "extrapolate.some.walk")
    assert isinstance(entry, MethodEntry)
    model = load_model("some", "walk", entry, made, Paths(tmp_path), "cpu")
    assert isinstance(model, Symmetric)
    assert torch.equal(model.frames, made.training_frames)
