"""evaluate: the scores of every method on a dataset, and a diagnosis of its walks."""

from __future__ import annotations

import math
import re
from contextlib import ExitStack, suppress

import pandas as pd
import torch

from manex.analyses.geometry import diagnose
from manex.datasets.dataset import Dataset
from manex.datasets.manifold import true_tangents
from manex.denoisers.base import Denoiser
from manex.errors import MetricError
from manex.geometry.tangent import angles_to
from manex.metrics.residual import Residual
from manex.metrics.scores import score
from manex.metrics.ssim import Window
from pipeline.config.entries import Skipped
from pipeline.config.methods import MethodEntry
from pipeline.config.names import closed_forms
from pipeline.errors import UserError
from pipeline.models.load import load_model, load_named
from pipeline.paths import Paths
from pipeline.progress import track
from pipeline.settings import settings
from pipeline.storage.artifacts import damaged, replacing_folder, write_csv, write_json
from pipeline.storage.origins import origins
from pipeline.storage.prepared import load_prepared
from pipeline.storage.skipped import absence
from pipeline.storage.trials import Trials, load_trials
from pipeline.tracking.record import current_record, means, recorded

Tables = dict[str, pd.DataFrame]


def evaluate(name: str, methods: dict[str, MethodEntry | Skipped], paths: Paths, window: Window = "uniform") -> None:
    """Write data/scores/NAME: scores.csv with one row per method, trial and video, and with one row per frame as well
    frames.csv, walks.csv and diagnoses.csv; not_run.json has the reason of each method that was not run.
    """
    device = settings().prepare_torch()
    not_run = {method: reason for method, entry in methods.items() if (reason := _reason(name, method, entry, paths))}
    run_ones = [method for method in methods if method not in not_run]
    dataset = load_prepared(name, paths) if run_ones else None
    made_from = origins(paths, paths.prepared(name), *(paths.extrapolated(name, method) for method in run_ones))
    residual = _residual(name, methods, dataset, paths, device) if dataset else None
    found: list[Tables] = []
    with ExitStack() as records:  # they are written last, for they hold the hashes of what was written
        for method in track(run_ones, f"evaluate {name}", len(run_ones)):
            entry = methods[method]
            assert isinstance(entry, MethodEntry)
            assert dataset is not None
            run = records.enter_context(recorded(paths, "evaluate", f"{name}-{method}", entry.spelled_out))
            trials = _trials(name, method, dataset, paths)
            tables = _scored(name, method, dataset, trials, window, residual) | _walked(dataset, trials)
            tables |= _diagnosed(name, method, entry, dataset, trials, paths, device)
            found.append({table: rows.assign(method=method) for table, rows in tables.items()})
            run.dataset, run.model = name, entry.model_label
            run.metrics, run.series = _numbers(tables)
            run.metrics |= _of_the_walk(paths, f"{name}-{method}")
            run.stop()
        for method in not_run:
            paths.record("evaluate", f"{name}-{method}").unlink(missing_ok=True)  # from a run that had results
        with replacing_folder(paths.scores(name), sealed=True, made_from=made_from) as folder:
            for table in ("scores", "frames", "walks", "diagnoses"):
                parts = [tables[table] for tables in found if table in tables]
                rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["method"])
                write_csv(folder / f"{table}.csv", rows[["method", *(c for c in rows.columns if c != "method")]])
            write_json(folder / "not_run.json", not_run)


def _reason(name: str, method: str, entry: MethodEntry | Skipped, paths: Paths) -> str:
    return entry.reason if isinstance(entry, Skipped) else absence(paths.extrapolated(name, method)) or ""


def _trials(name: str, method: str, dataset: Dataset, paths: Paths) -> Trials:
    trials = load_trials(name, method, paths)
    if trials.frames.shape[1] != len(dataset.videos):
        found = f"{trials.frames.shape[1]} videos, the dataset {len(dataset.videos)}"
        raise damaged(paths.extrapolated(name, method), found, f"manex extrapolate {name} {method}")
    return trials


def _residual(
    name: str, methods: dict[str, MethodEntry | Skipped], dataset: Dataset, paths: Paths, device: str
) -> Residual | None:
    """Measured by the trained denoiser that the first of the methods walks with; None if there is none, or no unit.

    A plug-in does not count: nobody knows which frames it has seen.
    """
    for entry in methods.values():
        if isinstance(entry, Skipped) or entry.plug_in or not issubclass(entry.settings.takes, Denoiser):
            continue
        model = entry.model_name
        if model in closed_forms() or absence(paths.training(name, model)):
            continue
        denoiser = load_named(name, model, dataset, paths, device)
        if isinstance(denoiser, Denoiser):
            with suppress(ValueError):
                return Residual.of(denoiser, dataset.held_out_frames.to(device))
    return None


