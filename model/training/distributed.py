"""Many processes, one device each: `torchrun` starts them, the stream deals the batches out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist

from xtalpriors.model.network.device import pick_device

__all__ = ["Processes", "processes"]


@dataclass(frozen=True, slots=True)
class Processes:
    """This process among those of the run.

    Attributes
    ----------
    rank, world_size
        0 and 1 without `torchrun`.
    device
        Where this process computes.
    """

    rank: int
    world_size: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def mean(self, value: torch.Tensor) -> torch.Tensor:
        """Mean over the processes, the same in all of them."""
        if self.world_size > 1:
            dist.all_reduce(value, op=dist.ReduceOp.SUM)
            value = value / self.world_size
        return value

    def any(self, flag: bool) -> bool:
        """Whether it is so in any of the processes."""
        if self.world_size == 1:
            return flag
        value = torch.tensor(float(flag), device=self.device)
        dist.all_reduce(value, op=dist.ReduceOp.MAX)
        return bool(value)

    def wait(self) -> None:
        """Until every process is here."""
        if self.world_size > 1:
            dist.barrier()


@contextmanager
def processes(device: str | None) -> Iterator[Processes]:
    """The group of processes that `torchrun` describes in the environment; one process without it."""
    world_size = int(os.environ.get("WORLD_SIZE", "1"))
    if world_size == 1:
        yield Processes(0, 1, pick_device(device))
        return
    rank = int(os.environ["RANK"])
    chosen = pick_device(device, int(os.environ.get("LOCAL_RANK", "0")))
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield Processes(rank, world_size, chosen)
    finally:
        dist.destroy_process_group()
