"""DTW-SSID: the distance of two videos after dynamic time warping (the paper's A.2, steps 2 to 4).

A path pairs every truth frame with one or more generated frames, from (0, 0) to (truth - 1, generated - 1), by
steps (1, 1), (1, 0) and (0, 1). Both rules walk it backwards from the last pair, each step to the neighbour with
the least entry of a table; ties go to (1, 1), then to (1, 0). They differ in the table only:

* `exact`: the table of cumulative costs, so the path has the least sum of distances of all paths (classical DTW);
* `greedy`: the distances themselves, the step rule of A.2's prose. It does not look ahead, and its sum is never
  below the exact one.

Everything runs on a batch of matrices of one shape: cost and walk take a few hundred numpy calls for the lot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from manex.errors import MetricError

Rule: TypeAlias = Literal["exact", "greedy"]
Distances: TypeAlias = Float[Tensor, "truth generated"] | Float[np.ndarray, "truth generated"]
BatchOfDistances: TypeAlias = Float[Tensor, "batch truth generated"] | Float[np.ndarray, "batch truth generated"]
Path: TypeAlias = Int[np.ndarray, "_length 2"]

STEPS = np.array([(1, 1), (1, 0), (0, 1)])
"""Steps back, in the order in which ties are broken."""


@dataclass(frozen=True)
class Scores:
    """DTW-SSID of every matrix of a batch; the paths only if they were asked for."""

    exact: Float[np.ndarray, " batch"]
    greedy: Float[np.ndarray, " batch"]
    exact_paths: list[Path] | None = None
    greedy_paths: list[Path] | None = None


def dtw_scores(distances: BatchOfDistances, paths: bool = False) -> Scores:
    """DTW-SSID by both rules of many matrices of one shape.

    Raises:
        MetricError: an empty batch or matrix, or a distance that is not finite.
    """
    d = _checked(distances)
    walked = {"exact": _walk(cumulative_costs(d)), "greedy": _walk(d)}
    exact, greedy = (
        np.array([aligned_distances(m, p).mean() for m, p in zip(d, w, strict=True)]) for w in walked.values()
    )
    return Scores(exact, greedy, *walked.values()) if paths else Scores(exact, greedy)


def dtw_ssid(distances: Distances, rule: Rule = "exact") -> float:
    """Mean over truth frames of the distance to their matched generated frames (the paper's A.2, step 4).

    Args:
        distances: (truth, generated), such as `ssim_distances` gives.
        rule: `exact`, the path with the least sum, or `greedy`, A.2's step rule.

    Raises:
        MetricError: another rule, an empty matrix, or a distance that is not finite.

    Example:
        >>> from manex import dtw_ssid
        >>> dtw_ssid(torch.tensor([[0.0, 0.5, 0.9], [0.8, 0.1, 0.3]], dtype=torch.float64))
        0.1
    """
    rules = {"exact": exact_path, "greedy": greedy_path}
    if rule not in rules:
        raise MetricError(f"alignment rule {rule!r}: must be one of {', '.join(rules)}")
    return float(aligned_distances(distances, rules[rule](distances)).mean())


def exact_path(distances: Distances) -> Path:
    """Path with the least sum of distances: pairs (truth frame, generated frame), first to last."""
    return _walk(cumulative_costs(_checked(distances)))[0]


def greedy_path(distances: Distances) -> Path:
    """Path of A.2's step rule: from the last pair back, each time to the nearest of the three neighbours."""
    return _walk(_checked(distances))[0]


def aligned_distances(distances: Distances, path: Path) -> Float[np.ndarray, " truth"]:
    """Mean distance of each truth frame to the generated frames the path matches to it (A.2, step 3; Fig. 4.3)."""
    d = np.asarray(distances, dtype=np.float64)
    truth, generated = path.T
    matched = np.bincount(truth, minlength=len(d))
    if len(matched) != len(d) or not matched.all():
        raise MetricError(f"the path does not match every one of the {len(d)} truth frames")
    return np.bincount(truth, weights=d[truth, generated]) / matched


def unwarped_distances(distances: Distances) -> Float[np.ndarray, " frame"]:
    """Distance of frame n to frame n, without alignment, as far as the shorter video goes."""
    return np.diagonal(_checked(distances)[0]).copy()


def cumulative_costs(d: Float[np.ndarray, "batch truth generated"]) -> Float[np.ndarray, "batch truth generated"]:
    """Least sum of distances over all paths from (0, 0) to each pair, both ends included.

    C[i, j] = d[i, j] + min(C[i-1, j-1], C[i-1, j], C[i, j-1]), one anti-diagonal i + j = k at a time.
    """
    batch, truth, generated = d.shape
    costs = np.full((batch, truth + 1, generated + 1), np.inf)
    costs[:, 0, 0] = 0
    for k in range(truth + generated - 1):
        i = np.arange(max(0, k - generated + 1), min(k, truth - 1) + 1)
        j = k - i
        before = np.minimum(costs[:, i, j], np.minimum(costs[:, i, j + 1], costs[:, i + 1, j]))
        costs[:, i + 1, j + 1] = d[:, i, j] + before
    return costs[:, 1:, 1:]


def _walk(table: Float[np.ndarray, "batch truth generated"]) -> list[Path]:
    """Paths from the last pair back to the first, each step to the neighbour with the least entry."""
    batch, truth, generated = table.shape
    walled = np.pad(table, ((0, 0), (1, 0), (1, 0)), constant_values=np.inf)
    each = np.arange(batch)
    here = np.tile(np.array([truth, generated]), (batch, 1))
    visited = [here]
    moving = np.any(here > 1, axis=1)
    lengths = np.ones(batch, dtype=np.int64)
    while moving.any():
        lengths += moving
        neighbours = here[:, None, :] - STEPS
        best = walled[each[:, None], neighbours[..., 0], neighbours[..., 1]].argmin(1)
        here = np.where(moving[:, None], here - STEPS[best], here)
        visited.append(here)
        moving = np.any(here > 1, axis=1)
    back = np.stack(visited, 1) - 1
    return [track[:length][::-1] for track, length in zip(back, lengths, strict=True)]


def _checked(distances: Distances | BatchOfDistances) -> Float[np.ndarray, "batch truth generated"]:
    d = np.asarray(distances, dtype=np.float64)
    d = d[None] if d.ndim == 2 else d
    if d.size == 0:
        raise MetricError(f"no distances to align: the matrices have shape {d.shape}")
    if not np.isfinite(d).all():
        item, truth, generated = np.argwhere(~np.isfinite(d))[0]
        raise MetricError(
            f"the distance of truth frame {truth} to generated frame {generated} of video {item} is not finite"
        )
    return d
