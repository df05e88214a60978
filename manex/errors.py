"""The library's errors: each message says what was wrong and what to do, in one line."""

from __future__ import annotations


class ManexError(Exception):
    """Base of all errors that the caller can put right."""


class GeometryError(ManexError, ValueError):
    """The Jacobian of this map, or a space of its eigenvectors, cannot be computed."""


class MetricError(ManexError, ValueError):
    """The input has no score; the message names the video and the frame."""


class WalkError(ManexError, ValueError):
    """Two frames that cannot start a walk, or a walk that produced NaN or infinity."""
