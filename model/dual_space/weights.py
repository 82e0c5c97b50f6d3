"""A trained dual-space network as a file: safetensors with its card in the metadata."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

import torch
from pydantic import Field

from xtalpriors.model.dual_space.config import DualSpaceConfig
from xtalpriors.model.dual_space.network import DualSpaceNetwork
from xtalpriors.model.network.carded_weights import (
    WeightsCard,
    network_file,
    read_network,
    tensors_with,
    write_network,
)
from xtalpriors.outputs import FileKind

__all__ = [
    "FILE_NAME",
    "NETWORK",
    "SHIPPED_FILE",
    "DualSpaceCard",
    "load_network",
    "save_network",
    "shipped_network",
]

FILE_NAME: Final = "dual-space.safetensors"
SHIPPED_FILE: Final = Path(__file__).with_name("eight-groups.safetensors")
"""The network that comes with the package."""
NETWORK: Final = FileKind("a dual-space network", tensors_with("card_version"))


class DualSpaceCard(WeightsCard):
    """What travels with the weights."""

    kind: Literal["dual-space"] = "dual-space"
    config: DualSpaceConfig
    structures: int = Field(description="Crystals trained on")
    seconds: float | None = Field(default=None, description="Time of training")
    device: str | None = Field(default=None, description="What it was trained on")
    lineage: dict[str, Any] = Field(default_factory=dict, description="Bundle, generator and code")
    scores: dict[str, float] = Field(
        default_factory=dict, description="Validation, before and after the network"
    )


def save_network(
    path: Path, network: DualSpaceNetwork, card: DualSpaceCard, *, dtype: torch.dtype | None = None
) -> Path:
    """Write a network and its card to a folder (`dual-space.safetensors` in it) or a file."""
    file = network_file(path, FILE_NAME)
    write_network(file, network.state_dict(), card, NETWORK, dtype)
    return file


def load_network(path: Path) -> tuple[DualSpaceNetwork, DualSpaceCard]:
    """A network in evaluation mode, float32 on the CPU, and its card.

    Raises
    ------
    XtalpriorsError
        As `read_network`.
    """
    return read_network(
        network_file(path, FILE_NAME),
        DualSpaceCard,
        lambda card: DualSpaceNetwork(card.config.size),
        "dual-space network",
        "xtalpriors dual-space",
    )


def shipped_network() -> tuple[DualSpaceNetwork, DualSpaceCard]:
    """The network that comes with the package, trained for eight space groups (its card says how)."""
    return load_network(SHIPPED_FILE)
