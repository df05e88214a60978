"""A grid of cells for `manex sweep`, and the settings each of them has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError, field_validator

from manex.settings import Name, Section
from pipeline.config.explain import explain
from pipeline.config.methods import MethodEntry, SkippedMethod
from pipeline.config.params import Params
from pipeline.config.yaml import read_yaml
from pipeline.errors import UserError, suggestion

Value = bool | int | float | str
Seed = Annotated[int, Field(ge=0)]

FIXED = ("algorithm", "block")
"""Fields of a method that make it the method it is."""


class Grid(Section):
    """The product of datasets, methods with their settings, and seeds."""

    datasets: tuple[Name, ...] = Field(min_length=1)
    methods: dict[Name, dict[str, tuple[Value, ...]]] = Field(
        min_length=1, description="for every method the values of its fields; the others are those of params.yaml"
    )
    seeds: tuple[Seed, ...] = Field((100, 101), min_length=1, description="of trials; settings are chosen from 100 on")
    train_seeds: tuple[Seed, ...] = Field((), description="of trainings; none: the networks under models/")
    threads: int = Field(1, ge=1, le=1024, description="per cell; results depend on it in their last digits")

    @field_validator("methods", mode="before")
    @classmethod
    def _a_single_value_is_a_list_of_one(cls, methods: Any) -> Any:
        if not isinstance(methods, dict):
            return methods
        return {name: _listed(axes) if isinstance(axes, dict | None) else axes for name, axes in methods.items()}

    @field_validator("datasets", "seeds", "train_seeds")
    @classmethod
    def _nothing_twice(cls, values: tuple[Any, ...]) -> tuple[Any, ...]:
        _once(values)
        return values

    @field_validator("methods")
    @classmethod
    def _no_value_twice(cls, methods: dict[str, dict[str, tuple[Value, ...]]]) -> Any:
        for method, axes in methods.items():
            for field, values in axes.items():
                if not values:
                    raise ValueError(f"{method}.{field}: no values")
                _once(values, f"{method}.{field}: ")
        return methods


def _listed(axes: dict[Any, Any] | None) -> dict[Any, Any]:
    return {field: values if isinstance(values, list | tuple) else [values] for field, values in (axes or {}).items()}


def _once(values: tuple[Any, ...], where: str = "") -> None:
    if twice := [value for value in values if values.count(value) > 1]:
        raise ValueError(f"{where}{twice[0]} is there twice")


@dataclass(frozen=True)
class Point:
    """A method with all its settings, on a dataset."""

    dataset: str
    method: str
    entry: MethodEntry | SkippedMethod


def load_grid(path: Path, params: Params) -> tuple[str, Grid]:
    """A grid and its name, that of its file without .yaml.

    Raises:
        UserError: no such file, no YAML, a value that does not fit, a name or field that params.yaml does not have.
    """
    if not path.is_file():
        raise UserError(f"{path}: not found; sweeps/example.yaml shows how a grid is written")
    try:
        name = TypeAdapter(Name).validate_python(path.stem)
    except ValidationError:
        raise UserError(f"{path}: the file's name names the sweep: lower case, digits, underscores") from None
    grid = parse_grid(read_yaml(path), path.name)
    points(grid, params, path.name)
    return name, grid


def parse_grid(values: object, source: str) -> Grid:
    """Check values as a grid's file has them; `source` is how messages call the file."""
    try:
        return Grid.model_validate(values)
    except ValidationError as error:
        raise UserError("\n".join(f"{source}: {line}" for line in explain(error, Grid))) from None


def points(grid: Grid, params: Params, source: str) -> list[Point]:
    """Every dataset with every method at every combination of its values; a skipped method is one point.

    Raises:
        UserError: names, fields or values that do not fit, one line each.
    """
    found: list[Point] = []
    wrong: list[str] = []
    for dataset, (method, axes) in product(grid.datasets, grid.methods.items()):
        if dataset not in params.extrapolate:
            wrong.append(f'datasets: "{dataset}" is unknown{suggestion(dataset, params.extrapolate)}')
        elif method not in params.extrapolate[dataset]:
            known = params.extrapolate[dataset]
            wrong.append(f'methods: "{method}" is not defined for {dataset}{suggestion(method, known)}')
        elif isinstance(base := params.method(dataset, method), SkippedMethod):
            found.append(Point(dataset, method, base))
        elif complaints := list(_complaints(base, axes, params, dataset, f"methods.{method}")):
            wrong += complaints
        else:
            found += [Point(dataset, method, base.replaced(chosen)) for chosen in _combinations(axes)]
    if wrong:
        raise UserError("\n".join(f"{source}: {line}" for line in dict.fromkeys(wrong)))
    return found


def _complaints(
    base: MethodEntry, axes: Mapping[str, tuple[Value, ...]], params: Params, dataset: str, where: str
) -> Iterator[str]:
    """What is wrong with the fields and values, each value on its own."""
    fields = [name for name in type(base).model_fields if name not in FIXED]
    for field, values in axes.items():
        if field in FIXED:
            yield f"{where}.{field}: cannot vary, it is what the method is; name another method"
            continue
        if field not in fields:
            yield f"{where}.{field}: unknown{suggestion(field, fields)}"
            continue
        for value in values:
            try:
                params.check_model(base.replaced({field: value}), dataset, where)
            except ValidationError as error:
                yield from explain(error, type(base), where)
            except UserError as error:
                yield str(error)


def _combinations(axes: Mapping[str, tuple[Value, ...]]) -> Iterator[dict[str, Value]]:
    for values in product(*axes.values()):
        yield dict(zip(axes, values, strict=True))
