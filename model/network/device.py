"""Where torch computes, and on how many threads: the same choice for training, scoring and prediction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from xtalpriors.errors import UsageError

__all__ = ["pick_device", "torch_threads"]


def pick_device(name: str | None, local_rank: int = 0) -> torch.device:
    """Device of a name; null: a CUDA device if there is one, else the CPU.

    Raises
    ------
    UsageError
        No such device here.
    """
    cuda = torch.cuda.is_available()
    try:
        device = torch.device(name or ("cuda" if cuda else "cpu"))
    except RuntimeError as error:
        raise UsageError(f"There is no device '{name}': say cpu, cuda or cuda:N.") from error
    if device.type == "cuda":
        if not cuda:
            raise UsageError(
                f"--device {name}: PyTorch sees no CUDA device here. Say --device cpu, or install its "
                "CUDA build."
            )
        number = device.index if device.index is not None else local_rank
        if number >= torch.cuda.device_count():
            raise UsageError(f"there is no CUDA device {number}; there are {torch.cuda.device_count()}.")
        return torch.device("cuda", number)
    if device.type != "cpu":
        raise UsageError(f"--device {name}: only cpu and cuda are supported.")
    return device


@contextmanager
def torch_threads(number: int | None) -> Iterator[None]:
    """Let torch use so many threads of the CPU within the block; None leaves their number as it is.

    Sums depend on the number of threads in their last bit, so a network is scored with the number that it was
    trained with. A small network is slower on many threads than on one.
    """
    before = torch.get_num_threads()
    if number is not None:
        torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
