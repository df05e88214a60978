"""Settings of the rivals; docs/rivals.md tells where each comes from."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from pipeline.config.section import Section
from pipeline.config.walks import FRAMES, Block, Denoised, OnNetwork, Walk


class Rival(Walk):
    """What is not a walk on a denoiser's manifold."""

    block: Block = "rivals"


class Persistence(Rival):
    """The last frame, repeated."""

    algorithm: Literal["persistence"]


class PixelLinear(Rival):
    """The last change of every pixel, repeated and clipped."""

    algorithm: Literal["pixel_linear"]


class OnFrames(Rival):
    """What takes the training frames themselves for a model."""

    @property
    def model_name(self) -> str:
        """No name to be looked up under `models`."""
        return FRAMES


class PcaLinear(OnFrames):
    """A straight line in the training frames' principal coordinates."""

    algorithm: Literal["pca_linear"]
    rank: PositiveInt = Field(50, description="principal coordinates kept")
    speed: PositiveFloat = Field(1.0, description="step a frame, in units of the given one")


class Patches(Section):
    """A walk over planes."""

    rank: PositiveInt = Field(2, description="dimension of the planes")
    speed: PositiveFloat = Field(1.0, description="path length a frame, in units of |u1 - u0|")
    substeps: PositiveInt = Field(2, description="steps an output frame")
    momentum: float = Field(2.0, ge=0, description="weight of the last direction beside the velocity's")


class LocalPca(OnFrames, Patches):
    """Planes through the nearest training frames."""

    algorithm: Literal["local_pca"]
    neighbours: int = Field(6, ge=2, description="training frames a plane")


class PerturbationPca(Denoised, Patches):
    """Planes through denoised noisy copies."""

    algorithm: Literal["perturbation_pca"]
    block: Block = "rivals"
    draws: int = Field(16, ge=2, multiple_of=2, description="noisy copies a plane, in mirrored pairs")


class Optical(Section):
    """How the motion between two frames is estimated, and how frames are sampled."""

    motion: Literal["affine", "tvl1", "ilk"] = Field("affine", description="estimator")
    speed: PositiveFloat = Field(1.0, description="of the motion, in units of the one between the given frames")
    blur: float = Field(0.5, ge=0, description="Gaussian blur before estimation, pixels")
    attachment: PositiveFloat = Field(15, description="tvl1: weight of the images; smaller is smoother")
    tightness: PositiveFloat = Field(0.3, description="tvl1: coupling of its two parts")
    radius: PositiveInt = Field(7, description="ilk: of the window, pixels")
    spline: int = Field(3, ge=1, le=5, description="order of the interpolation")
    outside: Literal["black", "edge"] = Field("black", description="what is seen from beyond the frame")


class AffineFlow(Rival, Optical):
    """One affine map registers the two frames; its powers carry the second one on."""

    algorithm: Literal["affine_flow"]
    motion: Literal["affine"] = "affine"


class DenseFlow(Rival, Optical):
    """Optical flow between the two frames, held steady, carries the second one on."""

    algorithm: Literal["dense_flow"]
    motion: Literal["tvl1", "ilk"] = "tvl1"


class FlowDenoise(Denoised, Optical):
    """Optical motion moves the last frame, the denoiser repairs it."""

    algorithm: Literal["flow_denoise"]
    block: Block = "rivals"


class DDIM(Section):
    """The probability-flow ODE of a diffusion model, by Euler steps."""

    steps: PositiveInt = Field(20, description="from one end of the noise levels to the other")
    sigma_max_255: PositiveFloat = Field(1000, description="largest noise level")
    sigma_min_255: PositiveFloat = Field(1, description="noise level at which an image counts as clean")


class DDIMLatent(Rival, DDIM):
    """Deterministic inversion of both frames, extrapolation there, decoding."""

    algorithm: Literal["ddim_latent"]
    denoiser: str = Field("diffusion", description="a trained model or a closed form, told the noise level")
    path: Literal["linear", "spherical"] = "linear"
    speed: PositiveFloat = Field(1.0, description="step a frame, in units of the given one")


class Supervised(OnNetwork):
    """What was trained on ordered clips."""

    block: Block = "supervised"
    speed: PositiveFloat = Field(1.0, description="frames of a training clip from one output frame to the next")


class RNNODE(Supervised):
    """The code of two frames, moved by a neural ODE."""

    algorithm: Literal["rnn_ode"]
    model: str = "rnn_ode"


class MCVD(Supervised, DDIM):
    """The next frames by diffusion, given the last two; a speed that is not whole shows the nearest frames."""

    algorithm: Literal["mcvd"]
    model: str = "mcvd"
