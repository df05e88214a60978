"""One command per stage of dvc.yaml: read the settings, check whether the cell is to run, run it, log it.

Heavy imports are inside the commands: `--help`, a mistyped name and a skipped cell need none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pipeline.config.params import Params
    from pipeline.paths import Paths


def _names(key: str) -> Callable[[typer.Context, str], list[str]]:
    """Complete an argument with the names of a list in params.yaml, if it can be read."""

    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        try:
            params, _ = project()
            names = getattr(params, key)
        except Exception:  # completion must not fail
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
Analysis = Annotated[
    str, typer.Argument(help="a name under `analyse.DATASET` in params.yaml", autocompletion=_names("analyses"))
]


def code() -> None:
    """Check params.yaml, and record for DVC the code of each cell: [dim]manex code[/]"""
    params, paths = project(whole=True)
    from pipeline.stages.code import code

    code(params, paths)


def fetch(source: Source) -> None:
    """Get raw data: [dim]manex fetch mnist[/]"""
    params, paths = project()
    from pipeline.config.fetch import source_named

    known = source_named(source)

    from pipeline.stages.fetch import fetch

    fetch(known, params.fetch, paths)


def prepare(dataset: Dataset) -> None:
    """Make videos of the raw data: [dim]manex prepare rotated_mnist[/]"""
    params, paths = project()
    entry = params.dataset(dataset)

    from pipeline.storage import skipped

    if not skipped.preparation(paths, dataset, entry.settings.source).runs(entry):
        return

    from pipeline.stages.prepare import prepare

    prepare(dataset, entry, paths)


def train(dataset: Dataset, model: Model) -> None:
    """Train a network on shuffled frames, or resume its training: [dim]manex train rotated_mnist resunet[/]"""
    params, paths = project()
    entry = params.training(dataset, model)

    from pipeline.config.training import TrainingEntry
    from pipeline.storage import skipped

    if not skipped.training(paths, dataset, model).runs(entry) or not isinstance(entry, TrainingEntry):
        return

    from pipeline.stages.train import train
    from pipeline.tracking import sync

    train(dataset, model, entry, paths)
    sync.log_record(paths, *(paths.record("train", f"{dataset}-{trained}") for trained in entry.names(model)))


def weights(dataset: Dataset) -> None:
    """Record for DVC which network each method walks with: [dim]manex weights rotated_mnist[/]"""
    params, paths = project()
    params.dataset(dataset)
    from pipeline.stages.weights import weights

    weights(dataset, {name: params.method(dataset, name) for name in params.methods}, paths)


def extrapolate(dataset: Dataset, method: Method) -> None:
    """Continue every video from its first two frames: [dim]manex extrapolate rotated_mnist tangent_flow[/]"""
    params, paths = project()
    entry = params.method(dataset, method)

    from pipeline.config.methods import MethodEntry
    from pipeline.stages.weights import refresh
    from pipeline.storage import skipped

    refresh(dataset, method, entry, paths)
    model = entry.model_name if isinstance(entry, MethodEntry) else ""
    if not skipped.extrapolation(paths, dataset, method, model).runs(entry) or not isinstance(entry, MethodEntry):
        return

    from pipeline.stages.extrapolate import extrapolate

    extrapolate(dataset, method, entry, params.trials.seeds, paths)


def evaluate(dataset: Dataset) -> None:
    """Score the extrapolated videos, and diagnose the walks: [dim]manex evaluate rotated_mnist[/]"""
    params, paths = project()
    params.dataset(dataset)
    from pipeline.stages.evaluate import evaluate
    from pipeline.tracking import sync

    evaluate(dataset, {name: params.method(dataset, name) for name in params.methods}, paths, params.ssim_window)
    sync.log_record(paths, *(paths.record("evaluate", f"{dataset}-{name}") for name in params.methods))


def analyse(dataset: Dataset, analysis: Analysis) -> None:
    """Analyse denoisers: [dim]manex analyse rotated_mnist geometry[/]"""
    params, paths = project()
    entry = params.analysis(dataset, analysis)

    from pipeline.config.analyses import AnalysisEntry
    from pipeline.storage import skipped

    on_videos = isinstance(entry, AnalysisEntry) and entry.settings.on_videos
    if not skipped.analysis(paths, dataset, analysis, on_videos).runs(entry) or not isinstance(entry, AnalysisEntry):
        return

    from pipeline.stages.analyse import analyse
    from pipeline.tracking import sync

    analyse(dataset, analysis, entry, params.methods_of(dataset), paths)
    sync.log_record(paths, paths.record("analyse", f"{dataset}-{analysis}"))


def findings() -> None:
    """Judge the claims of the literature by what the analyses found: [dim]manex findings[/]"""
    from pipeline.stages.findings import findings
    from pipeline.tracking import sync

    params, paths = project()
    findings(params, paths)
    sync.log_record(paths, paths.record("findings", ""))


def table() -> None:
    """Write Table 1 from all scores: [dim]manex table[/]"""
    from pipeline.stages.table import table
    from pipeline.tracking import sync

    params, paths = project()
    table(params, paths)
    sync.log_record(paths, paths.record("table", ""))


def figures() -> None:
    """Draw the figures: [dim]manex figures[/]"""
    from pipeline.stages.figures import figures
    from pipeline.tracking import sync

    params, paths = project()
    figures(params, paths)
    sync.log_record(paths, paths.record("figures", ""))


def project(whole: bool = False) -> tuple[Params, Paths]:
    """The settings and the paths; the current folder is the project's root.

    Args:
        whole: check every entry of params.yaml, not only the entries in use.
    """
    from pipeline.config.params import load, load_whole
    from pipeline.paths import Paths

    params = (load_whole if whole else load)(Paths().params)
    return params, Paths(home=params.reports)


COMMANDS: tuple[Callable[..., None], ...] = (
    code,
    fetch,
    prepare,
    train,
    weights,
    extrapolate,
    evaluate,
    analyse,
    findings,
    table,
    figures,
)
"""In the order in which the stages run."""
