"""table: the paper's Table 1 from all scores, and the table of denoisers."""

from __future__ import annotations

from typing import Any

import pandas as pd

from manex.metrics.intervals import estimate
from pipeline.config.params import Params
from pipeline.paths import Paths
from pipeline.report.columns import DENOISERS, TABLE1, header, line
from pipeline.report.earlier import Earlier, Row, settings_hash
from pipeline.storage.artifacts import damaged, read_json, write_csv, write_json, write_text
from pipeline.storage.results import Results, load_analysis, load_results, not_analysed
from pipeline.storage.rows import rows_of
from pipeline.storage.skipped import absence
from pipeline.tracking.record import recorded

ANALYSIS = "geometry"
"""The kind of analysis whose rows make the table of denoisers."""

FLOOR = "truth"
"""The model of the method that is the floor."""

NAMES = ("dataset", "protocol", "method")
BLOCKS = {
    "manifold": "",
    "rivals": "### Rivals\n",
    "supervised": "### Rivals with more supervision: trained on ordered clips\n",
}
"""The parts of a dataset's table; methods of the block `denoisers` are left to denoisers.md."""

CAPTION = """
DTW-SSID, exact alignment: mean over videos, then trials; lower is better. `sd` is over trials, [low, high] a 95 %
bootstrap interval over trials and videos, `greedy` the paper's greedy alignment (A.2). Coverage (share of the manifold
that the generated frames sweep) and reversals are of the median video; distance is the mean RMS distance of generated
frames to the manifold, in grey levels; residual is what a trained denoiser changes in the median generated frame (first
trial), in units of its 95 % quantile on held-out frames. `perfect` shows the true frames at constant speed until the
last one: it is the floor, and `x floor` says how many times as far a method is. `oracle` walks with the exact denoiser
of the true manifold, `memoriser` with that of the training frames alone. Rivals: docs/rivals.md.
"""
CAPTION_DENOISERS = """
Every denoiser that was analysed, at the noise level of its walk. PSNR in dB on the frames held out of training, and on
those of the videos, which a denoiser of the protocol `held_out` has never seen. Geometry at noisy copies of true
frames, medians: angle in degrees from the true tangent to the top five eigenvectors of (J + J^T) / 2; retention
|<J t, t>| of the unit tangent t; asymmetry |J - J^T| / |J + J^T|; effective dimension, the trace of J. DTW-SSID as in
Table 1. Seconds per frame depend on the machine: `manex times` writes costs.csv.
"""


def table(params: Params, paths: Paths) -> None:
    """Write Table 1, the table of denoisers, metrics.json and diagnostics.csv.

    A dataset whose raw data are not at hand keeps its rows, which were computed elsewhere, if its settings are still
    the same.
    """
    with recorded(paths, "table", "", {}) as run:
        results = {name: load_results(name, paths) for name in params.datasets}
        earlier = Earlier.of(params, paths)
        notes = {name: _note(name, earlier, paths) for name in params.datasets}
        rows = [row for name in params.datasets for row in _rows(name, params, results[name], earlier, paths)]
        denoisers = [row for name in params.datasets for row in _denoisers(name, params, results, earlier, paths)]
        reports, columns = paths.reports, [*NAMES, *(column.name for column in TABLE1), "not_run", "block"]
        write_csv(reports / "table1.csv", pd.DataFrame(rows, columns=columns))
        write_text(reports / "table1.md", _markdown(rows, params, notes))
        names = ["dataset", "denoiser", "method", *(column.name for column in DENOISERS), "not_run"]
        write_csv(reports / "denoisers.csv", pd.DataFrame(denoisers, columns=names))
        write_text(reports / "denoisers.md", _denoisers_markdown(denoisers, params))
        write_json(reports / "metrics.json", _nested(rows, params, notes, results, earlier, paths))
        write_csv(reports / "diagnostics.csv", _diagnostics(results))
        run.metrics = _metrics(rows)
        run.files = [reports / f"{name}.{kind}" for name in ("table1", "denoisers") for kind in ("csv", "md")]


def _rows(name: str, params: Params, found: Results, earlier: Earlier, paths: Paths) -> list[Row]:
    """One row per method of Table 1."""
    if name in earlier:
        return earlier.tables["table1"][name]
    rows = []
    for method in params.methods:
        block = params.method(name, method).shown_in
        if block not in BLOCKS:
            continue
        names = {"dataset": name, "protocol": _protocol(name, paths), "method": method}
        reason = found.not_run.get(method)
        numbers = {"not_run": reason} if reason else {**_scores(method, found), "not_run": None}
        rows.append({**names, **numbers, "block": block})
    entries = params.methods_of(name)
    run = [row for row in rows if not row["not_run"]]
    floor = next((row["dtw_ssid"] for row in run if entries[row["method"]].model_name == FLOOR), None)
    for row in run if floor else ():
        row["floors"] = row["dtw_ssid"] / floor
    return rows


def _scores(method: str, found: Results) -> Row:
    by_trial, scores = found.by_trial(method), found.of(method)
    estimated = estimate(by_trial.to_numpy(), seed=0)
    pooled = {column.name: scores[column.name].agg(column.pooled) for column in TABLE1 if column.pooled}
    return {
        "dtw_ssid": estimated.mean,
        "dtw_ssid_sd": estimated.sd,
        **pooled,
        "residual": found.residuals([method])["residual"].median(),
        "residual_spearman": found.residual_spearman([method]),
        "trials": by_trial.shape[0],
        "videos": by_trial.shape[1],
        "dtw_ssid_low": estimated.low,
        "dtw_ssid_high": estimated.high,
    }


