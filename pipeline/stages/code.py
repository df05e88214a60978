"""code: check params.yaml, and record the code of each cell, so that DVC runs again only what a change concerns.

DVC inserts the names of datasets, models and methods from params.yaml into the commands of dvc.yaml, and a shell runs
them. Every other stage depends on a file that is written here, so no unchecked name reaches a shell.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import manex
from manex.settings import Section
from pipeline.closure import Source
from pipeline.config.analyses import MEMBER, AnalysisEntry
from pipeline.config.entries import Skipped
from pipeline.config.methods import MethodEntry
from pipeline.config.names import closed_form, closed_forms
from pipeline.config.params import Params
from pipeline.config.plugins import FOLDER
from pipeline.config.training import TrainingEntry
from pipeline.findings.base import claim_files
from pipeline.models.load import UNSHUFFLED
from pipeline.paths import KEPT, Paths
from pipeline.storage.artifacts import replacing_folder, sha256, write_json
from pipeline.storage.own_code import own_code
from pipeline.storage.own_files import Readers, check_names, own_files


def code(params: Params, paths: Paths) -> None:
    """Write data/code: for each stage or cell, the hash of every project file that it runs."""
    cells = Cells(params, paths)
    with replacing_folder(paths.code) as folder:
        for name, facts in cells.all():
            write_json(folder / f"{name}.json", facts)
    _remove_others(params, paths)
    for folder in (paths.raw(KEPT), paths.analyses / KEPT):
        folder.mkdir(parents=True, exist_ok=True)


class Cells:
    """What each cell runs, from its settings and the files of the project."""

    def __init__(self, params: Params, paths: Paths) -> None:
        self.params, self.paths = params, paths
        self.source = Source(Path(manex.__file__).parents[1])
        self.hashes = {path: sha256(paths.root / path) for path in own_files(paths.root)}
        self.readers = Readers(paths.root, [plug_in for *_, plug_in in params.plug_ins()], list(self.hashes))
        for name, method, plug_in in params.plug_ins():
            watched = [folder.relative_to(paths.root) for folder in (paths.prepared(name), paths.model(name, ""))]
            check_names(paths.root, f"params.yaml: extrapolate.{name}.{method}.denoiser", plug_in, watched)

    def all(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every file to write, and its content."""
        params = self.params
        yield "fetch", self._closure("fetch")
        yield "figures", self._closure("figures") | self._window
        yield "table", self._closure("table") | {"blocks": self._blocks()}
        yield "findings", self._closure("findings", *claim_files())
        for name in params.datasets:
            entry = params.dataset(name)
            source = entry.settings.source
            yield f"prepare/{name}", self._closure("prepare", entry.module, source and f"pipeline.sources.{source}")
            yield f"weights/{name}", self.weights(name)
            yield f"evaluate/{name}", self.evaluate(name)
        for name, model in product(params.datasets, params.models):
            yield f"train/{name}/{model}", self.train(name, model)
        for name, method in product(params.datasets, params.methods):
            yield f"extrapolate/{name}/{method}", self.extrapolate(name, method)
        for name, analysis in product(params.datasets, params.analyses):
            yield f"analyse/{name}/{analysis}", self.analyse(name, analysis)

    def train(self, name: str, model: str) -> dict[str, Any]:
        """One training: its settings' file, which imports the network and the objective."""
        return self._closure("train", *_training(self.params, name, model))

    def extrapolate(self, name: str, method: str) -> dict[str, Any]:
        """One walk: its algorithm, and what it walks with."""
        entry = self.params.method(name, method)
        if isinstance(entry, Skipped):
            return {}
        return self._closure("extrapolate", *self._modules(name, [entry])) | self._plug_ins([entry])

    def weights(self, name: str) -> dict[str, Any]:
        """Which network each method walks with."""
        methods = {method: self.params.method(name, method) for method in self.params.methods}
        models = {m: entry.model_name for m, entry in methods.items() if isinstance(entry, MethodEntry)}
        return self._closure("weights") | {"models": models}

    def evaluate(self, name: str) -> dict[str, Any]:
        """The scores of a dataset: what they diagnose is what all methods walk with."""
        entries = list(self.params.methods_of(name).values())
        return self._closure("evaluate", *self._modules(name, entries)) | self._plug_ins(entries) | self._window

    @property
    def _window(self) -> dict[str, Any]:
        """DVC knows no defaults, so dvc.yaml cannot name a key that params.yaml may leave out."""
        return {"ssim_window": self.params.ssim_window}

    def analyse(self, name: str, analysis: str) -> dict[str, Any]:
        """One analysis, and the walks and denoisers that it looks at."""
        entry = self.params.analysis(name, analysis)
        if not isinstance(entry, AnalysisEntry):
            return {}
        known = self.params.methods_of(name)
        walks = {walk: known[walk] for walk in entry.walks if walk in known}
        modules = [*modules_in(entry), *self._modules(name, walks.values())]
        modules += [module for model in entry.denoisers for module in _model(self.params, name, model)]
        modules += [MEMBER.partition(":")[0]] if any("/" in model for model in entry.denoisers) else []
        settings = {walk: method.model_dump(mode="json") for walk, method in walks.items()}
        return self._closure("analyse", *modules) | self._plug_ins(walks.values()) | {"walks": settings}

    def _closure(self, stage: str, *modules: str | None) -> dict[str, Any]:
        return dict(self.source.closure([f"pipeline.stages.{stage}", *filter(None, modules)]))

    def _modules(self, name: str, entries: Iterable[MethodEntry]) -> Iterator[str]:
        """What walks name, and what their plug-ins import of this project."""
        for entry in entries:
            yield from modules_of(self.params, name, entry)
            if entry.plug_in:
                yield from own_code(self.paths.root, entry.plug_in).modules

    def _blocks(self) -> dict[str, dict[str, str]]:
        """The part of the table that shows each method: its file says so, and the table needs no more of that file."""
        cells = {
            name: {method: self.params.method(name, method) for method in self.params.methods}
            for name in self.params.datasets
        }
        return {name: {method: entry.shown_in for method, entry in row.items()} for name, row in cells.items()}

    def _plug_ins(self, entries: Iterable[MethodEntry]) -> dict[str, Any]:
        """The files that plug-ins may read."""
        brought = [entry.plug_in for entry in entries if entry.plug_in]
        if not brought:
            return {}
        read = sorted(set().union(*(self.readers.read_by(plug_in) for plug_in in brought)))
        return {"plug_ins": {path.relative_to(FOLDER).as_posix(): self.hashes[path] for path in read}}


