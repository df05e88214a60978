"""params.yaml: its lists of names at once, each entry when it is asked for.

Checking an entry imports its file of the library, and a stage needs one entry: so a command starts with what it uses.
`Params.complaints` checks all of it; the stage `code`, `manex doctor` and `manex profile use` do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr

from manex.settings import Name, Section
from pipeline.config.analyses import AnalysisEntry
from pipeline.config.data import DatasetEntry
from pipeline.config.entries import SKIPPED, Skipped, parse_entry, validated
from pipeline.config.fetch import Fetch, Source
from pipeline.config.methods import MethodEntry, SkippedMethod
from pipeline.config.names import closed_forms
from pipeline.config.outdated import outdated
from pipeline.config.plugins import PlugInDenoiser
from pipeline.config.training import TrainingEntry
from pipeline.config.undeclared import undeclared
from pipeline.config.yaml import read_yaml
from pipeline.errors import UserError, suggestion

Raw = dict[str, Any]


class Trials(Section):
    """Repeats of the extrapolation with fresh noise on one trained denoiser."""

    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        (0, 1, 2, 3, 4), min_length=1, description="reported: 0-4; settings are chosen on seeds from 100"
    )


class Params(Section):
    """All of params.yaml; the entries under `data`, `train`, `extrapolate` and `analyse` as they are written."""

    profile: Name
    reports: str = Field(description="where the results go: reports for the profile cpu, else reports/PROFILE")
    sources: tuple[Source, ...] = Field(("mnist",), description="raw data to fetch")
    datasets: tuple[Name, ...] = Field(min_length=1)
    models: tuple[Name, ...]
    methods: tuple[Name, ...] = Field(min_length=1)
    analyses: tuple[Name, ...] = Field((), description="what the stage `analyse` finds out about denoisers")
    fetch: Fetch = Fetch()
    data: dict[Name, Raw]
    train: dict[Name, dict[Name, Raw]]
    trials: Trials = Trials()
    ssim_window: Literal["uniform", "gaussian"] = Field(
        "uniform", description="of DTW-SSID: 7x7, scikit-image's default; 11x11 with Gaussian weights, Wang et al. 2004"
    )
    extrapolate: dict[Name, dict[Name, Raw]]
    analyse: dict[Name, dict[Name, Raw]] = Field(default_factory=dict)

    _source: str = PrivateAttr("params.yaml")

    def dataset(self, name: str) -> DatasetEntry:
        """The settings of one dataset."""
        values, where = _pick(self.data, name, "dataset"), f"{self._source}: data.{name}"
        entry = parse_entry(DatasetEntry, values, where)
        if isinstance(entry, Skipped):
            raise UserError(f"{where}: a dataset cannot be skipped; leave it out of `datasets`")
        return entry

    def training(self, dataset: str, model: str) -> TrainingEntry | Skipped:
        """The settings of one training."""
        values = _pick(_pick(self.train, dataset, "dataset"), model, "model")
        return parse_entry(TrainingEntry, values, f"{self._source}: train.{dataset}.{model}")

    def method(self, dataset: str, method: str) -> MethodEntry | SkippedMethod:
        """The settings of one extrapolation."""
        values = _pick(_pick(self.extrapolate, dataset, "dataset"), method, "method")
        where = f"{self._source}: extrapolate.{dataset}.{method}"
        entry = parse_entry(MethodEntry, values, where)
        if isinstance(entry, MethodEntry):
            self.check_model(entry, dataset, where)
            return entry
        assert isinstance(entry, SkippedMethod)
        return entry

    def analysis(self, dataset: str, analysis: str) -> AnalysisEntry | Skipped:
        """The settings of one analysis."""
        values = _pick(_pick(self.analyse, dataset, "dataset"), analysis, "analysis")
        where = f"{self._source}: analyse.{dataset}.{analysis}"
        entry = parse_entry(AnalysisEntry, values, where)
        if isinstance(entry, AnalysisEntry):
            for walk in entry.walks:
                _need(f"{where}.walks", walk, self.methods, "methods")
            for name in entry.denoisers:
                self._need_model(f"{where}.denoisers", name, dataset, closed_forms())
        return entry

    def trained(self, dataset: str) -> list[str]:
        """The names of the networks that are trained on a dataset: models, and FAMILY/MEMBER for those of families."""
        names = []
        for model in self.models:
            values = self.train.get(dataset, {}).get(model, {})
            members = values.get("members") if values.get("network") == "family" else None
            names += [f"{model}/{member}" for member in members] if isinstance(members, dict) else [model]
        return names

    def methods_of(self, dataset: str) -> dict[str, MethodEntry]:
        """The methods that are run on a dataset, by name."""
        entries = {name: self.method(dataset, name) for name in self.methods}
        return {name: entry for name, entry in entries.items() if isinstance(entry, MethodEntry)}

    def plug_ins(self) -> Iterator[tuple[str, str, PlugInDenoiser]]:
        """Dataset, method and settings of every cell that walks with a plug-in denoiser."""
        for dataset in self.datasets:
            for name, entry in self.methods_of(dataset).items():
                if entry.plug_in:
                    yield dataset, name, entry.plug_in

    def complaints(self) -> Iterator[str]:
        """Everything that is wrong, one line per issue: every entry is checked, and every name is looked up."""
        yield from _failures(self._check_reports)
        yield from (f"{self._source}: {line}" for line in undeclared(self))
        for dataset in self.datasets:
            yield from _failures(partial(self._check_dataset, dataset))
        axes: list[tuple[str, str, tuple[str, ...], dict[str, dict[str, Raw]], Callable[[str, str], Any]]] = [
            ("models", "train", self.models, self.train, self.training),
            ("methods", "extrapolate", self.methods, self.extrapolate, self.method),
            ("analyses", "analyse", self.analyses, self.analyse, self.analysis),
        ]
        for axis, section, names, entries, parse in axes:
            for dataset, name in product(self.datasets, names):
                known = entries.get(dataset, {})
                if name in known:
                    yield from _failures(partial(parse, dataset, name))
                else:
                    where = f"{self._source}: {axis}"
                    yield f'{where}: "{name}" is not defined under {section}.{dataset}{suggestion(name, known)}'

    def _is_skipped(self, dataset: str, model: str) -> bool:
        return model in self.models and self.train.get(dataset, {}).get(model, {}).get("network") == SKIPPED

    def _check_reports(self) -> None:
        wanted = "reports" if self.profile == "cpu" else f"reports/{self.profile}"
        if self.reports != wanted:
            raise UserError(
                f"{self._source}: reports: the profile {self.profile} writes to {wanted}, not {self.reports[:60]}"
            )

    def _check_dataset(self, dataset: str) -> None:
        _need(f"{self._source}: datasets", dataset, self.data, "data")
        source = self.dataset(dataset).settings.source
        if source and source != "frames" and source not in self.sources:
            raise UserError(f'{self._source}: sources: data.{dataset} needs "{source}"')

    def check_model(self, entry: MethodEntry, dataset: str, where: str) -> None:
        """Check that a method names the model that it needs, and that there is one of that name.

        Raises:
            UserError: it does not.
        """
        if key := entry.misplaced():
            right = entry.model_field
            raise UserError(f"{where}.{key}: {entry.algorithm} takes no {key}" + (f"; name a {right}" if right else ""))
        name = entry.model_name
        forms = closed_forms() if entry.model_field == "denoiser" or not entry.model else ()
        if name:
            self._need_model(f"{where}.{entry.model_field}", name, dataset, forms)
        if entry.noise is not None and name not in forms:
            raise UserError(f"{where}.noise: only a closed form is given one; a trained model knows its own")

    def _need_model(self, where: str, name: str, dataset: str, forms: Sequence[str]) -> None:
        if not self._is_skipped(dataset, name.partition("/")[0]):
            _need(where, name, [*self.trained(dataset), *forms], "models")


def _failures(check: Callable[[], Any]) -> list[str]:
    """The lines of a check that fails."""
    try:
        check()
    except UserError as error:
        return str(error).splitlines()
    return []


def _need(where: str, name: str, known: Any, section: str) -> None:
    if name not in known:
        raise UserError(f'{where}: "{name}" is not defined under {section}{suggestion(name, known)}')


def _pick(section: Mapping[str, Any], name: str, what: str) -> Any:
    if name not in section:
        raise UserError(f'{what} "{name}" is unknown{suggestion(name, section)}')
    return section[name]


def load(path: Path) -> Params:
    """Read params.yaml, and check all of it but the entries, which are checked when they are used.

    Raises:
        UserError: no such file, no YAML, or a value that does not fit, naming each field.
    """
    return parse(_read(path), path.name)


def load_whole(path: Path) -> Params:
    """Read params.yaml and check all of it.

    Raises:
        UserError: as `load`, and for every entry.
    """
    return parse_whole(_read(path), path.name)


def _read(path: Path) -> Any:
    if not path.is_file():
        raise UserError(f'{path}: not found; run from the project\'s root, or "manex profile use cpu" to write it')
    return read_yaml(path)


def parse(values: object, source: str) -> Params:
    """Check values as params.yaml has them; `source` is how messages call the file."""
    if old := list(outdated(values)):
        raise UserError("\n".join(f"{source}: {line}" for line in old))
    try:
        params = validated(Params, values, "")
    except UserError as error:
        raise UserError("\n".join(f"{source}: {line}" for line in str(error).splitlines())) from None
    params._source = source
    return params


def parse_whole(values: object, source: str) -> Params:
    """The same, with every entry; unknown keys do not hide what is wrong with the others."""
    lines: list[str] = []
    try:
        params = parse(values, source)
    except UserError as error:
        if not isinstance(values, dict):
            raise
        known = {key: value for key, value in values.items() if key in Params.model_fields}
        try:
            params = parse(known, source)
        except UserError:
            raise error from None
        lines = str(error).splitlines()
    if lines := list(dict.fromkeys([*lines, *params.complaints()])):
        raise UserError("\n".join(lines))
    return params
