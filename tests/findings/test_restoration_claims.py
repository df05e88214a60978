"""The claims about restoration, on a table whose numbers are known."""

from __future__ import annotations

import pandas as pd
import pytest

from pipeline.findings import restoration as claims
from pipeline.findings.base import NotRun, Tables
from pipeline.findings.verdict import judged

TASKS = (
    "hole_8",
    "hole_10",
    "pixels_30",
    "pixels_10",
    "blocks_2",
    "blocks_4",
    "lowpass_10",
    "blur",
    "basis_10",
    "basis_25",
)
PSNR = {
    ("stochastic_ascent", "unet", 0.03, 0): 18.0,
    ("stochastic_ascent", "unet", 0.03, 1): 19.0,
    ("stochastic_ascent", "unet", 0.03, -1): 20.0,
    ("stochastic_ascent", "unet", 1.0, -1): 17.0,
    ("gaussian", None, None, -1): 19.5,
    ("pgd", "unet", None, -1): 15.0,
    ("red", "unet", None, -1): 18.5,
}


def table(**changes: float) -> pd.DataFrame:
    """Three images in ten tasks, the same numbers in all but for `changes` of the ascent's mean, by task."""
    rows = [
        {"task": task, "image": image, "sampler": sampler, "denoiser": denoiser, "beta": beta, "sample": sample,
         "psnr": psnr + (changes.get(task, 0) if (beta, sample) == (0.03, -1) else 0)}
        for task in TASKS for image in range(3) for (sampler, denoiser, beta, sample), psnr in PSNR.items()
    ]  # fmt: skip
    found = pd.DataFrame(rows).assign(dataset="digits", energy_rise=0.02, noise_255=2.0)
    affine = found[found["sampler"] == "gaussian"].assign(noise_255=15.0, psnr=17.0)
    wiener = affine.assign(sampler="pgd", denoiser="wiener", psnr=16.96)
    found = pd.concat([found, affine, wiener], ignore_index=True)
    off = 0.03 + 0.01 * (found["task"] == "blur")
    return found.assign(inconsistency_final=off, psnr_projected=found["psnr"] - 0.01 * (found["task"] == "blur"))


def test_every_statistic_is_read_from_its_rows() -> None:
    tables = Tables({"restoration": table(hole_8=-0.9, blocks_2=0.2)})
    assert claims.tasks_where_the_mean_beats_a_sample(tables) == 10
    assert claims.tasks_where_the_mean_beats_affine(tables) == 9
    assert claims.largest_inconsistency(tables) == pytest.approx(0.04)
    assert claims.cost_of_projection(tables) == pytest.approx(0.01)
    assert claims.gain_of_noise(tables) == pytest.approx(2.1)
    assert claims.gain_over_plugged(tables) == pytest.approx(0.6)
    assert claims.gain_where_nothing_is_missing(tables) == pytest.approx(1.7)
    assert claims.rise_of_energy(tables) == pytest.approx(0.02)
    assert claims.distance_from_affine(tables) == pytest.approx(0.04)


def test_claims_about_ten_tasks_are_not_judged_on_fewer() -> None:
    tables = Tables({"restoration": table().query("task != 'blur'")})
    for statistic in (claims.tasks_where_the_mean_beats_a_sample, claims.tasks_where_the_mean_beats_affine):
        with pytest.raises(NotRun, match="fewer than 10 tasks"):
            statistic(tables)


@pytest.mark.parametrize("claim", claims.CLAIMS, ids=lambda claim: claim.id)
def test_every_claim_can_hold(claim: claims.Claim) -> None:
    value = claim.statistic(Tables({"restoration": table(blocks_2=-1, basis_25=-1)}))
    assert judged(claim.bound, value, value) == "holds"
