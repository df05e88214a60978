"""The worked example of docs/extending.md, from clips to Table 1, in colour and at an odd size as well."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import torch
from movies import moving_square, write_pictures, write_video
from ruamel.yaml import YAML
from typer.testing import CliRunner

from pipeline.cli.app import app

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"```yaml\n(.*?)```", re.DOTALL)


@pytest.fixture(params=[{}, {"colour": "rgb", "size": 21}], ids=["as written", "21x21 in colour"])
def project(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example's settings, but for less training, on two small clips."""
    text = BLOCK.findall((ROOT / "docs" / "extending.md").read_text())[0]
    values = YAML(typ="safe", pure=True).load(text)
    values["data"]["mine"] |= {"held_out": 10, **request.param}
    values["train"]["mine"]["resunet"] |= {"widths": [4, 8], "steps": 2, "batch": 4}
    values["train"]["mine"]["vae"] |= {"latent": 4, "steps": 2, "batch": 4}
    values["trials"]["seeds"] = [0, 1]
    for walk in values["extrapolate"]["mine"].values():
        walk |= {"frames": 2} if "frames" in walk else {}
    values["extrapolate"]["mine"]["tangent_space"] |= {"rank": 1, "max_products": 12}
    (tmp_path / "profiles").mkdir()
    with (tmp_path / "profiles" / "mine.yaml").open("w") as stream:
        YAML(typ="safe", pure=True).dump(values, stream)
    write_pictures(tmp_path / "data" / "raw" / "mine" / "pendulum", moving_square(20, 30, 50))
    write_video(tmp_path / "data" / "raw" / "mine" / "swing.avi", moving_square(25, 40, 60))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MANEX_WORKERS", "1")
    return tmp_path


@pytest.fixture(autouse=True)
def _torch_as_it_was() -> Iterator[None]:
    yield
    torch.use_deterministic_algorithms(False)


def manex(*words: str) -> None:
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output


@pytest.mark.filterwarnings("ignore:params.yaml")
def test_the_example_in_the_docs_ends_in_a_table(project: Path) -> None:
    values = YAML(typ="safe", pure=True).load((project / "profiles" / "mine.yaml").read_text())
    manex("profile", "use", "mine")
    manex("prepare", "mine")
    for model in values["models"]:
        manex("train", "mine", model)
    for method in values["methods"]:
        manex("extrapolate", "mine", method)
    manex("evaluate", "mine")
    for analysis in values["analyses"]:
        manex("analyse", "mine", analysis)
    manex("table")
    manex("figures")
    reports = project / "reports" / "mine"
    rows = pd.read_csv(reports / "table1.csv").set_index("method")
    assert list(rows.index) == values["methods"]
    assert rows.loc["oracle", "not_run"] == "no true manifold is known"
    scored = rows.drop("oracle")
    assert ((scored["dtw_ssid"] > 0) & (scored["dtw_ssid"] < 2)).all()
    assert scored["coverage"].isna().all()
    assert (scored["videos"] == 2).all()
    text = (reports / "table1.md").read_text()
    assert "\n2 clips of one's own, 45 frames.\n" in text
    assert re.search(
        r"\| tangent_flow \| 0\.\d{4} .* \| - \| - \| \[.*\] \| - \|", text
    )  # nothing is known of a manifold
    kept = {path.stem for path in (reports / "private").iterdir()}
    assert kept == {"mine", "mine_videos", "mine_alignment", "mine_spectrum", "mine_psnr"}
    shown = {path.stem for folder in ("figures", "pictures") for path in (reports / folder).iterdir()}
    assert {name for name in shown if name.startswith("mine")} == set()
