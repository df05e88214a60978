"""The directions in which an image may change and stay an image, to look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jaxtyping import Float
from torch import Generator, Tensor

from manex.denoisers.base import Denoiser
from manex.front.pictures import Image
from manex.front.walk import FLOW, taken
from manex.geometry.eigen import top_eigenspace
from manex.geometry.products import Jacobian
from manex.noises.draws import noise_like

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False)
class Tangent:
    """The first eigenvectors of a denoiser's Jacobian at an image.

    Attributes:
        image: (channel, height, width), grey levels in [0, 1].
        values: eigenvalues, descending: near 1 along the manifold, near 0 across it.
        vectors: orthonormal eigenvectors, as images.
    """

    image: Float[Tensor, "channel height width"]
    values: Float[Tensor, " k"]
    vectors: Float[Tensor, "k channel height width"]

    def plot(self) -> Figure:
        """The image and its directions: red where it brightens along them, blue where it darkens."""
        from matplotlib import pyplot as plt

        count = len(self.values)
        drawn, panels = plt.subplots(1, count + 1, figsize=(1.5 * (count + 1), 1.9), layout="constrained")
        panels[0].imshow(self.image.permute(1, 2, 0).numpy(), cmap="gray", vmin=0, vmax=1)
        panels[0].set_title("image")
        for panel, value, vector in zip(panels[1:], self.values.tolist(), self.vectors.mean(1).numpy(), strict=True):
            reach = abs(vector).max()
            panel.imshow(vector, cmap="RdBu_r", vmin=-reach, vmax=reach)
            panel.set_title(f"{value:.2f}")
        for panel in panels:
            panel.set_axis_off()
        return drawn

    def __repr__(self) -> str:
        """Its eigenvalues."""
        return f"tangent directions with eigenvalues {', '.join(f'{value:.2f}' for value in self.values.tolist())}"


def tangent(denoiser: Denoiser, image: Image, k: int = 5, sigma: float = FLOW.sigma) -> Tangent:
    """The first eigenvectors of a denoiser's Jacobian at a noisy copy of an image.

    The symmetric part (J + J^T) / 2 is decomposed. Eigenvalues near 1 are directions in which the image may change.

    Args:
        denoiser: `manex.load(NAME)`, or one of your own.
        image: as for `manex.walk`.
        k: how many directions.
        sigma: noise level in grey levels.

    Raises:
        ImageError: an image that the denoiser cannot take.
        GeometryError: more directions than pixels, or none.

    Example:
        >>> import manex
        >>> digits = manex.load("rotated_mnist")
        >>> manex.tangent(digits, digits.held_out[0], k=3).vectors.shape
        torch.Size([3, 1, 20, 20])
    """
    (frame,) = taken(denoiser, (image,)).split(1)
    noisy = frame + sigma * noise_like(frame, Generator().manual_seed(0), denoiser.noise)
    space = top_eigenspace(Jacobian(denoiser.at(sigma), noisy), k)
    return Tangent(frame[0].cpu(), space.values[0].detach().cpu(), space.vectors[0].detach().cpu())
