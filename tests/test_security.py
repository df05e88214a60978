"""What must not be in the code, and what must not reach a log."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from manex.settings import Section
from pipeline.config.params import parse
from pipeline.errors import UserError
from pipeline.redaction import redacted
from pipeline.settings import settings
from pipeline.sources.mnist import mnist_digits
from pipeline.sources.weizmann_files import NotThereError, Site

ROOT = Path(__file__).parents[1]
FOLDERS = ("manex", "pipeline", "benchmarks", "docs")
CODE = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
PICKLES = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal"}
UNSAFE = {"torch.load", "torch.save", "joblib.load", "joblib.dump", "pd.read_pickle", "eval", "exec", "os.system"}


def calls(path: Path) -> Iterator[ast.Call]:
    yield from (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_runs_what_it_reads(path: Path) -> None:
    """No pickle but the tensors of one, no code from text, no shell; numpy archives, if any, without objects."""
    tree = ast.parse(path.read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imported} & PICKLES == set()
    for call in calls(path):
        called, given = ast.unparse(call.func), {word.arg: ast.unparse(word.value) for word in call.keywords}
        assert called not in UNSAFE or (called == "torch.load" and given.get("weights_only") == "True")
        assert given.get("shell", "False") == "False"
        assert called not in {"np.load", "numpy.load"} or given.get("allow_pickle") == "False"


def test_yaml_is_read_by_the_safe_reader_alone() -> None:
    made = [ast.unparse(call) for path in CODE for call in calls(path) if ast.unparse(call.func) == "YAML"]
    assert made
    assert [call for call in made if "typ='safe'" not in call] == []


NAMES = [
    "x; touch pwned",
    "$(id)",
    "`id`",
    "a b",
    "a|b",
    "a&b",
    "a>b",
    "../a",
    "/a",
    "-a",
    "--help",
    "a\n",
    "a\nb",
    "",
    "A",
]


@pytest.mark.parametrize("name", [*NAMES, "a" * 65, "\u0430", "a\u2028", "a-b", "a.b", "a/b", "1a", "_a", "~", "*"])
@pytest.mark.parametrize("kind", ["dataset", "model", "method", "analysis"])
def test_a_name_that_a_shell_would_read_otherwise_is_refused(kind: str, name: str) -> None:
    values = YAML(typ="safe", pure=True).load((ROOT / "profiles" / "smoke.yaml").read_text())
    lists = {"dataset": "datasets", "model": "models", "method": "methods", "analysis": "analyses"}
    values[lists[kind]] = [name]
    with pytest.raises(UserError, match=r"params\.yaml: "):
        parse(values, "params.yaml")


def test_every_shell_line_waits_for_the_check_of_the_names() -> None:
    """Every stage reads what `code` writes, or what a stage wrote that had to wait for it."""
    stages = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text())["stages"]
    safe = {"code"}
    for _ in stages:
        made = [next(iter(out)) if isinstance(out, dict) else out for name in safe for out in stages[name]["outs"]]
        for name, stage in stages.items():
            if any(
                f"{out}/".startswith(f"{dep}/") or dep.startswith(f"{out}/") for out in made for dep in stage["deps"]
            ):
                safe.add(name)
    assert safe == set(stages)


URIS = [
    "postgresql://someone:hunter2@db/runs",
    "postgresql://someone:hun/hunter2@db/runs",
    "postgresql://someone:hunter2?x@db/runs?sslmode=hunter2",
    "mysql+pymysql://root:a@hunter2@db/runs",
    "https://host/path?token=hunter2",
    "https://hunter2@host/#hunter2",
]


@pytest.mark.parametrize("uri", URIS)
def test_no_secret_of_an_address_is_shown(uri: str) -> None:
    assert "hunter2" not in redacted(uri)
    assert redacted(uri).startswith(uri.split("://")[0])


@pytest.mark.slow
def test_no_secret_reaches_what_a_failed_sync_says(tmp_path: Path) -> None:
    (tmp_path / "reports" / "records").mkdir(parents=True)
    secrets = {
        "MLFLOW_TRACKING_URI": "http://someone:hunter2@127.0.0.1:9/?token=hunter2",
        "MLFLOW_TRACKING_TOKEN": "hunter2",
        "MANEX_TRACKING": "on",
        "PYTHONPATH": str(ROOT),
    }
    words = [sys.executable, "-m", "pipeline", "track", "sync"]
    done = subprocess.run(words, cwd=tmp_path, env=os.environ | secrets, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "manex: MLflow: http://***@127.0.0.1:9/ cannot be used" in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_telemetry_is_off() -> None:
    assert "analytics = false" in (ROOT / ".dvc" / "config").read_text()
    makefile = (ROOT / "Makefile").read_text()
    for line in ("DVC_NO_ANALYTICS := 1", "MLFLOW_DISABLE_TELEMETRY := true", "DO_NOT_TRACK := true"):
        assert f"export {line}" in makefile


def test_settings_take_nothing_unknown() -> None:
    assert Section.model_config["extra"] == "forbid"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SCHEDULER", "tcp://someone:hunter2@host:8786"),
        ("MIRROR", "https://someone:hunter2@host/data"),
        ("TRACKING", "http://someone:hunter2@host"),
        ("DEVICE", "https://host/?token=hunter2"),
    ],
)
def test_a_variable_that_does_not_fit_is_told_without_its_secret(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"MANEX_{name}", value)
    with pytest.raises(UserError, match=f"MANEX_{name}: .*host") as caught:
        settings()
    assert "hunter2" not in str(caught.value)
    assert "someone" not in str(caught.value)


@pytest.mark.parametrize(
    "password", ["hunter2", "hunter2#more", "hunter2?more", "hunter2/more", "hun%20ter2", "more@hunter2"]
)
def test_a_proxy_that_does_not_fit_is_told_without_its_password(
    password: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, f"http://someone:{password}@127.0.0.1:1")
    for variable in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(NotThereError) as missing:
        Site("http://nowhere.invalid/", tmp_path, retries=0).get("masks.mat")
    monkeypatch.setattr("pooch.core.retrieve", raiser(f"Failed to parse: 'someone:{password}' at http://u:hunter2@x"))
    with pytest.raises(UserError) as refused:
        mnist_digits([0], "download")
    for told in (str(missing.value), str(refused.value)):
        for secret in ("someone", "hun", "ter2", "more"):
            assert secret not in told


def raiser(message: str) -> Callable[..., None]:
    def raises(*words: object, **options: object) -> None:
        raise ValueError(message)

    return raises
