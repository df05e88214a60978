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
    denoiser: Annotated[
        str | None,
        typer.Option(help="one that ships: rotated_mnist (the default), translated_mnist; or another of DATASET"),
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="walk with a network trained here, on this dataset")] = None,
    method: Annotated[str | None, typer.Option(help="a name under `extrapolate.DATASET` in params.yaml")] = None,
    frames: Annotated[int | None, typer.Option(min=1, help="how many to generate")] = None,
    backward: Annotated[bool, typer.Option("--backward", help="walk from the second picture past the first")] = False,
) -> None:
    """Walk on from two pictures of your own: [dim]manex walk a.png b.png -o walk.gif[/]

    Needs no training: two denoisers of digits ship. With --dataset or --method the denoiser is one trained here, by
    `manex reproduce` or `manex train`.
    """
    from manex.front.load import bundled
    from pipeline.cli.walk import walk_here, walk_on

    pictures = (second, first) if backward else (first, second)
    if dataset is None and method is None and (denoiser is None or denoiser in bundled()):
        lines = walk_on(pictures, to, denoiser or bundled()[0], frames)
    else:
        params, paths = project()
        where = (dataset or "rotated_mnist", method or "tangent_flow")
        params.dataset(where[0])
        changes = {name: value for name, value in {"denoiser": denoiser, "frames": frames}.items() if value is not None}
        lines = walk_here(pictures, to, where, changes, params, paths)
    for line in lines:
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
