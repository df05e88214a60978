from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.metrics import structural_similarity

from manex.errors import MetricError
from manex.metrics import ssim
from manex.metrics.ssim import ssim_distances


def by_scikit_image(truth: torch.Tensor, generated: torch.Tensor) -> np.ndarray:
    return np.array(
        [
            [1 - structural_similarity(t, g, data_range=1, channel_axis=0) for g in generated.double().numpy()]
            for t in truth.double().numpy()
        ]
    )


def frames(count: int, channel: int, height: int, width: int) -> st.SearchStrategy[torch.Tensor]:
    grey = st.sampled_from([0.0, 1e-3, 0.25, 0.5, 1.0]) | st.floats(0, 1)
    return arrays(np.float64, (count, channel, height, width), elements=grey).map(torch.from_numpy)


@given(st.data(), st.integers(7, 10), st.integers(7, 10), st.sampled_from([1, 3]))
@settings(max_examples=25)
def test_distances_are_those_of_scikit_image(data, height, width, channel):
    truth, generated = (data.draw(frames(2, channel, height, width)) for _ in range(2))
    distances = ssim_distances(truth, generated).numpy()
    np.testing.assert_allclose(distances, by_scikit_image(truth, generated), atol=1e-10)


@given(st.data(), st.integers(11, 13), st.integers(11, 13), st.sampled_from([1, 3]))
@settings(max_examples=15)
def test_distances_with_the_gaussian_window_are_those_of_scikit_image(data, height, width, channel):
    """`gaussian_weights`, `sigma` and `use_sample_covariance` as its documentation says "to match Wang et al."."""
    truth, generated = (data.draw(frames(2, channel, height, width)) for _ in range(2))
    wang = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "channel_axis": 0}
    t, g = truth.double().numpy(), generated.double().numpy()
    expected = [[1 - structural_similarity(a, b, data_range=1, **wang) for b in g] for a in t]
    distances = ssim_distances(truth, generated, window="gaussian").numpy()
    np.testing.assert_allclose(distances, np.maximum(expected, 0), atol=1e-10)


def test_another_window_or_frames_that_it_does_not_fit_into_are_refused():
    video = torch.full((2, 1, 10, 12), 0.5)
    with pytest.raises(MetricError, match="window 'wang': must be one of uniform, gaussian"):
        ssim_distances.__wrapped__(video, video, window="wang")  # without the type checks of the tests
    with pytest.raises(MetricError, match=r"truth frames are 1x10x12: smaller than the 11 x 11 window"):
        ssim_distances(video, video, window="gaussian")


def test_long_wide_videos_are_those_of_scikit_image(generator, monkeypatch):
    monkeypatch.setattr(ssim, "TILE", 3)  # several tiles each way, the last ones smaller
    truth, generated = (torch.rand(n, 3, 16, 40, generator=generator) for n in (4, 7))
    distances = ssim_distances(truth, generated).numpy()
    np.testing.assert_allclose(distances, by_scikit_image(truth, generated), atol=1e-12)


def test_flat_frames_follow_the_constants():
    grey = torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64)
    flat = grey[:, None, None, None].expand(3, 1, 9, 9)
    expected = 1 - (2 * grey[:, None] * grey + 1e-4) / (grey[:, None] ** 2 + grey**2 + 1e-4)
    torch.testing.assert_close(ssim_distances(flat, flat), expected, rtol=0, atol=1e-12)


def test_a_video_is_at_distance_zero_from_itself_and_never_below(generator):
    video = torch.rand(5, 1, 20, 20, generator=generator)
    distances = ssim_distances(video, video)
    assert distances.dtype == torch.float64
    assert distances.min() >= 0
    torch.testing.assert_close(distances.diagonal(), torch.zeros(5, dtype=torch.float64), rtol=0, atol=1e-12)


def test_swapping_the_videos_transposes_the_distances(generator):
    one, other = (torch.rand(n, 1, 12, 15, generator=generator) for n in (3, 5))
    torch.testing.assert_close(ssim_distances(one, other), ssim_distances(other, one).T, rtol=0, atol=1e-12)


def test_an_inverted_texture_is_farther_than_an_unrelated_one(generator):
    video = torch.rand(2, 1, 20, 20, generator=generator)
    assert ssim_distances(video, 1 - video).diagonal().min() > 1.5


def spoilt(frame: int, value: float) -> torch.Tensor:
    video = torch.full((5, 1, 8, 8), 0.5)
    video[frame, 0, 2, 6] = value
    return video


@pytest.mark.parametrize(
    ("truth", "generated", "message"),
    [
        (spoilt(3, float("nan")), spoilt(0, 0.5), "^truth frame 3 contains NaN"),
        (spoilt(0, 0.5), spoilt(4, float("inf")), "^generated frame 4 contains NaN or infinity"),
        (spoilt(0, 0.5), spoilt(1, 1.01), r"^generated frame 1 leaves the grey range \[0, 1\]"),
        (spoilt(2, -0.01), spoilt(0, 0.5), r"^truth frame 2 leaves the grey range \[0, 1\]"),
        (torch.zeros(2, 1, 8, 8), torch.zeros(2, 1, 8, 9), "truth frames are 1x8x8, generated frames 1x8x9"),
        (torch.zeros(2, 1, 8, 6), torch.zeros(2, 1, 8, 6), "1x8x6: smaller than the 7 x 7 window"),
        (torch.zeros(2, 0, 8, 8), torch.zeros(2, 0, 8, 8), "0x8x8"),
        (torch.zeros(0, 1, 8, 8), torch.zeros(2, 1, 8, 8), r"^truth has 0 frame\(s\)"),
        (torch.zeros(2, 1, 8, 8), torch.zeros(1, 1, 8, 8), r"^generated has 1 frame\(s\)"),
    ],
)
def test_unusable_videos_are_named_with_their_frame(truth, generated, message):
    with pytest.raises(MetricError, match=message):
        ssim_distances(truth, generated)


def test_the_caller_may_name_the_videos():
    with pytest.raises(MetricError, match=r"^linear, digit 4, trial 2 frame 1 contains NaN"):
        ssim_distances(spoilt(0, 0.5), spoilt(1, float("nan")), names=("digit 4", "linear, digit 4, trial 2"))
