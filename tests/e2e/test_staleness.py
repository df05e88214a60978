"""What DVC runs again after a change, on a small real project: what the change concerns, and nothing else."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import run

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
PARAMS = """\
profile: tiny
reports: reports/tiny
sources: []
datasets: [walker]
models: [resunet, vae]
methods: [linear, tangent_flow, persistence, vae]
analyses: [spectrum]

data:
  walker: {kind: walker, people: 2, size: 16, frames: 8, held_out: 3, dense: 40}

train:
  walker:
    resunet: {network: resunet, widths: [4], steps: 4, batch: 4, record_every: 2, learning_rate: 0.02}
    vae: {network: vae, latent: 4, steps: 4, batch: 4, record_every: 2, learning_rate: 0.02}

trials: {seeds: [100]}

extrapolate:
  walker:
    linear: {algorithm: linear, frames: 3, sigma_255: 25, eta: 1}
    tangent_flow: {algorithm: tangent_flow, frames: 3, sigma_255: 25, substeps: 1, draws: 1}
    persistence: {algorithm: persistence, frames: 3}
    vae: {algorithm: latent, frames: 3, eta: 1}

analyse:
  walker:
    spectrum: {kind: spectrum, walks: [tangent_flow], frames: 2, values: 3, vectors: 2}
"""
GEOMETRY = "    geometry: {kind: geometry, walks: [tangent_flow], points: 1}\n"
WALKS = {f"extrapolate/walker/{name}" for name in ("linear", "tangent_flow", "persistence", "vae")}
ON_RESUNET = {
    "extrapolate/walker/linear", "extrapolate/walker/tangent_flow", "evaluate/walker", "analyse/walker/spectrum"
}  # fmt: skip


@pytest.fixture(scope="module")
def computed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with everything computed once; tests leave it as they found it."""
    folder = tmp_path_factory.mktemp("staleness") / "project"
    for name in ("manex", "pipeline"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dvc.yaml", ".dvcignore"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "data" / "own").mkdir(parents=True)
    (folder / "params.yaml").write_text(PARAMS)
    run(folder, "init", "--no-scm", "--quiet", module="dvc")
    run(folder, "repro", module="dvc")
    return folder


@pytest.fixture
def project(computed: Path, tmp_path: Path) -> Iterator[Path]:
    """The same; what a test may change comes back as it was."""
    kept = ("manex", "pipeline", "params.yaml", "dvc.lock", "data", "models", "reports")
    for name in kept:
        copy = shutil.copytree if (computed / name).is_dir() else shutil.copy
        (tmp_path / name).parent.mkdir(exist_ok=True)
        copy(computed / name, tmp_path / name)
    yield computed
    for name in kept:
        path = computed / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.move(tmp_path / name, path)


def append(project: Path, file: str, text: str) -> None:
    with (project / file).open("a") as stream:
        stream.write(text)


def changed_code(project: Path, *files: str) -> set[str]:
    """The cells whose code, as DVC sees it, is another after a change of files."""

    def cells() -> dict[str, str]:
        folder = project / "data" / "code"
        return {str(path.relative_to(folder).with_suffix("")): path.read_text() for path in folder.rglob("*.json")}

    before = cells()
    for file in files:
        append(project, file, "\n_UNUSED = 0\n")
    run(project, "code", module="pipeline")
    return {name for name, text in cells().items() if before[name] != text}


def stale(project: Path) -> set[str]:
    """The stages that have to run, once `code` has seen what changed; not yet those that only follow others."""
    run(project, "repro", "--single-item", "code", module="dvc")
    said = run(project, "status", "--json", module="dvc")
    return set(json.loads(said[said.index("{") :]))


def reproduced(project: Path) -> list[str]:
    """The stages that a whole `dvc repro` runs."""
    return re.findall(r"Running stage '([^']+)'", run(project, "repro", module="dvc"))


def test_a_second_repro_runs_nothing(computed: Path) -> None:
    before = (computed / "dvc.lock").read_bytes()
    assert reproduced(computed) == []
    assert (computed / "dvc.lock").read_bytes() == before


def test_comments_and_docstrings_anywhere_run_code_alone(project: Path) -> None:
    for path in [*(project / "manex").rglob("*.py"), *(project / "pipeline").rglob("*.py")]:
        append(project, str(path.relative_to(project)), '\n"""A docstring."""\n# a comment\n')
    assert reproduced(project) == ["code"]


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("manex/networks/resunet.py", {"train/walker/resunet", *ON_RESUNET}),
        ("manex/networks/vae.py", {"train/walker/vae", "extrapolate/walker/vae", "evaluate/walker"}),
        ("manex/extrapolators/persistence.py", {"extrapolate/walker/persistence", "evaluate/walker"}),
        ("manex/analyses/spectrum.py", {"analyse/walker/spectrum"}),
        ("manex/metrics/residual.py", {"evaluate/walker"}),
        ("manex/datasets/walker.py", {"prepare/walker"}),
        ("pipeline/stages/extrapolate.py", WALKS),
        ("pipeline/report/columns.py", {"findings", "table"}),
    ],
)
def test_the_code_of_a_cell_changes_with_the_files_that_it_runs(file: str, expected: set[str], project: Path) -> None:
    assert changed_code(project, file) == expected


