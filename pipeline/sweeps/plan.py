"""From a grid to cells, and from cells to the tasks that make them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Any

from pipeline.config.methods import SkippedMethod
from pipeline.config.params import Params
from pipeline.config.sweep import Grid, Point, points
from pipeline.config.training import SkippedModel
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.settings import settings
from pipeline.stages.absent import absence
from pipeline.sweeps.tasks import Train, Walk, code_version
from pipeline.sweeps.work import dataset_digest, is_own, model_digest, own_digest


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
        """Where in the grid the cell lies; an axis that its method does not have is None."""
        values = {axis: getattr(self.point.cfg, axis, None) for axis in axes}
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
        self._frames = cache(self._digest_of_frames)
        self._weights = cache(self._digest_of_weights)
        self._own = cache(partial(own_digest, self.paths))
        self.cells = list(self._cells())
        self.trainings = list(dict.fromkeys(cell.training for cell in self.cells if cell.training))

    def _cells(self) -> Iterator[Cell]:
        for point in points(self.grid, self.params, self.source):
            reason = self._reason(point)
            networks = [(None, None)] if reason else list(self._networks(point))
            for (train_seed, training), seed in product(networks, self.grid.seeds):
                yield Cell(point, seed, train_seed, training, reason)

    def _networks(self, point: Point) -> Iterator[tuple[int | None, Train | None]]:
        """Train seeds and what must be trained for them; the seed of params.yaml is that of models/."""
        model = point.cfg.model_name
        cfg = self.params.train.get(point.dataset, {}).get(model)
        if cfg is None or isinstance(cfg, SkippedModel) or not self.grid.train_seeds:
            self._need(point, cfg is not None)
            yield None, None
            return
        for seed in self.grid.train_seeds:
            if seed == cfg.seed:
                self._need(point, True)
                yield seed, None
            else:
                chosen = cfg.model_copy(update={"seed": seed})
                yield seed, Train(*self._common(point.dataset), model=model, cfg=chosen)

    def _need(self, point: Point, trained: bool) -> None:
        """Say now what would be missing later."""
        if trained:
            self._weights(self.paths.root.resolve(), point.dataset, point.cfg.model_name)
        self._frames(point.dataset)

    def walk(self, cell: Cell, home: Path | None) -> Walk:
        """The task of a cell; `home` is where its training put the network, if it has one of its own."""
        point = cell.point
        assert not isinstance(point.cfg, SkippedMethod)
        model = point.cfg.model_name
        home = home or self.paths.root.resolve()
        weights = self._weights(home, point.dataset, model) if model in self.params.train.get(point.dataset, {}) else ""
        weights = self._own() if is_own(point.cfg) else weights
        return Walk(
            *self._common(point.dataset), method=point.method, cfg=point.cfg, seed=cell.seed, home=home, weights=weights
        )

    def _common(self, dataset: str) -> tuple[Path, str, str, int, str, str]:
        root = self.paths.root.resolve()
        return root, dataset, self._frames(dataset), self.grid.threads, self.device, code_version()

    def _reason(self, point: Point) -> str:
        """Why a point has no answer, as the stages tell it."""
        if isinstance(point.cfg, SkippedMethod):
            return point.cfg.reason
        if reason := absence(self.paths.prepared(point.dataset)):
            return reason
        model = point.cfg.model_name
        skipped = self.params.train.get(point.dataset, {}).get(model)
        if isinstance(skipped, SkippedModel):
            return f"model {model} is not trained: {skipped.reason}"
        if skipped is not None and (reason := absence(self.paths.model(point.dataset, model))):
            return f"model {model} is not trained: {reason}"
        return ""

    def _digest_of_frames(self, dataset: str) -> str:
        _present(self.paths.prepared(dataset) / "frames.safetensors", f"manex prepare {dataset}")
        return dataset_digest(self.paths, dataset)

    def _digest_of_weights(self, home: Path, dataset: str, model: str) -> str:
        _present(Paths(home).model(dataset, model) / "weights.safetensors", f"manex train {dataset} {model}")
        return model_digest(Paths(home), dataset, model)


def _present(path: Path, made_by: str) -> None:
    if not path.is_file():
        raise UserError(f"{path}: not found; make it with: {made_by}")
