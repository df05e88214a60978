"""Train on shuffled frames, look at the tangent, walk on from two frames, score the walk: `python docs/example.py`.

The manifold is a circle: the hand of a clock going round, in images of 16 x 16 pixels.
"""

from __future__ import annotations

import torch

import manex


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
    cfg = manex.ResUNetTraining(widths=(16, 32, 32), steps=400, batch=32, learning_rate=0.02, ema=0.98)
    training = manex.Training.begin(cfg, shuffled[6:], shuffled[:6])
    for record in training.run():
        print(f"step {record.step}: held-out PSNR {record.scores['psnr_held_out_25']:.1f} dB")
    denoiser = cfg.finished(training.average)

    sigma = 15 / 255
    tangent = manex.tangent(denoiser, video[10], k=2, sigma=sigma)
    true = video[11:12] - video[9:10]
    angle = manex.principal_angles((true / true.norm())[None], tangent.vectors[None])
    found = {"tangent_angle": float(torch.rad2deg(angle))}

    flow = manex.TangentFlow(sigma=sigma, momentum=2)
    for name, method in {"linear": manex.Linear(sigma=sigma, eta=1), "flow": flow}.items():
        walked = manex.walk(denoiser, video[0], video[1], frames=58, method=method, held_out=shuffled[:6])
        print(f"{name}: {walked}")
        found[name] = manex.dtw_ssid(manex.ssim_distances(video, walked.video))
    return found


if __name__ == "__main__":
    for name, number in main().items():
        print(f"{name}: {number:.3f}")
