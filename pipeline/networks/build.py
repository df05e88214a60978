"""From settings to an untrained network."""

from __future__ import annotations

from torch import nn

from pipeline.config.training import (
    BFCNNTraining,
    DiffusionTraining,
    MCVDTraining,
    Model,
    ResUNetTraining,
    RNNODETraining,
    UNetTraining,
)
from pipeline.networks.bf_cnn import BFCNN
from pipeline.networks.conditional import ConditionalUNet
from pipeline.networks.resunet import ResUNet
from pipeline.networks.rnn_ode import RNNODE
from pipeline.networks.unet import UNet
from pipeline.networks.vae import VAE


def build_network(cfg: Model, channels: int, size: int) -> nn.Module:
    """The network that `cfg` describes, for square frames of `size` pixels."""
    if isinstance(cfg, UNetTraining):
        return UNet(channels, cfg.width)
    if isinstance(cfg, BFCNNTraining):
        return BFCNN(channels, cfg.width, cfg.depth)
    if isinstance(cfg, ResUNetTraining):
        return ResUNet(channels, cfg.widths)
    if isinstance(cfg, DiffusionTraining):
        return ConditionalUNet(channels, cfg.widths)
    if isinstance(cfg, MCVDTraining):
        return ConditionalUNet(cfg.future * channels, cfg.widths, given=2 * channels)
    if isinstance(cfg, RNNODETraining):
        return RNNODE(channels, size, cfg.latent, cfg.hidden)
    return VAE(channels, size, cfg.latent)
