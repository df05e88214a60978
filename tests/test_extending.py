"""The kinds of docs/extending.md, one file each, go from their files to a row of Table 1 and to an analysis."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
SECTION = (ROOT / "docs" / "extending.md").read_text().partition("## One file per kind")[2]
BLOCKS = dict(re.findall(r"```python\n# (manex/\S+\.py)\n(.*?)```", SECTION, re.DOTALL))
(ENTRIES,) = re.findall(r"```yaml\n(.*?)```", SECTION, re.DOTALL)
COMMANDS = (
    ("code",),
    ("prepare", "moving_bar"),
    ("extrapolate", "moving_bar", "drift"),
    ("evaluate", "moving_bar"),
    ("analyse", "moving_bar", "brightness"),
    ("table",),
)
RUN = (
    "import sys\nfrom pipeline.cli.app import app\n"
    f"for words in {COMMANDS}:\n    assert not app(words, prog_name='manex', standalone_mode=False), words\n"
)


def sources(root: Path) -> dict[str, bytes]:
    files = [path for package in ("manex", "pipeline") for path in (root / package).rglob("*") if path.is_file()]
    return {str(path.relative_to(root)): path.read_bytes() for path in files if "__pycache__" not in path.parts}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the new files and the settings, computed."""
    root = tmp_path_factory.mktemp("extended") / "project"
    for package in ("manex", "pipeline"):
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in BLOCKS.items():
        assert not (root / name).exists()
        (root / name).write_text(text)
    names = {"sources": [], "datasets": ["moving_bar"], "models": [], "methods": ["drift"], "analyses": ["brightness"]}
    entries = YAML(typ="safe", pure=True).load(ENTRIES)
    with (root / "params.yaml").open("w") as stream:
        values = {"profile": "extended", "reports": "reports/extended", "train": {}, "trials": {}, **names, **entries}
        YAML(typ="safe", pure=True).dump(values, stream)
    environment = os.environ | {"MANEX_WORKERS": "1", "MANEX_TRACKING": "off"}
    words = [sys.executable, "-c", RUN]
    done = subprocess.run(words, cwd=root, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return root


def test_each_kind_is_one_short_file() -> None:
    folders = {Path(name).parent.name for name in BLOCKS}
    assert folders == {"datasets", "denoisers", "samplers", "extrapolators", "analyses"}
    for name, text in BLOCKS.items():
        assert len([line for line in text.splitlines() if line.strip()]) < 20, name


def test_nothing_else_was_changed(project: Path) -> None:
    before, after = sources(ROOT), sources(project)
    assert {name: after[name] for name in before} == before
    assert after.keys() - before.keys() == BLOCKS.keys()


def test_the_walk_is_a_row_of_table_1(project: Path) -> None:
    (row,) = pd.read_csv(project / "reports" / "extended" / "table1.csv").to_dict("records")
    assert (row["dataset"], row["method"], row["block"]) == ("moving_bar", "drift", "manifold")
    assert 0 < row["dtw_ssid"] < 2
    assert 0 < row["coverage"] < 1  # the true manifold of the new dataset is known


def test_the_analysis_has_its_table(project: Path) -> None:
    (row,) = pd.read_csv(project / "data" / "analyses" / "moving_bar" / "brightness" / "brightness.csv").to_dict(
        "records"
    )
    assert row["walk"] == "drift"
    assert row["change"] == pytest.approx(0, abs=0.01)  # a mean over neighbours keeps the mean


def test_the_new_files_are_code_of_their_cells_alone(project: Path) -> None:
    folder = project / "data" / "code"
    cells = {
        name: {
            str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*.json") if name in path.read_text()
        }
        for name in BLOCKS
    }
    walk = {"extrapolate/moving_bar/drift", "evaluate/moving_bar", "analyse/moving_bar/brightness"}
    assert cells["manex/datasets/bar.py"] == {"prepare/moving_bar"}
    for name in ("denoisers/box_blur", "samplers/halfway", "extrapolators/drift"):
        assert cells[f"manex/{name}.py"] == walk
    assert cells["manex/analyses/brightness.py"] == {"analyse/moving_bar/brightness"}
