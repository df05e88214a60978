from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from ruamel.yaml import YAML

from pipeline.config.params import Params, load, load_whole, parse, parse_whole
from pipeline.errors import UserError

ROOT = Path(__file__).parents[1]
PROFILES = sorted(path.stem for path in (ROOT / "profiles").glob("*.yaml"))
VALID = YAML(typ="safe", pure=True).load((ROOT / "profiles" / "smoke.yaml").read_text())
FLOW = ("extrapolate", "rotated_mnist", "tangent_flow")
TRAIN = ("train", "rotated_mnist", "resunet")


def changed(keys: tuple[str, ...], value: object) -> dict[str, Any]:
    """The smoke profile with one value set."""
    values = copy.deepcopy(VALID)
    section = values
    for key in keys[:-1]:
        section = section[key]
    section[keys[-1]] = value
    return values


def complaint(values: object) -> str:
    with pytest.raises(UserError) as caught:
        parse_whole(values, "params.yaml")
    return str(caught.value)


@pytest.mark.parametrize("name", PROFILES)
def test_a_shipped_profile_is_valid_and_knows_its_name(name: str) -> None:
    assert load_whole(ROOT / "profiles" / f"{name}.yaml").profile == name


def test_the_shipped_params_are_the_cpu_profile() -> None:
    params, profile = load(ROOT / "params.yaml"), load(ROOT / "profiles" / "cpu.yaml")
    assert params.model_dump() == profile.model_dump()


IN_CPU = {name: f"{name}_unet" for name in ("linear", "tangent_space", "tangent_flow")}
"""What `cpu` calls the methods of `paper`, whose only denoiser is the paper's network."""


def same(one: Params, other: Params, dataset: str, method: str, method_there: str) -> None:
    """Check that a method has the same settings in two profiles, up to what a faster machine affords."""
    here, there = (p.extrapolate[dataset][m] for p, m in ((one, method), (other, method_there)))
    if "skipped" not in (here["algorithm"], there["algorithm"]):
        assert {**here, "max_products": 0} == {**there, "max_products": 0}, f"{dataset}: {method}"


def test_what_two_profiles_both_run_they_run_with_the_same_settings() -> None:
    """A speed or noise level that was chosen again must not go stale in another profile."""
    cpu, paper, rivals, people = (load(ROOT / "profiles" / f"{p}.yaml") for p in ("cpu", "paper", "rivals", "weizmann"))
    for method in paper.methods:
        for dataset in paper.datasets if method in cpu.methods else ():
            same(paper, cpu, dataset, method, IN_CPU.get(method, method))
    for method in set(rivals.methods) & set(cpu.methods):
        for dataset in set(rivals.datasets) & set(cpu.datasets):
            same(rivals, cpu, dataset, method, method)
    for method in people.methods:
        for dataset in people.datasets:
            assert people.extrapolate[dataset][method] == cpu.extrapolate["weizmann"][method]
    walks = [p.extrapolate["weizmann"]["tangent_flow"] for p in (paper, cpu)]
    assert walks[0] == {**walks[1], "denoiser": "unet", "remove_brightness": True}  # there is no unet in cpu to compare


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (("trails",), 'params.yaml: trails: unknown; did you mean "trials"?'),
        ((*FLOW, "substep"), f'params.yaml: {".".join(FLOW)}.substep: unknown; did you mean "substeps"?'),
        ((*TRAIN, "width"), f'params.yaml: {".".join(TRAIN)}.width: unknown; did you mean "widths"?'),
        (("fetch", "mnist", "indexes"), 'params.yaml: fetch.mnist.indexes: unknown; did you mean "indices"?'),
        (("data", "rotated_mnist", "heldout"), 'data.rotated_mnist.heldout: unknown; did you mean "held_out"?'),
        (("trials", "zzz"), "params.yaml: trials.zzz: unknown; known: seeds"),
    ],
)
def test_an_unknown_key_is_named_in_full_with_the_nearest_right_one(keys: tuple[str, ...], expected: str) -> None:
    assert expected in complaint(changed(keys, 1))


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        ((*TRAIN, "steps"), "many"),
        ((*TRAIN, "steps"), 2.5),
        ((*TRAIN, "widths"), 8),
        ((*TRAIN, "optimiser"), "mouon"),
        ((*FLOW, "remove_brightness"), "perhaps"),
        (("data", "rotated_mnist", "frames"), None),
        (("datasets",), "rotated_mnist"),
        (("train",), [1]),
    ],
)
def test_a_wrong_type_is_told_with_its_field_and_value(keys: tuple[str, ...], value: object) -> None:
    said = complaint(changed(keys, value))
    assert said.startswith(f"params.yaml: {'.'.join(keys)}: ")
    assert repr(value) in said


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        ((*TRAIN, "steps"), 0),
        ((*TRAIN, "learning_rate"), -0.1),
        ((*TRAIN, "learning_rate"), float("inf")),
        ((*TRAIN, "learning_rate"), float("nan")),
        ((*TRAIN, "ema"), 1),
        ((*FLOW, "products"), 9),
        ((*FLOW, "sigma_255"), 0),
        (("data", "translated_mnist", "reach"), 0),
        (("data", "rotated_mnist", "frames"), 3),
    ],
)
def test_a_value_out_of_range_is_told_with_its_field_and_value(keys: tuple[str, ...], value: object) -> None:
    said = complaint(changed(keys, value))
    assert said.startswith(f"params.yaml: {'.'.join(keys)}: ")
    assert said.endswith(f"not {value!r}")


