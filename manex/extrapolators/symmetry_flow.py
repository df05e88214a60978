"""Symmetry flow, our walk for what was never seen: the generator of the motion carries any image along."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Literal

import torch
from jaxtyping import Bool, Float
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor

from manex.arrays import FrameMap, Frames, Level, PerItem, lengths, unit
from manex.denoisers.base import Denoiser, denoise
from manex.errors import WalkError
from manex.extrapolators.base import Denoised, WalkState, first_velocity
from manex.extrapolators.tangent_flow import TangentFlow, steered, tangent_flow
from manex.extrapolators.tangent_flow import interpolate as between
from manex.geometry.fields import Linear, Local, host
from manex.geometry.symmetry import Symmetries, denoiser_tangents, neighbour_tangents, symmetries
from manex.motion.generated import Flow, read
from manex.noises.draws import ItemNoise

_SKEW = 0.5
"""The least skew share of a motion, which keeps an image's length; that of brightness is 0."""
_KNOWN = 100
"""Training frames whose median residual is that of a known image."""


class SymmetryFlow(Denoised):
    """The motion's generator, found once in the tangent spaces of the training frames, carries any image along.

    Source: Lie PCA (Cahill, Mixon, Parshall 2023) on a denoiser's Jacobian; ours. Takes a `Denoiser` that `fitted` has
    given the generators.

    Example:
        >>> from manex import DiracMixture, ItemNoise, SymmetryFlow
        >>> from manex.extrapolators.walk import walk
        >>> x = torch.arange(12.0)
        >>> waves = 0.5 + 0.4 * torch.sin(x + 0 * x[:, None] + torch.linspace(0, 6.2, 63)[:, None, None, None])
        >>> cfg = SymmetryFlow(sigma=25 / 255, tangents="neighbours", axes=1, degree=0, corrector=0)
        >>> model = cfg.fitted(DiracMixture(waves), waves)
        >>> state = next(walk(cfg, model, waves[:1], waves[1:2], ItemNoise([(0,)])))
        >>> bool((state.frame - waves[2]).abs()[..., 1:-1].max() < 0.05)
        True
    """

    fields: Literal["local", "linear"] = Field("local", description="pixels read neighbours, or principal coordinates")
    radius: PositiveInt = Field(2, description="local: a pixel reads (2 radius + 1)^2 neighbours")
    degree: int = Field(1, ge=0, description="local: of the weights as polynomials of the place; 1: affine motions")
    rank: PositiveInt = Field(40, description="linear: principal coordinates")
    tangents: Literal["denoiser", "neighbours"] = Field("denoiser", description="where tangent spaces come from")
    axes: PositiveInt = Field(3, description="dimension of the tangent spaces")
    neighbours: int = Field(2, ge=2, description="nearest training frames per tangent space")
    learn: PositiveInt = Field(300, description="training frames at which tangent spaces are taken")
    generators: int = Field(0, ge=0, description="how many; 0: as many as the gap of the eigenvalues says")
    speed: PositiveFloat = Field(1.0, description="motion per frame, in units of that from u0 to u1")
    substeps: PositiveInt = Field(1, description="steps per output frame, with a correction each")
    corrector: float = Field(1.0, ge=0, le=1, description="share of the denoised frame in the corrected one; 0: none")
    draws: PositiveInt = Field(2, description="noisy copies averaged by the corrector, mirrored if even")
    anchored: bool = Field(False, description="carry u1 all the way, and correct only what is shown; local only")
    trust: float = Field(0, ge=0, description="no correction where u1's residual exceeds this many medians; 0: always")
    steering: float = Field(0, ge=0, description="above 0: `tangent_flow` walks, with this much of A u in its heading")
    momentum: float = Field(2, ge=0, description="of `tangent_flow`, which also walks where there is no symmetry")

    def fitted(self, model: Denoiser, frames: Frames) -> Denoiser:
        """A denoiser that looks for the generators in the training frames, when they are first needed."""
        return Symmetric(model, self, frames)


