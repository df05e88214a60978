"""`manex walk` and `manex restore`: a picture or two of one's own, and a denoiser that was trained on a dataset."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import DATASET, build, manex

from manex import Dataset
from pipeline.paths import Paths
from pipeline.storage.prepared import load_prepared


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield build(tmp_path_factory.mktemp("own") / "project")
    torch.use_deterministic_algorithms(False)


@pytest.fixture(scope="module")
def dataset(project: Path) -> Dataset:
    return load_prepared(DATASET, Paths(project))


@pytest.fixture
def pictures(dataset: Dataset, tmp_path: Path) -> list[str]:
    """The first two frames of a video, as files."""
    files = [tmp_path / f"{number}.png" for number in (0, 1)]
    for file, frame in zip(files, dataset.videos[0, :2, 0], strict=True):
        Image.fromarray((frame * 255).round().byte().numpy()).save(file)
    return list(map(str, files))


def test_a_walk_begins_with_the_two_pictures(project: Path, pictures: list[str], tmp_path: Path) -> None:
    to = tmp_path / "walk.gif"
    done = manex(project, "walk", *pictures, "-o", str(to), "--method", "walked", "--frames", "4")
    assert done.code == 0, done
    assert "6 frames of 20 x 20 pixels" in done.said
    assert "dB on held-out frames" in done.said
    with Image.open(to) as moving:
        assert moving.n_frames == 6
        shown = np.asarray(moving.convert("L"))
    with Image.open(pictures[0]) as given:
        first = np.asarray(given)
    scale = shown.shape[1] // 20
    middle = shown[scale // 2 :: scale, scale // 2 :: scale]
    assert abs(middle.astype(int) - first).max() <= 2  # the palette of a GIF


def test_backward_the_walk_begins_with_the_second_picture(project: Path, pictures: list[str], tmp_path: Path) -> None:
    forward, backward = tmp_path / "forward.gif", tmp_path / "backward.gif"
    words = ("--method", "walked", "--frames", "2")
    assert manex(project, "walk", *pictures, "-o", str(backward), "--backward", *words).code == 0
    assert manex(project, "walk", *reversed(pictures), "-o", str(forward), *words).code == 0
    assert forward.read_bytes() == backward.read_bytes()


def test_pictures_that_the_denoiser_does_not_know_are_told(project: Path, tmp_path: Path) -> None:
    files = [tmp_path / f"noise{seed}.png" for seed in (0, 1)]
    for seed, file in enumerate(files):
        Image.fromarray(np.random.default_rng(seed).integers(0, 256, (20, 20), np.uint8)).save(file)
    done = manex(project, "walk", *map(str, files), "-o", str(tmp_path / "walk.gif"), "--method", "walked",
                 "--denoiser", "memoriser")  # fmt: skip
    assert done.code == 0
    assert "warning: the denoiser does not know these images" in done.said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("FIRST", "FIRST"), "are the same image"),
        (("FIRST", "missing.png"), "missing.png"),
        (("FIRST", "SECOND", "-o", "walk.mp4"), "ends with .gif"),
        (("FIRST", "SECOND", "-o", "nowhere/walk.gif"), "no such folder"),
        (("FIRST", "SECOND", "--method", "walkde"), 'did you mean "walked"'),
        (("FIRST", "SECOND", "--dataset", "rotated"), 'did you mean "rotated_mnist"'),
        (("FIRST", "SECOND", "--denoiser", "none"), "models/rotated_mnist/none"),
    ],
)
def test_what_cannot_be_walked_is_told_in_a_line(
    words: tuple[str, ...], said: str, project: Path, pictures: list[str]
) -> None:
    named = dict(zip(("FIRST", "SECOND"), pictures, strict=True))
    method = () if "--method" in words else ("--method", "walked")
    done = manex(project, "walk", *(named.get(word, word) for word in words), *method)
    assert done.clear, done
    assert said in done.said
    assert not (project / "walk.gif").exists()


def test_a_denoiser_that_ships_walks_where_nothing_was_trained(pictures: list[str], tmp_path: Path) -> None:
    done = manex(tmp_path, "walk", *pictures, "--denoiser", "rotated_mnist", "--frames", "2")
    assert done.code == 0, done
    assert "walk.gif: 4 frames of 20 x 20 pixels" in done.said
    assert "dB on held-out frames" in done.said
    with Image.open(tmp_path / "walk.gif") as moving:
        assert moving.n_frames == 4


def test_pictures_of_two_sizes_are_refused(pictures: list[str], tmp_path: Path) -> None:
    larger = tmp_path / "larger.png"
    with Image.open(pictures[1]) as second:
        second.resize((30, 20)).save(larger)
    done = manex(tmp_path, "walk", pictures[0], str(larger))
    assert done.clear, done
    assert "has 20 x 20 pixels" in done.said
    assert "larger.png has 30 x 20 pixels: crop or resize them to one size" in done.said


def test_a_picture_in_colour_gives_its_grey_levels_and_a_warning(pictures: list[str], tmp_path: Path) -> None:
    red = tmp_path / "red.png"
    with Image.open(pictures[0]) as first:
        nothing = Image.new("L", first.size)
        Image.merge("RGB", (first, nothing, nothing)).save(red)
    done = manex(tmp_path, "walk", str(red), pictures[1], "--frames", "1")
    assert done.code == 0, done
    assert "red.png is in colour; the denoiser takes its grey levels" in done.said
    assert "1.png is in colour" not in done.said


def test_the_memoriser_restores_the_frame_that_it_knows(project: Path, dataset: Dataset, tmp_path: Path) -> None:
    file, to = tmp_path / "frame.png", tmp_path / "restored.png"
    Image.fromarray((dataset.training_frames[0, 0] * 255).round().byte().numpy()).save(file)
    words = ("--denoiser", "memoriser", "--samples", "2", "--task", "pixels share=0.5", "-o", str(to))
    done = manex(project, "restore", str(file), *words)
    assert done.code == 0, done
    assert "measured: 200 numbers, 50% of 400" in done.said
    (line,) = (line for line in done.said.splitlines() if line.startswith("PSNR of mean of the samples"))
    assert float(line.split()[-2]) > 40  # a file has 256 levels: 59 dB
    with Image.open(to) as strip:
        assert strip.width > 5 * 6 * 20 > strip.height


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--task", "holee"), 'did you mean "hole"'),
        (("--task", ""), "--task"),
        (("--task", "hole top=1"), "height: missing"),
        (("--task", "hole top"), '"top" is not NAME=VALUE'),
        (("--task", "skipped reason=x"), "name what is measured"),
        (("--task", "blocks size=7"), "do not tile 20 x 20"),
        (("--denoiser", "vaee"), "models/rotated_mnist/vaee"),
        (("-o", "restored.gif"), "ends with .png"),
    ],
)
def test_what_cannot_be_restored_is_told_in_a_line(
    words: tuple[str, ...], said: str, project: Path, pictures: list[str]
) -> None:
    done = manex(project, "restore", pictures[0], *words)
    assert done.clear, done
    assert said in done.said
    assert not (project / "restored.png").exists()
