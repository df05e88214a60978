"""Training of BF-CNN, the bias-free DnCNN (Mohan et al. 2020)."""

from __future__ import annotations

from pydantic import Field, PositiveInt

from manex.networks.bf_cnn import BFCNN
from manex.training.denoising import BlindTraining


class BFCNNTraining(BlindTraining):
    """A plain stack of convolutions, the bias-free DnCNN (Mohan et al. 2020)."""

    width: PositiveInt = Field(64, description="channels within")
    depth: int = Field(20, ge=2, description="convolutions; a pixel is denoised from a square of 2 depth + 1")

    @property
    def homogeneous(self) -> bool:
        """It has no bias."""
        return True

    def build(self, channels: int, size: int) -> BFCNN:
        """The untrained network."""
        return BFCNN(channels, self.width, self.depth)
