"""No room, no permission, something in the way: what was there stays, and one line says what was refused."""

from __future__ import annotations

import random
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import tiny
import torch

from pipeline.paths import Paths

D = tiny.DATASET
OUTPUTS = {
    ("prepare", D): f"data/prepared/{D}",
    ("train", D, "resunet"): f"models/{D}/resunet",
    ("extrapolate", D, "walked"): f"data/extrapolated/{D}/walked",
    ("evaluate", D): f"data/scores/{D}",
    ("analyse", D, "spectrum"): f"data/analyses/{D}/spectrum",
    ("table",): tiny.REPORTS,
    ("figures",): f"{tiny.REPORTS}/figures",
}
QUICK = [words for words in OUTPUTS if words[0] in {"prepare", "train", "table"}]


@pytest.fixture
def project(tiny_project: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_project, tmp_path / "project"))


@pytest.fixture(autouse=True)
def _torch_as_it_was() -> Iterator[None]:
    yield
    torch.use_deterministic_algorithms(False)


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """Stands for the full disk: the system refuses every byte beyond."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _full(words: tuple[str, ...], project: Path, seed: int) -> None:
    before = tiny.results(project)
    largest = max(len(content) for name, content in before.items() if name.startswith(OUTPUTS[words]))
    size = 10 if words[0] in {"table", "figures"} else random.Random(seed).randrange(largest)
    with files_up_to(size):
        done = tiny.manex(project, *words)
    assert done.clear, done
    assert "cannot be written" in done.said, done
    assert tiny.results(project) == before
    again = tiny.manex(project, *words)
    assert again.code == 0, again
    assert {name: content for name, content in tiny.results(project).items() if name in before} == before
    assert not list(project.rglob("*.partial"))


@pytest.mark.parametrize("words", QUICK, ids=" ".join)
def test_a_full_disk_spoils_nothing_and_the_next_run_ends_the_same(words: tuple[str, ...], project: Path) -> None:
    _full(words, project, 0)


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(1, 6))
@pytest.mark.parametrize("words", [words for words in OUTPUTS if words != ("figures",)], ids=" ".join)
def test_a_full_disk_spoils_nothing_long(words: tuple[str, ...], seed: int, project: Path) -> None:
    _full(words, project, seed)


def mount(*words: str) -> None:
    done = subprocess.run(["mount", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mount is not permitted here: {done.stderr.strip()}")


def test_a_file_system_that_is_full_spoils_nothing(project: Path) -> None:
    """A small tmpfs with the project's own output on it."""
    folder = project / OUTPUTS["train", D, "resunet"]
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    models = project / "models"
    shutil.rmtree(models)
    models.mkdir()
    mount("-t", "tmpfs", "-o", "size=16k", "tmpfs", str(models))
    try:
        folder.mkdir(parents=True)
        (folder / "model.json").write_bytes(kept["model.json"])
        done = tiny.manex(project, "train", D, "resunet")
        assert done.clear, done
        assert "No space left on device" in done.said
        assert [path.name for path in folder.iterdir()] == ["model.json"]
        assert not list(models.rglob("*.partial"))
    finally:
        subprocess.run(["umount", "--lazy", str(models)], check=True)


@pytest.mark.parametrize("words", [("prepare", D), ("table",)], ids=" ".join)
def test_a_read_only_file_system_is_told(words: tuple[str, ...], project: Path) -> None:
    before = tiny.results(project)
    mount("--bind", str(project), str(project))
    try:
        mount("-o", "remount,ro,bind", str(project))
        done = tiny.manex(project, *words)
    finally:
        subprocess.run(["umount", "--lazy", str(project)], check=True)
    assert done.clear, done
    assert "Read-only file system" in done.said
    assert tiny.results(project) == before


@pytest.mark.parametrize("words", QUICK, ids=" ".join)
def test_a_file_in_the_place_of_a_folder_is_told_and_kept(words: tuple[str, ...], project: Path) -> None:
    where = project / (OUTPUTS[words] if words != ("table",) else "reports/records/table")
    shutil.rmtree(where)
    where.write_text("mine")
    done = tiny.manex(project, *words)
    assert done.clear, done
    assert where.read_text() == "mine"


def test_a_link_in_the_place_of_a_folder_is_told_and_kept(project: Path, tmp_path: Path) -> None:
    where = Paths(project).prepared(D)
    where.rename(tmp_path / "elsewhere")
    where.symlink_to(tmp_path / "elsewhere")
    done = tiny.manex(project, "prepare", D)
    assert done.clear, done
    assert (tmp_path / "elsewhere" / "frames.safetensors").is_file()
    assert where.is_symlink()
