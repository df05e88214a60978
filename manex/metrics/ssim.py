"""SSIM distance of every frame of one video to every frame of another (the paper's A.2, step 1).

K1 = 0.01, K2 = 0.03, mean over the windows that fit into the frame, mean over channels. The paper does not say which
window it takes. There are two:

* `uniform`: scikit-image's `structural_similarity(data_range=1)` with its defaults: 7 x 7 pixels, sample covariance;
* `gaussian`: 11 x 11 pixels with Gaussian weights of 1.5 pixels (Wang et al. 2004, whose pictures have 512 x 512).

At one window, with means m, variances v and covariance c,

    SSIM = (2 m_t m_g + C1) (2 c_tg + C2) / ((m_t^2 + m_g^2 + C1) (v_t + v_g + C2)).

Over all pairs of frames every factor but the covariance is a product of two thin matrices, (truth, 2..4) times
(2..4, generated), with moments computed once per frame. The cross moment is a matrix product too; when the uniform
window moves one column on, it gains one column of 7 pixels and loses another: a product of inner size 14.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Literal, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from manex.errors import MetricError

Window: TypeAlias = Literal["uniform", "gaussian"]
SIDES: dict[Window, int] = {"uniform": 7, "gaussian": 11}
"""Sides of the windows, in pixels."""
SPREAD = 1.5
"""Standard deviation of the Gaussian weights, in pixels."""
C1, C2 = 0.01**2, 0.03**2
"""(K1 * data_range)^2 and (K2 * data_range)^2: they keep the ratio finite where a window is black or flat."""
TILE = 128
"""Frames of each video per tile: it bounds the memory, and five TILE x TILE matrices fit into the cache."""


def ssim_distances(
    truth: Float[Tensor, "truth channel height width"],
    generated: Float[Tensor, "generated _channel _height _width"],
    names: tuple[str, str] = ("truth", "generated"),
    window: Window = "uniform",
) -> Float[Tensor, "truth generated"]:
    """SSID d = 1 - SSIM of every pair of frames: 0 identical, 1 unrelated, above 1 opposed.

    Flat frames are no special case: for constant grey levels a and b SSIM is (2 a b + C1) / (a^2 + b^2 + C1), so
    black and black are identical, black and white unrelated. A flat frame against a textured one scores near 1.

    Args:
        truth, generated: videos of grey levels in [0, 1], of any floating type; work is done in float64.
        names: what error messages call the two videos.
        window: `uniform` or `gaussian`, see above.

    Returns:
        float64 distances in [0, 2], on the device of `truth`.

    Raises:
        MetricError: fewer than two frames, frames smaller than the window, sizes that differ, a frame with NaN
            or infinity, a frame outside [0, 1], another window.

    Example:
        >>> from manex import ssim_distances
        >>> video = torch.rand(4, 1, 16, 16)
        >>> distances = ssim_distances(video, video[:3])
        >>> distances.shape, bool((distances.diagonal() < 1e-12).all())
        (torch.Size([4, 3]), True)
    """
    if window not in SIDES:
        raise MetricError(f"window {window!r}: must be one of {', '.join(SIDES)}")
    for video, name in zip((truth, generated), names, strict=True):
        check_video(video, name, SIDES[window])
    if truth.shape[1:] != generated.shape[1:]:
        raise MetricError(
            f"{names[0]} frames are {_size(truth)}, {names[1]} frames {_size(generated)}: sizes must be equal"
        )
    rows = [torch.cat([_similarity(t, g, window) for g in _tiles(generated)], 1) for t in _tiles(truth)]
    return (1 - torch.cat(rows)).clamp(min=0)  # rounding leaves identical frames at +-1e-16


def check_video(video: Float[Tensor, "frame channel height width"], name: str, side: int = SIDES["uniform"]) -> None:
    """Raise a MetricError naming the video and its first bad frame, if it cannot be scored."""
    if len(video) < 2:
        raise MetricError(f"{name} has {len(video)} frame(s): a video needs at least two")
    if video.shape[1] == 0 or min(video.shape[2:]) < side:
        raise MetricError(f"{name} frames are {_size(video)}: smaller than the {side} x {side} window of SSIM")
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
    truth: Float[Tensor, "truth channel height width"],
    generated: Float[Tensor, "generated channel height width"],
    window: Window,
) -> Float[Tensor, "truth generated"]:
    """Mean SSIM over channels of one tile of pairs."""
    channels = zip(truth.unbind(1), generated.unbind(1), strict=True)
    return torch.stack([_channel_similarity(t, g, window) for t, g in channels]).mean(0)


def _channel_similarity(
    truth: Float[Tensor, "truth height width"], generated: Float[Tensor, "generated height width"], window: Window
) -> Float[Tensor, "truth generated"]:
    """Mean SSIM over all windows; the frame index comes last in here, so that a pixel is a contiguous vector."""
    x, y = (video.double().permute(1, 2, 0).contiguous() for video in (truth, generated))
    side = SIDES[window]
    sample = side**2 / (side**2 - 1) if window == "uniform" else 1.0  # from population to sample covariance
    (mx, vx), (my, vy) = _moments(x, window, sample), _moments(y, window, sample)
    one_x, one_y = torch.ones_like(mx), torch.ones_like(my)

    # (row, column, rank, frame): transposed times plain gives one (truth, generated) matrix per window
    means = torch.stack([2 * mx, C1 * one_x], 2).mT, torch.stack([my, one_y], 2)
    p, q = mx**2 + C1, vx + C2
    bounds = torch.stack([p * q, p, q, one_x], 2).mT, torch.stack([one_y, vy, my**2, my**2 * vy], 2)

    total = x.new_zeros(len(truth), len(generated))
    luminance, contrast, bound = (torch.empty_like(total) for _ in range(3))
    crosses = _uniform_crosses(x, y, sample) if window == "uniform" else _gaussian_crosses(x, y)
    for place, cross in zip(product(*(range(n) for n in mx.shape[:2])), crosses, strict=True):
        torch.mm(means[0][place], means[1][place], out=luminance)  # 2 m_t m_g + C1
        torch.sub(cross, luminance, alpha=sample, out=contrast)  # 2 c_tg + C2
        torch.mm(bounds[0][place], bounds[1][place], out=bound)
        total.addcdiv_(contrast.mul_(luminance), bound)
    return total / mx[..., 0].numel()


def _uniform_crosses(
    x: Float[Tensor, "height width truth"], y: Float[Tensor, "height width generated"], sample: float
) -> Iterator[Float[Tensor, "truth generated"]]:
    """2 c_tg + C2 + `sample` (2 m_t m_g + C1) at every uniform window, row by row; one tensor, overwritten."""
    side = SIDES["uniform"]
    x = x * (2 * sample / side**2)  # so that a sum over a window is twice a sample moment
    for row in range(len(x) - side + 1):
        strip_x, strip_y = (v[row : row + side].transpose(0, 1) for v in (x, y))  # (column, 7, frame)
        gained_x = torch.cat([strip_x[side:], strip_x[:-side]], 1).mT
        gained_y = torch.cat([strip_y[side:], -strip_y[:-side]], 1)
        cross = strip_x[:side].flatten(0, 1).T @ strip_y[:side].flatten(0, 1)
        cross += C2 + sample * C1
        yield cross
        for plus_x, plus_y in zip(gained_x, gained_y, strict=True):
            yield cross.addmm_(plus_x, plus_y)


def _gaussian_crosses(
    x: Float[Tensor, "height width truth"], y: Float[Tensor, "height width generated"]
) -> Iterator[Float[Tensor, "truth generated"]]:
    """The same at every Gaussian window, with `sample` = 1."""
    side, weights = SIDES["gaussian"], _weights()
    square = 2 * (weights[:, None] * weights).to(x)[..., None]
    for row, column in product(range(x.shape[0] - side + 1), range(x.shape[1] - side + 1)):
        own, other = (v[row : row + side, column : column + side] for v in (x, y))
        yield (own * square).flatten(0, 1).T @ other.flatten(0, 1) + (C2 + C1)


def _moments(
    x: Float[Tensor, "height width frame"], window: Window, sample: float
) -> tuple[Float[Tensor, "row column frame"], Float[Tensor, "row column frame"]]:
    """Mean and sample variance in every window."""
    mean = _window_mean(x, window)
    return mean, sample * (_window_mean(x**2, window) - mean**2)


def _window_mean(x: Float[Tensor, "height width frame"], window: Window) -> Float[Tensor, "row column frame"]:
    side = SIDES[window]
    for axis in (0, 1):
        places = x.shape[axis] - side + 1
        shifted = torch.stack([x.narrow(axis, shift, places) for shift in range(side)])
        x = shifted.mean(0) if window == "uniform" else torch.tensordot(_weights().to(x), shifted, 1)
    return x


def _weights() -> Float[Tensor, " side"]:
    """Of the pixels in a row or column of the Gaussian window; their sum is 1."""
    places = torch.arange(SIDES["gaussian"], dtype=torch.float64) - SIDES["gaussian"] // 2
    return torch.softmax(-(places**2) / (2 * SPREAD**2), 0)


def _size(video: Float[Tensor, "frame channel height width"]) -> str:
    return "x".join(str(n) for n in video.shape[1:])
