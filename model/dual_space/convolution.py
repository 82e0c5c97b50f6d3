"""A 3 × 3 × 3 convolution of a symmetric density, computed in the box.

The kernel is averaged over the rotations of the group, so that the result has the symmetry of the density: it
does not matter which box is computed, nor which of the permissible origins is taken.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from xtalpriors.model.dual_space.transform import Transform

__all__ = ["averaged_kernel", "symmetric_convolution"]


def averaged_kernel(weight: Tensor, transform: Transform) -> Tensor:
    """The kernel (27, C, D) of a weight (D, C, 27), averaged over the rotations of the group."""
    # gathered by whole planes (C, D), which is many times as fast as by single numbers
    return weight.permute(2, 1, 0).contiguous()[transform.kernel_images].mean(dim=0)


def symmetric_convolution(x: Tensor, kernel: Tensor, transform: Transform) -> Tensor:
    """Convolution (B, P, D) of x (B, P, C) with an averaged kernel (27, C, D)."""
    if x.device.type == "cpu" or not transform.exact:
        return _in_wider_box(x, kernel, transform)
    result: Tensor = _ByNeighbours.apply(x, kernel, transform.neighbours)
    return result


def _in_wider_box(x: Tensor, kernel: Tensor, transform: Transform) -> Tensor:
    """With the library's convolution, after a margin of images was put around the box."""
    c, d = kernel.shape[1:]
    lengths = transform.grid.box[1]
    wide = x[:, transform.padded].reshape(len(x), *(m + 2 for m in lengths), c).permute(0, 4, 1, 2, 3)
    weight = kernel.reshape(3, 3, 3, c, d).permute(4, 3, 0, 1, 2)
    if len(x) == 1:  # PyTorch has a slow way of its own for one sample: twice the work takes half the time
        wide = wide.expand(2, -1, -1, -1, -1)
    result = torch.nn.functional.conv3d(wide, weight.contiguous(memory_format=torch.channels_last_3d))
    return result.permute(0, 2, 3, 4, 1).reshape(len(wide), -1, d)[: len(x)]


class _ByNeighbours(torch.autograd.Function):  # type: ignore[misc]
    """As matrix products of gathered neighbourhoods, which need no plan for each shape of the box.

    The adjoint of a convolution with a symmetric kernel, folded back into the asymmetric unit, is the
    convolution of the symmetric gradient with the kernel turned inside out.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, kernel: Tensor, neighbours: Tensor) -> Tensor:
        """(B, P, C) and the kernel (27, C, D) → (B, P, D)."""
        ctx.save_for_backward(x, kernel, neighbours)
        return _gathered(x, neighbours) @ kernel.flatten(0, 1)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        """Gradients by the values and by the kernel."""
        x, kernel, neighbours = ctx.saved_tensors
        columns = _gathered(x, neighbours).flatten(0, 1)
        of_kernel = (columns.T @ grad.flatten(0, 1)).reshape(kernel.shape)
        turned = kernel.flip(0).transpose(1, 2)
        return _gathered(grad, neighbours) @ turned.flatten(0, 1), of_kernel, None


def _gathered(x: Tensor, neighbours: Tensor) -> Tensor:
    """(B, P, 27·C)."""
    return x[:, neighbours.flatten()].reshape(len(x), len(neighbours), -1)
