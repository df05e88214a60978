"""Commands for pictures of one's own. Heavy imports are inside the commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.stages import project


def walk(
    first: Annotated[Path, typer.Argument(help="a picture")],
    second: Annotated[Path, typer.Argument(help="the same, a little later")],
    to: Annotated[Path, typer.Option("-o", "--to", help="the GIF to write")] = Path("walk.gif"),
    dataset: Annotated[str, typer.Option(help="whose networks and settings are used")] = "rotated_mnist",
    method: Annotated[str, typer.Option(help="a name under `extrapolate.DATASET` in params.yaml")] = "tangent_flow",
    denoiser: Annotated[str | None, typer.Option(help="another denoiser than the method's")] = None,
    frames: Annotated[int | None, typer.Option(help="how many to generate")] = None,
    backward: Annotated[bool, typer.Option("--backward", help="walk from the second picture past the first")] = False,
) -> None:
    """Walk on from two pictures of your own: [dim]manex walk a.png b.png -o walk.gif[/]

    The denoiser must have been trained, by `manex reproduce` or `manex train`.
    """
    from pipeline.cli.walk import walk_pictures

    params, paths = project()
    params.dataset(dataset)
    pictures = (second, first) if backward else (first, second)
    changes = {name: value for name, value in {"denoiser": denoiser, "frames": frames}.items() if value is not None}
    for line in walk_pictures(pictures, to, (dataset, method), changes, params, paths):
        typer.echo(line)


def restore(
    picture: Annotated[Path, typer.Argument(help="the picture, whole")],
    task: Annotated[
        str, typer.Option(help="what is measured of it: hole, pixels, blocks, lowpass, blur or random_basis")
    ] = "hole top=6 left=6 height=8 width=8",
    to: Annotated[Path, typer.Option("-o", "--to", help="the PNG to write")] = Path("restored.png"),
    dataset: Annotated[str, typer.Option(help="whose networks are used")] = "rotated_mnist",
    denoiser: Annotated[str, typer.Option(help="a trained denoiser, or a closed form such as memoriser")] = "resunet",
    samples: Annotated[int, typer.Option(min=1, max=100, help="how many images to draw")] = 4,
    beta: Annotated[float, typer.Option(min=0.001, max=1, help="1: no noise on the way; less: slower, better")] = 0.1,
) -> None:
    """Draw a picture again from a part of it: [dim]manex restore a.png --task "pixels share=0.3"[/]

    The denoiser's images that agree with what is measured, by stochastic ascent (Kadkhodaie and Simoncelli 2021).
    """
    from pipeline.cli.restore import restore_picture
    from pipeline.config.measurements import parse_task

    params, paths = project()
    params.dataset(dataset)
    for line in restore_picture(picture, parse_task(task), to, (dataset, denoiser), samples, beta, paths):
        typer.echo(line)


OWN: tuple[Callable[..., None], ...] = (walk, restore)
"""In the order of the help."""
