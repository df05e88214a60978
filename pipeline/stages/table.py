"""table: the paper's Table 1 from all scores, its diagnostics companion, and what it cost."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pipeline.config.params import Params
from pipeline.metrics.intervals import estimate
from pipeline.paths import Paths
from pipeline.stages.absent import absence
from pipeline.stages.artifacts import damaged, read_csv, read_json, write_csv, write_json, write_text
from pipeline.stages.records import recorded

COLUMNS = (
    *("dataset", "protocol", "method", "dtw_ssid", "dtw_ssid_sd", "dtw_ssid_greedy", "coverage", "reversals"),
    *("seconds_per_frame", "trials", "videos", "dtw_ssid_low", "dtw_ssid_high", "distance", "stalls", "jumps"),
    *("not_run", "block"),
)
"""Of table1.csv; a row that was not run has a reason in `not_run` and nothing but names in the others."""

SCORES = ("trial", "video", "dtw_ssid", "dtw_ssid_greedy", "coverage", "reversals", "distance", "stalls", "jumps")
"""Of scores.csv; what `evaluate` writes."""

BLOCKS = {
    "manifold": "",
    "rivals": "### Rivals\n",
    "supervised": "### Rivals with more supervision: trained on ordered clips\n",
}
"""The parts of a dataset's table; methods of the block `denoisers` are left to reports/denoisers.md."""

CAPTION = """
DTW-SSID, exact alignment: mean over videos, then trials; lower is better. `sd` is over trials, [low, high] a 95 %
bootstrap interval over trials and videos, `greedy` the paper's greedy alignment (A.2). Coverage (share of the manifold
that the generated frames sweep) and reversals are of the median video; distance is the mean RMS distance of generated
frames to the manifold, in grey levels. `oracle` walks with the exact denoiser of the true manifold: the limit.
`memoriser` walks with the exact denoiser of the training frames alone. Rivals: docs/rivals.md.
"""


HEADER = (
    "| method | DTW-SSID | sd | 95 % interval | greedy | coverage | reversals | distance |",
    "|---|---:|---:|---:|---:|---:|---:|---:|",
)


def table(params: Params, paths: Paths) -> None:
    """Write reports/table1.md, table1.csv, metrics.json, diagnostics.csv, and the untracked costs.csv."""
    with recorded(paths, "table", "", {}):
        rows = [
            {**_row(dataset, method, paths), "block": block}
            for dataset in params.datasets
            for method in params.methods
            if (block := params.method(dataset, method).block) in BLOCKS
        ]
        write_csv(paths.reports / "table1.csv", pd.DataFrame(rows, columns=COLUMNS))
        write_text(paths.reports / "table1.md", _markdown(rows, params, paths))
        write_json(paths.reports / "metrics.json", _nested(rows, params, paths))
        write_csv(paths.reports / "diagnostics.csv", _diagnostics(params, paths))
        write_csv(paths.costs, _costs(params, paths))


def _row(dataset: str, method: str, paths: Paths) -> dict[str, Any]:
    if reason := absence(paths.scores(dataset, method)):
        return {"dataset": dataset, "protocol": _protocol(dataset, paths), "method": method, "not_run": reason}
    file, made_by = paths.scores(dataset, method) / "scores.csv", f"manex evaluate {dataset} {method}"
    scores = read_csv(file, made_by, SCORES)
    by_trial = scores.pivot_table(index="trial", columns="video", values="dtw_ssid")
    if by_trial.size == 0 or by_trial.isna().any(axis=None) or by_trial.size != len(scores):
        raise damaged(file, "not a score of every trial and video", made_by)
    found = estimate(by_trial.to_numpy(), seed=0)
    return {
        "dataset": dataset,
        "protocol": _protocol(dataset, paths),
        "method": method,
        "dtw_ssid": found.mean,
        "dtw_ssid_sd": found.sd,
        "dtw_ssid_greedy": scores["dtw_ssid_greedy"].mean(),
        "coverage": scores["coverage"].median(),
        "reversals": scores["reversals"].median(),
        "seconds_per_frame": None,  # in costs.csv: a time would change the bytes of every run
        "trials": by_trial.shape[0],
        "videos": by_trial.shape[1],
        "dtw_ssid_low": found.low,
        "dtw_ssid_high": found.high,
        "distance": scores["distance"].mean(),
        "stalls": scores["stalls"].median(),
        "jumps": scores["jumps"].median(),
        "not_run": None,
    }


def _protocol(dataset: str, paths: Paths) -> str:
    """`paper`: the denoiser is trained on frames of the videos that are extrapolated; `held_out`: on others."""
    if absence(paths.prepared(dataset)):
        return "paper"
    return str(read_json(paths.prepared(dataset) / "dataset.json", f"manex prepare {dataset}").get("protocol", "paper"))


