"""Workers and runs that are killed: no orphan, no half-written output, and the next run ends with the same bytes."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TextIO

import psutil
import pytest
import toy

from pipeline.engine.reproduce import reproduce


@pytest.fixture(scope="module")
def expected(fresh: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    serial = toy.copied(fresh, tmp_path_factory.mktemp("serial") / "project")
    toy.dvc(serial, "repro")
    return toy.state(serial)


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_cell_whose_worker_is_killed_is_run_again(root: Path, expected: dict[str, bytes]) -> None:
    (root / "hold-a").touch()
    process = toy.start(root, "reproduce")
    shell = toy.held(root, "a")
    psutil.Process(shell).parent().kill()
    code, said = toy.ended(process)
    assert code == 0, said
    assert "part@a: its process was killed (exit code -9); tried again" in said
    assert toy.runs(root).count("a") == 2
    assert gone(shell)
    assert toy.state(root) == expected


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_ended_leaves_no_orphan_and_the_next_one_goes_on(
    sent: signal.Signals, root: Path, expected: dict[str, bytes]
) -> None:
    (root / "hold-c").touch()
    process = toy.start(root, "reproduce")
    shell = toy.held(root, "c")
    family = psutil.Process(process.pid).children(recursive=True)
    assert shell in [child.pid for child in family]
    process.send_signal(sent)
    code, said = toy.ended(process)
    assert code == (130 if sent == signal.SIGINT else -sent)
    assert "Traceback" not in said or sent == signal.SIGKILL  # Python's own, of a process that was about to be forked
    toy.until(lambda: all(gone(child.pid) for child in family))
    code, said = toy.ended(toy.start(root, "reproduce"))
    assert code == 0, said
    assert toy.state(root) == expected


def test_an_interrupt_waits_until_dvc_has_written_its_files(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(value: object, stream: TextIO) -> None:
        signal.raise_signal(signal.SIGINT)
        stream.write(json.dumps(value))

    monkeypatch.setattr("dvc.rwlock.json.dump", interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job inherits that it is ignored
    try:
        with pytest.raises(KeyboardInterrupt):
            reproduce(root)
    finally:
        signal.signal(signal.SIGINT, before)
    assert "write" in json.loads((root / ".dvc/tmp/rwlock").read_text())


def test_a_worker_that_dies_again_and_again_fails_its_cell(root: Path) -> None:
    (root / "part.sh").write_text("kill -9 $PPID\n")
    result = reproduce(root, ["part@a"])
    assert "3 times" in result.failed["part@a"]
