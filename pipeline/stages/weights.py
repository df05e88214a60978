"""weights: the hashes of what each method of a dataset walks with. A new network runs only its own walks again.

DVC cannot fill the name of a method's network into dvc.yaml. So walks depend on a small file that is written here, not
on all networks of their dataset.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from pipeline.config.entries import Skipped
from pipeline.config.methods import MethodEntry
from pipeline.paths import Paths
from pipeline.storage.artifacts import replacing_folder, sha256, write_json
from pipeline.storage.skipped import NAME as ABSENT

READ = ("model.json", "weights.safetensors", ABSENT)
"""What a walk reads in the folder of a network."""


def weights(name: str, methods: Mapping[str, MethodEntry | Skipped], paths: Paths) -> None:
    """Write data/weights/NAME: for each method the hash of every file of its network."""
    with replacing_folder(paths.weights(name)) as folder:
        for method, entry in methods.items():
            write_json(folder / f"{method}.json", _used(name, entry, paths))


def refresh(name: str, method: str, entry: MethodEntry | Skipped, paths: Paths) -> None:
    """The same for one method, if it has changed: for walks that are run by hand after a training."""
    file, used = paths.weights(name) / f"{method}.json", _used(name, entry, paths)
    if not file.is_file() or json.loads(file.read_text()) != used:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_json(file, used)


def _used(name: str, entry: MethodEntry | Skipped, paths: Paths) -> dict[str, str]:
    model = entry.model_name if isinstance(entry, MethodEntry) else ""
    if not model:
        return {}
    folders = {
        paths.training(name, model),
        paths.model(name, model),
    }  # a family says for all its members that it is absent
    files = sorted(folder / file for folder in folders for file in READ)
    return {file.relative_to(paths.root).as_posix(): sha256(file) for file in files if file.is_file()}