def _scored(
    name: str, method: str, dataset: Dataset, trials: Trials, window: Window, residual: Residual | None
) -> Tables:
    """`scores`: one row per trial and video, with its clip if that has a name; `frames`: one row per frame as well.

    Residuals are of the first trial alone: they cost four network calls a frame.
    """
    rows, tables = [], []
    for seed, videos in zip(trials.seeds, trials.frames, strict=True):
        try:
            scores = score(dataset, videos, window)
        except MetricError as error:
            told = re.sub(r"\bvideo (\d+)", lambda found: f"video {dataset.name_of(int(found[1]))}", str(error))
            raise UserError(f"{name}, {method}, trial {seed}, {told}") from None
        for video, found in enumerate(scores):
            key = {"trial": seed, "video": video}
            rows.append({**key, **({"clip": dataset.names[video]} if dataset.names else {}), **found.numbers})
            frames = pd.DataFrame(found.frames).assign(**key, residual=math.nan)
            if residual and seed == trials.seeds[0]:
                far = residual(videos[video].to(residual.unit.device))
                frames.loc[: len(far) - 1, "residual"] = far.tolist()
            tables.append(frames.assign(frame=range(len(frames)))[[*key, "frame", *found.frames, "residual"]])
    return {"scores": pd.DataFrame(rows), "frames": pd.concat(tables, ignore_index=True)}


def _walked(dataset: Dataset, trials: Trials) -> Tables:
    """`walks`: what the algorithm recorded of each generated frame, and the angle from heading to true tangent."""
    numbers = dict(trials.record)
    if trials.headings is not None and dataset.manifolds:
        frames = trials.frames[:, :, 2:]
        angles = [
            angles_to(trials.headings[:, v].flatten(0, 1), true_tangents(manifold, frames[:, v].flatten(0, 1)))
            for v, manifold in enumerate(dataset.manifolds)
        ]
        numbers["heading_angle"] = torch.stack(angles, 1).reshape(len(trials.seeds), -1, len(angles)).transpose(1, 2)
    if not numbers:
        return {}
    shape = next(iter(numbers.values())).shape
    index = pd.MultiIndex.from_product(
        [trials.seeds, range(shape[1]), range(2, shape[2] + 2)], names=["trial", "video", "frame"]
    )
    return {
        "walks": pd.DataFrame({key: tensor.flatten().tolist() for key, tensor in numbers.items()}, index).reset_index()
    }


def _diagnosed(
    name: str, method: str, entry: MethodEntry, dataset: Dataset, trials: Trials, paths: Paths, device: str
) -> Tables:
    """`diagnoses`: what the denoiser's Jacobian keeps of the true motion along the walks of the first trial."""
    if not dataset.manifolds or not hasattr(entry.settings, "sigma"):
        return {}
    model = load_model(name, method, entry, dataset, paths, device)
    if not isinstance(model, Denoiser):
        return {}
    found = diagnose(model, entry.settings.sigma, trials.frames[0].to(device), dataset.manifolds)
    rows = [pd.DataFrame({"video": range(len(dataset.videos)), **{k: v.tolist() for k, v in n.items()}}) for n in found]
    return {"diagnoses": pd.concat(rows, ignore_index=True)}


def _numbers(tables: Tables) -> tuple[dict[str, float], list[tuple[int, dict[str, float]]]]:
    """Means over trials and videos; by trial; by frame."""
    scores = tables["scores"].drop(columns=["video", "clip"], errors="ignore")
    by_trial = {
        int(trial): means(scores[scores["trial"] == trial].drop(columns="trial").to_dict("records"))
        for trial in scores["trial"].unique()
    }
    series = [(trial, {f"trial/{key}": value for key, value in row.items()}) for trial, row in by_trial.items()]
    frames = tables["frames"].drop(columns=["trial", "video"]).groupby("frame").mean()
    series += [
        (int(n), {f"frame/{key}": value for key, value in row.items()})
        for n, row in zip(frames.index, frames.to_dict("records"), strict=True)
    ]
    return means(by_trial.values()), series


def _of_the_walk(paths: Paths, item: str) -> dict[str, float]:
    """The times of the walk, if this machine has the record of the one that is scored."""
    record = current_record(paths, "extrapolate", item)
    names = ("seconds", "seconds_per_frame", "peak_memory_mb")
    return {f"extrapolate/{key}": record[key] for key in names if isinstance(record.get(key), int | float)}
