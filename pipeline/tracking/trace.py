"""What a cell reads and makes, by hash: with it a record is told from that of other settings, data or results.

DVC restores results without running anything, and so without a record: from its run cache, by `dvc exp apply`, by
`dvc checkout`. The record that is there then is of another run. What a cell reads and makes is what dvc.yaml says.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.config.yaml import read_yaml
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.storage.digest import digest

Trace = dict[str, dict[str, Any]]
"""`settings`: values of params.yaml by their dotted keys; `inputs`, `outputs`: hashes by path, "" of what is absent."""


def begun(paths: Paths, stage: str, item: str) -> Trace:
    """The trace of a run that begins: its settings and inputs."""
    cell, params = _cell(paths, stage, item), _params(paths)
    settings = [name for name in cell["params"] if isinstance(name, str)]
    if stage == "evaluate":  # its record also names the settings of the walk
        settings += ["trials", f"extrapolate.{item.replace('-', '.', 1)}"]
    return {
        "settings": {key: _value(params, key) for key in settings},
        "inputs": {path: digest(paths.root / path) for path in cell["deps"]},
        "outputs": dict.fromkeys([*cell["outs"], *cell["metrics"]], ""),
    }


def ended(paths: Paths, trace: Trace) -> Trace:
    """The same trace when the outputs are there."""
    return trace | {"outputs": {path: digest(paths.root / path) for path in trace["outputs"]}}


def differences(paths: Paths, trace: Trace) -> Iterator[str]:
    """What is not now as it was for that run: settings first, then paths."""
    params = _params(paths)
    yield from (f"params.yaml: {key}" for key, value in trace["settings"].items() if _value(params, key) != value)
    for path, known in (trace["inputs"] | trace["outputs"]).items():
        if digest(paths.root / path) != known:
            yield path


def _cell(paths: Paths, stage: str, item: str) -> dict[str, list[str]]:
    """Settings, dependencies and outputs of a cell, as dvc.yaml has them; none of what it does not know."""
    known = _read(paths.root / "dvc.yaml")
    found = (known.get("stages") or {}).get(stage) or {}
    dataset, _, second = item.partition("-")
    names = {f"${{item.{axis}}}": name for axis, name in zip(
        found.get("matrix") or (), (dataset, second.partition("/")[0]), strict=False
    )}  # fmt: skip
    names["${reports}"] = str(_params(paths).get("reports", ""))
    return {part: list(_filled(found.get(part) or (), names)) for part in ("params", "deps", "outs", "metrics")}


def _filled(entries: Iterable[Any], names: Mapping[str, str]) -> Iterator[str]:
    for entry in entries:
        text = str(next(iter(entry)) if isinstance(entry, dict) else entry)
        for name, value in names.items():
            text = text.replace(name, value)
        yield text


def _params(paths: Paths) -> dict[str, Any]:
    return _read(paths.params)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = path.stat()
        return _parsed(path.resolve(), found.st_mtime_ns, found.st_size, found.st_ino)
    except (OSError, UserError):
        return {}


@lru_cache(maxsize=8)
def _parsed(path: Path, *_: int) -> dict[str, Any]:
    """A file of settings, in the types of JSON, for it is compared with what was kept as such."""
    values = read_yaml(path)
    return json.loads(json.dumps(values, default=str)) if isinstance(values, dict) else {}


def _value(params: Any, key: str) -> Any:
    for name in key.split("."):
        params = params.get(name) if isinstance(params, dict) else None
    return params
