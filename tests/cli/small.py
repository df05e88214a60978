"""A project as small as settings can be, and how to run a command in it."""

from __future__ import annotations

from typer.testing import CliRunner, Result

from pipeline.cli.app import app

SMALL = """\
# as small as it gets
profile: {name}
reports: {reports}
sources: [mnist]
datasets: [rotated_mnist]
models: [resunet]
methods: [linear]
analyses: [geometry]
fetch:
  mnist: {{}}
data:
  rotated_mnist: {{kind: rotation, frames: {frames}}}
train:
  rotated_mnist:
    resunet: {{network: resunet, steps: 2, learning_rate: 0.02}}
trials: {{seeds: [0]}}
extrapolate:
  rotated_mnist:
    linear: {{algorithm: linear, frames: 3, sigma_255: 25, eta: 1}}
analyse:
  rotated_mnist:
    geometry: {{kind: geometry, walks: [linear]}}
"""


def small(name: str, frames: object) -> str:
    """The settings of a profile."""
    return SMALL.format(name=name, reports="reports" if name == "cpu" else f"reports/{name}", frames=frames)


def manex(*words: str) -> Result:
    return CliRunner().invoke(app, words)
