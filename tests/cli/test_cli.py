import errno
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from small import manex
from typer.testing import CliRunner

from manex.errors import GeometryError, MetricError, WalkError
from pipeline.cli.app import app
from pipeline.cli.stages import COMMANDS
from pipeline.paths import Paths
from pipeline.tracking.record import STAGES

ROOT = Path(__file__).parents[2]


def stand_in(monkeypatch: pytest.MonkeyPatch, stage: str, raises: BaseException | None = None) -> list[tuple[str, ...]]:
    """A stage that notes what it is called with, or fails."""
    calls: list[tuple[str, ...]] = []

    def run(*arguments: object) -> None:
        calls.append(tuple(name for name in arguments if isinstance(name, str)))
        if raises is not None:
            raise raises

    module = ModuleType(f"pipeline.stages.{stage}")
    setattr(module, stage, run)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return calls


def test_help_lists_the_commands_and_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom pipeline.cli.app import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "print('LOADED', sorted({'torch', 'mlflow', 'dvc', 'pandas', 'numpy', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--help"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    for command in (*(stage.__name__ for stage in COMMANDS), "profile", "track", "dashboard", "doctor", "times"):
        assert f"│ {command} " in done.stdout
    assert "LOADED []" in done.stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("fetch", "minst"), 'source "minst" is unknown; did you mean "mnist"?'),
        (("prepare", "rotated_minst"), 'dataset "rotated_minst" is unknown; did you mean "rotated_mnist"?'),
        (("train", "rotated_mnist", "resnet"), 'model "resnet" is unknown; did you mean "resunet"?'),
        (("extrapolate", "rotated_mnist", "linaer"), 'method "linaer" is unknown; did you mean "linear"?'),
        (("evaluate", "rotated"), 'dataset "rotated" is unknown; did you mean "rotated_mnist"?'),
        (("analyse", "rotated_mnist", "x"), 'analysis "x" is unknown; known: geometry'),
        (("profile", "use", "smoek"), 'profile "smoek" is unknown; did you mean "smoke"?'),
    ],
)
def test_a_mistyped_name_gets_one_line_and_a_suggestion(words: tuple[str, ...], expected: str, project: Path) -> None:
    done = manex(*words)
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", f"manex: {expected}\n")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("trian",), 'command "trian" is unknown; did you mean "train"?'),
        (("profile", "shwo"), 'command "shwo" is unknown; did you mean "show"?'),
    ],
)
def test_a_mistyped_command_gets_a_suggestion(words: tuple[str, ...], expected: str) -> None:
    done = manex(*words)
    assert done.exit_code == 2
    assert expected in done.stderr


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("manex do", ["doctor"]),
        ("manex prepare ro", ["rotated_mnist"]),
        ("manex train rotated_mnist r", ["resunet"]),
        ("manex extrapolate rotated_mnist l", ["linear"]),
        ("manex analyse rotated_mnist g", ["geometry"]),
        ("manex profile use sm", ["smoke"]),
    ],
)
def test_the_shell_completes_commands_and_names(
    typed: str, expected: list[str], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1)}
    environment = {"_MANEX_COMPLETE": "complete_bash", **words}
    done = CliRunner().invoke(app, prog_name="manex", env=environment)
    assert done.stdout.split() == expected


def test_completion_outside_a_project_is_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    environment = {"_MANEX_COMPLETE": "complete_bash", "COMP_WORDS": "manex prepare ro", "COMP_CWORD": "2"}
    assert CliRunner().invoke(app, prog_name="manex", env=environment).output.strip() == ""


def test_the_version_is_that_of_the_package() -> None:
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert manex("--version").stdout == f"manex {stated}\n"


@pytest.mark.parametrize("words", [(), ("walk",), ("profile", "use")])
def test_h_is_short_for_help(words: tuple[str, ...]) -> None:
    assert manex(*words, "-h").stdout == manex(*words, "--help").stdout != ""


def test_help_gives_the_exit_codes() -> None:
    told = " ".join(manex("--help").stdout.split())
    assert "0 done; 1 something to fix, named in one line; 2 wrong usage; 130 interrupted" in told


