"""The command line: one command per stage, and some around them. Heavy imports are inside the commands.

Exit codes: 0; 1 something the user can fix; 2 wrong usage; 130 interrupted.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.group import Manex
from pipeline.cli.own import OWN
from pipeline.cli.stages import COMMANDS, project

if TYPE_CHECKING:
    from pipeline.paths import Paths


app = typer.Typer(
    cls=Manex,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="What manifold has this denoiser learnt, and can I walk along it?\n\n"
    "`manex reproduce` runs all stages, several at a time, `dvc repro` one by one; each is a command here too. "
    "Settings: params.yaml. "
    "The machine: MANEX_DEVICE, MANEX_WORKERS, MANEX_THREADS, MANEX_MIRROR, MANEX_TRACKING, MANEX_SCHEDULER, "
    "MLFLOW_TRACKING_URI.",
    epilog="[bold]Examples[/]: manex doctor; manex reproduce --profile smoke; manex train rotated_mnist resunet; "
    "manex report\n\n"
    "[bold]Exit codes[/]: 0 done; 1 something to fix, named in one line; 2 wrong usage; 130 interrupted. "
    "NO_COLOR switches colours off.",
)
profile_app = typer.Typer(cls=Manex, no_args_is_help=True, help="Show or choose the set of settings in params.yaml.")
track_app = typer.Typer(cls=Manex, no_args_is_help=True, help="MLflow, rebuilt from what the stages recorded.")
app.add_typer(profile_app, name="profile", rich_help_panel="Settings")
app.add_typer(track_app, name="track", rich_help_panel="Results")

RESULTS, SETTINGS = "Results", "Settings"

for panel, commands in (("Stages, in order", COMMANDS), ("Your pictures", OWN)):
    for command in commands:
        app.command(rich_help_panel=panel)(command)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"manex {version('manifold-extrapolation')}")
        raise typer.Exit


@app.callback()
def _manex(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="show the version and exit")
    ] = False,
) -> None: ...


def _profiles(incomplete: str) -> list[str]:
    """Completes the name of a profile."""
    names = sorted(path.stem for path in _paths().profiles.glob("*.yaml"))
    return [name for name in names if name.startswith(incomplete)]


@app.command(rich_help_panel=RESULTS)
def reproduce(
    targets: Annotated[list[str] | None, typer.Argument(help="stages of dvc.yaml; default: all of them")] = None,
    profile: Annotated[
        str | None,
        typer.Option(help="use this profile for the run, then go back", autocompletion=_profiles),
    ] = None,
) -> None:
    """Bring all that dvc.yaml describes up to date, several cells at a time: [dim]manex reproduce[/]

    MANEX_WORKERS cells at a time, MANEX_THREADS threads each; or on the Dask cluster of MANEX_SCHEDULER=tcp://HOST:PORT.
    """
    from contextlib import nullcontext

    from pipeline.cli.profiles import borrowed
    from pipeline.engine.command import run

    with borrowed(_paths(), profile) if profile else nullcontext():
        done = run(_paths(), targets or [])
    if not done:
        raise typer.Exit(1)


@app.command(rich_help_panel=RESULTS)
def plan(
    profile: Annotated[
        str | None, typer.Argument(help="a profile; default: params.yaml as it is", autocompletion=_profiles)
    ] = None,
) -> None:
    """What `manex reproduce` would run, how long that takes here, memory, disk: [dim]manex plan cpu[/]"""
    from pipeline.engine.plan import plan

    typer.echo("\n".join(plan(_paths(), profile)))


@profile_app.command("show")
def profile_show() -> None:
    """Show the profile in params.yaml, and the values that differ from it: [dim]manex profile show[/]"""
    from pipeline.cli import profiles

    typer.echo("\n".join(profiles.show(_paths())))


@profile_app.command("use")
def profile_use(
    name: Annotated[str, typer.Argument(help="a file of profiles/, without .yaml", autocompletion=_profiles)],
    force: Annotated[bool, typer.Option("--force", help="even if params.yaml has changes of its own")] = False,
) -> None:
    """Write a profile to params.yaml: [dim]manex profile use smoke[/]"""
    from pipeline.cli import profiles

    typer.echo(profiles.use(_paths(), name, force))


@track_app.command("sync")
def track_sync() -> None:
    """Make the MLflow runs that are missing: [dim]manex track sync[/]"""
    from pipeline.redaction import redacted
    from pipeline.tracking import sync
    from pipeline.tracking.address import tracking_uri

    paths = _paths()
    counts = sync.sync(paths, typer.echo)
    damaged = f", {counts.damaged} records damaged" if counts.damaged else ""
    others = f", {counts.others} left out" if counts.others else ""
    where = redacted(tracking_uri(paths))
    typer.echo(f"{counts.logged} runs logged, {counts.present} there already{damaged}{others}: {where}")


@app.command(rich_help_panel=RESULTS)
def dashboard(
    port: Annotated[int, typer.Option(min=1, max=65535, help="port it listens on")] = 5000,
    host: Annotated[str, typer.Option(help="address it listens on; any but 127.0.0.1 lets anyone in")] = "127.0.0.1",
) -> None:
    """Open MLflow on the results until Ctrl-C: [dim]manex dashboard --port 5001[/]"""
    from pipeline.tracking.dashboard import serve

    serve(_paths(), port, typer.echo, host)


@app.command(rich_help_panel=RESULTS)
def sweep(
    grid: Annotated[Path, typer.Argument(help="a YAML file; sweeps/example.yaml shows how it is written")],
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="also repeat failed cells")] = False,
) -> None:
    """Run the missing cells of a grid of settings: [dim]manex sweep sweeps/example.yaml[/]

    On this machine, MANEX_WORKERS cores; or on the Dask cluster of MANEX_SCHEDULER=tcp://HOST:PORT.
    """
    from pipeline.sweeps.grid import load_grid
    from pipeline.sweeps.logged import log
    from pipeline.sweeps.sweep import Sweep
    from pipeline.tracking import sync as runs

    params, paths = project()
    job = Sweep(*load_grid(grid, params), params, paths)
    for _ in job.run(retry_failed):
        pass
    runs.log_sweep(paths, partial(log, job))
    for row in job.failed[:10]:
        typer.echo(f"manex: failed: {row}: {row.message}", err=True)
    typer.echo(f"{job.summary}; {paths.sweep(job.name) / 'sweep.csv'}")
    if job.failed:
        typer.echo(f"manex: to repeat the failed cells: manex sweep {grid} --retry-failed", err=True)
        raise typer.Exit(1)


@app.command(rich_help_panel=RESULTS)
def report() -> None:
    """Write index.html, all results on one page: [dim]manex report[/]"""
    from pipeline.stages.report import report

    params, paths = project()
    report(params, paths)
    typer.echo(f"{paths.page}: open it in a browser")


@app.command(rich_help_panel=RESULTS)
def windows() -> None:
    """Show DTW-SSID with each window of SSIM, as Markdown: [dim]manex windows[/]"""
    from pipeline.report.windows import windows

    for line in windows(*project()):
        typer.echo(line)


@app.command(rich_help_panel=RESULTS)
def times() -> None:
    """Show how long each stage took: [dim]manex times[/]"""
    from rich.console import Console

    from pipeline.cli.times import times_table

    Console().print(times_table(_paths()))


@app.command(rich_help_panel=SETTINGS)
def doctor() -> None:
    """Check the installation, the data sources, the device and the settings: [dim]manex doctor[/]"""
    from rich.console import Console

    from pipeline.cli.doctor import examine

    console, sound = Console(highlight=False, soft_wrap=True), True
    for finding in examine(_paths()):
        mark = {"ok": "[green]ok[/]     ", "note": "[yellow]note[/]   ", "problem": "[red]problem[/]"}[finding.state]
        console.print(mark, end=" ")
        console.print(f"{finding.what}: {finding.found}", markup=False)
        if finding.fix:
            console.print(f"          fix: {finding.fix}", markup=False)
        sound &= finding.state != "problem"
    if not sound:
        raise typer.Exit(1)


def _paths() -> Paths:
    from pipeline.paths import Paths

    return Paths()


def main() -> None:
    """Run `manex`."""
    app(prog_name="manex")