def _protocol(name: str, paths: Paths) -> str:
    """`paper`: the denoiser is trained on frames of the videos that are extrapolated; `held_out`: on others."""
    if absence(paths.prepared(name)):
        return "paper"
    return str(read_json(paths.prepared(name) / "dataset.json", f"manex prepare {name}").get("protocol", "paper"))


def _markdown(rows: list[Row], params: Params, notes: dict[str, str]) -> str:
    window = "" if params.ssim_window == "uniform" else f", {params.ssim_window} window of SSIM"
    lines = [f"# Table 1 ({params.profile} profile, {len(params.trials.seeds)} trials{window})", CAPTION]
    for name in params.datasets:
        note = notes[name]
        lines += [f"\n## {name}\n", *([f"{note[0].upper()}{note[1:]}.\n"] if note else [])]
        for block, heading in BLOCKS.items():
            own = [row for row in rows if row["dataset"] == name and row["block"] == block]
            if own:
                lines += [*([f"\n{heading}"] if heading else []), *header("method", TABLE1)]
                lines += [line(row["method"], row, TABLE1) for row in own]
    return "\n".join(lines) + "\n"


def _note(name: str, earlier: Earlier, paths: Paths) -> str:
    """What the dataset was made of, where that is not always the same."""
    if name in earlier:
        return str(earlier.metrics["notes"].get(name, ""))
    if absence(paths.prepared(name)):
        return ""
    note = read_json(paths.prepared(name) / "dataset.json", f"manex prepare {name}").get("note")
    return note if isinstance(note, str) else ""


def _denoisers(name: str, params: Params, results: dict[str, Results], earlier: Earlier, paths: Paths) -> list[Row]:
    """One row per walk of the dataset's analysis of geometry."""
    if name in earlier:
        return earlier.tables["denoisers"][name]
    rows: list[Row] = []
    for analysis in params.analyses:
        if params.analyse.get(name, {}).get(analysis, {}).get("kind") != ANALYSIS:
            continue
        found = load_analysis(name, analysis, "denoisers", paths)
        for row in rows_of(found) if found is not None else ():
            method = str(row.pop("walk"))
            scored = method in results[name].methods
            score = results[name].by_trial(method).to_numpy().mean(1).mean() if scored else None
            known = {str(key): value for key, value in row.items()}
            rows.append({"dataset": name, "method": method, **known, "dtw_ssid": score})
        for walk, reason in not_analysed(name, analysis, paths).items():
            rows.append({"dataset": name, "denoiser": walk, "method": walk, "not_run": reason})
    return rows


def _denoisers_markdown(rows: list[Row], params: Params) -> str:
    lines = [f"# Denoisers ({params.profile} profile, {len(params.trials.seeds)} trials)", CAPTION_DENOISERS]
    for name in params.datasets:
        own = [row for row in rows if row["dataset"] == name]
        lines += [f"\n## {name}\n", *header("denoiser", DENOISERS)]
        lines += [line(row["denoiser"], row, DENOISERS) for row in own]
    return "\n".join(lines) + "\n"


def _nested(
    rows: list[Row], params: Params, notes: dict[str, str], results: dict[str, Results], earlier: Earlier, paths: Paths
) -> Row:
    nested: Row = {name: earlier.metrics[name] if name in earlier else {} for name in params.datasets}
    for row in (row for row in rows if row["dataset"] not in earlier):
        numbers = {key: _rounded(row.get(key)) for key in ("protocol", *(column.name for column in TABLE1))}
        nested[row["dataset"]][row["method"]] = {"not_run": row["not_run"]} if row["not_run"] else numbers
    nested["training"] = {
        name: earlier.metrics["training"][name]
        if name in earlier
        else {model: _outcome(name, model, paths) for model in params.trained(name)}
        for name in params.datasets
    }
    nested["settings"] = {name: settings_hash(name, params) for name in params.datasets}
    nested["notes"] = notes
    kept = earlier.metrics.get("residual_spearman", {})
    nested["residual_spearman"] = {
        name: kept.get(name) if name in earlier else _rounded(found.residual_spearman(found.methods))
        for name, found in results.items()
    }
    return nested


def _outcome(name: str, model: str, paths: Paths) -> Row:
    if reason := absence(paths.training(name, model)):
        return {"not_run": reason}
    path, made_by = paths.model(name, model) / "model.json", f"manex train {name} {model.partition('/')[0]}"
    outcome = read_json(path, made_by, ("outcome",))["outcome"]
    if not isinstance(outcome, dict):
        raise damaged(path, "no outcome", made_by)
    return {"steps" if key == "step" else key: _rounded(value) for key, value in outcome.items()}


def _rounded(value: Any) -> Any:
    """Six significant digits, as in the CSV; JSON has no NaN."""
    if isinstance(value, float):
        return None if pd.isna(value) else float(f"{value:.6g}")
    return value


def _metrics(rows: list[Row]) -> dict[str, float]:
    """DTW-SSID of every row, as MLflow draws it: one section per dataset, one chart per method."""
    return {
        f"{row['dataset']} {row['protocol']} dtw_ssid/{row['method']}": row["dtw_ssid"]
        for row in rows
        if not row["not_run"]
    }


def _diagnostics(results: dict[str, Results]) -> pd.DataFrame:
    """Medians over videos and frames of what the walks recorded, one row per dataset and method."""
    rows = []
    for name, found in results.items():
        for method in found.methods:
            parts = {"": found.walks, "diagnosed_": found.diagnoses}
            medians: Row = {}
            for prefix, part in parts.items():
                own = part[part["method"] == method].drop(columns=["trial", "video", "frame"], errors="ignore")
                medians |= {f"{prefix}{key}": value for key, value in own.median(numeric_only=True).dropna().items()}
            rows.append({"dataset": name, "method": method, **medians})
    return pd.DataFrame(rows, columns=None if rows else ["dataset", "method"])
