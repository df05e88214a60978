"""What every metric raises when its input cannot be scored."""

from __future__ import annotations


class MetricError(ValueError):
    """Input that has no score; the message names the video and the frame."""
