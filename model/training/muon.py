"""Muon: inner weights move by matrices of equal singular values; AdamW moves the rest.

Jordan et al., "Muon: an optimizer for hidden layers in neural networks" (2024,
https://kellerjordan.github.io/posts/muon); steps as large as AdamW's by Liu et al. (2025, arXiv:2502.16982).
`torch.optim.Muon` takes matrices only; the weights of a convolution are one too, of output channels by
everything else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, Final

import torch
from torch import Tensor, nn

__all__ = ["Muon", "orthogonalised"]

_MOMENTUM: Final = 0.95
_NEWTON_SCHULZ: Final = (3.4445, -4.7750, 2.0315)
"""Coefficients of Jordan et al.: singular values end between 0.7 and 1.2, which is near enough to 1."""


def orthogonalised(matrix: Tensor, iterations: int = 5) -> Tensor:
    """The matrix (m, n) with all its singular values near 1, by Newton–Schulz iterations."""
    a, b, c = _NEWTON_SCHULZ
    x = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(iterations):
        gram = x @ x.T
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x if matrix.shape[0] <= matrix.shape[1] else x.T


class Muon(torch.optim.AdamW):  # type: ignore[misc]
    """Muon for the weights of two and more dimensions, AdamW for biases, norms and the weights in `others`.

    Parameters
    ----------
    model
        The network.
    others
        Layers whose weights are left to AdamW: those that read the input and write the output.
    lr, weight_decay
        Of both, on AdamW's scale.
    """

    def __init__(self, model: nn.Module, others: Iterable[nn.Module], lr: float, weight_decay: float) -> None:
        outside = {id(p) for layer in others for p in layer.parameters()}
        inside = [p for p in model.parameters() if p.ndim >= 2 and id(p) not in outside]
        rest = [p for p in model.parameters() if p.ndim < 2 or id(p) in outside]
        groups: list[dict[str, Any]] = [{"params": inside, "is_inside": True}]
        groups.append({"params": rest, "is_inside": False})
        super().__init__(groups, lr=lr, weight_decay=weight_decay)

    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """One step; the gradients of the weights inside the network are used up."""
        inside = next(group for group in self.param_groups if group["is_inside"])
        with torch.no_grad():
            for weight in inside["params"]:
                self._step(weight, inside["lr"], inside["weight_decay"])
                weight.grad = None  # AdamW passes over it
        loss: float | None = super().step(closure)
        return loss

    def _step(self, weight: Tensor, rate: float, decay: float) -> None:
        """One step of one weight, along Nesterov's momentum."""
        if weight.grad is None:
            return
        state = self.state[weight]
        if not state:
            state["step"] = torch.zeros(())  # AdamW's loading of a state asks for it
            state["momentum"] = torch.zeros_like(weight)
        state["step"] += 1
        state["momentum"].lerp_(weight.grad, 1.0 - _MOMENTUM)
        ahead = weight.grad.lerp(state["momentum"], _MOMENTUM).flatten(1)
        scale = 0.2 * math.sqrt(max(ahead.shape))
        weight.mul_(1.0 - rate * decay)
        weight.sub_((rate * scale * orthogonalised(ahead)).reshape(weight.shape))