def test_an_item_of_a_list_is_told_by_its_position() -> None:
    assert complaint(changed(("fetch", "mnist", "indices"), [0, 60000])).startswith(
        "params.yaml: fetch.mnist.indices.1:"
    )


@pytest.mark.parametrize(
    ("keys", "value", "expected"),
    [
        (("datasets",), ["rotated_minst"], 'datasets: "rotated_minst" is not defined under data; did you mean "rot'),
        (("models",), ["resnet", "vae"], 'models: "resnet" is not defined under train.rotated_mnist; did you mean "r'),
        (("methods",), ["linaer"], 'methods: "linaer" is not defined under extrapolate.rotated_mnist; did you mean "l'),
        ((*FLOW, "denoiser"), "orakle", 'tangent_flow.denoiser: "orakle" is not defined under models; did you mean "o'),
        (("extrapolate", "rotated_mnist", "vae", "model"), "vea", '.vae.model: "vea" is not defined under models'),
        (("extrapolate", "rotated_mnist", "vae", "model"), "oracle", '"oracle" is not defined under models'),
    ],
)
def test_a_name_that_is_not_defined_is_told_with_the_nearest_one(
    keys: tuple[str, ...], value: object, expected: str
) -> None:
    assert expected in complaint(changed(keys, value))


@pytest.mark.parametrize(
    ("keys", "value", "expected"),
    [
        (
            ("data", "rotated_mnist", "kind"),
            "rotated",
            'kind: "rotated" is unknown; did you mean "rotation"',
        ),
        ((*TRAIN, "network"), "resnet", 'resunet.network: "resnet" is unknown; did you mean "resunet"?'),
        ((*FLOW, "algorithm"), "flow", 'tangent_flow.algorithm: "flow" is unknown;'),
    ],
)
def test_an_unknown_kind_is_told_with_the_nearest_one(keys: tuple[str, ...], value: str, expected: str) -> None:
    assert expected in complaint(changed(keys, value))


def test_names_that_could_leave_their_folder_are_refused() -> None:
    values = changed(("data", "../x"), VALID["data"]["rotated_mnist"])
    assert complaint(values).startswith("params.yaml: data.../x: ")


def test_every_mistake_is_told_not_only_the_first() -> None:
    values = changed((*FLOW, "products"), 9)
    values["trails"] = 1
    assert len(complaint(values).splitlines()) == 2


