"""Settings of the networks and their training: `train` in params.yaml."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from pipeline.config.section import Section, Skipped


class Training(Section):
    """What every training has."""

    steps: PositiveInt = Field(description="budget, in optimiser steps")
    batch: PositiveInt = 128
    record_every: PositiveInt = Field(100, description="steps between history records (and checkpoints)")
    patience: int = Field(0, ge=0, description="records without gain in held-out PSNR that end training; 0: never")
    ema: float = Field(0.999, ge=0, lt=1, description="decay of the weights' moving average; 0: none")
    seed: int = Field(0, ge=0)


class BlindNoise(Section):
    """Noise levels of a blind denoiser."""

    sigma_max_255: PositiveFloat = Field(60, description="largest noise level seen in training")
    sigma_law: Literal["uniform", "quadratic"] = Field("uniform", description="quadratic: sigma = max * U^2")


class Optimised(Section):
    """How the weights are found."""

    optimiser: Literal["muon", "adam"] = "muon"
    learning_rate: PositiveFloat = Field(description="of Muon for matrices, or of Adam")
    weight_decay: float = Field(0.0, ge=0, description="of Muon's matrices; puts off memorisation")
    decay: Literal["linear", "halving"] = Field("linear", description="linear: flat, then to zero; halving: 10 times")
    bfloat16: bool = Field(False, description="mixed precision in the forward and backward pass")


class DenoiserTraining(Optimised, BlindNoise, Training):
    """A blind denoiser: sigma uniform in [0, sigma_max_255], mean squared error on the noise."""


class BiasFreeTraining(DenoiserTraining):
    """A blind denoiser without a bias in any layer: D(c y) = c D(y)."""


class UNetTraining(BiasFreeTraining):
    """The paper's bias-free network."""

    network: Literal["unet"]
    width: PositiveInt = 64


class BFCNNTraining(BiasFreeTraining):
    """A plain stack of convolutions, the bias-free DnCNN (Mohan et al. 2020)."""

    network: Literal["bf_cnn"]
    width: PositiveInt = Field(64, description="channels within")
    depth: int = Field(20, ge=2, description="convolutions; a pixel is denoised from a square of 2 depth + 1")


class ResUNetTraining(DenoiserTraining):
    """Our residual network."""

    network: Literal["resunet"]
    widths: tuple[PositiveInt, ...] = Field((32, 64, 128, 128), min_length=1, description="channels a level")


class VAETraining(Training):
    """The autoencoder of Algorithm 3."""

    network: Literal["vae"]
    latent: PositiveInt = 512
    learning_rate: PositiveFloat = 0.005
    divergence_weight: PositiveFloat = Field(0.00025, description="weight of the KL term a frame")
    optimiser: ClassVar[Literal["adam"]] = "adam"
    weight_decay: ClassVar[float] = 0.0
    decay: ClassVar[Literal["flat"]] = "flat"


class Diffusion(Optimised, Training):
    """A denoiser that is told the noise level: sigma log-normal, as in EDM (Karras et al. 2022)."""

    sigma_median_255: PositiveFloat = Field(40, description="median noise level seen in training")
    sigma_spread: PositiveFloat = Field(1.2, description="standard deviation of the natural logarithm of sigma")
    widths: tuple[PositiveInt, ...] = Field((32, 64, 128, 128), min_length=1, description="channels a level")


class DiffusionTraining(Diffusion):
    """Our residual network, told the noise level; from shuffled frames."""

    network: Literal["diffusion"]


class MCVDTraining(Diffusion):
    """Masked conditional video diffusion: the next frames from the two before them; from ordered clips."""

    network: Literal["mcvd"]
    widths: tuple[PositiveInt, ...] = Field((24, 48, 80, 80), min_length=1, description="channels a level")
    future: PositiveInt = Field(1, description="frames generated at a time")
    masked: float = Field(0.1, ge=0, le=1, description="share of clips whose past is hidden in training")


class RNNODETraining(Optimised, Training):
    """Recurrent encoder, latent neural ODE, decoder; from ordered clips."""

    network: Literal["rnn_ode"]
    latent: PositiveInt = Field(64, description="dimension in which the ODE runs")
    hidden: PositiveInt = Field(256, description="units of the recurrent cell and of the ODE's layers")
    horizon: PositiveInt = Field(50, description="frames from the last given one to the end of a clip")
    targets: PositiveInt = Field(8, description="frames of a clip that a step compares, drawn at random")


class SkippedModel(Skipped):
    """Not trained on this dataset."""

    network: Literal["skipped"]


Blind = UNetTraining | BFCNNTraining | ResUNetTraining
"""Trainings of denoisers that are not told the noise level."""

OnClips = MCVDTraining | RNNODETraining
"""Trainings that see the order of the frames: more supervision than the others."""

Trained = Blind | VAETraining | DiffusionTraining | OnClips
Model = Annotated[Trained, Field(discriminator="network")]
ModelEntry = Annotated[Trained | SkippedModel, Field(discriminator="network")]
"""What may stand under `train.DATASET.MODEL`."""
