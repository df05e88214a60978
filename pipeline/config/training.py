"""Settings of the networks and their training: `train` in params.yaml."""

from __future__ import annotations

from typing import Annotated, Literal

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


class DenoiserTraining(Training):
    """A blind denoiser: sigma uniform in [0, sigma_max_255], mean squared error on the noise."""

    sigma_max_255: PositiveFloat = Field(60, description="largest noise level seen in training")
    sigma_law: Literal["uniform", "quadratic"] = Field("uniform", description="quadratic: sigma = max * U^2")
    optimiser: Literal["muon", "adam"] = "muon"
    learning_rate: PositiveFloat = Field(description="of Muon for matrices, or of Adam")
    weight_decay: float = Field(0.0, ge=0, description="of Muon's matrices; puts off memorisation")
    decay: Literal["linear", "halving"] = Field("linear", description="linear: flat, then to zero; halving: 10 times")
    bfloat16: bool = Field(False, description="mixed precision in the forward and backward pass")


class UNetTraining(DenoiserTraining):
    """The paper's bias-free network."""

    network: Literal["unet"]
    width: PositiveInt = 64


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


class SkippedModel(Skipped):
    """Not trained on this dataset."""

    network: Literal["skipped"]


Trained = UNetTraining | ResUNetTraining | VAETraining
Model = Annotated[Trained, Field(discriminator="network")]
ModelEntry = Annotated[Trained | SkippedModel, Field(discriminator="network")]
"""What may stand under `train.DATASET.MODEL`."""
