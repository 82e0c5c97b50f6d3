"""A trained CrystalNet as a file: safetensors with its card in the metadata."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from pydantic import Field
from torch import Tensor

from xtalpriors.model.network.carded_weights import (
    WeightsCard,
    network_file,
    read_network,
    tensors_with,
    write_network,
)
from xtalpriors.model.powder.crystalnet.config import CrystalNetConfig
from xtalpriors.model.powder.crystalnet.network import CrystalNet
from xtalpriors.outputs import FileKind

__all__ = ["FILE_NAME", "NETWORK", "CrystalNetCard", "load_crystalnet", "save_crystalnet"]

FILE_NAME: Final = "crystalnet.safetensors"
NETWORK: Final = FileKind("a CrystalNet", tensors_with("card_version"))


class CrystalNetCard(WeightsCard):
    """What travels with the weights."""

    kind: Literal["crystalnet-2024"] = "crystalnet-2024"
    config: CrystalNetConfig
    training_crystals: int
    crystals_digest: str = Field(description="Of the formulas and structure types trained on")
    epochs: int = Field(description="Epochs trained")
    best_epoch: int | None = Field(default=None, description="Epoch whose weights these are")
    validation_ssim: float | None = Field(default=None, description="Mean over the validation crystals")
    seconds: float = Field(description="Time of training")
    device: str
    code_version: str


def save_crystalnet(path: Path, state: Mapping[str, Tensor], card: CrystalNetCard) -> Path:
    """Write weights and their card to a folder (`crystalnet.safetensors` in it) or a file."""
    file = network_file(path, FILE_NAME)
    write_network(file, state, card, NETWORK)
    return file


def load_crystalnet(path: Path) -> tuple[CrystalNet, CrystalNetCard]:
    """A network in evaluation mode, float32 on the CPU, and its card.

    Raises
    ------
    XtalpriorsError
        As `read_network`.
    """
    return read_network(
        network_file(path, FILE_NAME),
        CrystalNetCard,
        lambda card: CrystalNet(card.config.network),
        "CrystalNet",
        "xtalpriors powder train",
    )
