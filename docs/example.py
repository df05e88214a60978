"""Train on shuffled frames, look at the tangent, walk on from two frames, score the walk: `python docs/example.py`.

The manifold is a circle: the hand of a clock going round, in images of 16 x 16 pixels.
"""

from __future__ import annotations

from itertools import islice

import torch

from manex.extrapolators.linear import Linear
from manex.extrapolators.tangent_flow import TangentFlow
from manex.extrapolators.walk import walk
from manex.geometry.eigen import top_eigenspace
from manex.geometry.products import Jacobian
from manex.geometry.tangent import principal_angles
from manex.metrics.dtw import dtw_ssid
from manex.metrics.ssim import ssim_distances
from manex.noises.draws import ItemNoise
from manex.training.loop import Training
from manex.training.resunet import ResUNetTraining


def hand(degrees: torch.Tensor) -> torch.Tensor:
    """Images of a clock's hand at each angle, (frame, 1, 16, 16)."""
    angle, pixel = torch.deg2rad(degrees)[:, None, None], torch.arange(16.0) - 7.5
    along = pixel * angle.cos() + pixel[:, None] * angle.sin()
    across = pixel[:, None] * angle.cos() - pixel * angle.sin()
    return (torch.exp(-(across**2) / 2) * torch.sigmoid(2 * (along + 3)) * torch.sigmoid(2 * (6 - along)))[:, None]


def main() -> dict[str, float]:
    """The angle of the denoiser's tangent to the true one, in degrees, and DTW-SSID of two walks."""
    torch.manual_seed(0)
    video = hand(torch.arange(0, 360, 6.0))
    shuffled = video[torch.randperm(len(video))]
    cfg = ResUNetTraining(widths=(16, 32, 32), steps=400, batch=32, learning_rate=0.02, ema=0.98)
    training = Training.begin(cfg, shuffled[6:], shuffled[:6])
    for record in training.run():
        print(f"step {record.step}: held-out PSNR {record.scores['psnr_held_out_25']:.1f} dB")
    denoiser = cfg.finished(training.average)

    sigma = 15 / 255
    space = top_eigenspace(Jacobian(denoiser.at(sigma), video[10:11]), 2)
    true = video[11:12] - video[9:10]
    found = {"tangent_angle": float(torch.rad2deg(principal_angles((true / true.norm())[None], space.vectors)))}

    methods = {"linear": Linear(sigma=sigma, eta=1), "flow": TangentFlow(sigma=sigma, speed=1, momentum=2)}
    for name, method in methods.items():
        states = islice(walk(method, denoiser, video[:1], video[1:2], ItemNoise([(0, 0)])), 58)
        generated = torch.cat([video[:2], *(state.frame.clamp(0, 1) for state in states)])
        found[name] = dtw_ssid(ssim_distances(video, generated))
    return found


if __name__ == "__main__":
    for name, number in main().items():
        print(f"{name}: {number:.3f}")
