"""From a grid to cells, and from cells to the tasks that make them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Any

from pipeline.config.entries import Skipped
from pipeline.config.methods import MethodEntry, SkippedMethod
from pipeline.config.params import Params
from pipeline.config.training import TrainingEntry
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.settings import settings
from pipeline.stages.code import modules_in, modules_of
from pipeline.storage.own_code import own_code
from pipeline.storage.own_files import check_names
from pipeline.storage.skipped import absence, no_videos
from pipeline.sweeps.grid import Grid, Point, points
from pipeline.sweeps.tasks import Train, Walk, code_version
from pipeline.sweeps.work import dataset_digest, model_digest, plug_in_digest


@dataclass(frozen=True)
class Cell:
    """A place in the grid.

    Attributes:
        train_seed: of the network; None where the one under models/ is taken as it is, or none is needed.
        training: what makes the network, if models/ does not hold it.
        not_run: why there is nothing to do here; "": there is.
    """

    point: Point
    seed: int
    train_seed: int | None
    training: Train | None
    not_run: str

    def names(self, axes: list[str]) -> dict[str, Any]:
        """The place of the cell in the grid; an axis that its method does not have is None."""
        values = {axis: getattr(self.point.entry, axis, None) for axis in axes}
        fixed = {"dataset": self.point.dataset, "method": self.point.method}
        return {**fixed, **values, "train_seed": self.train_seed, "seed": self.seed}


class Plan:
    """The cells of a grid, in its order.

    Args:
        source: how messages call the grid's file.

    Raises:
        UserError: something in the grid does not fit params.yaml, or frames or networks are missing.
    """

    def __init__(self, grid: Grid, params: Params, paths: Paths, source: str) -> None:
        self.grid, self.params, self.paths, self.source = grid, params, paths, source
        self.device = settings().device
        self.axes = list(dict.fromkeys(axis for axes in grid.methods.values() for axis in axes))
        self._frames = cache(partial(dataset_digest, self.paths))
        self._weights = cache(model_digest)
        self._plug_ins = cache(partial(plug_in_digest, self.paths))
        self.cells = list(self._cells())
        self.trainings = list({task.key: task for cell in self.cells if (task := cell.training)}.values())

    def _cells(self) -> Iterator[Cell]:
        for point in points(self.grid, self.params, self.source):
            reason = self._reason(point)
            networks = [(None, None)] if reason else list(self._networks(point))
            for (train_seed, training), seed in product(networks, self.grid.seeds):
                yield Cell(point, seed, train_seed, training, reason)

    def _networks(self, point: Point) -> Iterator[tuple[int | None, Train | None]]:
        """Train seeds and what must be trained for them; the seed of params.yaml is that of models/."""
        assert isinstance(point.entry, MethodEntry)
        model = point.entry.model_name
        training = self._training(point.dataset, model) if self._is_trained(point.dataset, model) else None
        if training is None or isinstance(training, Skipped) or not self.grid.train_seeds:
            self._need(point, training is not None)
            yield None, None
            return
        for seed in self.grid.train_seeds:
            if seed == training.settings.seed:
                self._need(point, True)
                yield seed, None
            else:
                if "/" in model:
                    where = f"{point.dataset}, {point.method}: {model}"
                    raise UserError(f"{self.source}: train_seeds: {where} is of a family, which sweeps do not train")
                chosen = training.replaced({"seed": seed}).model_dump(mode="json")
                yield seed, Train(*self._common(point.dataset, *modules_in(training)), model=model, entry=chosen)

    def _is_trained(self, dataset: str, model: str) -> bool:
        return model.partition("/")[0] in self.params.train.get(dataset, {})

    def _training(self, dataset: str, model: str) -> TrainingEntry | Skipped:
        """The training of a model, or of a member of a family."""
        family, _, member = model.partition("/")
        entry = self.params.training(dataset, family)
        return entry.parts[member][0] if isinstance(entry, TrainingEntry) and member else entry

    def _need(self, point: Point, trained: bool) -> None:
        """Say now what would be missing later."""
        if trained:
            assert isinstance(point.entry, MethodEntry)
            self._weights(Paths(self.paths.root.resolve()), point.dataset, point.entry.model_name)
        self._frames(point.dataset)

    def walk(self, cell: Cell, home: Path | None) -> Walk:
        """The task of a cell; `home` is where its training put the network, if it has one of its own."""
        point = cell.point
        entry = point.entry
        assert isinstance(entry, MethodEntry)
        home = home or self.paths.root.resolve()
        trained = self._is_trained(point.dataset, entry.model_name)
        weights = self._weights(Paths(home), point.dataset, entry.model_name) if trained else ""
        modules = [*modules_of(self.params, point.dataset, entry)]
        if entry.plug_in:
            root = self.paths.root
            check_names(root, f"params.yaml: extrapolate.{point.dataset}.{point.method}.denoiser", entry.plug_in)
            modules += own_code(root, entry.plug_in).modules
        return Walk(
            *self._common(point.dataset, *modules),
            method=point.method,
            entry=entry.model_dump(mode="json"),
            seed=cell.seed,
            home=home,
            weights=self._plug_ins() if entry.plug_in else weights,
            window=self.params.ssim_window,
        )

    def _common(self, dataset: str, *modules: str) -> tuple[Path, str, str, int, str, tuple[str, ...], str]:
        frames, threads, code = self._frames(dataset), self.grid.threads, code_version(*modules)
        return self.paths.root.resolve(), dataset, frames, threads, self.device, modules, code

    def _reason(self, point: Point) -> str:
        """Why a point is not run, as the stages say it."""
        if isinstance(point.entry, SkippedMethod):
            return point.entry.reason
        if reason := absence(self.paths.prepared(point.dataset)) or no_videos(self.paths, point.dataset):
            return reason
        model = point.entry.model_name
        if not self._is_trained(point.dataset, model):
            return ""
        training = self._training(point.dataset, model)
        here = self.paths.training(point.dataset, model)
        reason = training.reason if isinstance(training, Skipped) else absence(here)
        return f"model {model} is not trained: {reason}" if reason else ""
