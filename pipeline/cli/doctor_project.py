"""What `manex doctor` finds in the project's own files: settings, plug-ins, outputs, and what earlier versions left."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from pipeline.cli.finding import Finding
from pipeline.errors import UserError
from pipeline.paths import Paths

LEFT = ("data/checked", "data/fingerprints", "data/spectrum", "reports/scores")
"""Folders that version 0.1 wrote and nothing reads now."""


def examine_settings(paths: Paths) -> Iterator[Finding]:
    """params.yaml, and the plug-ins that it names."""
    from pipeline.config.params import load_whole

    try:
        params = load_whole(paths.params)
    except UserError as error:
        lines = str(error).splitlines()
        more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
        yield Finding("problem", "settings", lines[0] + more, "correct it, or: manex profile use cpu --force")
    else:
        yield Finding("ok", "settings", f"params.yaml is valid, profile {params.profile}")
    yield from _plug_ins(paths)


def examine_results(paths: Paths) -> Iterator[Finding]:
    """Whether the outputs of dvc.lock are here, and whether any are of an earlier version."""
    yield _outputs(paths)
    yield from _outdated(paths)


def _plug_ins(paths: Paths) -> Iterator[Finding]:
    """Whether the files and libraries of plug-in denoisers are there; the walk itself tries what they compute."""
    from pipeline.config.params import load
    from pipeline.config.plugins import PlugInCallable, PlugInDeepinv, PlugInDiffusers, PlugInModule, located

    try:
        brought = {(found.label, found.files): found for _, _, found in load(paths.params).plug_ins()}
    except UserError:  # reported already
        return
    for (label, files), found in brought.items():
        package, install = "", "pip install --constraint constraints.txt --editable '.[{}]'"
        if isinstance(found, PlugInDiffusers | PlugInDeepinv):
            package = found.kind
        elif isinstance(found, PlugInModule | PlugInCallable):
            source = found.target.partition(":")[0]
            if source.endswith(".py"):
                files = (located(source), *files)
            else:
                package, install = source.partition(".")[0], "pip install {}"
        if missing := [str(path) for path in files if not (paths.root / path).exists()]:
            fix = "put it there, or correct its name in params.yaml"
            yield Finding("problem", f"denoiser {label}", f"{', '.join(missing)} not found", fix)
        elif package and find_spec(package) is None:
            yield Finding("problem", f"denoiser {label}", f"{package} is not installed", install.format(package))
        else:
            yield Finding("ok", f"denoiser {label}", "its files and libraries are here")


def _outputs(paths: Paths) -> Finding:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    if not paths.lock.is_file():
        return Finding("note", "outputs", "nothing has been computed yet", "make reproduce, or: dvc repro")
    try:
        stages = YAML(typ="safe", pure=True).load(paths.lock.read_text())["stages"]
        outputs = [Path(out["path"]) for stage in stages.values() for out in stage.get("outs", [])]
    except (YAMLError, KeyError, TypeError, AttributeError, UnicodeDecodeError):
        return Finding(
            "problem", "outputs", "dvc.lock is damaged", "git checkout dvc.lock, or: rm dvc.lock && dvc repro"
        )
    missing = [path for path in outputs if not (paths.root / path).exists()]
    if missing:
        found = f"{len(missing)} of {len(outputs)} in dvc.lock are not here, such as {missing[0]}"
        return Finding("note", "outputs", found, "dvc checkout, or: dvc repro")
    return Finding("ok", "outputs", f"all {len(outputs)} in dvc.lock are here; whether they are current: dvc status")


def _outdated(paths: Paths) -> Iterator[Finding]:
    """Data, models and folders of version 0.1, which `dvc repro` replaces or nothing reads."""
    for file in sorted((paths.root / "data" / "prepared").glob("[!.]*/frames.safetensors")):
        if "clip" not in _tensor_names(file):
            folder, name = file.parent.relative_to(paths.root), file.parent.name
            yield Finding("note", f"{folder}", "made by version 0.1", f"dvc repro, or: manex prepare {name}")
    for file in sorted((paths.root / "models").glob("[!.]*/[!.]*/model.json")):
        if reason := _does_not_fit(file):
            folder, (name, model) = file.parent.relative_to(paths.root), file.parts[-3:-1]
            found = f"not trained by this version: {reason}"
            yield Finding("note", f"{folder}", found, f"dvc repro, or: manex train {name} {model}")
    if left := [folder for folder in LEFT if (paths.root / folder).exists()]:
        yield Finding(
            "note", "earlier version", f"{', '.join(left)}: nothing reads them now", f"rm -r {' '.join(left)}"
        )


def _tensor_names(file: Path) -> list[str]:
    """The names in the head of a file of tensors, whose values are not read; those of a damaged file count as right."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, "pt") as opened:
            return list(opened.keys())
    except (SafetensorError, OSError):
        return ["clip"]


def _does_not_fit(file: Path) -> str:
    """Why a model's settings are none of this version; "" if they are, or where the stages will report the file."""
    from pipeline.config.entries import parse_entry
    from pipeline.config.training import TrainingEntry
    from pipeline.storage.artifacts import read_json

    try:
        settings = read_json(file, "", ("settings",))["settings"]
    except UserError:
        return ""
    try:
        parse_entry(TrainingEntry, settings, "settings")
    except UserError as error:
        return str(error).splitlines()[0]
    return ""
