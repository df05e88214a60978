"""fetch: raw data, from the network or from what is on disk."""

from __future__ import annotations

import sys

import torch

from pipeline.config.fetch import Fetch, Source
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.settings import settings
from pipeline.sources.mnist import mnist_digits, other_digits
from pipeline.sources.weizmann_files import WHAT, NotThereError, Site, fetch_weizmann
from pipeline.storage.artifacts import read_json, replacing_folder, sha256, write_json, write_tensors
from pipeline.storage.skipped import write_absence
from pipeline.tracking.record import recorded

FIX = "set MANEX_MIRROR to a folder that holds weizmann/, then: manex fetch weizmann && dvc repro"


def fetch(source: Source, cfg: Fetch, paths: Paths) -> None:
    """Write data/raw/SOURCE."""
    {"mnist": _mnist, "weizmann": _weizmann}[source](cfg, paths)


def _mnist(cfg: Fetch, paths: Paths) -> None:
    """The digits asked for, the same bytes from every source."""
    with recorded(paths, "fetch", "mnist", cfg.mnist.model_dump(mode="json")) as run:
        digits, run.facts["source"] = mnist_digits(cfg.mnist.indices, cfg.mnist.source)
        with replacing_folder(paths.raw("mnist"), sealed=True) as folder:
            images = {"images": digits.copy(), "others": other_digits(cfg.mnist.others, digits)}
            write_tensors(folder / "digits.safetensors", {name: torch.from_numpy(i) for name, i in images.items()})
            write_json(folder / "digits.json", {"indices": list(cfg.mnist.indices)})


def _weizmann(cfg: Fetch, paths: Paths) -> None:
    """The clips of the actions asked for, as files, and source.json: what they are, from where, and their sha256.

    If `auto` finds nothing, files fetched earlier with the same settings stay; otherwise the dataset is absent.
    """
    asked, target = cfg.weizmann.model_dump(mode="json"), paths.raw("weizmann")
    with recorded(paths, "fetch", "weizmann", asked) as run:
        try:
            with replacing_folder(target) as folder:
                kind, place, reasons = fetch_weizmann(cfg.weizmann, folder, settings().mirror, Site())
                files = {
                    path.relative_to(folder).as_posix(): sha256(path)
                    for path in sorted(folder.rglob("*"))
                    if path.is_file()
                }
                write_json(folder / "source.json", {"asked": asked, "kind": kind, "place": place, "files": files})
                run.facts |= {"source": kind, "place": place, "not_taken": reasons}
            if reasons:
                sys.stderr.write(f"manex: fetch weizmann: took {WHAT[kind]}, from the {place}, because {reasons}\n")
        except NotThereError as error:
            if cfg.weizmann.source != "auto":
                raise UserError(f"fetch.weizmann: {error}; {FIX}") from None
            if _have(paths, asked):
                sys.stderr.write(f"manex: fetch weizmann: {error}; what was fetched earlier is kept\n")
                return
            sys.stderr.write(f"manex: fetch weizmann: {error}\n")
            write_absence(target, f"the videos are not at hand; {FIX}")


def _have(paths: Paths, asked: dict[str, object]) -> bool:
    path = paths.raw("weizmann") / "source.json"
    return path.is_file() and read_json(path, "manex fetch weizmann").get("asked") == asked
