"""The networks that come with the package: what is installed, and that it is what its card says."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

import manex
from manex.front import load as loading
from manex.front.load import bundled, load

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "manex" / "bundled"
CARD = (FOLDER / "MODEL_CARD.md").read_text()
NAMES = ("rotated_mnist", "translated_mnist")


def test_they_are_the_two_sets_of_digits() -> None:
    assert bundled() == NAMES


def test_together_they_are_at_most_10_mb() -> None:
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) <= 10e6


def test_all_of_them_are_package_data() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    patterns = settings["tool"]["setuptools"]["package-data"]["manex"]
    files = [file.relative_to(ROOT / "manex").as_posix() for file in FOLDER.iterdir()]
    assert [file for file in files if not any(fnmatch(file, pattern) for pattern in patterns)] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_weights_are_those_of_the_model_card(name: str) -> None:
    found = hashlib.sha256((FOLDER / f"{name}.safetensors").read_bytes()).hexdigest()
    assert json.loads((FOLDER / f"{name}.json").read_text())["sha256"] == found
    assert found in CARD


@pytest.mark.parametrize("name", NAMES)
def test_it_denoises_as_well_as_the_model_card_says(name: str) -> None:
    (said,) = re.findall(rf"^\| `{name}` \| half \| (\S+) dB", CARD, re.MULTILINE)
    denoiser = load(name)
    assert manex.psnr(denoiser, denoiser.held_out, sigma=15 / 255) == pytest.approx(float(said), abs=0.1)  # on bytes


def test_a_name_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(manex.ManexError, match=r'no network "mnist" .* there are rotated_mnist, translated_mnist'):
        load("mnist")


def test_other_weights_than_the_cards_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    file = tmp_path / "rotated_mnist.safetensors"
    damaged = bytearray(file.read_bytes())
    damaged[-1] ^= 1
    file.write_bytes(damaged)
    monkeypatch.setattr(loading, "FOLDER", tmp_path)
    with pytest.raises(manex.ManexError, match=r"rotated_mnist\.safetensors: not the weights .* install manex again"):
        load("rotated_mnist")