def test_files_that_no_cell_runs_change_no_code(project: Path) -> None:
    files = ("manex/extrapolators/mcvd.py", "manex/errors.py", "pipeline/cli/stages.py", "pipeline/report/page.html.j2")
    assert changed_code(project, *files) == set()


def test_dvc_runs_the_walk_of_a_changed_extrapolator_and_no_training(project: Path) -> None:
    append(project, "manex/extrapolators/linear.py", "\n_UNUSED = 0\n")
    assert stale(project) == {"extrapolate@walker-linear", "evaluate@walker"}  # table and figures follow new scores


def test_a_metric_is_measured_again_without_a_walk_or_a_training(project: Path) -> None:
    append(project, "manex/metrics/coordinates.py", "\n_UNUSED = 0\n")
    assert reproduced(project) == ["code", "evaluate@walker"]  # the scores are the same, so nothing follows


def test_a_new_analysis_runs_itself_and_what_shows_it(project: Path) -> None:
    text = (project / "params.yaml").read_text().replace("analyses: [spectrum]", "analyses: [spectrum, geometry]")
    (project / "params.yaml").write_text(text + GEOMETRY)
    assert sorted(reproduced(project)) == ["analyse@walker-geometry", "code", "figures", "findings", "table"]


def test_a_new_network_runs_its_own_walks_alone(project: Path) -> None:
    file = project / "params.yaml"
    file.write_text(file.read_text().replace("latent: 4", "latent: 5"))
    walks = [stage for stage in reproduced(project) if stage.startswith("extrapolate")]
    assert walks == ["extrapolate@walker-vae"]


def reordered(text: str) -> str:
    """The same settings: sections in another order, and the keys of one entry."""
    head, *sections = text.split("\n\n")
    return "\n\n".join([*reversed(sections), head]).replace("kind: walker, people: 2", "people: 2, kind: walker")


def commented(text: str) -> str:
    return "# a comment\n" + text.replace("trials:", "\n# another\ntrials:")


def test_the_order_of_keys_and_comments_in_the_settings_run_code_alone(project: Path) -> None:
    file = project / "params.yaml"
    file.write_text(commented(reordered(file.read_text())))
    assert stale(project) == set()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("eta: 1}\n    tangent", "eta: 2}\n    tangent", {"extrapolate@walker-linear", "table", "figures"}),
        ("latent: 4", "latent: 5", {"train@walker-vae", "table"}),
        ("profile: tiny", "ssim_window: gaussian\nprofile: tiny", {"evaluate@walker", "figures"}),
    ],
)
def test_a_setting_makes_stale_what_reads_it(old: str, new: str, expected: set[str], project: Path) -> None:
    file = project / "params.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    assert stale(project) == expected
