"""Reading and writing artifacts: whole or not at all, and never trusted blindly.

Everything is written under a temporary name and renamed, so that a kill, a full disk or Ctrl-C leaves the earlier
artifact as it was. Outputs hold no times and no machine names: the same run gives the same bytes.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import UserError

if TYPE_CHECKING:  # seconds to import, and a stage that has nothing to run needs neither
    import pandas as pd
    from torch import Tensor


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`, renamed to it if the block ends well.

    Raises:
        UserError: the folder cannot be written to, or the disk is full.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
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
def replacing_folder(path: Path) -> Iterator[Path]:
    """The same for a folder: filled under a temporary name, then put in place of the old one."""
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        yield temporary
        temporary.chmod(0o755)
        if path.exists():
            shutil.rmtree(path)
        temporary.replace(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Plain text."""
    with replacing(path) as temporary:
        temporary.write_text(text)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """JSON with sorted keys; floats as Python prints them."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n")


def read_json(path: Path, made_by: str) -> dict[str, Any]:
    """A JSON object.

    Raises:
        UserError: missing or damaged; `made_by` is the command that makes it.
    """
    try:
        value = json.loads(_present(path, made_by).read_text())
    except ValueError as error:
        raise UserError(f"{path}: damaged ({error}); make it again with: {made_by}") from None
    if not isinstance(value, dict):
        raise UserError(f"{path}: damaged (not an object); make it again with: {made_by}")
    return value


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """A table without index, floats to 6 significant digits."""
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g", lineterminator="\n")


def read_csv(path: Path, made_by: str) -> pd.DataFrame:
    """A table.

    Raises:
        UserError: missing or damaged.
    """
    import pandas as pd

    try:
        return pd.read_csv(_present(path, made_by))
    except (ValueError, pd.errors.ParserError) as error:
        raise UserError(f"{path}: damaged ({error}); make it again with: {made_by}") from None


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Named tensors, as safetensors without metadata."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    with replacing(path) as temporary:
        try:
            save_file({name: tensor.contiguous().cpu() for name, tensor in tensors.items()}, temporary)
        except SafetensorError as error:  # its word for a full disk
            raise OSError(str(error)) from None


def read_tensors(path: Path, made_by: str) -> dict[str, Tensor]:
    """Named tensors.

    Raises:
        UserError: missing or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(_present(path, made_by))
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path}: damaged ({error}); make it again with: {made_by}") from None


def _present(path: Path, made_by: str) -> Path:
    if not path.is_file():
        raise UserError(f"{path}: not found; make it with: {made_by}")
    return path
