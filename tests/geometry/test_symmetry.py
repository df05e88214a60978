"""Generators of image sets whose symmetries are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from skimage.transform import warp
from torch import Generator, Tensor

from manex.arrays import unit
from manex.datasets.manifold import LatentManifold, true_tangents
from manex.denoisers.mixture import DiracMixture
from manex.errors import GeometryError
from manex.geometry.fields import Linear, Local, grid
from manex.geometry.symmetry import Symmetries, denoiser_tangents, neighbour_tangents, symmetries
from manex.geometry.tangent import principal_angles

SIDE = 15


def blobs(turned: float, count: int = 6, seed: int = 0, side: int = 20) -> Tensor:
    """Smooth pictures, sums of Gaussians, each turned about the centre; (count, 1, side, side)."""
    rng = np.random.default_rng(seed)
    centres, weights = rng.uniform(-5, 5, (count, 4, 2)), rng.uniform(0.3, 1, (count, 4))
    c, s = math.cos(turned), math.sin(turned)
    centres = centres @ np.array([[c, s], [-s, c]])
    axis = np.arange(side) - (side - 1) / 2
    y, x = np.meshgrid(axis, axis, indexing="ij")
    far = (x - centres[..., 0, None, None]) ** 2 + (y - centres[..., 1, None, None]) ** 2
    return torch.tensor((weights[..., None, None] * np.exp(-far / 6)).sum(1)[:, None])


def turning(count: int = 6, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Blobs at 24 angles, and the tangents of their rotation, by central differences."""
    angles = [2 * math.pi * i / 24 for i in range(24)]
    frames = torch.cat([blobs(a, count, seed) for a in angles])
    tangents = torch.cat([blobs(a + 1e-4, count, seed) - blobs(a - 1e-4, count, seed) for a in angles])
    return frames, one(tangents)


def one(vectors: Tensor) -> Tensor:
    """Each scaled to length one, as a space of one vector."""
    return unit(vectors).unsqueeze(1)


def shifting(columns: bool = True) -> tuple[Tensor, Tensor]:
    """A periodic row of few frequencies at all its shifts, and the tangents there."""
    at = torch.arange(SIDE, dtype=torch.float64)
    shifts = torch.arange(3 * SIDE, dtype=torch.float64)[:, None] / 3
    phases = 2 * math.pi / SIDE * (at - shifts)
    rows, slopes = torch.zeros_like(phases), torch.zeros_like(phases)
    for k in range(1, 5):
        rows += torch.cos(k * phases + k**2) / k
        slopes -= torch.sin(k * phases + k**2)
    shape = (len(shifts), 1, 1, SIDE) if columns else (len(shifts), 1, SIDE, 1)
    return rows.reshape(shape), one(slopes.reshape(shape))


def matrix(found: Symmetries, index: int, side: int) -> Tensor:
    basis = torch.eye(side * side, dtype=torch.float64).reshape(-1, 1, side, side)
    return found.along(basis)[:, index].flatten(1).T


def test_the_exponential_of_a_generator_from_true_tangents_turns_an_image_never_seen() -> None:
    """skimage turns it, too; time is measured on a small angle."""
    frames, tangents = turning()
    found = symmetries(Local(radius=3), frames, tangents)
    assert found.count == 1
    a = matrix(found, 0, 20)
    new, little = blobs(0.0, 1, seed=7), blobs(0.02, 1, seed=7)
    move = (a @ new.flatten()).double()
    rate = float((little - new).flatten() @ move / (move @ move)) / 0.02
    angle = math.radians(40)
    turned = (torch.linalg.matrix_exp(rate * angle * a) @ new.flatten()).reshape(20, 20)
    c, s, m = math.cos(angle), math.sin(angle), 9.5
    back = np.array([[c, s, m - c * m - s * m], [-s, c, m + s * m - c * m], [0, 0, 1]])
    expected = warp(new[0, 0].numpy(), back, order=3)
    assert np.abs(turned.numpy() - expected).max() < 0.02
    assert np.abs(new[0, 0].numpy() - expected).max() > 0.3


def test_a_rotation_of_smooth_pictures_is_found_as_skew() -> None:
    frames, tangents = turning()
    assert symmetries(Linear(frames, rank=24), frames, tangents, 3).skew[0] == pytest.approx(1, abs=1e-3)


def test_the_motion_of_the_plane_is_the_rotation() -> None:
    frames, tangents = turning()
    found = symmetries(Local(), frames, tangents).first(1)
    field = Local().velocity(found.weights, grid(20, 20), (20, 20))[0, 0]
    column, row = grid(20, 20)[0] - 9.5
    rotation = torch.stack([-row, column])
    cosine = (field * rotation).sum() / field.norm() / rotation.norm()
    assert abs(float(cosine)) > 0.999


def test_a_periodic_shift_has_the_spectrum_of_the_derivative() -> None:
    frames, tangents = shifting()
    found = symmetries(Linear(frames, rank=SIDE), frames, tangents, 3)
    assert found.count == 1
    assert found.values[0] < 1e-8
    moved = found.fields.along(found.weights[:1], torch.eye(SIDE, dtype=torch.float64).reshape(-1, 1, 1, SIDE))
    values = torch.linalg.eigvals(moved[:, 0].flatten(1).T)
    frequencies = values.imag.sort().values
    expected = torch.tensor([-4.0, -3, -2, -1, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4], dtype=torch.float64)
    assert torch.allclose(frequencies / frequencies[-1] * 4, expected, atol=1e-5)
    assert values.real.abs().max() < 1e-6 * frequencies[-1]


