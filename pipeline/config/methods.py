"""Settings of the extrapolations: `extrapolate` in params.yaml."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from pipeline.config.rivals import (
    MCVD,
    RNNODE,
    AffineFlow,
    DDIMLatent,
    DenseFlow,
    FlowDenoise,
    LocalPca,
    PcaLinear,
    Persistence,
    PerturbationPca,
    PixelLinear,
)
from pipeline.config.section import Skipped
from pipeline.config.walks import Block, Denoised, OnNetwork


class Linear(Denoised):
    """Algorithm 2: the velocity between noisy frames, repeated."""

    algorithm: Literal["linear"]
    eta: PositiveFloat


class Latent(OnNetwork):
    """Algorithm 3: linear extrapolation in the autoencoder's latent space."""

    algorithm: Literal["latent"]
    model: str = "vae"
    eta: PositiveFloat


class TangentSpace(Denoised):
    """Algorithm 1 with the corrected Algorithm 4; the defaults are the paper's literal setting."""

    algorithm: Literal["tangent_space"]
    eta: PositiveFloat
    rank: PositiveInt = Field(3, description="K, the number of eigenvectors; the paper gives none")
    rank_rule: Literal["fixed", "threshold", "gap"] = Field("fixed", description="gap, threshold: at most `rank`")
    threshold: float = Field(0.5, gt=0, lt=1, description="smallest eigenvalue kept by the threshold rule")
    solver: Literal["krylov", "subspace", "deflated", "exact"] = "krylov"
    tolerance: PositiveFloat = Field(0.05, description="sine of the angle to the true space at which the solver stops")
    max_products: PositiveInt = Field(200, description="Jacobian products a frame at which the solver gives up")
    velocity: Literal["noisy", "clean"] = Field("noisy", description="difference of noisy frames (paper) or clean")
    step: Literal["velocity", "given"] = Field("velocity", description="length: of the velocity (paper) or |u1 - u0|")
    remove_brightness: bool = Field(False, description="project the image itself out of the velocity")
    corrector: int = Field(0, ge=0, description="further steps up the score a frame")
    denoise: bool = Field(True, description="denoise once before them; false: the corrector alone")
    clip: bool = Field(False, description="clip every frame to [0, 1] before the next step")


class TangentFlow(Denoised):
    """Ours: soft tangent projection by Jacobian products."""

    algorithm: Literal["tangent_flow"]
    products: int = Field(1, ge=1, le=8, description="Jacobian products a projection; 1 is fastest")
    substeps: PositiveInt = Field(4, description="predictor-corrector steps an output frame")
    momentum: float = Field(0.5, ge=0, description="weight of the last direction beside the velocity's")
    draws: PositiveInt = Field(2, description="noisy copies averaged a substep, in mirrored pairs; 1 is fastest")
    speed: PositiveFloat = Field(1.0, description="path length a frame, in units of |u1 - u0|")
    corrector: int = Field(0, ge=0, description="further steps up the score a substep")
    midpoint: bool = Field(False, description="take the direction half a substep ahead")
    remove_brightness: bool = Field(False, description="for homogeneous networks: the image is not a motion")


class SkippedMethod(Skipped):
    """Not run on this dataset, such as an oracle where no true manifold is known."""

    algorithm: Literal["skipped"]
    block: Block = "manifold"
    model_name: ClassVar[str] = ""


Walked = (
    Linear
    | Latent
    | TangentSpace
    | TangentFlow
    | Persistence
    | PixelLinear
    | AffineFlow
    | DenseFlow
    | FlowDenoise
    | PcaLinear
    | LocalPca
    | PerturbationPca
    | DDIMLatent
    | RNNODE
    | MCVD
)
Method = Annotated[Walked, Field(discriminator="algorithm")]
MethodEntry = Annotated[Walked | SkippedMethod, Field(discriminator="algorithm")]
"""What may stand under `extrapolate.DATASET.METHOD`."""
