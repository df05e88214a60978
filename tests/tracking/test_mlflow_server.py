"""Runs on a server: the same as in a database, no password anywhere, and an end where the server gives none."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from subprocess import DEVNULL

import pytest
from records import logged, revisions, write_results
from serving import free_port, serving, wait_for

from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.redaction import without_secrets
from pipeline.tracking import store
from pipeline.tracking import sync as runs
from pipeline.tracking.dashboard import ALLOWED

ROOT = Path(__file__).parents[2]


@pytest.fixture
def server(empty_database: Path, tmp_path: Path) -> Iterator[str]:
    """Host and port of a server."""
    (tmp_path / "server").mkdir()
    shutil.copy(empty_database, tmp_path / "server" / "server.db")
    with serving(tmp_path / "server") as place:
        yield place


@pytest.mark.slow
def test_a_server_over_http_holds_the_same_and_no_password_is_seen(
    server: str, paths: Paths, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://someone:hunter2@{server}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    write_results(paths)
    with runs.live(paths, "train", "rotated_mnist-resunet", {"steps": 200}) as run:
        run.log(100, {"loss": 0.5})
    assert runs.log_record(paths, paths.record("train", "rotated_mnist-resunet"))
    assert runs.sync(paths).logged == 3
    words = [sys.executable, "-m", "pipeline", "track", "sync"]
    subprocess.run(words, cwd=paths.root, check=True)
    said = "".join(capfd.readouterr())
    assert f"0 runs logged, 4 there already: http://***@{server}" in said
    (parent,) = revisions(paths).values()
    client = store.Tracker(paths).client
    files = {file.path for file in client.list_artifacts(parent.info.run_id)}
    assert files == {"table1.json", "table1.csv", "figures"}
    assert len(logged(paths)["train@rotated_mnist-resunet"].outputs.model_outputs) == 1
    kept = {path.name: path.read_bytes() for path in paths.root.rglob("*") if path.is_file()}
    assert {"server.db", "table1.json", "rotated_mnist-linear.json"} <= kept.keys()
    for secret in ("hunter2", "someone"):
        assert secret not in said
        assert [name for name, content in kept.items() if secret.encode() in content] == []


@pytest.mark.timeout(60)
def test_a_server_that_never_answers_is_asked_once_and_told_of(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as frozen:
        frozen.bind(("127.0.0.1", 0))
        frozen.listen()
        port = frozen.getsockname()[1]
        for name in ("MLFLOW_HTTP_REQUEST_TIMEOUT", "MLFLOW_HTTP_REQUEST_MAX_RETRIES"):
            monkeypatch.setenv(name, "")
            monkeypatch.delenv(name)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://someone:hunter2@127.0.0.1:{port}")
        with pytest.raises(UserError, match=rf"http://\*\*\*@127.0.0.1:{port} cannot be used \(TimeoutError") as caught:
            runs.sync(paths)
        assert "hunter2" not in str(caught.value)
        assert int(os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"]) < 10
        frozen.setblocking(False)
        frozen.accept()[0].close()
        with pytest.raises(BlockingIOError):
            frozen.accept()


@pytest.mark.parametrize(
    "text",
    [
        "cannot open http://someone:hunt%20er2@host/?key=t0ken",
        "user someone, password hunt er2",
        "Authorization: Basic c29tZW9uZTpodW50IGVyMg==",
        "key t0ken refused",
        "token of the variable: s3cret",
    ],
)
def test_the_cause_is_told_without_secrets_in_any_spelling(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "s3cret")
    told = without_secrets(text, "http://someone:hunt%20er2@host/?key=t0ken")
    for secret in ("someone", "er2", "t0ken", "s3cret", "c29tZW9uZTpodW50"):
        assert secret not in told
    assert told.split()[0] == text.split()[0]


@pytest.mark.slow
def test_a_dashboard_for_others_shows_its_runs_to_them_and_to_no_other_page(paths: Paths) -> None:
    port = free_port()
    command = [sys.executable, "-m", "pipeline", "dashboard", "--host", "0.0.0.0", "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), ALLOWED: "runs.example"}
    process = subprocess.Popen(command, cwd=paths.root, env=environment, stdout=DEVNULL, stderr=DEVNULL)

    def search(host: str, origin: str) -> int:
        headers = {"Host": host, "Origin": origin, "Content-Type": "application/json"}
        with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as client:
            client.request("POST", "/ajax-api/2.0/mlflow/runs/search", '{"experiment_ids": ["1"]}', headers)
            return client.getresponse().status

    try:
        wait_for(f"http://127.0.0.1:{port}/health")
        name = f"{socket.gethostname().lower()}:{port}"
        assert search(name, f"http://{name}") == 200
        assert search(f"localhost:{port}", f"http://localhost:{port}") == 200
        assert search("runs.example", f"http://{name}") == 200
        assert search(name, "http://elsewhere.example") == 403
        assert search(f"elsewhere.example:{port}", f"http://{name}") == 403
    finally:
        process.terminate()
        process.wait(30)
