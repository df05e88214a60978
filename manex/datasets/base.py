"""What every dataset kind shares: its settings' base and the shape of what it makes.

A dataset kind is one file. It holds one subclass of `DatasetSettings`, and a function that has the file's name:

    def my_kind(cfg, raw) -> LatentVideos | ClipVideos

`raw` is what the source holds that the settings name: digits, clips, or None.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from manex.settings import Section

Raw = Literal["mnist", "weizmann", "frames"]
"""Where raw data come from: a file of pipeline/sources/."""


class DatasetSettings(Section):
    """Base of the settings of all dataset kinds.

    Attributes:
        source: what it is made of; None for a drawn dataset.
        private: whether it shows what must not be published, such as real people.
    """

    source: ClassVar[Raw | None] = None
    private: ClassVar[bool] = False

    held_out: int = Field(200, ge=0, description="frames, over all videos, kept from training and used for PSNR")
    seed: int = Field(0, ge=0, description="of the held-out draw, and of where in its clip a video starts")


class Latent(DatasetSettings):
    """Videos along a known one-dimensional latent."""

    frames: int = Field(100, ge=4, description="frames per video")
    dense: int = Field(1000, ge=10, description="samples of the latent that represent the continuous manifold")


class Clips(DatasetSettings):
    """Short videos taken from longer clips, all frames of which are trained on; nothing is known of a latent."""

    private: ClassVar[bool] = True

    size: int = Field(32, ge=16, le=512, description="side of a frame in pixels")
    colour: Literal["grey", "rgb"] = "grey"
    frames: int = Field(5, ge=3, description="frames per video, including the two given ones")
    stride: int = Field(1, gt=0, description="frames of the clip from one frame of the video to the next")