class Symmetric(Denoiser):
    """A denoiser that knows the symmetries of its training frames."""

    def __init__(self, denoiser: Denoiser, cfg: SymmetryFlow, frames: Frames) -> None:
        super().__init__()
        order = torch.randperm(len(frames), generator=torch.Generator().manual_seed(0))
        self.denoiser, self.cfg, self.frames, self.some = denoiser, cfg, frames, frames[order[: cfg.learn]]
        self.sigma_range, self.homogeneous = denoiser.sigma_range, denoiser.homogeneous
        self.blind, self.differentiable, self.noise = denoiser.blind, denoiser.differentiable, denoiser.noise
        self.training = denoiser.training

    @cached_property
    def found(self) -> Symmetries:
        """The generators; none where no gap shows any, or where they change grey levels instead of places."""
        cfg = self.cfg
        if cfg.tangents == "denoiser":
            device = next((t.device for t in [*self.parameters(), *self.buffers()]), self.some.device)
            spaces = denoiser_tangents(self.denoiser.at(cfg.sigma), cfg.sigma, self.some.to(device), cfg.axes)
        else:
            spaces = neighbour_tangents(self.some, cfg.neighbours, cfg.axes, self.frames)
        fields = Local(cfg.radius, cfg.degree) if cfg.fields == "local" else Linear(self.some, cfg.rank)
        found = symmetries(fields, self.some, spaces)
        chosen = found.first(cfg.generators or found.count)
        return chosen if cfg.generators or bool((chosen.skew > _SKEW).all()) else found.first(0)

    def trusts(self, frames: Frames) -> Bool[Tensor, " batch"]:
        """Whether the residual of a frame is at most `trust` times the median of training frames."""
        limit = self.cfg.trust * residual(self.denoiser, self.cfg.sigma, self.some[:_KNOWN].to(frames)).median()
        return residual(self.denoiser, self.cfg.sigma, frames) <= limit

    def forward(self, noisy: Frames, sigma: Level) -> Frames:
        """The denoiser's clean image."""
        clean: Frames = self.denoiser(noisy, sigma)
        return clean


def symmetry_flow(
    model: Denoiser, first: Frames, second: Frames, cfg: SymmetryFlow, noise: ItemNoise
) -> Iterator[WalkState]:
    """Carry the frame by exp(t A), correct it by the denoiser, endlessly.

    The two frames choose the generators' times t. `local` generators move the plane (`Flow`); `linear` ones give the
    heading A u of steps of fixed length, `speed` |u_1 - u_0| / `substeps`. Without a symmetry `tangent_flow` walks. The
    record holds `symmetries`, how many there are, and `corrector`, the share in use.

    Args:
        model: as `SymmetryFlow.fitted` returns it.
        first, second: clean frames in [0, 1].

    Raises:
        WalkError: see `first_velocity`; a model without generators; `anchored` with linear fields.
    """
    model = _known(model)
    if cfg.anchored and cfg.fields != "local":
        raise WalkError("symmetry_flow: anchored: true needs fields: local, which move the plane")
    first_velocity(first, second)
    count = torch.full((len(first),), len(model.found.values), device=first.device)
    record = {"symmetries": count}
    if cfg.steering or not len(model.found.values):
        for state in _tangent(model, first, second, cfg, noise):
            yield WalkState(state.frame, state.heading, record)
        return
    share = _share(model, second, cfg)
    record["corrector"] = share.flatten()
    make = _planar if cfg.fields == "local" else _straight
    move, current = make(model.found, first, second, cfg), second
    while True:
        for _ in range(cfg.substeps):
            previous = current
            current = _corrected(model, move(current), share, cfg, noise)
        yield WalkState(current, unit(current - previous), record)


def interpolate(
    model: Denoiser, start: Frames, end: Frames, frames: int, cfg: SymmetryFlow, noise: ItemNoise
) -> Iterator[WalkState]:
    """The `frames` frames between two given ones: each of the two carried towards the other, faded over, corrected.

    What comes in from outside is drawn by the frame that shows it. Linear fields, or no symmetry: `tangent_flow`
    interpolates. `cfg.speed`, `cfg.substeps` and `cfg.anchored` are not used.

    Args:
        model: as `SymmetryFlow.fitted` returns it.
        start, end: clean frames in [0, 1].

    Raises:
        WalkError: see `first_velocity`; a model without generators.
    """
    model = _known(model)
    first_velocity(start, end)
    if cfg.fields != "local" or not len(model.found.values):
        yield from between(model.denoiser, start, end, frames, _settings(cfg), noise)
        return
    flow = Flow(model.found, (start.shape[2], start.shape[3]))
    times, share, current = flow.across(start, end), _share(model, end, cfg), start
    for step in range(1, frames + 1):
        moved = flow.tween(start, end, times, step / (frames + 1))
        previous, current = current, _corrected(model, moved, share, cfg, noise)
        yield WalkState(current, unit(current - previous))


