"""params.yaml as frozen models that explain themselves: the only parser of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError, model_validator
from ruamel.yaml import YAML

from pipeline.config.data import Dataset, Fetch, Source
from pipeline.config.methods import MethodEntry, SkippedMethod
from pipeline.config.own import OwnDenoiser
from pipeline.config.section import Name, Section
from pipeline.config.training import ModelEntry
from pipeline.config.walks import CLOSED_FORMS, FRAMES, Denoised, OnNetwork
from pipeline.errors import UserError, explain, suggestion


class Trials(Section):
    """Repeats of the extrapolation with fresh noise on one trained denoiser."""

    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        (0, 1, 2, 3, 4), min_length=1, description="reported: 0-4; settings are chosen on seeds from 100"
    )


class Params(Section):
    """All of params.yaml."""

    profile: Name
    sources: tuple[Source, ...] = Field(("mnist",), description="raw data to fetch")
    datasets: tuple[Name, ...] = Field(min_length=1)
    models: tuple[Name, ...]
    methods: tuple[Name, ...] = Field(min_length=1)
    fetch: Fetch = Fetch()
    data: dict[Name, Dataset]
    train: dict[Name, dict[Name, ModelEntry]]
    trials: Trials = Trials()
    extrapolate: dict[Name, dict[Name, MethodEntry]]

    @model_validator(mode="after")
    def _every_name_is_defined(self) -> Params:
        for dataset in self.datasets:
            self._need("datasets", dataset, self.data, "data")
            if (source := self.data[dataset].source) and source not in self.sources:
                raise ValueError(f'sources: data.{dataset} needs "{source}"')
            for model in self.models:
                self._need("models", model, self.train.get(dataset, {}), f"train.{dataset}")
            for method in self.methods:
                self._need("methods", method, self.extrapolate.get(dataset, {}), f"extrapolate.{dataset}")
                walk = self.extrapolate[dataset][method]
                if isinstance(walk, SkippedMethod) or walk.model_name in ("", FRAMES):
                    continue
                known = [*self.models, *(() if isinstance(walk, OnNetwork) else CLOSED_FORMS)]
                field = "model" if isinstance(walk, OnNetwork) else "denoiser"
                self._need(f"extrapolate.{dataset}.{method}.{field}", walk.model_name, known, "models")
        return self

    @staticmethod
    def _need(where: str, name: str, known: Any, section: str) -> None:
        if name not in known:
            raise ValueError(f'{where}: "{name}" is not defined under {section}{suggestion(name, known)}')

    def dataset(self, name: str) -> Dataset:
        """The settings of one dataset."""
        return _pick(self.data, name, "dataset")

    def training(self, dataset: str, model: str) -> ModelEntry:
        """The settings of one training."""
        return _pick(_pick(self.train, dataset, "dataset"), model, "model")

    def method(self, dataset: str, method: str) -> MethodEntry:
        """The settings of one extrapolation."""
        return _pick(_pick(self.extrapolate, dataset, "dataset"), method, "method")

    def own_denoisers(self) -> Iterator[tuple[str, str, OwnDenoiser]]:
        """Dataset, method and settings of every cell whose denoiser the user has brought along."""
        for dataset in self.datasets:
            for method in self.methods:
                cfg = self.method(dataset, method)
                if isinstance(cfg, Denoised) and isinstance(cfg.denoiser, OwnDenoiser):
                    yield dataset, method, cfg.denoiser


T = TypeVar("T")


def _pick(section: dict[str, T], name: str, what: str) -> T:
    if name not in section:
        raise UserError(f'{what} "{name}" is unknown{suggestion(name, section)}')
    return section[name]


def load(path: Path) -> Params:
    """Read and check params.yaml.

    Raises:
        UserError: no such file, no YAML, or a value that does not fit, naming each field.
    """
    if not path.is_file():
        raise UserError(f'{path}: not found; run from the project\'s root, or "manex profile use cpu" to write it')
    return parse(read_yaml(path), path.name)


MAX_BYTES, MAX_VALUES = 2**20, 100_000
"""Of a settings file, and of what its aliases unfold to."""


def read_yaml(path: Path) -> Any:
    """What a YAML file of settings holds.

    Raises:
        UserError: it cannot be read, is no YAML, refers to itself, or unfolds to more than settings can be.
    """
    try:
        text = path.read_bytes()
        if len(text) > MAX_BYTES:
            raise ValueError(f"{len(text):,} bytes are no settings")
        values = YAML(typ="safe", pure=True).load(text.decode())
        if _unfolded(values, {}) > MAX_VALUES:
            raise ValueError(f"aliases that unfold to more than {MAX_VALUES:,} values")
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from None
    except RecursionError:
        raise UserError(f"{path}: not valid YAML: nested too deeply") from None
    except Exception as error:  # the reader fails in many ways on what is no YAML: a bad tag, date or number
        raise UserError(f"{path}: not valid YAML: {' '.join(str(error).split())[:300]}") from None
    return values


def _unfolded(value: Any, known: dict[int, int]) -> int:
    """How many values there are if every alias is replaced by what it stands for."""
    if not isinstance(value, dict | list | set | tuple):
        return 1
    if id(value) not in known:
        known[id(value)] = MAX_VALUES + 1  # of what holds itself
        inside = [*value, *value.values()] if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_unfolded(one, known) for one in inside)
    return known[id(value)]


def parse(values: object, source: str) -> Params:
    """Check values as params.yaml has them; `source` is how messages call the file."""
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        raise UserError("\n".join(f"{source}: {line}" for line in explain(error, Params))) from None