@pytest.mark.parametrize("text", ["a: [1", "\tkey: 1", "a: 1\na: 2", "day: 2024-13-45", "a: !!int b", "? {a: 1}\n: 2"])
def test_a_file_that_is_no_yaml_is_told_with_its_path(text: str, tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match="not valid YAML") as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_bytes_that_are_no_text_are_told_as_no_yaml(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_bytes(b"a: \xff\xfe")
    with pytest.raises(UserError, match="not valid YAML"):
        load(tmp_path / "params.yaml")


@pytest.mark.parametrize("text", ["", "just words", "- a\n- b", "3"])
def test_a_file_that_holds_no_settings_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(UserError, match=r"^params\.yaml: "):
        load(tmp_path / "params.yaml")


def test_a_missing_file_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not found; run from the project's root"):
        load(tmp_path / "params.yaml")


def test_settings_never_change() -> None:
    params = parse(VALID, "params.yaml")
    with pytest.raises(ValidationError, match="frozen"):
        params.dataset("rotated_mnist").frames = 5


def test_a_noise_level_in_grey_levels_is_its_255th() -> None:
    assert parse(VALID, "params.yaml").method("rotated_mnist", "linear").settings.sigma == 25 / 255


def places(values: object, keys: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    for key, value in items:
        yield (*keys, key)
        yield from places(value, (*keys, key))


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates()
KEYS = st.text(max_size=8) | st.integers() | st.none() | st.booleans()
VALUES = st.recursive(SCALARS, lambda v: st.lists(v, max_size=3) | st.dictionaries(KEYS, v, max_size=3), max_leaves=6)


@settings(max_examples=300)
@given(st.data())
def test_whatever_is_changed_in_the_settings_the_answer_is_settings_or_a_message(data: st.DataObject) -> None:
    values = copy.deepcopy(VALID)
    for _ in range(data.draw(st.integers(1, 3))):
        *keys, last = data.draw(st.sampled_from(sorted(places(values), key=str)))
        section = values
        for key in keys:
            section = section[key]
        change = data.draw(st.sampled_from(["replace", "delete", "rename", "move"]))
        value = section.pop(last) if change != "replace" else None
        if change == "replace":
            section[last] = data.draw(VALUES)
        elif change == "rename" and isinstance(section, dict):
            section[data.draw(KEYS)] = value
        elif change == "move":
            values[data.draw(st.sampled_from(sorted(Params.model_fields)))] = value
        if not isinstance(values, dict) or not list(places(values)):
            break
    try:
        answer: Params | str = parse_whole(values, "params.yaml")
    except UserError as error:
        answer = str(error)
    assert isinstance(answer, Params) or answer.startswith("params.yaml: ")


@settings(max_examples=200)
@given(st.text(alphabet="ab:-[]{}&*!|>#%@`'\", \n0123.", max_size=30))
def test_whatever_a_file_holds_the_answer_is_a_message(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "random-params.yaml"
    path.write_text(text)
    with pytest.raises(UserError):
        load(path)


def test_settings_of_version_0_1_get_one_line_for_each_new_key() -> None:
    new = ("reports", "analyses", "analyse")
    lines = complaint({key: value for key, value in VALID.items() if key not in new}).splitlines()
    assert [line.split(": ")[:2] for line in lines] == [["params.yaml", key] for key in new]
    assert 'add "reports: reports/smoke"' in lines[0]
    assert 'add "analyses: [geometry, spectrum]"' in lines[1]
    assert "profiles/cpu.yaml" in lines[2]


def test_the_folder_of_results_is_that_of_the_profile() -> None:
    said = complaint(changed(("reports",), "reports"))
    assert said == "params.yaml: reports: the profile smoke writes to reports/smoke, not reports"


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ({"kind": "geometry"}, ": nothing to analyse; name denoisers: [NAME, ...], or walks: [METHOD, ...]"),
        ({"kind": "geometry", "denoisers": ["resunet"]}, ": geometry takes noise levels from walks; name walks"),
        ({"kind": "geometry", "walks": ["tangent_flo"]}, '.walks: "tangent_flo" is not defined under methods; did'),
        ({"kind": "card", "denoisers": ["resune"]}, '.denoisers: "resune" is not defined under models; did you mean'),
        ({"kind": "card", "denoisers": ["a/b/c"]}, ".denoisers.0: "),
        ({"kind": "geometri", "walks": ["tangent_flow"]}, '.kind: "geometri" is unknown; did you mean "geometry"?'),
        ({"kind": "geometry", "walks": ["tangent_flow"], "point": 3}, '.point: unknown; did you mean "points"?'),
    ],
)
def test_an_analysis_that_does_not_fit_is_named_with_its_field(section: object, expected: str) -> None:
    said = complaint(changed(("analyse", "rotated_mnist", "geometry"), section))
    assert said.startswith(f"params.yaml: analyse.rotated_mnist.geometry{expected}")


def test_a_field_that_is_missing_is_named_with_what_it_is() -> None:
    section = {key: value for key, value in VALID["extrapolate"]["rotated_mnist"]["linear"].items() if key != "frames"}
    said = complaint(changed(("extrapolate", "rotated_mnist", "linear"), section))
    where = "params.yaml: extrapolate.rotated_mnist.linear.frames"
    assert said == f"{where}: missing; add it: frames to generate after the two given"