def modules_of(params: Params, name: str, entry: MethodEntry) -> Iterator[str]:
    """The modules that a walk on a dataset names: its algorithm, and what it walks with."""
    yield entry.module
    if entry.plug_in:
        yield "pipeline.models.plugin"
    elif entry.model_name:
        yield from _model(params, name, entry.model_name)
    if entry.law:
        yield type(entry.law).__module__


def _model(params: Params, name: str, model: str) -> Iterator[str]:
    """The modules of a closed form, or of a training and of what un-shuffles the pixels of a family's member."""
    if model in closed_forms():
        yield closed_form(model).partition(":")[0]
        return
    family, _, member = model.partition("/")
    yield from _training(params, name, family)
    if member:
        yield UNSHUFFLED.partition(":")[0]


def _training(params: Params, name: str, model: str) -> list[str]:
    entry = params.training(name, model)
    return list(modules_in(entry)) if isinstance(entry, TrainingEntry) else []


def modules_in(section: Section) -> Iterator[str]:
    """The modules that settings are of: their own, and those of the settings in them."""
    yield type(section).__module__
    for value in vars(section).values():
        for inner in value.values() if isinstance(value, dict) else [value]:
            if isinstance(inner, Section):
                yield from modules_in(inner)


def _remove_others(params: Params, paths: Paths) -> None:
    """Remove the outputs of cells that params.yaml does not name.

    Stages depend on whole folders, and must find in them what a fresh clone would have. DVC's cache keeps what it has
    tracked, and restores it when it is named again.
    """
    wanted = {
        paths.root / "data" / "prepared": (params.datasets, None),
        paths.root / "models": (params.datasets, params.models),
        paths.root / "data" / "weights": (params.datasets, None),
        paths.root / "data" / "extrapolated": (params.datasets, params.methods),
        paths.root / "data" / "scores": (params.datasets, None),
        paths.analyses: (params.datasets, params.analyses),
    }
    for folder, (datasets, names) in wanted.items():
        for dataset in (path for path in folder.glob("[!.]*") if path.is_dir()):
            others = [dataset] if dataset.name not in datasets else []
            if names is not None and not others:
                others = [path for path in dataset.glob("[!.]*") if path.is_dir() and path.name not in names]
            for path in others:
                sys.stderr.write(
                    f"manex: code: {path.relative_to(paths.root)}: params.yaml does not name it: removed\n"
                )
                shutil.rmtree(path)
