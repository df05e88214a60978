"""A recurrent encoder, a latent neural ODE, a decoder: video prediction after Voleti's thesis (2023), chapter 3.

As in Latent ODE (Chen et al. 2018; Rubanova et al. 2019), without the variational part: a code that the given frames
determine moves by dz/dt = f(z), and every frame is decoded from the code of its time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from jaxtyping import Float
from torch import Tensor, nn

from manex.arrays import Frames, Videos
from manex.networks.padding import pad_to_multiple
from manex.networks.vae import down, up

_STAGES = (32, 64, 128)

Codes = Float[Tensor, "batch latent"]


class RNNODE(nn.Module):
    """Reads a few frames, then predicts the frame of any later time; time is in frames.

    Args:
        channels: image channels.
        size: image side in pixels.
        latent: dimension in which the ODE runs.
        hidden: units of the recurrent cell, and of the ODE's layers.
    """

    def __init__(self, channels: int = 1, size: int = 20, latent: int = 64, hidden: int = 256) -> None:
        super().__init__()
        self.size = size
        grid = -(-size // 2 ** len(_STAGES))
        features = _STAGES[-1] * grid**2
        stages = zip((channels, *_STAGES), _STAGES, strict=False)
        self.features = nn.Sequential(*(down(a, b) for a, b in stages), nn.Flatten(), nn.Linear(features, hidden))
        self.cell = nn.GRUCell(hidden, hidden)
        self.code = nn.Linear(hidden, latent)
        self.motion = nn.Sequential(
            nn.Linear(latent, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, latent)
        )
        self.unflatten = nn.Sequential(nn.Linear(latent, features), nn.Unflatten(1, (_STAGES[-1], grid, grid)))
        stages = zip(reversed(_STAGES), (*reversed(_STAGES[:-1]), _STAGES[0]), strict=True)
        self.decoder = nn.Sequential(
            *(up(a, b) for a, b in stages), nn.Conv2d(_STAGES[0], channels, 3, padding=1), nn.Sigmoid()
        )

    def encode(self, clips: Videos) -> Codes:
        """The code at the time of the last frame."""
        read = self.features(pad_to_multiple(clips.flatten(0, 1), 2 ** len(_STAGES)))
        state = None
        for features in read.unflatten(0, clips.shape[:2]).unbind(1):
            state = self.cell(features, state)
        code: Tensor = self.code(state)
        return code

    def decode(self, codes: Codes) -> Frames:
        """The frames of some codes."""
        frames: Tensor = self.decoder(self.unflatten(codes))
        return frames[..., : self.size, : self.size]

    def walk(self, code: Codes, step: float = 1.0) -> Iterator[Codes]:
        """The codes after every `step` frames, endlessly."""
        return rk4(self.motion, code, step)


def rk4(motion: Callable[[Tensor], Tensor], start: Tensor, step: float) -> Iterator[Tensor]:
    """The solution of dz/dt = motion(z) after every `step`, endlessly, by the Runge-Kutta method of order four."""
    current = start
    while True:
        a = motion(current)
        b = motion(current + step / 2 * a)
        c = motion(current + step / 2 * b)
        d = motion(current + step * c)
        current = current + step / 6 * (a + 2 * b + 2 * c + d)
        yield current
