"""The command line: one command a stage, and what surrounds them. Heavy imports wait inside the commands.

Exit codes: 0; 1 something the user can mend; 2 wrong usage; 130 interrupted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from pipeline.config.params import Params
    from pipeline.paths import Paths

FOR_THE_USER = {
    ("pipeline.errors", "UserError"),
    ("pipeline.metrics.errors", "MetricError"),
    ("pipeline.geometry.probe", "GeometryError"),
    ("pipeline.extrapolators.base", "WalkError"),
}
"""Errors told in a line without traceback, by name: importing their modules would cost seconds."""


class Manex(TyperGroup):
    """Commands whose foreseeable failures end in one clear line."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.echo("manex: interrupted; nothing half-written", err=True)
            raise typer.Exit(130) from None
        except Exception as error:
            if FOR_THE_USER.isdisjoint((kind.__module__, kind.__qualname__) for kind in type(error).__mro__):
                raise
            for line in str(error).splitlines() or [type(error).__name__]:
                typer.echo(f"manex: {line}", err=True)
            raise typer.Exit(1) from None


app = typer.Typer(
    cls=Manex,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    help="What manifold has this denoiser learnt, and can I walk along it?\n\n"
    "`dvc repro` runs all stages; each is a command here too. Settings: params.yaml. "
    "The machine: MANEX_DEVICE, MANEX_WORKERS, MANEX_MIRROR, MANEX_TRACKING, MLFLOW_TRACKING_URI.",
)
profile_app = typer.Typer(no_args_is_help=True, help="Which set of settings params.yaml holds.")
track_app = typer.Typer(no_args_is_help=True, help="MLflow, rebuilt from what the stages recorded.")
app.add_typer(profile_app, name="profile", rich_help_panel="Settings")
app.add_typer(track_app, name="track", rich_help_panel="Results")

Source = Annotated[str, typer.Argument(help="a name under `fetch` in params.yaml")]
Dataset = Annotated[str, typer.Argument(help="a name under `data` in params.yaml")]
Model = Annotated[str, typer.Argument(help="a name under `train.DATASET` in params.yaml")]
Method = Annotated[str, typer.Argument(help="a name under `extrapolate.DATASET` in params.yaml")]

STAGES, RESULTS, SETTINGS = "Stages, in order", "Results", "Settings"


@app.command(rich_help_panel=STAGES)
def fetch(source: Source) -> None:
    """Get raw data: [dim]manex fetch mnist[/]"""
    params, paths = _project()
    from pipeline.config.data import source_named

    known = source_named(source)

    from pipeline.stages.fetch import fetch

    fetch(known, params.fetch, paths)


@app.command(rich_help_panel=STAGES)
def prepare(dataset: Dataset) -> None:
    """Make videos of the raw data: [dim]manex prepare rotated_mnist[/]"""
    params, paths = _project()
    cfg = params.dataset(dataset)

    from pipeline.stages import absent

    if not absent.preparation(paths, dataset, cfg.source).runs(cfg):
        return

    from pipeline.stages.prepare import prepare

    prepare(dataset, cfg, paths)


@app.command(rich_help_panel=STAGES)
def train(dataset: Dataset, model: Model) -> None:
    """Train a network on shuffled frames; or go on where one stopped: [dim]manex train rotated_mnist resunet[/]"""
    params, paths = _project()
    cfg = params.training(dataset, model)

    from pipeline.config.training import SkippedModel
    from pipeline.stages import absent

    if not absent.training(paths, dataset, model).runs(cfg) or isinstance(cfg, SkippedModel):
        return

    from pipeline import tracking
    from pipeline.stages.train import train

    train(dataset, model, cfg, paths)
    tracking.log_record(paths, paths.record("train", f"{dataset}-{model}"))


@app.command(rich_help_panel=STAGES)
def extrapolate(dataset: Dataset, method: Method) -> None:
    """Walk on from the first two frames of every video: [dim]manex extrapolate rotated_mnist tangent_flow[/]"""
    params, paths = _project()
    cfg = params.method(dataset, method)

    from pipeline.config.methods import SkippedMethod
    from pipeline.stages import absent

    if not absent.extrapolation(paths, dataset, method, cfg.model_name).runs(cfg) or isinstance(cfg, SkippedMethod):
        return

    from pipeline.stages.extrapolate import extrapolate

    extrapolate(dataset, method, cfg, params.trials.seeds, paths)


@app.command(rich_help_panel=STAGES)
def evaluate(dataset: Dataset, method: Method) -> None:
    """Score what `extrapolate` made: [dim]manex evaluate rotated_mnist tangent_flow[/]"""
    params, paths = _project()
    cfg = params.method(dataset, method)

    from pipeline.stages import absent

    if not absent.evaluation(paths, dataset, method).runs(cfg):
        return

    from pipeline import tracking
    from pipeline.stages.evaluate import evaluate

    evaluate(dataset, method, paths)
    tracking.log_record(paths, paths.record("evaluate", f"{dataset}-{method}"))


