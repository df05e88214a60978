"""From settings to an untrained network."""

from __future__ import annotations

from torch import nn

from pipeline.config.training import Model, ResUNetTraining, UNetTraining
from pipeline.networks.resunet import ResUNet
from pipeline.networks.unet import UNet
from pipeline.networks.vae import VAE


def build_network(cfg: Model, channels: int, size: int) -> nn.Module:
    """The network that `cfg` describes, for square frames of `size` pixels."""
    if isinstance(cfg, UNetTraining):
        return UNet(channels, cfg.width)
    if isinstance(cfg, ResUNetTraining):
        return ResUNet(channels, cfg.widths)
    return VAE(channels, size, cfg.latent)
