from __future__ import annotations

import torch
from circles import dataset, linear

from manex.analyses.base import Pictures, Rows
from manex.analyses.symmetry import Symmetry, symmetry
from manex.datasets.dataset import Dataset

CFG = Symmetry(frames=(10, 25, 500), radius=1, shown=2)


def found() -> tuple[list[Rows], list[Pictures]]:
    subjects = [linear(torch.tensor([1.0, 0.1]), f"walk_{i}") for i in range(2)]
    parts = list(symmetry(subjects, dataset(), CFG))
    return [p for p in parts if isinstance(p, Rows)], [p for p in parts if isinstance(p, Pictures)]


def test_every_source_of_tangents_has_eigenvalues_by_number_of_frames() -> None:
    rows, _ = found()
    sources = [(table.columns["walk"][0], table.columns["tangents"][0], table.columns["frames"][0]) for table in rows]
    assert [source[2] for source in sources] == [10, 25, 30] * 4
    assert [source[0] for source in sources[::3]] == ["walk_0", "walk_1", "", ""]
    assert [source[1] for source in sources[6::3]] == ["local PCA", "true tangents"]
    for table in rows:
        values = table.columns["eigenvalue"]
        assert list(values) == sorted(values)
        assert 0 <= values[0] <= values[-1] <= 1


def test_pictures_show_the_first_denoisers_generator() -> None:
    _, (pictures,) = found()
    shapes = {name: tuple(tensor.shape) for name, tensor in pictures.tensors.items()}
    assert shapes == {"frames": (2, 1, 8, 8), "moved": (2, 1, 8, 8), "motion": (2, 8, 8)}
    assert pictures.tensors["moved"].norm() > 0


def test_true_tangents_leave_the_smallest_eigenvalue() -> None:
    """They are tangent to the circle exactly; those of local PCA are chords."""
    rows, _ = found()
    last = {table.columns["tangents"][0]: table.columns["eigenvalue"][0] for table in rows}
    assert last["true tangents"] <= last["local PCA"] + 1e-3


def wandering() -> Dataset:
    """Five pictures of three spots at all places of a grid, a third of a pixel apart: they shift both ways."""
    generator = torch.Generator().manual_seed(0)
    axis = torch.arange(16.0)
    column, row = torch.meshgrid(torch.arange(-2, 2, 0.33), torch.arange(-2, 2, 0.33), indexing="ij")
    frames = []
    for _ in range(5):
        places = 4 + 7 * torch.rand(3, 2, generator=generator)
        across, down = (
            torch.exp(-((axis - (shift.flatten()[:, None] + place[:, None, None])) ** 2) / 3)
            for shift, place in ((column, places[:, 0]), (row, places[:, 1]))
        )
        frames.append(torch.einsum("snh,snw->nhw", down, across)[:, None].clamp(0, 1))
    every = torch.cat(frames)
    return Dataset(every[None, :3], every, torch.zeros(len(every), dtype=torch.int64), torch.arange(0))


def test_two_shifts_are_two_symmetries_whose_order_does_not_matter() -> None:
    cfg = Symmetry(frames=(300,), axes=2, neighbours=4)
    generators, brackets = symmetry([], wandering(), cfg)
    assert isinstance(generators, Rows)
    assert isinstance(brackets, Rows)
    assert (brackets.table, brackets.columns["tangents"]) == ("brackets", ["local PCA"] * 2)
    assert [tuple(brackets.columns[name]) for name in "ijk"] == [(1, 1), (2, 2), (1, 2)]
    assert generators.columns["symmetries"][0] == 2
    assert max(map(abs, brackets.columns["coefficient"])) < 0.05