@pytest.mark.parametrize(
    ("environment", "unwanted"),
    [({"NO_COLOR": "1", "FORCE_COLOR": "1"}, rb"\x1b\[[0-9;]*[349][0-7]m"), ({}, rb"\x1b")],
    ids=["a terminal that wants no colours", "a pipe"],
)
def test_colours_stay_where_they_are_wanted(environment: dict[str, str], unwanted: bytes, project: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
    words = [sys.executable, "-m", "pipeline", "doctor"]
    clean = {**kept, **environment, "PYTHONPATH": str(ROOT), "MANEX_DEVICE": "none"}
    done = subprocess.run(words, cwd=project, env=clean, capture_output=True, check=False, timeout=60)
    assert b"problem" in done.stdout
    assert re.search(unwanted, done.stdout + done.stderr) is None


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (MemoryError("Unable to allocate 9 TiB"), "not enough memory (Unable to allocate 9 TiB)"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes"),
            "not enough memory",
        ),
        (OSError(errno.ENOSPC, "No space left on device", "data/a"), "data/a: No space left on device"),
        (PermissionError(errno.EACCES, "Permission denied", "data/a"), "data/a: Permission denied"),
    ],
)
def test_what_the_machine_refuses_is_told_in_a_line(
    error: Exception, told: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, "table", error)
    done = manex("table")
    assert done.exit_code == 1
    assert done.stderr.startswith(f"manex: {told}")
    assert len(done.stderr.splitlines()) == 1


def test_outside_a_project_the_message_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = manex("fetch", "mnist")
    assert done.exit_code == 1
    assert done.stderr.startswith("manex: params.yaml: not found; run from the project's root")


@pytest.mark.parametrize("words", [("train",), ("fly",), ("dashboard", "--port", "0"), ("train", "a", "b", "--device")])
def test_wrong_usage_exits_with_2(words: tuple[str, ...]) -> None:
    assert manex(*words).exit_code == 2


@pytest.mark.parametrize("kind", [MetricError, GeometryError, WalkError])
def test_errors_of_the_library_are_told_without_traceback(
    kind: type[ValueError], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, "evaluate", kind("frames differ in size"))
    done = manex("evaluate", "rotated_mnist")
    assert (done.exit_code, done.stderr) == (1, "manex: frames differ in size\n")


def test_a_bug_is_not_hidden(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "table", ZeroDivisionError("a bug"))
    assert isinstance(manex("table").exception, ZeroDivisionError)


def test_an_interrupt_exits_with_130(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "train", KeyboardInterrupt())
    done = manex("train", "rotated_mnist", "resunet")
    assert (done.exit_code, done.stderr) == (130, "manex: interrupted; nothing half-written\n")


@pytest.mark.parametrize(
    "words",
    [
        ("fetch", "mnist"),
        ("train", "rotated_mnist", "resunet"),
        ("extrapolate", "rotated_mnist", "linear"),
        ("evaluate", "rotated_mnist"),
        ("analyse", "rotated_mnist", "geometry"),
        ("code",),
        ("findings",),
        ("table",),
        ("figures",),
    ],
)
def test_a_command_runs_its_stage(words: tuple[str, ...], project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = stand_in(monkeypatch, words[0])
    done = manex(*words)
    assert done.exit_code == 0
    assert [call[: len(words) - 1] for call in calls] == [words[1:]]


def test_every_stage_of_the_pipeline_is_a_command_in_their_order() -> None:
    assert tuple(command.__name__ for command in COMMANDS) == STAGES


def test_times_are_summed_by_stage(project: Path) -> None:
    folder = Paths().records / "train"
    folder.mkdir(parents=True)
    for item, seconds in (("a-resunet", 60.5), ("b-resunet", 3600)):
        record = {"stage": "train", "item": item, "seconds": seconds, "cpu_seconds": 1, "peak_memory_mb": 512.5}
        record["trace"] = {"settings": {}, "inputs": {}, "outputs": {}}
        (folder / f"{item}.json").write_text(json.dumps(record))
    shown = manex("times").stdout
    assert [line.split() for line in shown.splitlines() if "all" in line] == [
        ["train", "all", "3660.5"],
        ["2", "runs,", "1:01:00", "in", "all"],
    ]