def _markdown(rows: list[dict[str, Any]], params: Params, paths: Paths) -> str:
    lines = [f"# Table 1 ({params.profile} profile, {len(params.trials.seeds)} trials)", CAPTION]
    for dataset in params.datasets:
        lines += [f"\n## {dataset}\n", *_notes(dataset, paths)]
        for block, heading in BLOCKS.items():
            own = [row for row in rows if row["dataset"] == dataset and row["block"] == block]
            if own:
                lines += [*([f"\n{heading}"] if heading else []), *HEADER, *map(_line, own)]
    return "\n".join(lines) + "\n"


def _notes(dataset: str, paths: Paths) -> list[str]:
    """What the dataset was made of, where that is not always the same."""
    if absence(paths.prepared(dataset)):
        return []
    note = read_json(paths.prepared(dataset) / "dataset.json", f"manex prepare {dataset}").get("note")
    return [f"{note[0].upper()}{note[1:]}.\n"] if note and isinstance(note, str) else []


def _line(row: dict[str, Any]) -> str:
    """A row in words; what is not known stands as a dash."""
    if row["not_run"]:
        return f"| {row['method']} | not run: {row['not_run']} |" + " |" * 6
    cells = {"coverage": ".0%", "reversals": "g", "distance": ".4f"}
    shown = {name: "-" if pd.isna(row[name]) else format(row[name], form) for name, form in cells.items()}
    return (
        "| {method} | {dtw_ssid:.4f} | {dtw_ssid_sd:.4f} | [{dtw_ssid_low:.4f}, {dtw_ssid_high:.4f}] "
        "| {dtw_ssid_greedy:.4f} | {coverage} | {reversals} | {distance} |".format(**{**row, **shown})
    )


def _nested(rows: list[dict[str, Any]], params: Params, paths: Paths) -> dict[str, Any]:
    nested: dict[str, Any] = {dataset: {} for dataset in params.datasets}
    for row in rows:
        left_out = {"dataset", "method", "not_run", "block"}
        numbers = {name: _rounded(value) for name, value in row.items() if name not in left_out}
        nested[row["dataset"]][row["method"]] = {"not_run": row["not_run"]} if row["not_run"] else numbers
    nested["training"] = {
        dataset: {model: _outcome(dataset, model, paths) for model in params.models} for dataset in params.datasets
    }
    return nested


def _outcome(dataset: str, model: str, paths: Paths) -> dict[str, Any]:
    if reason := absence(paths.model(dataset, model)):
        return {"not_run": reason}
    path = paths.model(dataset, model) / "model.json"
    made_by = f"manex train {dataset} {model}"
    outcome = read_json(path, made_by, ("outcome",))["outcome"]
    if not isinstance(outcome, dict):
        raise damaged(path, "no outcome", made_by)
    return {name.replace("step", "steps") if name == "step" else name: _rounded(v) for name, v in outcome.items()}


def _rounded(value: Any) -> Any:
    """Six significant digits, as in the CSV; JSON has no NaN."""
    if isinstance(value, float):
        return None if pd.isna(value) else float(f"{value:.6g}")
    return value


def _diagnostics(params: Params, paths: Paths) -> pd.DataFrame:
    """Medians over videos and frames of what `extrapolate` found, a row a dataset and method."""
    rows = []
    for dataset in params.datasets:
        for method in params.methods:
            folder, made_by = paths.extrapolated(dataset, method), f"manex extrapolate {dataset} {method}"
            if absence(folder):
                continue
            parts = [read_csv(folder / "walk.csv", made_by)]
            if (folder / "diagnostics.csv").is_file():
                parts.append(read_csv(folder / "diagnostics.csv", made_by).add_prefix("diagnosed_"))
            medians = pd.concat([part.median(numeric_only=True) for part in parts])
            keys = {"video", "trial", "frame", "diagnosed_video", "diagnosed_trial", "diagnosed_frame"}
            rows.append({"dataset": dataset, "method": method, **medians.drop(keys, errors="ignore")})
    return pd.DataFrame(rows)


def _costs(params: Params, paths: Paths) -> pd.DataFrame:
    """Times and memory from this machine's records; a cell that came from the cache has none."""
    rows = []
    for dataset in params.datasets:
        items = [("train", model) for model in params.models] + [("extrapolate", method) for method in params.methods]
        for stage, name in items:
            path = paths.record(stage, f"{dataset}-{name}")
            record = read_json(path, "") if path.is_file() else {}
            numbers = {key: record.get(key) for key in ("seconds", "seconds_per_frame", "peak_memory_mb", "machine")}
            rows.append({"dataset": dataset, "stage": stage, "name": name, **numbers})
    return pd.DataFrame(rows)
