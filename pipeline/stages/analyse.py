"""analyse: what an analysis finds out about the denoisers of some walks."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from torch import Tensor

from manex.analyses.base import Pictures, Rows, Subject
from manex.denoisers.base import Denoiser
from pipeline.config.analyses import AnalysisEntry
from pipeline.config.entries import named
from pipeline.config.methods import MethodEntry
from pipeline.errors import UserError
from pipeline.models.load import load_model, read_for
from pipeline.paths import Paths
from pipeline.progress import track
from pipeline.settings import settings
from pipeline.storage.artifacts import replacing_folder, write_csv, write_json, write_tensors
from pipeline.storage.origins import origins
from pipeline.storage.prepared import load_prepared
from pipeline.storage.skipped import absence
from pipeline.tracking.record import means, recorded


def analyse(name: str, analysis: str, entry: AnalysisEntry, walks: Mapping[str, MethodEntry], paths: Paths) -> None:
    """Write data/analyses/NAME/ANALYSIS: its tables, its pictures, and facts.json with what was not run, and why.

    Args:
        walks: the methods on this dataset that are run, by name.
    """
    device = settings().prepare_torch()
    dataset = load_prepared(name, paths)
    with recorded(paths, "analyse", f"{name}-{analysis}", entry.model_dump(mode="json")) as run:
        run.dataset = name
        subjects, not_run = [], {}
        for walk in entry.walks:
            if walk not in walks:
                not_run[walk] = "the walk is skipped on this dataset"
            elif reason := absence(paths.training(name, walks[walk].model_name or ".")):
                not_run[walk] = f"model {walks[walk].model_name} is not trained: {reason}"
            else:
                subjects.append(
                    _subject(name, walk, walks[walk], load_model(name, walk, walks[walk], dataset, paths, device))
                )
        read = (place for subject in subjects for place in read_for(name, walks[subject.name], paths))
        made_from = origins(paths, paths.prepared(name), *read)
        tables: dict[str, list[pd.DataFrame]] = {}
        pictures: dict[str, Tensor] = {}
        found = named(f"{entry.module}:{entry.kind}")(subjects, dataset, entry.settings) if subjects else ()
        for part in track(found, f"analyse {name} {analysis}"):
            if isinstance(part, Rows):
                tables.setdefault(part.table, []).append(pd.DataFrame(part.columns))
            elif isinstance(part, Pictures):
                pictures |= part.tensors
        folder = paths.analysis(name, analysis)
        with replacing_folder(folder, sealed=True, made_from=made_from) as temporary:
            for table, parts in tables.items():
                rows = pd.concat(parts, ignore_index=True)
                write_csv(temporary / f"{table}.csv", rows)
                numbers = means(rows.select_dtypes("number").to_dict("records"))
                run.metrics |= {f"{table}/{key}": value for key, value in numbers.items()}
                run.files.append(folder / f"{table}.csv")
            if pictures:
                write_tensors(temporary / "pictures.safetensors", pictures)
            labels = {subject.name: subject.label for subject in subjects}
            write_json(temporary / "facts.json", {"kind": entry.kind, "walks": labels, "not_run": not_run})


def _subject(name: str, walk: str, entry: MethodEntry, model: object) -> Subject:
    sigma = getattr(entry.settings, "sigma", None)
    if not isinstance(model, Denoiser) or sigma is None:
        raise UserError(f"params.yaml: analyse.{name}: {walk} does not walk with a denoiser at a noise level")
    return Subject(walk, entry.model_label, model, sigma, entry.settings, entry.frames)
