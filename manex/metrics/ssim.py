"""SSIM distance of every frame of one video to every frame of another (the paper's A.2, step 1).

The definition is scikit-image's `structural_similarity(data_range=1)` with its defaults: 7 x 7 uniform window,
sample covariance, K1 = 0.01, K2 = 0.03, mean over the windows that fit into the frame, mean over channels.
At one window, with means m, variances v and covariance c,

    SSIM = (2 m_t m_g + C1) (2 c_tg + C2) / ((m_t^2 + m_g^2 + C1) (v_t + v_g + C2)).

Over all pairs of frames every factor but the covariance is a product of two thin matrices, (truth, 2..4) times
(2..4, generated), with moments computed once per frame. The cross moment is a matrix product too; when the window
moves one column on, it gains one column of 7 pixels and loses another: a product of inner size 14.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from manex.errors import MetricError

WINDOW = 7
"""Side of the window, in pixels."""
C1, C2 = 0.01**2, 0.03**2
"""(K1 * data_range)^2 and (K2 * data_range)^2: they keep the ratio finite where a window is black or flat."""
SAMPLE = WINDOW**2 / (WINDOW**2 - 1)
"""From population to sample covariance."""
TILE = 128
"""Frames of each video per tile: it bounds the memory, and five TILE x TILE matrices fit into the cache."""


def ssim_distances(
    truth: Float[Tensor, "truth channel height width"],
    generated: Float[Tensor, "generated _channel _height _width"],
    names: tuple[str, str] = ("truth", "generated"),
) -> Float[Tensor, "truth generated"]:
    """SSID d = 1 - SSIM of every pair of frames: 0 identical, 1 unrelated, above 1 opposed.

    Flat frames are no special case: for constant grey levels a and b SSIM is (2 a b + C1) / (a^2 + b^2 + C1), so
    black and black are identical, black and white unrelated. A flat frame against a textured one scores near 1.

    Args:
        truth, generated: videos of grey levels in [0, 1], of any floating type; work is done in float64.
        names: what error messages call the two videos.

    Returns:
        float64 distances in [0, 2], on the device of `truth`.

    Raises:
        MetricError: fewer than two frames, frames smaller than the window, sizes that differ, a frame with NaN
            or infinity, a frame outside [0, 1].

    Example:
        >>> from manex import ssim_distances
        >>> video = torch.rand(4, 1, 16, 16)
        >>> distances = ssim_distances(video, video[:3])
        >>> distances.shape, bool((distances.diagonal() < 1e-12).all())
        (torch.Size([4, 3]), True)
    """
    for video, name in zip((truth, generated), names, strict=True):
        check_video(video, name)
    if truth.shape[1:] != generated.shape[1:]:
        raise MetricError(
            f"{names[0]} frames are {_size(truth)}, {names[1]} frames {_size(generated)}: sizes must be equal"
        )
    rows = [torch.cat([_similarity(t, g) for g in _tiles(generated)], 1) for t in _tiles(truth)]
    return (1 - torch.cat(rows)).clamp(min=0)  # rounding leaves identical frames at +-1e-16


def check_video(video: Float[Tensor, "frame channel height width"], name: str) -> None:
    """Raise a MetricError naming the video and its first bad frame, if it cannot be scored."""
    if len(video) < 2:
        raise MetricError(f"{name} has {len(video)} frame(s): a video needs at least two")
    if video.shape[1] == 0 or min(video.shape[2:]) < WINDOW:
        raise MetricError(f"{name} frames are {_size(video)}: smaller than the {WINDOW} x {WINDOW} window of SSIM")
    pixels = video.flatten(1)
    for wrong, complaint in (
        (~pixels.isfinite(), "contains NaN or infinity"),
        ((pixels < 0) | (pixels > 1), "leaves the grey range [0, 1]: clip before scoring"),
    ):
        if wrong.any():
            raise MetricError(f"{name} frame {int(wrong.any(1).nonzero()[0])} {complaint}")


def _tiles(video: Float[Tensor, "frame channel height width"]) -> list[Tensor]:
    return [video[start : start + TILE] for start in range(0, len(video), TILE)]


def _similarity(
    truth: Float[Tensor, "truth channel height width"], generated: Float[Tensor, "generated channel height width"]
) -> Float[Tensor, "truth generated"]:
    """Mean SSIM over channels of one tile of pairs."""
    channels = [_channel_similarity(t, g) for t, g in zip(truth.unbind(1), generated.unbind(1), strict=True)]
    return torch.stack(channels).mean(0)


def _channel_similarity(
    truth: Float[Tensor, "truth height width"], generated: Float[Tensor, "generated height width"]
) -> Float[Tensor, "truth generated"]:
    """Mean SSIM over all windows; the frame index comes last in here, so that a pixel is a contiguous vector."""
    x, y = (video.double().permute(1, 2, 0).contiguous() for video in (truth, generated))
    (mx, vx), (my, vy) = _moments(x), _moments(y)
    one_x, one_y = torch.ones_like(mx), torch.ones_like(my)

    # (row, column, rank, frame): transposed times plain gives one (truth, generated) matrix per window
    means = torch.stack([2 * mx, C1 * one_x], 2).mT, torch.stack([my, one_y], 2)
    p, q = mx**2 + C1, vx + C2
    bounds = torch.stack([p * q, p, q, one_x], 2).mT, torch.stack([one_y, vy, my**2, my**2 * vy], 2)

    x = x * (2 * SAMPLE / WINDOW**2)  # so that a sum over a window is twice a sample moment
    total = x.new_zeros(len(truth), len(generated))
    luminance, contrast, bound = (torch.empty_like(total) for _ in range(3))
    for row in range(len(mx)):
        strip_x, strip_y = (v[row : row + WINDOW].transpose(0, 1) for v in (x, y))  # (column, 7, frame)
        gained_x = torch.cat([strip_x[WINDOW:], strip_x[:-WINDOW]], 1).mT
        gained_y = torch.cat([strip_y[WINDOW:], -strip_y[:-WINDOW]], 1)
        cross = strip_x[:WINDOW].flatten(0, 1).T @ strip_y[:WINDOW].flatten(0, 1)
        cross += C2 + SAMPLE * C1
        factors = zip(*(side[row].unbind() for side in (*means, *bounds)), strict=True)
        for column, (mean_x, mean_y, bound_x, bound_y) in enumerate(factors):
            if column:
                cross.addmm_(gained_x[column - 1], gained_y[column - 1])
            torch.mm(mean_x, mean_y, out=luminance)  # 2 m_t m_g + C1
            torch.sub(cross, luminance, alpha=SAMPLE, out=contrast)  # 2 c_tg + C2
            torch.mm(bound_x, bound_y, out=bound)
            total.addcdiv_(contrast.mul_(luminance), bound)
    return total / mx[..., 0].numel()


def _moments(
    x: Float[Tensor, "height width frame"],
) -> tuple[Float[Tensor, "row column frame"], Float[Tensor, "row column frame"]]:
    """Mean and sample variance in every window."""
    mean = _window_mean(x)
    return mean, SAMPLE * (_window_mean(x**2) - mean**2)


def _window_mean(x: Float[Tensor, "height width frame"]) -> Float[Tensor, "row column frame"]:
    for axis in (0, 1):
        places = x.shape[axis] - WINDOW + 1
        x = torch.stack([x.narrow(axis, shift, places) for shift in range(WINDOW)]).mean(0)
    return x


def _size(video: Float[Tensor, "frame channel height width"]) -> str:
    return "x".join(str(n) for n in video.shape[1:])
