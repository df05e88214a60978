"""The turning solids of docs/solids.py, and the walk round one never seen, read as a user's clips."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manex.datasets.dataset import Dataset
from manex.datasets.frames import Frames, frames
from pipeline.config.data import DatasetEntry
from pipeline.config.entries import parse_entry
from pipeline.paths import Paths
from pipeline.sources.frames import read
from pipeline.stages.prepare import prepare
from pipeline.storage.artifacts import read_json

SCRIPT = runpy.run_path(str(Path(__file__).parents[1] / "docs" / "solids.py"))
VIEWS = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project") / "solids"
    SCRIPT["write"](folder, objects=3, views=VIEWS, size=24)
    return folder


@pytest.mark.parametrize("number", [0, 1])
def test_half_a_turn_shows_the_outline_mirrored_and_another_texture(number: int) -> None:
    """Ellipsoids and boxes are the same after half a turn; their texture is not."""
    front, back = (SCRIPT["view"](number, turned, 32) for turned in (0.7, 0.7 + np.pi))
    np.testing.assert_array_equal(front > 0, back > 0)
    assert np.abs(front - back).max() > 0.1
    np.testing.assert_allclose(SCRIPT["view"](number, 0.7 + 2 * np.pi, 32), front, atol=1e-6)


def test_a_ray_meets_an_ellipsoid_on_its_surface_and_a_box_on_a_face() -> None:
    rng = np.random.default_rng(0)
    half, ray = np.array([0.5, 0.4, 0.6]), np.array([0.3, -0.4, -0.87])
    start = rng.uniform(-0.4, 0.4, (50, 3)) - 3 * ray
    hit, point, normal = SCRIPT["_ellipsoid"](start, ray, half)
    assert hit.sum() > 25
    np.testing.assert_allclose(((point / half) ** 2).sum(-1)[hit], 1)
    assert (normal[hit] @ ray < 0).all()  # it is the near side
    hit, point, normal = SCRIPT["_box"](start, ray, half)
    assert hit.sum() > 25
    np.testing.assert_allclose(np.abs(point / half).max(-1)[hit], 1)
    assert (normal[hit] @ ray < 0).all()


def test_the_last_solid_gives_the_video_and_is_not_trained_on(folder: Path) -> None:
    cfg = Frames(path=folder, size=24, frames=5, unseen=1)
    raw = read(cfg, Paths(folder.parent))
    made, clips = frames(cfg, raw), list(raw.clips.values())
    dataset = Dataset.of(made, held_out=4)
    assert (len(clips), len(dataset.videos), len(dataset.frames)) == (3, 1, 2 * VIEWS)
    assert all((clips[2] == frame).all((1, 2, 3)).any() for frame in made.videos[0])
    assert not any((clips[2] == frame).all((1, 2, 3)).any() for frame in made.frames)
    np.testing.assert_array_equal(made.frames, np.concatenate(clips[:2]))
    np.testing.assert_array_equal(made.clip, np.repeat([0, 1], VIEWS))


@pytest.mark.parametrize(("unseen", "protocol"), [(0, "paper"), (1, "held_out")])
def test_the_protocol_says_whether_the_videos_were_trained_on(
    unseen: int, protocol: str, folder: Path, tmp_path: Path
) -> None:
    section: dict[str, Any] = {"kind": "frames", "path": str(folder), "size": 24, "frames": 5, "held_out": 4}
    entry = parse_entry(DatasetEntry, {**section, "unseen": unseen}, "data.solids")
    assert isinstance(entry, DatasetEntry)
    prepare("solids", entry, Paths(tmp_path))
    described = read_json(Paths(tmp_path).prepared("solids") / "dataset.json", "")
    assert described["protocol"] == protocol
    assert ("never seen" in described["note"]) == (unseen > 0)


def test_a_set_without_a_clip_to_train_on_is_refused(folder: Path) -> None:
    cfg = Frames(path=folder, size=24, frames=5, unseen=3)
    with pytest.raises(ValueError, match="unseen: 3 of 3 clips leave none to train on; take fewer"):
        frames(cfg, read(cfg, Paths(folder.parent)))