def test_two_shifts_commute_and_their_bracket_is_zero() -> None:
    across, slopes_across = shifting()
    down, slopes_down = shifting(columns=False)
    pick = torch.randperm(45, generator=Generator().manual_seed(0))[:12].tolist()
    both = torch.cat([across * down[i] for i in pick])
    ways = [torch.cat([slopes_across[:, 0] * down[i], across * slopes_down[i]]) for i in pick]
    spaces = torch.cat([torch.stack(way.split(len(across)), 1) for way in ways])
    spaces = torch.linalg.qr(spaces.flatten(2).mT).Q.mT.reshape(-1, 2, 1, SIDE, SIDE)
    found = symmetries(Linear(both, rank=64), both, spaces, 4)
    assert found.count == 2
    some = both[::7]
    assert found.bracket(0, 1, some).norm() < 1e-6 * some.norm()
    assert found.first(2).openness(some) == 0
    assert found.openness(some) > 0.1


@pytest.mark.parametrize("local", [True, False])
def test_random_frames_have_no_gap(local: bool) -> None:
    generator = Generator().manual_seed(0)
    frames = torch.rand(150, 1, 8, 8, generator=generator, dtype=torch.float64)
    tangents = one(torch.randn(150, 1, 8, 8, generator=generator, dtype=torch.float64))
    found = symmetries(Local(1) if local else Linear(frames, 10), frames, tangents)
    assert found.count == 0
    assert not len(found.first(found.count).values)


def test_shuffled_pixels_have_the_same_eigenvalues() -> None:
    frames, tangents = turning(count=3)
    order = torch.randperm(400, generator=Generator().manual_seed(0))

    def shuffled(some: Tensor) -> Tensor:
        return some.flatten(-2)[..., order].reshape(some.shape)

    plain = symmetries(Linear(frames, 16), frames, tangents, 4)
    mixed = symmetries(Linear(shuffled(frames), 16), shuffled(frames), shuffled(tangents), 4)
    assert torch.allclose(plain.values, mixed.values, atol=1e-8)


@pytest.mark.parametrize("affine", [True, False])
def test_scaling_all_frames_changes_nothing(affine: bool) -> None:
    frames, tangents = turning(count=3)
    plain = symmetries(Linear(frames, 16, affine), frames, tangents, 4)
    scaled = symmetries(Linear(7 * frames, 16, affine), 7 * frames, tangents, 4)
    assert torch.allclose(plain.values, scaled.values, atol=1e-8)
    near, far = (symmetries(Local(), scale * frames, tangents, 4).values for scale in (1, 7))
    assert torch.allclose(near, far, atol=1e-8)


def test_an_affine_field_finds_a_circle_about_another_centre() -> None:
    place = 2 * math.pi * torch.arange(40, dtype=torch.float64)[:, None] / 40
    frames = torch.cat([2 + place.cos(), 1 + place.sin(), 0 * place, 0 * place], 1).reshape(-1, 1, 2, 2)
    tangents = one(torch.cat([-place.sin(), place.cos(), 0 * place, 0 * place], 1).reshape(-1, 1, 2, 2))
    assert symmetries(Linear(frames, 2, affine=True), frames, tangents, 2).values[0] < 1e-9
    assert symmetries(Linear(frames, 2), frames, tangents, 2).values[0] > 0.01


def test_a_frames_residual_is_what_leaves_its_tangent_space() -> None:
    frames, tangents = turning(count=2)
    found = symmetries(Local(1), frames, tangents, 2)
    moved, space = found.along(frames)[:, 0].flatten(1), tangents[:, 0].flatten(1)
    left = moved - (moved * space).sum(1, keepdim=True) * space
    assert torch.allclose(found.residuals[:, 0], left.square().sum(1) / moved.square().sum(1))


def test_the_exact_denoiser_of_a_dense_circle_has_its_tangents() -> None:
    place = 2 * math.pi * torch.arange(720, dtype=torch.float64) / 720
    plane = torch.linalg.qr(torch.randn(16, 2, generator=Generator().manual_seed(0), dtype=torch.float64)).Q
    circle = (torch.stack([place.cos(), place.sin()], 1) @ plane.T).reshape(-1, 1, 4, 4)
    spaces = denoiser_tangents(DiracMixture(circle).at(0.02), 0.02, circle[::90], rank=1, copies=2)
    true = true_tangents(LatentManifold(circle, place, period=2 * math.pi), circle[::90])
    assert principal_angles(spaces, true[:, None]).max() < 0.03
    assert principal_angles(neighbour_tangents(circle[::90], 2, 1, circle), true[:, None]).max() < 1e-6


def test_tangents_of_other_frames_are_refused() -> None:
    with pytest.raises(GeometryError, match="tangents of shape"):
        symmetries(Local(), torch.rand(4, 1, 8, 8), torch.rand(3, 1, 1, 8, 8))
