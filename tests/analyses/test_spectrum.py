from __future__ import annotations

import torch
from circles import AXES, dataset, linear

from manex.analyses.base import Pictures, Rows
from manex.analyses.spectrum import Spectrum, spectrum

VALUES = torch.tensor([1.0, 0.8, 0.5, 0.3, 0.1])


def found(cfg: Spectrum, *values: torch.Tensor) -> tuple[list[Rows], list[Pictures]]:
    subjects = [linear(some, f"walk_{number}") for number, some in enumerate(values)]
    parts = list(spectrum(subjects, dataset(), cfg))
    return [p for p in parts if isinstance(p, Rows)], [p for p in parts if isinstance(p, Pictures)]


def test_eigenvalues_of_a_linear_denoiser_are_the_same_at_every_frame() -> None:
    ((rows,), _) = found(Spectrum(frames=3, values=6), VALUES)
    assert rows.table == "eigenvalues"
    assert list(rows.columns["frame"]) == [number for number in (0, 6, 11) for _ in range(6)]
    assert list(rows.columns["k"]) == [1, 2, 3, 4, 5, 6] * 3
    values = torch.tensor(rows.columns["eigenvalue"]).reshape(3, 6)
    torch.testing.assert_close(values, torch.cat([VALUES, torch.zeros(1)]).expand(3, 6), rtol=0, atol=1e-3)


def test_eigenvectors_are_kept_of_the_first_denoiser_alone() -> None:
    rows, (pictures,) = found(Spectrum(video=1, frames=2, values=3, vectors=2), VALUES, VALUES / 2)
    assert [set(table.columns["walk"]) for table in rows] == [{"walk_0"}, {"walk_1"}]
    assert torch.equal(pictures.tensors["frames"], dataset().videos[1, [0, 11]])
    vectors = pictures.tensors["vectors"].flatten(2).double()
    assert vectors.shape == (2, 2, 64)
    cosines = (vectors @ AXES[:2].T).abs()
    torch.testing.assert_close(cosines, torch.eye(2).double().expand(2, 2, 2), rtol=0, atol=0.02)


def test_there_are_no_more_frames_and_videos_than_there_are() -> None:
    ((rows,), (pictures,)) = found(Spectrum(video=99, frames=500, values=1, vectors=1), VALUES)
    assert list(rows.columns["frame"]) == list(range(12))
    assert torch.equal(pictures.tensors["frames"], dataset().videos[-1])
