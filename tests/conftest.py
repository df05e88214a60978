"""Shapes are checked at run time in the tests: a wrong one fails at the call, not three functions later."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MANEX_TRACKING", "off")  # tests of tracking switch it on

from jaxtyping import install_import_hook

CHECKED = (
    "analyses",
    "denoisers",
    "extrapolators",
    "front",
    "geometry",
    "metrics",
    "networks",
    "samplers",
    "training",
)
install_import_hook([f"manex.{name}" for name in CHECKED], "beartype.beartype")

import hypothesis
import pytest
import torch

hypothesis.settings.register_profile("manex", deadline=None)  # how long an example takes depends on the machine's load
hypothesis.settings.load_profile("manex")


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(20241122)


@pytest.fixture(scope="session")
def tiny_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which every stage has run; copy it before you change it."""
    import tiny

    root = tiny.build(tmp_path_factory.mktemp("tiny") / "project")
    torch.use_deterministic_algorithms(False)
    return root


@pytest.fixture(autouse=True)
def _single_thread() -> None:
    torch.set_num_threads(1)
