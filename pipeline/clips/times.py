"""When the frames of a video are shown: a walk takes them as even."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pipeline.errors import UserError

OFF = 0.51
"""An interval is off if it differs from the usual one by more than this share of it. Film at 30 frames per second has
intervals of 2 and 3 fields."""
MANY = 0.25
"""Above this share of intervals that are off, frames are no even samples of the motion."""


@dataclass
class Times:
    """Times of the frames of one video, in seconds."""

    shown: list[float | None] = field(default_factory=list)
    last: float = 0.0

    def add(self, time: float | None, duration: float) -> None:
        """The next frame, and how long the file says it is shown; 0 if it does not."""
        self.shown.append(time)
        self.last = duration

    @property
    def known(self) -> bool:
        """Whether every frame has a time, in order."""
        times = self.shown
        return len(times) > 1 and None not in times and bool((np.diff(np.array(times, float)) > 0).all())

    @property
    def usual(self) -> float:
        """The median interval."""
        return float(np.median(np.diff(np.array(self.shown, float)))) if self.known else 0.0

    @property
    def end(self) -> float:
        """When the last frame ends; infinity if no times are known."""
        if not self.known:
            return float("inf")
        first, last = float(self.shown[0] or 0), float(self.shown[-1] or 0)
        return last - min(first, 0) + max(self.usual, self.last)

    def uneven(self, path: Path) -> str:
        """Where the frames are not even, in words; "" if they are.

        Raises:
            UserError: they are so in so many places that the motion would be another one.
        """
        if not self.known:
            return ""
        steps = np.diff(np.array(self.shown, float))
        off = np.flatnonzero(np.abs(steps - self.usual) > OFF * self.usual)
        if not len(off):
            return ""
        usual, worst = 1000 * self.usual, 1000 * float(steps[off[0]])
        if len(off) > MANY * len(steps):
            raise UserError(
                f"{path}: a variable frame rate: {len(off)} of {len(steps)} frames are not {usual:.0f} ms apart, such "
                f"as frames {off[0] + 1} and {off[0] + 2} ({worst:.0f} ms); convert it to a constant rate, by "
                f"ffmpeg -i {path.name} -fps_mode cfr -r {1 / self.usual:.0f} NEW.mp4"
            )
        return (
            f"frames {off[0] + 1} and {off[0] + 2} are {worst:.0f} ms apart, not {usual:.0f}; "
            f"{len(off)} such places, taken as even"
        )
