"""Reading and writing artifacts: whole or not at all, and never trusted blindly.

Everything is written under a temporary name and renamed, so that a kill, a full disk or Ctrl-C leaves the earlier
artifact as it was. Outputs hold no times and no machine names: the same run gives the same bytes. A folder is sealed:
sha256.json holds the hash of each of its files, and a reader refuses a file that has other bytes.

Leftovers of a killed run end in `.partial`; .dvcignore hides them from DVC, and the next run removes them.
"""

from __future__ import annotations

import errno
import glob
import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Collection, Container, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import psutil

from pipeline.errors import UserError

if TYPE_CHECKING:  # seconds to import, and a stage that has nothing to run needs neither
    import pandas as pd
    from torch import Tensor


SEAL = "sha256.json"
"""The file of a folder that holds the sha256 of its other files."""
ORIGINS = "made from"
"""The entry of a seal that holds hashes of what the folder was made from: pipeline/storage/origins.py."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name next to `path`, renamed to it if the block ends well.

    Raises:
        UserError: the folder cannot be written to, or the disk is full.
    """
    temporary = None
    try:
        handle, name = tempfile.mkstemp(**_beside(path))
        os.close(handle)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}; nothing was changed") from None
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path, sealed: bool = False, made_from: Mapping[str, str] | None = None) -> Iterator[Path]:
    """The same for a folder: it is filled under a temporary name and then replaces the old one, never half of each.

    Args:
        sealed: write sha256.json as well.
        made_from: hashes of its origins, for the seal.
    """
    temporary = None
    try:
        temporary = Path(tempfile.mkdtemp(**_beside(path)))
        old = temporary.with_suffix(".old.partial")
        yield temporary
        if sealed:
            seal(temporary, made_from)
        temporary.chmod(0o755)
        if path.is_symlink() or path.is_file():
            raise NotADirectoryError(errno.ENOTDIR, "it is a file or a link, not a folder")
        if path.exists():
            path.replace(old)
        try:
            temporary.replace(path)
        except OSError:
            if old.exists():
                old.replace(path)
            raise
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}; nothing was changed") from None
    finally:
        if temporary is not None:
            for left in (temporary, old):
                shutil.rmtree(left, ignore_errors=True)


def _beside(path: Path) -> dict[str, Any]:
    """The place of a temporary name for `path`; leftovers of killed runs are removed first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mine = f".{path.name}.{platform.node()}-"
    for left in path.parent.glob(f"{glob.escape(mine)}*.partial"):
        process = left.name.removeprefix(mine).partition("-")[0]
        if process.isdecimal() and not psutil.pid_exists(int(process)):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
    return {"prefix": f"{mine}{os.getpid()}-", "suffix": ".partial", "dir": path.parent}


def seal(folder: Path, made_from: Mapping[str, str] | None = None) -> None:
    """Write the sha256 of every file of a folder to its sha256.json, with the hashes of what they were made from."""
    files = sorted(file for file in folder.iterdir() if file.is_file() and file.name != SEAL)
    hashes: dict[str, Any] = {file.name: sha256(file) for file in files}
    write_json(folder / SEAL, hashes | ({ORIGINS: dict(made_from)} if made_from else {}))


def sha256(path: Path) -> str:
    """The sha256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_text(path: Path, text: str) -> None:
    """Plain text."""
    with replacing(path) as temporary:
        temporary.write_text(text)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """JSON with sorted keys; floats as Python prints them."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n")


def read_json(path: Path, made_by: str, needed: Collection[str] = ()) -> dict[str, Any]:
    """A JSON object with at least the keys `needed`.

    Raises:
        UserError: missing or damaged; `made_by` is the command that makes it.
    """
    try:
        value = json.loads(_present(path, made_by).read_text())
    except (ValueError, RecursionError) as error:
        raise damaged(path, error, made_by) from None
    if not isinstance(value, dict):
        raise damaged(path, "not an object", made_by)
    return _with(path, value, needed, made_by)


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """A table without index, floats to 6 significant digits."""
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g", lineterminator="\n")


def read_csv(path: Path, made_by: str, needed: Collection[str] = (), text: Collection[str] = ()) -> pd.DataFrame:
    """A table with at least the columns `needed`, which hold numbers, and `text`; empty cells are NaN.

    Raises:
        UserError: missing or damaged.
    """
    import pandas as pd
    from pandas.api.types import is_numeric_dtype

    try:
        table = pd.read_csv(_present(path, made_by))
    except (ValueError, pd.errors.ParserError) as error:
        raise damaged(path, error, made_by) from None
    for name in needed if len(table) else ():
        if name in table and not (is_numeric_dtype(table[name]) and not (table[name].abs() == float("inf")).any()):
            raise damaged(path, f"{name}: no numbers", made_by)
    return _with(path, table, [*text, *(needed if len(table) else ())], made_by)


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Named tensors, as safetensors without metadata."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    with replacing(path) as temporary:
        try:
            save_file({name: tensor.contiguous().cpu() for name, tensor in tensors.items()}, temporary)
        except SafetensorError as error:  # raised for a full disk
            raise OSError(str(error)) from None


def read_tensors(path: Path, made_by: str, needed: Collection[str] = (), finite: bool = True) -> dict[str, Tensor]:
    """Named tensors, at least those `needed`; without infinities and NaN where they must be finite.

    Raises:
        UserError: missing or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors = load_file(_present(path, made_by))
        spoilt = [name for name, tensor in tensors.items() if finite and not tensor.isfinite().all()]
    except (SafetensorError, OSError, ValueError, KeyError, RuntimeError) as error:  # the last: types like float4
        raise damaged(path, error, made_by) from None
    if spoilt:
        raise damaged(path, f"{spoilt[0]} holds values that are not finite", made_by)
    return _with(path, tensors, needed, made_by)


def damaged(path: Path, why: object, made_by: str) -> UserError:
    """The error for an artifact that cannot be what was written."""
    told = " ".join(str(why).split())[:200]
    return UserError(f"{path}: damaged ({told}); make it again with: {made_by}")


T = TypeVar("T", bound=Container[str])


def _with(path: Path, value: T, needed: Collection[str], made_by: str) -> T:
    if lacking := [name for name in needed if name not in value]:
        raise damaged(path, f"no {', '.join(lacking)}", made_by)
    return value


def _present(path: Path, made_by: str) -> Path:
    """The path of a file that is there, and has the bytes that were written, as far as its folder is sealed."""
    if not path.is_file():
        raise UserError(f"{path}: not found; make it with: {made_by}")
    seal = path.with_name(SEAL)
    if path != seal and seal.is_file() and read_json(seal, made_by).get(path.name) != sha256(path):
        raise damaged(path, "not the bytes that were written", made_by)
    return path
