"""A trained CrystalNet as a file: safetensors with its card in the metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, ValidationError
from safetensors import SafetensorError, safe_open
from torch import Tensor

from xtalpriors.errors import XtalpriorsError
from xtalpriors.frozen_model import Frozen
from xtalpriors.model.network.published_weights import misfits
from xtalpriors.model.network.weights import METADATA_KEY, tensors_with, weights_digest, write_tensors
from xtalpriors.model.powder.crystalnet.config import CrystalNetConfig
from xtalpriors.model.powder.crystalnet.network import CrystalNet
from xtalpriors.outputs import FileKind

__all__ = ["FILE_NAME", "NETWORK", "CrystalNetCard", "load_crystalnet", "save_crystalnet"]

FILE_NAME: Final = "crystalnet.safetensors"
NETWORK: Final = FileKind("a CrystalNet", tensors_with("card_version"))


class CrystalNetCard(Frozen):
    """What travels with the weights."""

    kind: Literal["crystalnet-2024"] = "crystalnet-2024"
    card_version: Literal[1] = 1
    name: str = Field(description="Name of the preset or run")
    config: CrystalNetConfig
    parameters: int
    training_crystals: int
    crystals_digest: str = Field(description="Of the formulas and structure types trained on")
    epochs: int = Field(description="Epochs trained")
    best_epoch: int | None = Field(default=None, description="Epoch whose weights these are")
    validation_ssim: float | None = Field(default=None, description="Mean over the validation crystals")
    seconds: float = Field(description="Time of training")
    device: str
    code_version: str
    weights_digest: str | None = None


def save_crystalnet(path: Path, state: Mapping[str, Tensor], card: CrystalNetCard) -> Path:
    """Write weights and their card to a folder (`crystalnet.safetensors` in it) or a file."""
    file = _file(path)
    tensors = {name: value.detach().cpu().contiguous() for name, value in state.items()}
    card = card.model_copy(update={"weights_digest": weights_digest(tensors)})
    write_tensors(file, tensors, card.model_dump(mode="json"), NETWORK)
    return file


def load_crystalnet(path: Path) -> tuple[CrystalNet, CrystalNetCard]:
    """A network in evaluation mode, float32 on the CPU, and its card.

    Raises
    ------
    XtalpriorsError
        The file is missing, cut short, or another kind of network's; the weights are not finite, or differ
        from the card.
    """
    file = _file(path)
    if not file.is_file():
        raise XtalpriorsError(
            f"There is no CrystalNet {file}. Train one with `xtalpriors powder train`, or give the folder of "
            "a finished run."
        )
    try:
        with safe_open(file, "pt") as opened:
            metadata = opened.metadata() or {}
            stored = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError) as error:
        raise XtalpriorsError(
            f"{file} is no safetensors file, or was cut short ({error}). Get it anew."
        ) from error
    try:
        card = CrystalNetCard.model_validate(json.loads(metadata.get(METADATA_KEY, "{}")))
    except (json.JSONDecodeError, ValidationError) as error:
        raise XtalpriorsError(
            f"{file} has no card of a CrystalNet ({str(error).splitlines()[0]}): it may hold another "
            "network. Give one that `xtalpriors powder train` made."
        ) from error
    network = CrystalNet(card.config.network)
    if wrong := misfits(stored, {name: value.shape for name, value in network.state_dict().items()}):
        raise XtalpriorsError(
            f"{file}: the weights are not those of a CrystalNet of width {card.config.network.width}, as its "
            f"card says: {wrong[0]}{f' (and {len(wrong) - 1} more)' if len(wrong) > 1 else ''}. Get it anew."
        )
    if card.weights_digest is not None and weights_digest(stored) != card.weights_digest:
        raise XtalpriorsError(
            f"{file}: weights and card do not belong together (digests differ). Get it anew."
        )
    network.load_state_dict(stored)
    return network.eval(), card


def _file(path: Path) -> Path:
    path = Path(path)
    return path / FILE_NAME if path.is_dir() or path.suffix == "" else path
