"""Single digits, without any motion: for what denoisers know of images, not for walks."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field, PositiveInt

from manex.datasets.base import DatasetSettings, Raw
from manex.datasets.digits import SIZE, Images, crops, others
from manex.datasets.videos import ClipVideos


class Stills(DatasetSettings):
    """MNIST digits as they are, each a clip of one frame; there are no videos."""

    source: ClassVar[Raw | None] = "mnist"

    train_digits: PositiveInt = Field(4000, description="of fetch.mnist.others")


def stills(cfg: Stills, raw: Images) -> ClipVideos:
    """The first `train_digits` of fetch.mnist.others, the ten classes in turn; `held_out` of them are not trained on.

    Raises:
        ValueError: there are fewer.
    """
    frames = crops(others(raw, cfg.train_digits))
    return ClipVideos(
        videos=np.empty((0, 3, 1, SIZE, SIZE), np.float32),
        frames=frames,
        clip=np.arange(len(frames)),
        given=np.empty(0, np.int64),
        note=f"{len(frames)} still digits, no videos",
    )
