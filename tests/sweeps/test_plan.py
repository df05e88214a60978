from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from walkers import PARAMS, VALUES, sweep

from pipeline.config.params import parse
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.sweeps.grid import load_grid, parse_grid, points

SMALL: dict[str, Any] = {"datasets": ["walker"], "methods": {"tangent_flow": {"speed": [1, 2]}}}


def complaint(**changes: Any) -> str:
    with pytest.raises(UserError) as caught:
        points(parse_grid({**SMALL, **changes}, "a.yaml"), PARAMS, "a.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"sedes": [1]}, 'a.yaml: sedes: unknown; did you mean "seeds"?'),
        ({"datasets": ["walkre"]}, 'a.yaml: datasets: "walkre" is unknown; did you mean "walker"?'),
        (
            {"methods": {"tangent_flwo": {}}},
            'a.yaml: methods: "tangent_flwo" is not defined for walker; did you mean "tangent_flow"?',
        ),
        (
            {"methods": {"tangent_flow": {"substep": [1]}}},
            'a.yaml: methods.tangent_flow.substep: unknown; did you mean "substeps"?',
        ),
        (
            {"methods": {"tangent_flow": {"denoiser": ["resunet", "resnet"]}}},
            'a.yaml: methods.tangent_flow.denoiser: "resnet" is not defined under models; did you mean "resunet"?',
        ),
        ({"methods": {"tangent_flow": {"algorithm": ["linear"]}}}, "methods.tangent_flow.algorithm: cannot vary"),
        ({"methods": {"tangent_flow": {"speed": []}}}, "a.yaml: methods: tangent_flow.speed: no values"),
        ({"methods": {"tangent_flow": {"speed": [1, 2, 1]}}}, "tangent_flow.speed: 1 is there twice"),
        ({"seeds": [100, 100]}, "a.yaml: seeds: 100 is there twice"),
        ({"threads": 0}, "a.yaml: threads: input should be greater than or equal to 1, not 0"),
        ({"methods": ["linear"]}, "a.yaml: methods: input should be a valid dictionary"),
    ],
)
def test_what_does_not_fit_is_named_with_the_nearest_right_one(changes: dict[str, Any], expected: str) -> None:
    assert expected in complaint(**changes)


def test_every_wrong_value_gets_one_line(paths: Paths) -> None:
    said = complaint(methods={"tangent_flow": {"speed": [1, -1, "fast"], "substeps": [0]}, "linear": {"eta": [0]}})
    assert [line.split(": ")[1] for line in said.splitlines()] == [
        "methods.tangent_flow.speed",
        "methods.tangent_flow.speed",
        "methods.tangent_flow.substeps",
        "methods.linear.eta",
    ]


def test_the_points_are_the_product_with_all_other_settings_of_params() -> None:
    grid = parse_grid({**SMALL, "methods": {"tangent_flow": {"speed": [1, 2], "draws": [1, 2]}}}, "")
    found = points(grid, PARAMS, "")
    assert [(p.entry.speed, p.entry.draws) for p in found] == [(1, 1), (1, 2), (2, 1), (2, 2)]  # type: ignore[union-attr]
    base = PARAMS.method("walker", "tangent_flow").model_dump()
    for point in found:
        assert {**point.entry.model_dump(), "speed": base["speed"], "draws": base["draws"]} == base


def test_a_single_value_needs_no_brackets() -> None:
    one, other = (parse_grid({**SMALL, "methods": {"linear": axes}}, "") for axes in ({"eta": 1}, {"eta": [1]}))
    assert one == other
    assert parse_grid({**SMALL, "methods": {"linear": None}}, "").methods == {"linear": {}}


@pytest.mark.parametrize("name", ["Flow.yaml", "../flow.yaml", "a b.yaml", "9.yaml"])
def test_a_name_that_could_be_no_folder_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    path = tmp_path / "inner" / name
    path.write_text("datasets: [walker]\nmethods: {linear: }\n")
    if name.startswith(".."):
        assert load_grid(path, PARAMS)[0] == "flow"  # the name is the file's, wherever it is
    else:
        with pytest.raises(UserError, match="names the sweep"):
            load_grid(path, PARAMS)


def test_a_grid_that_is_no_yaml_or_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"not found; sweeps/example\.yaml"):
        load_grid(tmp_path / "none.yaml", PARAMS)
    (tmp_path / "bad.yaml").write_text("datasets: [walker\n")
    with pytest.raises(UserError, match="not valid YAML"):
        load_grid(tmp_path / "bad.yaml", PARAMS)


def test_seeds_of_trainings_multiply_only_what_uses_a_network(paths: Paths) -> None:
    job = sweep(paths, methods={"linear": {}, "persistence": {}}, train_seeds=[0, 1, 2], seeds=[100, 101])
    assert [(cell.point.method, cell.train_seed, cell.seed) for cell in job.plan.cells] == [
        *(("linear", train, seed) for train in (0, 1, 2) for seed in (100, 101)),
        ("persistence", None, 100),
        ("persistence", None, 101),
    ]
    assert [training.entry["seed"] for training in job.plan.trainings] == [1, 2]  # 0 is that of params.yaml


@pytest.mark.parametrize(
    ("lost", "command"), [("prepared", "manex prepare walker"), ("model", "manex train walker resunet")]
)
def test_a_grid_whose_frames_or_network_are_missing_names_the_command_that_makes_them(
    lost: str, command: str, paths: Paths
) -> None:
    folder = paths.prepared("walker") if lost == "prepared" else paths.model("walker", "resunet")
    shutil.rmtree(folder)
    with pytest.raises(UserError, match=rf"{folder}/.*: No such file or directory; make it with: {command}$"):
        sweep(paths, methods={"linear": {}})


def test_a_model_that_params_skips_gives_cells_that_are_not_run(paths: Paths) -> None:
    from pipeline.sweeps.sweep import Sweep

    skipped = {"network": "skipped", "reason": "too slow"}
    params = parse({**VALUES, "train": {"walker": {"resunet": skipped}}}, "params.yaml")
    grid = parse_grid({**SMALL, "train_seeds": [1, 2]}, "")
    job = Sweep("tiny", grid, params, paths)
    assert {cell.not_run for cell in job.plan.cells} == {"model resunet is not trained: too slow"}
    assert job.plan.trainings == []
