"""The library's errors: each message says what was wrong and what to do, in one line."""

from __future__ import annotations


class ManexError(Exception):
    """Base of all errors that the caller can put right.

    Example:
        >>> from manex import ManexError, WalkError
        >>> issubclass(WalkError, ManexError)
        True
    """


class AnalysisError(ManexError, ValueError):
    """A dataset, a denoiser or settings that an analysis cannot use."""


class GeometryError(ManexError, ValueError):
    """The Jacobian of this map, or a space of its eigenvectors, cannot be computed.

    Example:
        >>> from manex import GeometryError, Jacobian
        >>> try:
        ...     Jacobian(lambda y: y.log(), -torch.ones(1, 1, 4, 4))
        ... except GeometryError as error:
        ...     print(error)
        the denoiser returns NaN or infinity at the given points: check them and the weights
    """


class GeometryWarning(UserWarning):
    """Products with a Jacobian are less exact than they could be; the message says why.

    Example:
        >>> import warnings
        >>> from manex import GeometryWarning, Jacobian
        >>> with warnings.catch_warnings(record=True) as said:
        ...     warnings.simplefilter("always")
        ...     _ = Jacobian(lambda y: torch.from_numpy(y.numpy() / 2), torch.ones(1, 1, 4, 4))
        >>> issubclass(said[0].category, GeometryWarning)
        True
    """


class ImageError(ManexError, ValueError):
    """An image that a denoiser cannot take; the message says what to do with it.

    Example:
        >>> import manex
        >>> try:
        ...     manex.tangent(manex.load("rotated_mnist"), torch.rand(28, 28))
        ... except manex.ImageError as error:
        ...     print(error)
        an image of 28 x 28 pixels, but the denoiser takes 20 x 20: resize it
    """


class MetricError(ManexError, ValueError):
    """The input has no score; the message names the video and the frame.

    Example:
        >>> from manex import MetricError, ssim_distances
        >>> try:
        ...     ssim_distances(torch.zeros(2, 1, 8, 8), torch.full((2, 1, 8, 8), 2.0))
        ... except MetricError as error:
        ...     print(error)
        generated frame 0 leaves the grey range [0, 1]: clip before scoring
    """


class WalkError(ManexError, ValueError):
    """Two frames that cannot start a walk, or a walk that produced NaN or infinity.

    Example:
        >>> from manex import ItemNoise, PixelLinear, WalkError
        >>> from manex.extrapolators.walk import walk
        >>> frame = torch.zeros(1, 1, 8, 8)
        >>> try:
        ...     next(walk(PixelLinear(), None, frame, frame, ItemNoise([(0,)])))
        ... except WalkError as error:
        ...     print(error)
        video 0: its first two frames are identical, so there is no velocity to follow
    """
