from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from circles import circle, dataset, linear
from torch import Tensor

from manex.analyses.base import Rows, Subject
from manex.analyses.geometry import SUMMARY, Geometry, diagnose, geometry
from manex.datasets.dataset import Dataset
from manex.denoisers.mixture import DiracMixture
from manex.denoisers.network import NetworkDenoiser
from manex.metrics.psnr import psnr

PLANE = torch.tensor([1.0, 1.0])
"""Eigenvalues of the projection onto the plane of the circle."""


def row(subject: Subject, data: Dataset) -> dict[str, object]:
    (rows,) = geometry([subject], data, Geometry())
    assert isinstance(rows, Rows)
    assert rows.table == "denoisers"
    return {name: value for name, (value,) in rows.columns.items()}


def test_the_projection_onto_the_plane_keeps_the_motion_and_two_dimensions() -> None:
    data = dataset()
    for table in diagnose(linear(PLANE).denoiser, 0.1, data.videos, data.manifolds):
        zeros, ones = torch.zeros(3), torch.ones(3)
        torch.testing.assert_close(table["retention_error"], zeros, rtol=0, atol=1e-3)
        torch.testing.assert_close(table["retention"], ones, rtol=0, atol=1e-3)
        torch.testing.assert_close(table["tangent_angle"].float(), zeros, rtol=0, atol=0.1)
        for number, expected in enumerate((1, 1, 0, 0, 0), 1):
            torch.testing.assert_close(table[f"eigenvalue_{number}"], expected * ones, rtol=0, atol=1e-3)
        torch.testing.assert_close(table["asymmetry"], zeros, rtol=0, atol=1e-5)


def test_the_effective_dimension_is_the_trace_up_to_the_spread_of_eight_probes() -> None:
    """The variance of z^T A z over random signs is 2 sum_(i != j) A_ij^2, at most 2 |A|^2."""
    eigenvalues = torch.full((10,), 0.5)
    data = dataset()
    found = torch.cat(
        [t["effective_dimension"] for t in diagnose(linear(eigenvalues).denoiser, 0.1, data.videos, data.manifolds)]
    )
    spread = math.sqrt(2 * float(eigenvalues.square().sum()) / 8)
    assert (found - 5).abs().max() < 4 * spread


def test_what_a_denoiser_halves_is_half_retained() -> None:
    data = dataset()
    (table, *_) = diagnose(linear(PLANE / 2).denoiser, 0.1, data.videos, data.manifolds)
    torch.testing.assert_close(table["retention"], torch.full((3,), 0.5), rtol=0, atol=1e-3)
    torch.testing.assert_close(table["retention_error"], torch.full((3,), 0.5), rtol=0, atol=1e-3)


def test_the_tangent_is_at_a_right_angle_to_a_space_off_the_plane() -> None:
    """Six eigenvalues off the plane, of which five span the space."""
    data = dataset()
    off = linear(torch.tensor([0.0, 0.0, 1.0, 0.9, 0.8, 0.7, 0.6, 0.1]))
    for table in diagnose(off.denoiser, 0.1, data.videos, data.manifolds):
        torch.testing.assert_close(table["tangent_angle"].float(), torch.full((3,), 90.0), rtol=0, atol=1.0)


@pytest.mark.parametrize("every", [1, 4, 11])
def test_frames_are_looked_at_from_the_second_on(every: int) -> None:
    data = dataset()
    tables = list(diagnose(linear(PLANE).denoiser, 0.1, data.videos, data.manifolds, every))
    assert [table["frame"].tolist() for table in tables] == [[number] * 3 for number in range(1, 12, every)]


def test_the_oracle_of_the_circle_has_its_tangent_and_one_dimension() -> None:
    """Its eigenvalue along the tangent is about the radius over the distance of the noisy point from the centre."""
    data = dataset()
    oracle = Subject("oracle", "oracle", DiracMixture(data.dense), 0.02)
    found = row(oracle, data)
    assert isinstance(found["tangent_angle"], float)
    assert found["tangent_angle"] < 3
    assert found["retention"] == pytest.approx(1, abs=0.1)
    assert found["effective_dimension"] == pytest.approx(1, abs=0.5)
    assert found["asymmetry"] == pytest.approx(0, abs=1e-6)


def test_psnr_is_taken_on_held_out_frames_and_on_the_videos() -> None:
    data, subject = dataset(), linear(PLANE)
    others = replace(data, frames=circle(torch.linspace(0, 5, len(data.frames), dtype=torch.float64)))
    found = row(subject, others)
    assert found["psnr"] == psnr(subject.denoiser, others.held_out_frames, 0.1)
    assert found["psnr_videos"] == psnr(subject.denoiser, others.videos.flatten(0, 1), 0.1)


def test_without_held_out_frames_their_psnr_is_not_a_number() -> None:
    found = row(linear(PLANE), dataset(held_out=0))
    assert math.isnan(found["psnr"])  # type: ignore[arg-type]
    assert not math.isnan(found["psnr_videos"])  # type: ignore[arg-type]


def test_where_no_manifold_is_known_only_psnr_is() -> None:
    found = row(linear(PLANE), replace(dataset(), manifolds=(), coordinates=None))
    assert all(math.isnan(found[name]) for name in SUMMARY)  # type: ignore[arg-type]
    assert not math.isnan(found["psnr"])  # type: ignore[arg-type]


def test_each_subject_is_a_row_with_its_names_and_its_noise_level() -> None:
    subjects = [linear(PLANE, "a", 15 / 255), linear(PLANE / 2, "b", 0.1)]
    tables = [rows.columns for rows in geometry(subjects, dataset(), Geometry(points=1))]
    assert [list(t["walk"]) + list(t["denoiser"]) for t in tables] == [["a", "a's denoiser"], ["b", "b's denoiser"]]
    assert [t["sigma_255"] for t in tables] == [[15.0], [25.5]]


def test_a_skew_part_is_reported_as_asymmetry() -> None:
    """|J - J^T| / |J + J^T| of P + t K with |P| = |K| is t, for a symmetric P and a skew K."""

    class Turning(torch.nn.Module):
        def forward(self, noisy: Tensor) -> Tensor:
            return noisy + 0.25 * torch.stack([noisy[:, :, 1::2], -noisy[:, :, ::2]], 3).reshape(noisy.shape)

    data = dataset()
    (table, *_) = diagnose(NetworkDenoiser(Turning().eval(), "image"), 0.1, data.videos, data.manifolds)
    torch.testing.assert_close(table["asymmetry"], torch.full((3,), 0.25), rtol=0.2, atol=0)
