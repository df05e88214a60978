"""Every example of the documentation that is a params.yaml, run by `dvc repro` as the page says, with small numbers."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from ruamel.yaml import YAML
from running import run

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
READER = YAML(typ="safe", pure=True)
SMALL = {
    "steps": 4, "batch": 2, "latent": 4, "record_every": 2, "held_out": 3, "dense": 60, "substeps": 1,
    "max_products": 8, "points": 1, "values": 3, "vectors": 2,
}  # fmt: skip


@dataclass(frozen=True)
class Example:
    """The settings of a section of a page, and the files that the section says to write."""

    page: str
    settings: dict[str, Any]
    text: str

    @property
    def files(self) -> dict[str, str]:
        return dict(re.findall(r"```python\n# (\S+\.py)\n(.*?)```", self.text, re.DOTALL))

    @property
    def name(self) -> str:
        return str(self.settings["profile"])


def examples() -> Iterator[Example]:
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for section in re.split(r"^## ", page.read_text(), flags=re.MULTILINE):
            for block in re.findall(r"```yaml\n(.*?)```", section, re.DOTALL):
                settings = READER.load(block)
                if isinstance(settings, dict) and settings.keys() & {"data", "train", "extrapolate", "analyse"}:
                    yield Example(page.name, whole(settings), section)


def whole(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings with the lists that an excerpt leaves out."""
    if "profile" in settings:
        return settings
    axes = {"models": "train", "methods": "extrapolate", "analyses": "analyse"}
    names = {axis: sorted({n for d in settings.get(part, {}).values() for n in d}) for axis, part in axes.items()}
    head = {"profile": "excerpt", "reports": "reports/excerpt", "sources": [], "datasets": list(settings["data"])}
    return {**head, **names, "train": {}, "trials": {"seeds": [0]}, "analyse": {}, **settings}


def small(value: Any, key: str = "") -> Any:
    """The same settings with numbers that take seconds."""
    if isinstance(value, dict):
        frames = {"frames": min(value["frames"], 2)} if "algorithm" in value and "frames" in value else {}
        return {name: small(inner, name) for name, inner in value.items()} | frames
    if key == "widths":
        return [4, 4]
    return min(value, SMALL[key]) if key in SMALL else value[:2] if key == "seeds" else value


EXAMPLES = {example.name: example for example in examples()}


@pytest.fixture(scope="module", params=EXAMPLES)
def followed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Example, Path]:
    """An example, and a fresh project in which it was run."""
    example = EXAMPLES[request.param]
    project = tmp_path_factory.mktemp(example.name) / "project"
    for name in ("manex", "pipeline", "data/own"):
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dvc.yaml", ".dvcignore", ".gitignore"):
        shutil.copy(ROOT / name, project / name)
    for name, text in example.files.items():
        assert not (project / name).exists()
        (project / name).write_text(text)
    shutil.copytree(ROOT / "docs", project / "docs")
    (project / "profiles").mkdir()
    with (project / "profiles" / f"{example.name}.yaml").open("w") as stream:
        READER.dump(small(example.settings), stream)
    make_files(example, project)
    run(project, "git", "init", "--quiet")
    run(project, "init", "--quiet", module="dvc")
    run(project, "profile", "use", example.name, module="pipeline")
    run(project, "repro", module="dvc")
    return example, project


def make_files(example: Example, project: Path) -> None:
    """What the section's scripts write; clips of ours where it says that one has them."""
    for script in re.findall(r"`python ((?:data/own|docs)/\S+\.py[^`]*)`", example.text):
        run(project, "python", *script.split())
    for dataset in example.settings["data"].values():
        if dataset["kind"] == "frames" and not (project / dataset["path"]).exists():
            draw_clips(project / dataset["path"])


def draw_clips(folder: Path) -> None:
    """Two clips of a bright square that moves a pixel per frame over grey noise."""
    for clip in range(2):
        (folder / f"clip_{clip}").mkdir(parents=True)
        noise = np.random.default_rng(clip).integers(60, 90, (48, 48), np.uint8)
        for index in range(20):
            picture = noise.copy()
            picture[6 + clip : 20, 2 + index : 16 + index] = 220
            Image.fromarray(picture).save(folder / f"clip_{clip}" / f"frame_{index:03}.png")


def test_the_pages_have_the_examples_that_they_are_known_for() -> None:
    assert {"mine", "solids", "brought", "excerpt"} <= EXAMPLES.keys()


def test_every_method_is_a_row_of_table_1(followed: tuple[Example, Path]) -> None:
    example, project = followed
    rows = pd.read_csv(project / example.settings["reports"] / "table1.csv")
    assert set(rows["method"]) == set(example.settings["methods"])
    skipped = {
        name for d in example.settings["extrapolate"].values() for name in d if d[name]["algorithm"] == "skipped"
    }
    assert set(rows[rows["not_run"].notna()]["method"]) == skipped


def test_a_second_repro_runs_nothing(followed: tuple[Example, Path]) -> None:
    assert "Running stage" not in run(followed[1], "repro", module="dvc")


def test_a_clone_with_the_same_cache_runs_too(followed: tuple[Example, Path], tmp_path: Path) -> None:
    """There stages are restored instead of run: nothing that they did besides their outputs is there."""
    example, project = followed
    clone = tmp_path / "project"
    shutil.copytree(project, clone)
    for name in (
        "models",
        "reports",
        *(f"data/{path.name}" for path in (clone / "data").iterdir() if path.name != "own"),
    ):
        shutil.rmtree(clone / name)
    make_files(example, clone)
    said = run(clone, "repro", module="dvc")
    assert "Running stage 'train" not in said
    assert (clone / example.settings["reports"] / "table1.csv").is_file()


OWN = pytest.mark.parametrize("followed", ["brought"], indirect=True)


@OWN
def test_dvc_runs_again_what_a_file_behind_a_link_concerns(followed: tuple[Example, Path], tmp_path: Path) -> None:
    _, project = followed
    code = project / "data" / "own" / "my_file.py"
    shutil.move(code, tmp_path / "elsewhere.py")
    code.symlink_to(tmp_path / "elsewhere.py")
    assert "Running stage" not in run(project, "repro", module="dvc")
    (tmp_path / "elsewhere.py").write_text(code.read_text().replace("torch.tensor(0.6)", "torch.tensor(0.5)"))
    said = run(project, "repro", module="dvc")
    for cell in ("extrapolate@walker-my_module", "evaluate@walker", "analyse@walker-spectrum"):
        assert f"Running stage '{cell}'" in said
    assert "extrapolate@walker-persistence' didn't change" in said


@OWN
def test_dvc_stops_at_a_link_to_a_folder(followed: tuple[Example, Path], tmp_path: Path) -> None:
    _, project = followed
    (tmp_path / "lib").mkdir()
    link, other = project / "data" / "own" / "lib", project / "data" / "own" / "other.py"
    link.symlink_to(tmp_path / "lib")
    other.write_text("import lib\n")
    with pytest.raises(AssertionError, match="data/own/lib: a link to a folder: DVC does not look into it"):
        run(project, "repro", module="dvc")
    link.unlink()
    other.unlink()
