"""Settings of the extrapolations: `extrapolate` in params.yaml.

Noise levels are stored as `sigma_255` in 1/255 of the grey range, as papers quote them; `.sigma` is the same in grey
levels.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, PositiveFloat, PositiveInt, Tag

from pipeline.config.own import Own, OwnDenoiser
from pipeline.config.section import Section, Skipped

CLOSED_FORMS = ("oracle", "memoriser", "wiener", "tikhonov", "total_variation", "wavelet", "non_local_means")
"""Denoisers that need no training."""

FRAMES = "training_frames"
"""The model of methods that take the training frames themselves."""


Block = Literal["manifold", "rivals", "supervised", "denoisers"]
"""The part of Table 1 that a method stands in; `supervised`: rivals that were trained on ordered clips, which tell more
than shuffled frames; `denoisers`: in the ablation reports/denoisers.md instead."""


class Walk(Section):
    """What every extrapolation has."""

    frames: PositiveInt = Field(description="frames to generate after the two given")
    block: Block = Field("manifold", description="part of Table 1 that shows it; denoisers: reports/denoisers.md")

    @property
    def model_name(self) -> str:
        """The trained model or closed form that it uses; "": none, or an own one."""
        model = getattr(self, "denoiser", None) or getattr(self, "model", "")
        return "" if isinstance(model, OwnDenoiser) else str(model)


def _brought(value: Any) -> str:
    """Whether a denoiser is a name, or a section that tells of an own one."""
    return "own" if isinstance(value, dict | OwnDenoiser) else "name"


DenoiserEntry = Annotated[Annotated[str, Tag("name")] | Annotated[Own, Tag("own")], Discriminator(_brought)]


class Denoised(Walk):
    """A walk that uses a denoiser."""

    denoiser: DenoiserEntry = Field("resunet", description="a trained model, one of CLOSED_FORMS, or an own one")
    sigma_255: PositiveFloat = Field(description="noise level of every step")

    @property
    def denoiser_label(self) -> str:
        """How tables call the denoiser."""
        return self.denoiser.label if isinstance(self.denoiser, OwnDenoiser) else self.denoiser

    @property
    def sigma(self) -> float:
        """Noise level in grey levels."""
        return self.sigma_255 / 255


class Linear(Denoised):
    """Algorithm 2: the velocity between noisy frames, repeated."""

    algorithm: Literal["linear"]
    eta: PositiveFloat


class OnNetwork(Walk):
    """A walk that uses a trained network which is no denoiser of single frames."""

    model: str = Field(description="a trained model")


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
