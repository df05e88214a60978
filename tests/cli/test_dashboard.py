from __future__ import annotations

import socket
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from small import manex

from pipeline.tracking import dashboard
from pipeline.tracking import sync as runs


def test_a_taken_port_is_named_with_another_one(project: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = manex("dashboard", "--port", str(port))
    assert done.exit_code == 1
    assert f"port {port} of 127.0.0.1 cannot be used" in done.stderr
    assert "manex dashboard --port" in done.stderr


def test_the_dashboard_listens_here_only_and_keeps_the_address_out_of_sight(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = MagicMock()
    server.return_value.wait.side_effect = [KeyboardInterrupt, 0]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://someone:hunter2@db/runs")
    monkeypatch.setattr(dashboard.subprocess, "Popen", server)
    monkeypatch.setattr(dashboard.signal, "signal", MagicMock())
    monkeypatch.setattr(runs, "sync", lambda paths: runs.Counts(1, 0, 0))
    monkeypatch.setattr(runs, "experiment_id", lambda paths: "7")
    done = manex("dashboard", "--port", "5999")
    assert (done.exit_code, done.stdout.splitlines()[0]) == (
        0,
        "http://127.0.0.1:5999/#/experiments/7/runs?compareRunsMode=CHART",
    )
    command, environment = server.call_args.args[0], server.call_args.kwargs["env"]
    assert "--host 127.0.0.1 --port 5999" in " ".join(command)
    assert "hunter2" not in " ".join(command) + done.output
    assert environment["MLFLOW_BACKEND_STORE_URI"].endswith("@db/runs")
    server.return_value.terminate.assert_called_once()
    assert done.stderr == ""


def test_a_dashboard_for_others_comes_with_a_warning(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = MagicMock()
    server.return_value.wait.side_effect = [KeyboardInterrupt, 0]
    monkeypatch.setattr(dashboard.subprocess, "Popen", server)
    monkeypatch.setattr(dashboard.signal, "signal", MagicMock())
    monkeypatch.setattr(runs, "sync", lambda paths: runs.Counts(1, 0, 0))
    monkeypatch.setattr(runs, "experiment_id", lambda paths: "7")
    done = manex("dashboard", "--port", "5999", "--host", "0.0.0.0")
    assert "--host 0.0.0.0 --port 5999" in " ".join(server.call_args.args[0])
    assert "manex: --host 0.0.0.0: no password" in done.stderr