def _planar(found: Symmetries, first: Frames, second: Frames, cfg: SymmetryFlow) -> FrameMap:
    """The plane moves steadily: each step reads the last frame, or u_1 at the place of all steps together."""
    flow = Flow(found, (first.shape[2], first.shape[3]))
    times = flow.between(first, second) * (cfg.speed / cfg.substeps)
    at = flow.start(len(first))
    step = flow.advance(at, times)

    def move(current: Frames) -> Frames:
        nonlocal at
        if not cfg.anchored:
            return read(current, step)
        at = flow.advance(at, times)
        return read(second, at)

    return move


def _tangent(
    model: Symmetric, first: Frames, second: Frames, cfg: SymmetryFlow, noise: ItemNoise
) -> Iterator[WalkState]:
    flow = _settings(cfg)
    if not len(model.found.values):
        return tangent_flow(model.denoiser, first, second, flow, noise)
    along = _direction(model.found, first, second)
    return steered(model.denoiser, first, second, flow, noise, lambda current: cfg.steering * along(current))


def _settings(cfg: SymmetryFlow) -> TangentFlow:
    names = ("sigma", "speed", "substeps", "momentum", "draws")
    return TangentFlow(**{name: getattr(cfg, name) for name in names})


def _straight(found: Symmetries, first: Frames, second: Frames, cfg: SymmetryFlow) -> FrameMap:
    """Steps of fixed length along A u."""
    stride, along = cfg.speed * lengths(second - first) / cfg.substeps, _direction(found, first, second)
    return lambda current: current + stride * along(current)


def _direction(found: Symmetries, first: Frames, second: Frames) -> FrameMap:
    """The unit A u, with the A in the span of the generators that is nearest to u_1 - u_0."""
    slopes = found.along((first + second) / 2).flatten(2)
    times = torch.linalg.lstsq(slopes.mT, host(second - first).flatten(1).unsqueeze(2)).solution[..., 0]
    return lambda current: unit(torch.einsum("bf,bfchw->bchw", times, found.along(current))).to(current)


def _known(model: Denoiser) -> Symmetric:
    if not isinstance(model, Symmetric):
        raise WalkError(
            "symmetry_flow: the denoiser knows no generators; give what cfg.fitted(denoiser, frames) returns"
        )
    return model


def _share(model: Symmetric, given: Frames, cfg: SymmetryFlow) -> PerItem:
    """Of the denoised frame in the corrected one; none where the denoiser does not know the given frame."""
    share = torch.full((len(given), 1, 1, 1), cfg.corrector).to(given)
    return share * model.trusts(given).to(given).reshape(-1, 1, 1, 1) if cfg.trust else share


def _corrected(model: Denoiser, moved: Frames, share: PerItem, cfg: SymmetryFlow, noise: ItemNoise) -> Frames:
    if not bool(share.any()):
        return moved.clamp(0, 1)
    draws = [cfg.sigma * noise.like(moved) for _ in range(0, cfg.draws, 2)]
    copies = [moved + sign * draw for draw in draws for sign in (1, -1)][: cfg.draws]
    clean = denoise(model.at(cfg.sigma), torch.cat(copies)).reshape(cfg.draws, *moved.shape).mean(0)
    return torch.lerp(moved, clean, share.expand_as(moved)).clamp(0, 1)


def residual(denoiser: Denoiser, sigma: float, frames: Frames) -> Float[Tensor, " batch"]:
    """RMS of u - D(u + sigma z), the mean of D over +-z, seeded: small for images that the denoiser knows."""
    generator = torch.Generator().manual_seed(0)
    draw = torch.randn(frames.shape[1:], generator=generator).to(frames)
    clean, z = denoiser.at(sigma), sigma * draw.expand_as(frames)
    mean = (denoise(clean, frames + z) + denoise(clean, frames - z)) / 2
    rms: Tensor = (frames - mean).flatten(1).square().mean(1).sqrt()
    return rms
