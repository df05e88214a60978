"""One command a stage of dvc.yaml: read the settings, ask whether the cell is to run, run it, log it.

Heavy imports wait inside: `--help`, a mistyped name and a cell that is not run need none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pipeline.config.params import Params
    from pipeline.paths import Paths


def _names(key: str) -> Callable[[typer.Context, str], list[str]]:
    """Completes an argument with the names of a list in params.yaml; nothing where it cannot be read."""

    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        try:
            params, _ = project()
            names = getattr(params, key)
        except Exception:  # a shell that completes must not fail
            return []
        return [name for name in names if name.startswith(incomplete)]

    return complete


Source = Annotated[str, typer.Argument(help="a name under `fetch` in params.yaml", autocompletion=_names("sources"))]
Dataset = Annotated[str, typer.Argument(help="a name under `data` in params.yaml", autocompletion=_names("datasets"))]
Model = Annotated[
    str, typer.Argument(help="a name under `train.DATASET` in params.yaml", autocompletion=_names("models"))
]
Method = Annotated[
    str, typer.Argument(help="a name under `extrapolate.DATASET` in params.yaml", autocompletion=_names("methods"))
]


def check() -> None:
    """Check params.yaml, whose names go into shell lines: [dim]manex check[/]"""
    from pipeline.stages.check import check

    check(*project())


def fetch(source: Source) -> None:
    """Get raw data: [dim]manex fetch mnist[/]"""
    params, paths = project()
    from pipeline.config.data import source_named

    known = source_named(source)

    from pipeline.stages.fetch import fetch

    fetch(known, params.fetch, paths)


def prepare(dataset: Dataset) -> None:
    """Make videos of the raw data: [dim]manex prepare rotated_mnist[/]"""
    params, paths = project()
    cfg = params.dataset(dataset)

    from pipeline.stages import absent

    if not absent.preparation(paths, dataset, cfg.source).runs(cfg):
        return

    from pipeline.stages.prepare import prepare

    prepare(dataset, cfg, paths)


def train(dataset: Dataset, model: Model) -> None:
    """Train a network on shuffled frames; or go on where one stopped: [dim]manex train rotated_mnist resunet[/]"""
    params, paths = project()
    cfg = params.training(dataset, model)

    from pipeline.config.training import SkippedModel
    from pipeline.stages import absent

    if not absent.training(paths, dataset, model).runs(cfg) or isinstance(cfg, SkippedModel):
        return

    from pipeline import runs
    from pipeline.stages.train import train

    train(dataset, model, cfg, paths)
    runs.log_record(paths, paths.record("train", f"{dataset}-{model}"))


def fingerprints() -> None:
    """Note what own denoisers (data/own) are made of, for DVC: [dim]manex fingerprints[/]"""
    from pipeline.stages.fingerprints import fingerprints

    params, paths = project()
    fingerprints(params, paths)


def extrapolate(dataset: Dataset, method: Method) -> None:
    """Walk on from the first two frames of every video: [dim]manex extrapolate rotated_mnist tangent_flow[/]"""
    params, paths = project()
    cfg = params.method(dataset, method)

    from pipeline.config.methods import SkippedMethod
    from pipeline.stages import absent

    if not absent.extrapolation(paths, dataset, method, cfg.model_name).runs(cfg) or isinstance(cfg, SkippedMethod):
        return

    from pipeline.stages.extrapolate import extrapolate

    extrapolate(dataset, method, cfg, params.trials.seeds, paths)


def evaluate(dataset: Dataset, method: Method) -> None:
    """Score what `extrapolate` made: [dim]manex evaluate rotated_mnist tangent_flow[/]"""
    params, paths = project()
    cfg = params.method(dataset, method)

    from pipeline.stages import absent

    if not absent.evaluation(paths, dataset, method).runs(cfg):
        return

    from pipeline import runs
    from pipeline.stages.evaluate import evaluate

    evaluate(dataset, method, paths)
    runs.log_record(paths, paths.record("evaluate", f"{dataset}-{method}"))


def spectrum(dataset: Dataset) -> None:
    """Look at the Jacobian along one walk: [dim]manex spectrum rotated_mnist[/]"""
    params, paths = project()
    params.dataset(dataset)

    from pipeline.stages.spectrum import spectrum

    spectrum(dataset, {name: params.method(dataset, name) for name in params.methods}, paths)


def table() -> None:
    """Write Table 1 from all scores: [dim]manex table[/]"""
    from pipeline import runs
    from pipeline.stages.table import table

    params, paths = project()
    table(params, paths)
    runs.log_record(paths, paths.record("table", ""))


def denoisers() -> None:
    """Compare the denoisers that tangent_flow walked with: [dim]manex denoisers[/]"""
    from pipeline.stages.denoisers import denoisers

    params, paths = project()
    denoisers(params, paths)


def figures() -> None:
    """Draw the figures: [dim]manex figures[/]"""
    from pipeline import runs
    from pipeline.stages.figures import figures

    params, paths = project()
    figures(params, paths)
    runs.log_record(paths, paths.record("figures", ""))


def project() -> tuple[Params, Paths]:
    """The settings, checked, and where things lie: the current folder is the project's root."""
    from pipeline.config.params import load
    from pipeline.paths import Paths

    paths = Paths()
    return load(paths.params), paths


COMMANDS = (check, fetch, prepare, train, fingerprints, extrapolate, evaluate, spectrum, table, denoisers, figures)
"""In the order in which the stages run."""
