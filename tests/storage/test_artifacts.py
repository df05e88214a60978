from __future__ import annotations

import errno
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import UserError
from pipeline.storage import artifacts
from pipeline.storage.artifacts import (
    read_csv,
    read_json,
    read_tensors,
    replacing,
    replacing_folder,
    write_csv,
    write_json,
    write_tensors,
    write_text,
)

MADE_BY = "manex train rotated_mnist resunet"


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def disk_full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_file_stays_as_it_was_when_writing_breaks_off(error: type[BaseException], tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "old")
    with pytest.raises(error), replacing(tmp_path / "a.txt") as temporary:  # noqa: PT012
        temporary.write_text("half")
        raise error
    assert tree(tmp_path) == {"a.txt": b"old"}


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_folder_stays_as_it_was_when_filling_breaks_off(error: type[BaseException], tmp_path: Path) -> None:
    with replacing_folder(tmp_path / "out") as folder:
        (folder / "a").write_text("old")
    with pytest.raises(error), replacing_folder(tmp_path / "out") as folder:  # noqa: PT012
        (folder / "b").write_text("half")
        raise error
    assert tree(tmp_path) == {"out/a": b"old"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_replaced_folder_holds_the_new_files_alone(tmp_path: Path) -> None:
    for name in ("old", "new"):
        with replacing_folder(tmp_path / "deep" / "out") as folder:
            (folder / name).write_text(name)
    assert tree(tmp_path) == {"deep/out/new": b"new"}


@pytest.mark.parametrize("kind", ["safetensors", "json", "csv"])
def test_a_bit_that_flips_in_a_sealed_folder_is_told_as_damage(kind: str, tmp_path: Path) -> None:
    with replacing_folder(tmp_path / "out", sealed=True) as folder:
        _, read = written(folder)[kind]
    path = tmp_path / "out" / f"a.{kind}"
    read(path, MADE_BY)
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=rf"damaged \(not the bytes that were written\).*{MADE_BY}"):
        read(path, MADE_BY)


@pytest.mark.parametrize("write", [replacing, replacing_folder])
def test_what_a_killed_run_left_goes_and_what_a_running_one_needs_stays(
    write: Callable[[Path], object], tmp_path: Path
) -> None:
    killed = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], stdout=subprocess.PIPE, check=True)
    dead, running = (f".out.{platform.node()}-{number}-x.partial" for number in (int(killed.stdout), os.getpid()))
    for name in (dead, running):
        (tmp_path / name).mkdir()
    (tmp_path / f".other.{platform.node()}-1-x.partial").touch()
    with write(tmp_path / "out"):
        pass
    assert not (tmp_path / dead).exists()
    assert (tmp_path / running).exists()


def test_a_folder_that_cannot_be_put_in_place_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with replacing_folder(tmp_path / "out") as folder:
        (folder / "a").write_text("old")
    replace = Path.replace

    def refuse(self: Path, target: Path) -> Path:
        if ".old." not in f"{self}{target}":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(UserError, match="nothing was changed"), replacing_folder(tmp_path / "out") as folder:
        (folder / "b").write_text("new")
    assert tree(tmp_path) == {"out/a": b"old"}


def test_a_full_disk_is_told_and_destroys_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_text(tmp_path / "a.txt", "old")
    monkeypatch.setattr(Path, "write_text", disk_full)
    with pytest.raises(UserError, match=r"a\.txt: cannot be written: No space left on device"):
        write_text(tmp_path / "a.txt", "new")
    assert tree(tmp_path) == {"a.txt": b"old"}


def test_a_disk_that_fills_while_tensors_are_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "weights.safetensors"
    write_tensors(path, {"a": torch.ones(3)})
    before = tree(tmp_path)
    monkeypatch.setattr("safetensors.torch.save_file", disk_full)
    with pytest.raises(UserError, match="No space left on device"):
        write_tensors(path, {"a": torch.zeros(3)})
    assert tree(tmp_path) == before


