"""A diffusion model's network as a denoiser: noise levels become timesteps."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from manex.arrays import Frames


class VariancePreserving(nn.Module):
    """E[u | y] from a network trained on x_t = sqrt(a_t) u + sqrt(1 - a_t) eps, a_t the cumulative product of alphas.

    y = u + sigma eps is x_t / sqrt(a_t) at sigma^2 = (1 - a_t) / a_t (Ho, Jain, Abbeel 2020; Song et al. 2021), so the
    network is given y / sqrt(1 + sigma^2) and the timestep at which the schedule has that sigma. Between two timesteps
    it is interpolated linearly in log sigma; beyond the ends it is the first or the last.

    Args:
        network: called with frames and timesteps (batch,); returns frames, or something that holds them as `.sample`.
        alphas_cumprod: a_t by timestep.
        predicts: eps, u, or v = sqrt(a) eps - sqrt(1 - a) u (Salimans and Ho 2022), as diffusers calls them.
        whole: timesteps are rounded, for networks that look them up in a table.
    """

    log_sigmas: Tensor

    def __init__(
        self,
        network: nn.Module,
        alphas_cumprod: Float[Tensor, " timestep"],
        predicts: Literal["epsilon", "sample", "v_prediction"] = "epsilon",
        whole: bool = False,
    ) -> None:
        super().__init__()
        if predicts not in ("epsilon", "sample", "v_prediction"):
            raise ValueError(f'prediction type {predicts!r}: known are "epsilon", "sample" and "v_prediction"')
        self.network = network
        self.predicts = predicts
        self.whole = whole
        a = alphas_cumprod.double()
        if len(a) > 1 and (a[-1] == 0 or a[-2] <= a[-1] <= 2**-24):
            a = a[
                :-1
            ]  # zero terminal SNR (Lin et al. 2024), which diffusers has as 0 or 2^-24: sigma is infinite there
        self.register_buffer("log_sigmas", ((1 - a) / a).log() / 2)
        if not (self.log_sigmas.isfinite().all() and (self.log_sigmas.diff() > 0).all()):
            raise ValueError("the scheduler's noise levels do not rise from timestep to timestep")
        self.training = network.training

    @property
    def sigma_range(self) -> tuple[float, float]:
        """Noise levels of the first and the last timestep, in the unit of the network's frames."""
        return float(self.log_sigmas[0].exp()), float(self.log_sigmas[-1].exp())

    def forward(self, noisy: Frames, sigma: Float[Tensor, " batch"]) -> Frames:
        """The clean image, in the network's range."""
        level = sigma.reshape(-1, 1, 1, 1)
        scale = (1 + level**2).rsqrt()  # sqrt(a)
        scaled = scale * noisy
        returned = self.network(scaled, self.timesteps(sigma))
        predicted: Frames = getattr(returned, "sample", returned)
        if self.predicts == "epsilon":
            predicted = noisy - level * predicted
        elif self.predicts == "v_prediction":
            predicted = scale * scaled - level * scale * predicted
        return predicted

    def timesteps(self, sigma: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
        """Where the schedule has a noise level, as a fraction between its timesteps."""
        wanted = sigma.double().log().clamp(self.log_sigmas[0], self.log_sigmas[-1])
        above = torch.searchsorted(self.log_sigmas, wanted).clamp(1, len(self.log_sigmas) - 1)
        low, high = self.log_sigmas[above - 1], self.log_sigmas[above]
        found = (above - 1) + (wanted - low) / (high - low)
        return (found.round() if self.whole else found).to(sigma.dtype)
