"""Adam, or Muon for the matrices with Adam for the rest."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim import Adam, Muon, Optimizer

ADAM_RATE = 1e-3
"""Adam's learning rate for what Muon does not take: biases, norms, and the first and last convolution."""


class Optimiser:
    """One optimiser over a network.

    Muon (Jordan et al. 2024) orthogonalises the update of every matrix. A convolution is the matrix of its filters,
    (outputs, inputs * height * width); the first and the last layer, where pixels meet features, stay with Adam.

    Args:
        network: whose parameters are trained; they must not be replaced afterwards.
        kind: "muon" or "adam".
        learning_rate: of Muon, or of Adam if it is alone.
        weight_decay: of Muon, decoupled; what Adam takes does not decay.
    """

    def __init__(self, network: nn.Module, kind: str, learning_rate: float, weight_decay: float = 0.0) -> None:
        parameters = [p for p in network.parameters() if p.requires_grad]
        self.weights = [p for p in parameters if p.ndim >= 2][1:-1] if kind == "muon" else []
        chosen = {id(p) for p in self.weights}
        others = [p for p in parameters if id(p) not in chosen]
        # torch's Muon takes matrices only; these share their storage with the filters.
        self.matrices = [nn.Parameter(p.data.view(p.shape[0], -1)) for p in self.weights]
        self.optimisers: list[Optimizer] = []
        if self.matrices:
            self.optimisers.append(Muon(self.matrices, lr=learning_rate, weight_decay=weight_decay))
        self.optimisers.append(Adam(others, lr=ADAM_RATE if self.matrices else learning_rate))
        self.rates = [group["lr"] for optimiser in self.optimisers for group in optimiser.param_groups]

    def step(self, loss: Tensor, factor: float) -> None:
        """Descend the gradient of `loss`, with every learning rate multiplied by `factor`."""
        for weight in [*self.weights, *self._adam_parameters()]:
            weight.grad = None
        loss.backward()
        for weight, matrix in zip(self.weights, self.matrices, strict=True):
            matrix.grad = None if weight.grad is None else weight.grad.reshape(matrix.shape)
        for optimiser, rate in zip(self.optimisers, self.rates, strict=True):
            optimiser.param_groups[0]["lr"] = rate * factor
            optimiser.step()

    def state(self) -> dict[str, Tensor]:
        """Everything a later run needs to resume, as plain tensors."""
        return {
            f"{i}.{j}.{name}": value
            for i, optimiser in enumerate(self.optimisers)
            for j, slots in optimiser.state_dict()["state"].items()
            for name, value in slots.items()
        }

    def restore(self, state: dict[str, Tensor]) -> None:
        """Resume from `state()`."""
        for i, optimiser in enumerate(self.optimisers):
            slots: dict[int, dict[str, Tensor]] = {}
            for key, value in state.items():
                owner, parameter, name = key.split(".")
                if int(owner) == i:
                    slots.setdefault(int(parameter), {})[name] = value
            optimiser.load_state_dict({**optimiser.state_dict(), "state": slots})

    def _adam_parameters(self) -> list[nn.Parameter]:
        return [p for group in self.optimisers[-1].param_groups for p in group["params"]]


def rate_factor(decay: str, step: int, steps: int) -> float:
    """The factor of the learning rate at a step.

    `linear`: a warm-up of 100 steps (or a tenth), flat to 30 % of the budget, then linear to zero. `halving`: halved
    ten times over the budget (the reference recipe: every 100 of 1000 epochs). `flat`: 1.
    """
    if decay == "flat":
        return 1.0
    if decay == "halving":
        return float(0.5 ** (10 * step // steps))
    warm_up = min(1.0, (step + 1) / min(100, max(1, steps // 10)))
    return warm_up * min(1.0, (1 - step / steps) / 0.7)


@torch.no_grad()
def average_into(average: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    """Exponential moving average of weights and buffers, with a horizon that grows with the step at first."""
    decay = min(decay, (1 + step) / (10 + step))
    for slow, fast in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if slow.is_floating_point():
            slow.lerp_(fast, 1 - decay)
        else:
            slow.copy_(fast)