def test_tensors_the_system_refuses_are_told_and_destroy_nothing(tmp_path: Path) -> None:
    """The real thing, as far as it can be had: a limit on the size of files stands for the full disk."""
    path = tmp_path / "weights.safetensors"
    write_tensors(path, {"a": torch.ones(3)})
    before = tree(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(UserError, match=r"weights\.safetensors: cannot be written: .*File too large"):
            write_tensors(path, {"a": torch.zeros(100_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert tree(tmp_path) == before


@pytest.mark.parametrize("write", [replacing, replacing_folder])
def test_a_file_where_a_folder_should_be_is_told_with_the_path(write: Callable[[Path], object], tmp_path: Path) -> None:
    (tmp_path / "models").write_text("in the way")
    path = tmp_path / "models" / "resunet"
    with pytest.raises(UserError, match="cannot be written") as caught, write(path):
        pass
    assert str(caught.value).startswith(f"{path}: ")
    assert tree(tmp_path) == {"models": b"in the way"}


@pytest.mark.parametrize("write", [replacing, replacing_folder])
def test_a_read_only_folder_is_told_with_the_path(
    write: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(artifacts.tempfile, "mkstemp", refuse)
    monkeypatch.setattr(artifacts.tempfile, "mkdtemp", refuse)
    with pytest.raises(UserError, match="out: cannot be written: Permission denied"), write(tmp_path / "out"):
        pass


def test_what_is_written_can_be_read_by_others(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "text")
    with replacing_folder(tmp_path / "out"):
        pass
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o755


def written(folder: Path) -> dict[str, tuple[Path, Callable[[Path, str], object]]]:
    """One artifact a kind, with its reader."""
    write_tensors(folder / "a.safetensors", {"a": torch.arange(12.0)})
    write_json(folder / "a.json", {"key": [1, 2, 3]})
    write_csv(folder / "a.csv", pd.DataFrame({"step": [1, 2], "loss": [0.5, 0.25]}))
    readers = {"safetensors": read_tensors, "json": read_json, "csv": read_csv}
    return {kind: (folder / f"a.{kind}", reader) for kind, reader in readers.items()}


@pytest.mark.parametrize("kind", ["safetensors", "json", "csv"])
def test_a_missing_artifact_is_told_with_the_command_that_makes_it(kind: str, tmp_path: Path) -> None:
    path, read = written(tmp_path)[kind]
    path.unlink()
    with pytest.raises(UserError) as caught:
        read(path, MADE_BY)
    assert str(caught.value) == f"{path}: not found; make it with: {MADE_BY}"


@pytest.mark.parametrize(
    ("kind", "kept"),
    [("safetensors", 0), ("safetensors", 4), ("safetensors", 90), ("json", 0), ("json", 9), ("csv", 0)],
)
def test_a_truncated_artifact_is_told_with_the_command_that_makes_it(kind: str, kept: int, tmp_path: Path) -> None:
    path, read = written(tmp_path)[kind]
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(UserError) as caught:
        read(path, MADE_BY)
    assert str(caught.value).startswith(f"{path}: damaged (")
    assert str(caught.value).endswith(f"make it again with: {MADE_BY}")


@pytest.mark.parametrize("kind", ["safetensors", "json", "csv"])
def test_bytes_of_another_kind_are_told_as_damage(kind: str, tmp_path: Path) -> None:
    path, read = written(tmp_path)[kind]
    path.write_bytes(b'\xff\xfe\x00"\x80,\n' * 40)
    with pytest.raises(UserError, match="damaged"):
        read(path, MADE_BY)


def test_json_that_is_no_object_is_told_as_damage(tmp_path: Path) -> None:
    write_text(tmp_path / "a.json", "[1, 2]")
    with pytest.raises(UserError, match="damaged"):
        read_json(tmp_path / "a.json", MADE_BY)


def test_json_that_no_other_reader_takes_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"psnr": float("nan")})
    assert tree(tmp_path) == {}


@pytest.mark.parametrize("kind", ["safetensors", "json", "csv"])
def test_the_same_content_gives_the_same_bytes(kind: str, tmp_path: Path) -> None:
    first = written(tmp_path / "first")[kind][0].read_bytes()
    assert written(tmp_path / "second")[kind][0].read_bytes() == first


@settings(max_examples=30)
@given(st.dictionaries(st.text(min_size=1, max_size=6), st.floats(allow_nan=False, allow_infinity=False), max_size=5))
def test_json_reads_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, value: dict[str, float]) -> None:
    path = tmp_path_factory.getbasetemp() / "random.json"
    write_json(path, value)
    assert read_json(path, MADE_BY) == value


def test_tensors_read_back_as_they_were_whatever_their_layout(tmp_path: Path) -> None:
    tensor = torch.arange(12.0).reshape(3, 4).T
    write_tensors(tmp_path / "a.safetensors", {"a": tensor})
    assert torch.equal(read_tensors(tmp_path / "a.safetensors", MADE_BY)["a"], tensor)


def test_tables_read_back_to_six_digits(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", pd.DataFrame({"name": ["a", "b"], "value": [1 / 3, 2e-7 / 3]}))
    table = read_csv(tmp_path / "a.csv", MADE_BY)
    assert table["value"].tolist() == pytest.approx([1 / 3, 2e-7 / 3], rel=5e-6)
