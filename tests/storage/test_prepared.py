"""Prepared datasets: what is written reads back as it was, with and without a known manifold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from manex.datasets.dataset import Dataset
from manex.datasets.videos import ClipVideos, clip_videos
from manex.datasets.walker import Walker, walker
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.storage.artifacts import read_json, read_tensors, seal, write_json
from pipeline.storage.prepared import load_prepared, write_prepared


def clips() -> ClipVideos:
    """Two clips of unequal length."""
    noise = np.random.default_rng(0).random((9, 1, 16, 16), np.float32)
    return clip_videos([noise[:5], noise[5:]], [0, 1], 3, 1, seed=0)


def drawn() -> Dataset:
    return Dataset.of(walker(Walker(people=2, size=16, frames=8, dense=40)), held_out=3)


def read_back(dataset: Dataset, root: Path) -> Dataset:
    write_prepared("d", dataset, {"note": "", "protocol": "paper"}, Paths(root))
    return load_prepared("d", Paths(root))


def assert_equal(found: Dataset, expected: Dataset) -> None:
    for part in ("videos", "frames", "clip", "held_out"):
        assert torch.equal(getattr(found, part), getattr(expected, part))
    assert (found.unit, found.private, len(found.manifolds)) == (
        expected.unit, expected.private, len(expected.manifolds)
    )  # fmt: skip


def test_a_dataset_with_a_manifold_reads_back_and_stores_its_frames_once(tmp_path: Path) -> None:
    dataset = drawn()
    found = read_back(dataset, tmp_path)
    assert_equal(found, dataset)
    assert found.coordinates is not None
    assert dataset.coordinates is not None
    assert torch.equal(found.coordinates, dataset.coordinates)
    for ours, theirs in zip(found.manifolds, dataset.manifolds, strict=True):
        assert torch.equal(ours.frames, theirs.frames)
        assert torch.equal(ours.coordinates, theirs.coordinates)
        assert ours.period == theirs.period
    assert "frames" not in read_tensors(Paths(tmp_path).prepared("d") / "frames.safetensors", "")


@pytest.mark.parametrize("held_out", [0, 2])
def test_a_dataset_without_a_manifold_reads_back_with_its_clips(held_out: int, tmp_path: Path) -> None:
    dataset = Dataset.of(clips(), held_out=held_out, private=True)
    found = read_back(dataset, tmp_path)
    assert_equal(found, dataset)
    assert found.coordinates is None
    assert found.clip.tolist() == [0] * 5 + [1] * 4


@pytest.mark.parametrize("change", [{"latent": "yes", "period": "round"}, {"unit": None, "latent": True, "period": []}])
def test_facts_that_do_not_go_with_the_tensors_are_refused(change: dict[str, object], tmp_path: Path) -> None:
    read_back(Dataset.of(clips(), held_out=1), tmp_path)
    folder = Paths(tmp_path).prepared("d")
    write_json(folder / "dataset.json", {**read_json(folder / "dataset.json", ""), **change})
    seal(folder)
    with pytest.raises(UserError, match=r"damaged .*manex prepare d"):
        load_prepared("d", Paths(tmp_path))
