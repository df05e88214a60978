"""analyse: what an analysis finds out about denoisers, of walks or named as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd
from torch import Tensor

from manex.analyses.base import Pictures, Rows, Subject
from manex.denoisers.base import Denoiser
from pipeline.config.analyses import MEMBER, AnalysisEntry
from pipeline.config.entries import named
from pipeline.config.methods import MethodEntry
from pipeline.errors import UserError
from pipeline.models.load import load_model, load_named, read_for
from pipeline.paths import Paths
from pipeline.progress import track
from pipeline.settings import settings
from pipeline.storage.artifacts import read_json, replacing_folder, write_csv, write_json, write_tensors
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
        not_run = dict(_left_out(name, entry, walks, paths))
        subjects, read = [], [paths.prepared(name)]
        for walk in (walk for walk in entry.walks if walk not in not_run):
            method = walks[walk]
            subjects.append(_subject(name, walk, method, load_model(name, walk, method, dataset, paths, device)))
            read += read_for(name, method, paths)
        for model in (model for model in entry.denoisers if model not in not_run):
            denoiser = load_named(name, model, dataset, paths, device)
            if not isinstance(denoiser, Denoiser):
                raise UserError(f"params.yaml: analyse.{name}.{analysis}.denoisers: {model} is not a denoiser")
            subjects.append(_named(name, model, denoiser, paths))
            read.append(paths.model(name, model))
        made_from = origins(paths, *read)
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
            write_json(temporary / "facts.json", {"kind": entry.kind, "subjects": labels, "not_run": not_run})


def _left_out(
    name: str, entry: AnalysisEntry, walks: Mapping[str, MethodEntry], paths: Paths
) -> Iterator[tuple[str, str]]:
    """The walks and denoisers that cannot be analysed, each with the reason."""
    for walk in entry.walks:
        if walk not in walks:
            yield walk, "the walk is skipped on this dataset"
    models = {walk: walks[walk].model_name for walk in entry.walks if walk in walks}
    for subject, model in (*models.items(), *((model, model) for model in entry.denoisers)):
        if reason := absence(paths.training(name, model or ".")):
            yield subject, f"model {model} is not trained: {reason}"


def _named(name: str, model: str, denoiser: Denoiser, paths: Paths) -> Subject:
    """A denoiser by its own name; the member of a family with its part of the frames."""
    if "/" not in model:
        return Subject(model, model, denoiser, sigma=0.0)
    made_by = f"manex train {name} {model.partition('/')[0]}"
    subset = read_json(paths.model(name, model) / "model.json", made_by, ("subset",))["subset"]
    member: Subject = named(MEMBER)(model, denoiser, subset)
    return member


def _subject(name: str, walk: str, entry: MethodEntry, model: object) -> Subject:
    sigma = getattr(entry.settings, "sigma", None)
    if not isinstance(model, Denoiser) or sigma is None:
        raise UserError(f"params.yaml: analyse.{name}: {walk} does not walk with a denoiser at a noise level")
    return Subject(walk, entry.model_label, model, sigma, entry.settings, entry.frames)