@app.command(rich_help_panel=STAGES)
def spectrum(dataset: Dataset) -> None:
    """Look at the Jacobian along one walk: [dim]manex spectrum rotated_mnist[/]"""
    params, paths = _project()
    params.dataset(dataset)

    from pipeline.stages.spectrum import spectrum

    spectrum(dataset, {name: params.method(dataset, name) for name in params.methods}, paths)


@app.command(rich_help_panel=STAGES)
def table() -> None:
    """Write Table 1 from all scores: [dim]manex table[/]"""
    from pipeline import tracking
    from pipeline.stages.table import table

    params, paths = _project()
    table(params, paths)
    tracking.log_record(paths, paths.record("table", ""))


@app.command(rich_help_panel=STAGES)
def denoisers() -> None:
    """Compare the denoisers that tangent_flow walked with: [dim]manex denoisers[/]"""
    from pipeline.stages.denoisers import denoisers

    params, paths = _project()
    denoisers(params, paths)


@app.command(rich_help_panel=STAGES)
def figures() -> None:
    """Draw the figures: [dim]manex figures[/]"""
    from pipeline import tracking
    from pipeline.stages.figures import figures

    params, paths = _project()
    figures(params, paths)
    tracking.log_record(paths, paths.record("figures", ""))


@profile_app.command("show")
def profile_show() -> None:
    """Which profile params.yaml holds, and where it differs from it: [dim]manex profile show[/]"""
    from pipeline import profiles

    for line in profiles.show(_paths()):
        typer.echo(line)


@profile_app.command("use")
def profile_use(
    name: Annotated[str, typer.Argument(help="a file of profiles/, without .yaml")],
    force: Annotated[bool, typer.Option("--force", help="even if params.yaml has changes of its own")] = False,
) -> None:
    """Write a profile to params.yaml: [dim]manex profile use smoke[/]"""
    from pipeline import profiles

    typer.echo(profiles.use(_paths(), name, force))


@track_app.command("sync")
def track_sync() -> None:
    """Make the MLflow runs that are missing: [dim]manex track sync[/]"""
    from pipeline import tracking
    from pipeline.store import redacted, tracking_uri

    paths = _paths()
    counts = tracking.sync(paths, typer.echo)
    damaged = f", {counts.damaged} records damaged" if counts.damaged else ""
    where = redacted(tracking_uri(paths))
    typer.echo(f"{counts.logged} runs logged, {counts.present} there already{damaged}: {where}")


@app.command(rich_help_panel=RESULTS)
def dashboard(
    port: Annotated[int, typer.Option(min=1, max=65535, help="of 127.0.0.1")] = 5000,
) -> None:
    """Open MLflow on the results until Ctrl-C: [dim]manex dashboard --port 5001[/]"""
    from pipeline.dashboard import serve

    serve(_paths(), port, typer.echo)


@app.command(rich_help_panel=RESULTS)
def report() -> None:
    """Write reports/index.html, everything on one page: [dim]manex report[/]"""
    from pipeline.stages.report import report

    params, paths = _project()
    report(params, paths)
    typer.echo(f"{paths.page}: open it in a browser")


@app.command(rich_help_panel=RESULTS)
def times() -> None:
    """How long each stage took: [dim]manex times[/]"""
    from rich.console import Console

    from pipeline.times import times_table

    Console().print(times_table(_paths()))


@app.command(rich_help_panel=SETTINGS)
def doctor() -> None:
    """Check the installation, the data sources, the device and the settings: [dim]manex doctor[/]"""
    from rich.console import Console

    from pipeline.doctor import examine

    console, sound = Console(highlight=False, soft_wrap=True), True
    for finding in examine(_paths()):
        mark = {"ok": "[green]ok[/]     ", "note": "[yellow]note[/]   ", "problem": "[red]problem[/]"}[finding.state]
        console.print(mark, end=" ")
        console.print(f"{finding.what}: {finding.found}", markup=False)
        if finding.mend:
            console.print(f"          mend: {finding.mend}", markup=False)
        sound &= finding.state != "problem"
    if not sound:
        raise typer.Exit(1)


def _paths() -> Paths:
    from pipeline.paths import Paths

    return Paths()


def _project() -> tuple[Params, Paths]:
    """The settings, checked, and where things lie: the current folder is the project's root."""
    from pipeline.config.params import load

    paths = _paths()
    return load(paths.params), paths


def main() -> None:
    """Run `manex`."""
    app(prog_name="manex")
