from __future__ import annotations

from io import BytesIO

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from pipeline.figures.alignment import alignment_figure
from pipeline.figures.comparison import comparison_figure
from pipeline.figures.curve import curve_figure
from pipeline.figures.generalisation import Curves, by_digits, generalisation_figure
from pipeline.figures.generator import generator_figure
from pipeline.figures.moving import moving_picture
from pipeline.figures.paths import paths_figure
from pipeline.figures.plane import Ways, plane_figure
from pipeline.figures.restoration import restoration_figure
from pipeline.figures.samples import samples_figure
from pipeline.figures.spectrum import spectrum_figure
from pipeline.figures.style import METADATA, style
from pipeline.figures.twins import twins_figure
from pipeline.figures.videos import sheet_of, videos_figure
from pipeline.figures.walk2d import SIGMA, STRIDE, circle_denoiser, signed, walk_figure, walk_the_circle
from pipeline.sweeps.heatmap import heatmap_figure


def video(frames: int, channels: int = 1) -> torch.Tensor:
    return torch.rand(frames, channels, 8, 6, generator=torch.Generator().manual_seed(frames))


def comparison() -> Figure:
    names = {"dataset": ["a", "a", "b"], "method": ["x", "y", "y"]}  # x was not run on b
    return comparison_figure(pd.DataFrame({**names, "dtw_ssid": 0.1, "dtw_ssid_low": 0.05, "dtw_ssid_high": 0.2}))


def curves(analysed: bool = True) -> Curves:
    """Two methods at three numbers of digits, not in their order, one of them not run at one."""
    scores = pd.DataFrame({"digits": [100, 10, 1000, 10, 100], "method": ["x", "x", "x", "y", "y"], "dtw_ssid": 0.1})
    psnr = pd.DataFrame({"digits": [100, 10], "denoiser": "d", "psnr": [30.0, 35.0], "psnr_videos": [28.0, 22.0]})
    return Curves("some", scores.assign(dtw_ssid_low=0.05, dtw_ssid_high=0.2), psnr if analysed else psnr[:0])


