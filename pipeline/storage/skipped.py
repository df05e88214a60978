"""What was not run, and why. The pipeline is a grid of datasets, models, methods and analyses; cells can be left out.

A cell that is not run writes a folder that holds only `absent.json`. Later stages pass its reason on, and Table 1
prints it. Nothing heavy is imported here, so that such a cell ends before torch is loaded.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from manex.settings import Section
from pipeline.config.entries import Skipped
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.storage.artifacts import read_json, replacing_folder, write_json

NAME = "absent.json"


def absence(folder: Path) -> str | None:
    """Why a folder holds no results; None if it holds some or does not exist.

    Raises:
        UserError: absent.json is damaged.
    """
    try:
        return str(json.loads((folder / NAME).read_text())["reason"])
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{folder / NAME}: damaged ({error}); make it again with: dvc repro") from None


def write_absence(folder: Path, reason: str) -> None:
    """Put the reason in place of whatever the folder held."""
    with replacing_folder(folder) as temporary:
        write_json(temporary / NAME, {"reason": reason})


STILLS = "stills"
"""The key of dataset.json that says that a dataset has no videos."""
NO_VIDEOS = "still images: no videos to continue"


def no_videos(paths: Paths, dataset: str) -> str | None:
    """Why nothing can be continued on a dataset; None if something can, or if the dataset is not there.

    Raises:
        UserError: dataset.json is damaged.
    """
    file = paths.prepared(dataset) / "dataset.json"
    facts = read_json(file, f"manex prepare {dataset}") if file.is_file() else {}
    return NO_VIDEOS if facts.get(STILLS) else None


@dataclass(frozen=True)
class Cell:
    """A run of a stage on a dataset: what it would write, and what it needs.

    Attributes:
        item: the name of the stage's record, such as "weizmann-resunet".
        inputs: the folders it reads, each with the words that introduce its reason; "" passes it on as it is.
        videos_of: the dataset whose videos it needs; "" if it needs none.
    """

    stage: str
    item: str
    output: Path
    inputs: tuple[tuple[Path, str], ...]
    paths: Paths
    videos_of: str = ""

    def runs(self, settings: Section) -> bool:
        """Whether the stage is to run; if not, its output says why, on disk and in a line on the terminal."""
        reason = settings.reason if isinstance(settings, Skipped) else self._inherited()
        if reason is None:
            return True
        write_absence(self.output, reason)
        self.paths.record(self.stage, self.item).unlink(missing_ok=True)  # of an earlier run that had results
        sys.stderr.write(f"manex: {self.stage} {self.item.replace('-', ' ')}: not run: {reason}\n")
        return False

    def _inherited(self) -> str | None:
        for folder, words in self.inputs:
            if reason := absence(folder):
                return f"{words}: {reason}" if words else reason
        return no_videos(self.paths, self.videos_of) if self.videos_of else None


def preparation(paths: Paths, dataset: str, source: str | None) -> Cell:
    """`prepare` of a dataset made from `source`."""
    inputs = ((paths.raw(source), ""),) if source else ()
    return Cell("prepare", dataset, paths.prepared(dataset), inputs, paths)


def training(paths: Paths, dataset: str, model: str) -> Cell:
    """`train` of one model on one dataset."""
    inputs = ((paths.prepared(dataset), ""),)
    return Cell("train", f"{dataset}-{model}", paths.model(dataset, model), inputs, paths)


def extrapolation(paths: Paths, dataset: str, method: str, model: str) -> Cell:
    """`extrapolate` of one method, which walks with `model`."""
    inputs = ((paths.prepared(dataset), ""), (paths.training(dataset, model), f"model {model} is not trained"))
    return Cell("extrapolate", f"{dataset}-{method}", paths.extrapolated(dataset, method), inputs, paths, dataset)


def analysis(paths: Paths, dataset: str, analysis: str, on_videos: bool) -> Cell:
    """`analyse` of one dataset by one analysis, which may need videos."""
    inputs, videos_of = ((paths.prepared(dataset), ""),), dataset if on_videos else ""
    return Cell("analyse", f"{dataset}-{analysis}", paths.analysis(dataset, analysis), inputs, paths, videos_of)
