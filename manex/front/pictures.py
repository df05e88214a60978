"""Images as frames of a denoiser, from arrays or files, and frames as a moving picture.

With load.py, all that the library has to do with files: two images in and a moving picture out are what it is for.
"""

from __future__ import annotations

import io
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageOps
import torch
from numpy.typing import NDArray
from torch import Tensor

from manex.arrays import Frames
from manex.datasets.pictures import Picture, whole
from manex.errors import ImageError

Image = NDArray[Any] | Tensor | str | os.PathLike[str]
"""(height, width) or (channel, height, width), bytes or grey levels in [0, 1]; or a file with a picture."""
Shape = tuple[int, int, int]
"""Channels, height and width of the frames that a denoiser takes."""

MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA")
"""Those of Pillow that become RGB without loss."""
SIDE = 240
"""Least side of a moving picture in pixels; frames are magnified by a whole number."""


def frames_of(images: tuple[Image, ...], shape: Shape | None) -> Frames:
    """Images of one size as a batch of frames, grey levels in [0, 1].

    An array must fit the denoiser as it is. Of a file the central square is taken, in the denoiser's size; where that
    takes grey frames, a picture in colour gives its grey levels, with a warning.

    Args:
        shape: of the denoiser's frames; None: any.

    Raises:
        ImageError: images of several sizes, an array that does not fit, or a file that is no picture of 8 bits.
    """
    found = [_picture(Path(image)) if isinstance(image, str | os.PathLike) else _levels(image) for image in images]
    sizes = [_size(image) for image in found]
    if len(set(sizes)) > 1:
        raise ImageError(f"images of {' and '.join(sizes)} pixels: crop or resize them to one size")
    fitted = [_fitted(image, shape) for image in found]
    if len({len(image) for image in fitted}) > 1:
        raise ImageError("one image is grey, the other in colour: take the grey levels of both")
    return torch.stack(fitted)


def _levels(image: NDArray[Any] | Tensor) -> Tensor:
    """An array as grey levels, channels first."""
    values = image.detach().cpu() if isinstance(image, Tensor) else torch.from_numpy(np.array(image))
    found = tuple(values.shape)
    if values.ndim == 3 and found[0] > 4 and found[2] in (1, 3, 4):
        raise ImageError(f"an image of shape {found}: its channels must come first, image.transpose(2, 0, 1)")
    if values.ndim not in (2, 3) or not values.numel():
        raise ImageError(f"an image of shape {found}: (height, width) or (channel, height, width) is needed")
    if values.dtype != torch.uint8 and not values.is_floating_point():
        raise ImageError(f"an image of {values.dtype}: bytes (uint8) or floats in [0, 1] are needed")
    levels = (values / 255 if values.dtype == torch.uint8 else values.float()).reshape(-1, *found[-2:])
    if not (levels.isfinite().all() and levels.min() >= 0 and levels.max() <= 1):
        raise ImageError("an image has values outside [0, 1]: divide it by its white, or give bytes (uint8)")
    return levels


def _picture(path: Path) -> Picture:
    """A file as bytes, (height, width, 3), upright, transparent pixels on black."""
    try:
        with PIL.Image.open(path) as opened:
            mode, count = opened.mode, getattr(opened, "n_frames", 1)
            upright = PIL.ImageOps.exif_transpose(opened).convert("RGBA")
    except (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError) as error:
        raise ImageError(f"{path}: cannot be read as a picture ({' '.join(str(error).split())[:160]})") from None
    if mode not in MODES or count > 1:
        raise ImageError(f"{path}: one picture of 8 bits a channel is needed; save it as one, or give an array")
    black = PIL.Image.new("RGBA", upright.size, "black")
    black.alpha_composite(upright)
    return np.asarray(black.convert("RGB"))


def _fitted(image: Picture | Tensor, shape: Shape | None) -> Tensor:
    if isinstance(image, Tensor):
        if shape and len(image) != shape[0]:
            advice = "take its grey levels, such as image.mean(0)" if shape[0] == 1 else "give one in colour"
            raise ImageError(f"an image of {len(image)} channels, but the denoiser takes {shape[0]}: {advice}")
        if shape and tuple(image.shape) != shape:
            raise ImageError(
                f"an image of {_size(image)} pixels, but the denoiser takes {shape[2]} x {shape[1]}: resize it"
            )
        return image
    grey = bool((image == image[..., :1]).all())
    if shape is None:
        return torch.from_numpy(image[..., : 1 if grey else 3].transpose(2, 0, 1) / 255).float()
    if shape[0] == 1 and not grey:
        warnings.warn("a picture in colour, but the denoiser takes grey ones: its grey levels are used", stacklevel=5)
    return torch.from_numpy(whole([image], shape[2], colour=shape[0] == 3)[0])


def _size(image: Picture | Tensor) -> str:
    height, width = image.shape[-2:] if isinstance(image, Tensor) else image.shape[:2]
    return f"{width} x {height}"


def gif(video: Frames, milliseconds: int = 60) -> bytes:
    """A GIF that repeats without end; the same frames give the same bytes.

    Args:
        video: grey levels, one channel or three.
        milliseconds: how long each frame is shown.
    """
    scale = -(-SIDE // max(video.shape[-2:]))
    pixels = (video.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    pixels = pixels.repeat(scale, 1).repeat(scale, 2)
    first, *others = (PIL.Image.fromarray(page[..., 0] if page.shape[-1] == 1 else page) for page in pixels)
    written = io.BytesIO()
    first.save(written, "GIF", save_all=True, append_images=others, duration=milliseconds, loop=0)
    return written.getvalue()


def save_gif(video: Frames, path: str | os.PathLike[str]) -> None:
    """Write a moving picture.

    Raises:
        ImageError: a name that does not end with .gif, or a folder that is not there.
    """
    to = Path(path)
    if to.suffix.lower() != ".gif":
        raise ImageError(f"{to}: a name that ends with .gif is needed")
    if not to.parent.is_dir():
        raise ImageError(f"{to}: no such folder: {to.parent}")
    to.write_bytes(gif(video))