def heatmap(status: str = "done", settings: int = 6) -> Figure:
    """One method with two axes, one without any; a setting that failed."""
    speeds = [1.0 + i // 2 for i in range(settings)]
    flow = {"dataset": "a", "method": "flow", "speed": speeds, "sigma_255": [15, 25] * (settings // 2)}
    scores = np.linspace(0.1, 0.9, settings).tolist()
    table = pd.DataFrame({**flow, "status": status, "dtw_ssid": [np.nan, *scores[1:]] if status == "done" else np.nan})
    alone = pd.DataFrame([{"dataset": "a", "method": "still", "status": status, "dtw_ssid": table["dtw_ssid"].max()}])
    return heatmap_figure(pd.concat([table, alone], ignore_index=True), ["speed", "sigma_255"])


def curve() -> Figure:
    """Two numbers of training images, on both splits at three levels."""
    rows = [(f"n{n}", n, split, db, db + 5) for n in (10, 1) for split in ("train", "held_out") for db in (10, 20, 30)]
    return curve_figure(pd.DataFrame(rows, columns=["denoiser", "n", "split", "psnr_in", "psnr"]), "a title")


def twins() -> Figure:
    """Two pairs, of which one sample is not a number."""
    cosines = {"cosine_twins": [0.2, np.nan], "cosine_own_a": 0.9, "cosine_own_b": [0.8, 0.9]}
    table = pd.concat([pd.DataFrame({"denoiser": f"n{n}_a", "n": n, **cosines}) for n in (10, 1)])
    return twins_figure(table, {f"n{n}_a": video(8).unflatten(0, (4, 2)) for n in (1, 10)}, "a title")


FIGURES = {
    "videos": lambda: videos_figure(video(9), {"linear": video(5), "vae": video(7)}),
    "colour": lambda: videos_figure(video(9, 3), {"linear": video(5, 3)}),
    "short": lambda: videos_figure(video(3), {"linear": video(2)}),
    "circle": lambda: paths_figure(
        np.arange(0, 360, 36.0), 360, "degrees", {f"m{i}": np.arange(9.0) for i in range(8)}
    ),
    "segment": lambda: paths_figure(np.arange(9.0), None, "pixels", {f"m{i}": np.arange(9.0) for i in range(8)}),
    "alignment": lambda: alignment_figure(np.random.default_rng(0).random((9, 5)), "a title"),
    "spectrum": lambda: spectrum_figure([0, 4], video(2), torch.rand(2, 6), torch.rand(2, 3, 1, 8, 6) - 0.5, "a title"),
    "generator": lambda: generator_figure(
        video(3), video(3) - 0.5, torch.rand(2, 8, 6) - 0.5, {"resunet": [0.1, 0.6], "local PCA": [0.2, 0.7]}, "a title"
    ),
    "samples": lambda: samples_figure(
        video(6).unflatten(0, (2, 3)), video(6).unflatten(0, (2, 3)), [1, 0.1], "a title"
    ),
    "restoration": lambda: restoration_figure(video(10).unflatten(0, (2, 5)), ["hole", "blur"], "a title"),
    "plane": lambda: plane_figure(torch.rand(40, 2), [Ways(0.4, torch.rand(5, 2), torch.rand(7, 5, 2))]),
    "curve": curve,
    "twins": twins,
    "walk": lambda: walk_figure(video(2), video(20)),
    "comparison": comparison,
    "generalisation": lambda: generalisation_figure([curves(), curves()]),
    "generalisation without PSNR": lambda: generalisation_figure([curves(analysed=False)]),
    "heatmap": heatmap,
    "large heatmap": lambda: heatmap(settings=152),
    "failed heatmap": lambda: heatmap("failed"),
}


def saved(name: str, kind: str) -> bytes:
    torch.manual_seed(0)
    written = BytesIO()
    with style():
        FIGURES[name]().savefig(written, format=kind, metadata=METADATA[kind])
    return written.getvalue()


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_drawn_again_has_the_same_bytes(name: str) -> None:
    for kind in METADATA:
        assert saved(name, kind) == saved(name, kind)


def test_a_heatmap_shows_every_setting_with_its_number_and_a_cross_where_none_is() -> None:
    flow, still, *_ = heatmap().axes
    assert [label.get_text() for label in flow.get_xticklabels()] == ["1.0", "2.0", "3.0"]
    assert [label.get_text() for label in flow.get_yticklabels()] == ["sigma 255 15.0", "sigma 255 25.0"]
    written = {text.get_position(): text.get_text() for text in flow.texts}
    assert written == {(0, 0): "x", (0, 1): "0.260", (1, 0): "0.420", (1, 1): "0.580", (2, 0): "0.740", (2, 1): "0.900"}
    assert [text.get_text() for text in still.texts] == ["0.900"]


def test_the_walk_in_the_plane_leaves_the_circle_along_the_tangent_and_comes_back() -> None:
    walk = walk_the_circle(circle_denoiser(), steps=6)
    out, back = (np.linalg.norm(points, axis=1) for points in (walk.predicted, walk.stations[2:]))
    assert np.all(out > np.hypot(1, STRIDE) - 0.12)
    assert np.all(np.abs(back - 1) < SIGMA)
    assert np.all(np.abs(back - 1) < np.abs(out - 1))
    angle = np.unwrap(np.arctan2(walk.stations[:, 1], walk.stations[:, 0]))
    assert np.all(np.diff(angle) > 0.2)  # it never turns back


def test_what_leaves_the_grey_range_is_red_above_and_blue_below() -> None:
    red, blue, grey = signed(np.array([[3.0, -2.0, 0.5]]))[0]
    assert red[0] > 0.9 > 0.1 > red[2]
    assert blue[2] > 0.9 > 0.1 > blue[0]
    assert grey.tolist() == [0.5] * 3


def test_a_sheet_runs_from_the_first_to_the_last_frame() -> None:
    frames = video(9)
    sheet = sheet_of([frames, frames[:4]], 3, border=0)
    assert sheet.shape == (16, 18, 1)
    np.testing.assert_array_equal(sheet[:8, -6:, 0], frames[-1, 0].numpy())
    np.testing.assert_array_equal(sheet[8:, -6:, 0], frames[3, 0].numpy())


@pytest.mark.parametrize("channels", [1, 3])
def test_a_moving_picture_plays_every_video_from_end_to_end(channels: int) -> None:
    ramp = torch.linspace(0.2, 1, 7)[:, None, None, None].expand(7, channels, 16, 16)
    content = moving_picture({"truth": ramp, "linear": ramp[:4]}, ticks=5)
    assert content == moving_picture({"truth": ramp, "linear": ramp[:4]}, ticks=5)
    picture = Image.open(BytesIO(content))
    assert picture.n_frames == 5
    centres = []
    for tick in range(5):
        picture.seek(tick)
        page = np.array(picture.convert("L"))
        centres.append((page[60, 40], page[60, 150]))
    first, second = np.array(centres, dtype=float).T
    assert np.all(np.diff(first) > 0)
    assert np.all(np.diff(second) >= 0)
    assert (first[-1], second[-1]) == pytest.approx((255, 153), abs=2)


def test_curves_run_by_rising_numbers_of_digits() -> None:
    walks, psnr = generalisation_figure([curves()]).axes
    drawn = {line.get_label(): line.get_xdata().tolist() for axes in (walks, psnr) for line in axes.lines}
    assert drawn == {
        "x": [10, 100, 1000],
        "y": [10, 100],
        "d, digits trained on": [10, 100],
        "d, digits never seen": [10, 100],
    }


def test_datasets_that_differ_in_training_digits_alone_belong_together() -> None:
    turned, shifted = {"kind": "rotation", "frames": 9}, {"kind": "translation", "frames": 9}
    data = {
        "many": {**turned, "train_digits": 100},
        "few": {**turned, "train_digits": 10},
        "own": {**turned, "train_digits": 0},
        "plain": turned,
        "longer": {**turned, "frames": 10, "train_digits": 20},
        "left_out": {**turned, "train_digits": 50},
        "alone": {**shifted, "train_digits": 100},
    }
    (group,) = by_digits(data, [name for name in data if name != "left_out"])
    assert list(group.items()) == [("few", 10), ("many", 100)]
