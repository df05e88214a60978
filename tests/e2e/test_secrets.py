"""After runs that succeed, the password of MLflow's server is nowhere: said, logged, recorded, kept or shown."""

from __future__ import annotations

import os
from base64 import b64encode
from pathlib import Path

import pytest
from running import ONE_WALK, make, run
from serving import serving

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(1800)]

USER, PASSWORD = "some-one", "hunter2 and 3"
BASIC = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
SECRETS = [text.encode() for text in (USER, PASSWORD, "hunter2%20and%203", "hunter2+and+3", BASIC)]


def test_a_password_is_nowhere_after_dvc_repro_reproduce_sync_report(tmp_path: Path) -> None:
    folder, store = tmp_path / "project", tmp_path / "server"
    folder.mkdir()
    store.mkdir()
    make(folder, ONE_WALK, git=True)
    run(folder, "git", "add", "--all")
    run(folder, "git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message", "begun")
    settings, said = folder / "params.yaml", []
    with serving(store) as place:
        address = f"http://{USER}:{PASSWORD.replace(' ', '%20')}@{place}"
        tracked = {"MLFLOW_TRACKING_URI": address, "MANEX_TRACKING": "on"}

        def does(*words: str, module: str = "pipeline") -> str:
            said.append(run(folder, *words, module=module, **tracked))
            return said[-1]

        assert "Running stage 'train@walker-resunet'" in does("repro", module="dvc")
        settings.write_text(ONE_WALK.replace("sigma_255: 15", "sigma_255: 25"))
        assert "run" in does("reproduce")
        assert f"http://***@{place}" in does("track", "sync")
        does("report")
        does("times")
        does("dashboard")
    files = [path for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink()]
    names = {path.relative_to(tmp_path).as_posix() for path in files}
    records = "project/reports/records"
    for name in (
        "server/server.db",
        "project/reports/index.html",
        f"{records}/logs/table.log",
        f"{records}/train/walker-resunet.json",
        f"{records}/evaluate/walker-linear.json",
        f"{records}/analyse/walker-spectrum.json",
    ):
        assert name in names
    assert any(name.startswith("server/artifacts/") for name in names)
    for secret in SECRETS:
        assert secret not in os.fsencode("".join(said))
        assert [str(path) for path in files if secret in path.read_bytes()] == []
