"""A trained dual-space network as a file: safetensors with its card in the metadata."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, Literal

import torch
from pydantic import Field, ValidationError
from safetensors import SafetensorError, safe_open

from xtalpriors.errors import XtalpriorsError
from xtalpriors.frozen_model import Frozen
from xtalpriors.model.dual_space.config import DualSpaceConfig
from xtalpriors.model.dual_space.network import DualSpaceNetwork
from xtalpriors.model.network.published_weights import misfits
from xtalpriors.model.network.weights import METADATA_KEY, tensors_with, weights_digest, write_tensors
from xtalpriors.outputs import FileKind

__all__ = [
    "FILE_NAME",
    "NETWORK",
    "DualSpaceCard",
    "load_network",
    "network_named",
    "save_network",
    "shipped_network",
]

FILE_NAME: Final = "dual-space.safetensors"
SHIPPED: Final = "eight-groups.safetensors"
NETWORK: Final = FileKind("a dual-space network", tensors_with("card_version"))


class DualSpaceCard(Frozen):
    """What travels with the weights."""

    kind: Literal["dual-space"] = "dual-space"
    card_version: Literal[1] = 1
    name: str = Field(description="Name of the preset or run")
    config: DualSpaceConfig
    parameters: int
    structures: int = Field(description="Crystals trained on")
    seconds: float | None = Field(default=None, description="Time of training")
    device: str | None = Field(default=None, description="What it was trained on")
    lineage: dict[str, Any] = Field(default_factory=dict, description="Bundle, generator and code")
    scores: dict[str, float] = Field(
        default_factory=dict, description="Validation, before and after the network"
    )
    weights_digest: str | None = None


def save_network(
    path: Path, network: DualSpaceNetwork, card: DualSpaceCard, *, dtype: torch.dtype | None = None
) -> Path:
    """Write a network and its card to a folder (`dual-space.safetensors` in it) or a file."""
    file = _file(path)
    tensors = {
        name: value.detach().to("cpu", dtype or value.dtype).contiguous()
        for name, value in network.state_dict().items()
    }
    card = card.model_copy(update={"weights_digest": weights_digest(tensors)})
    write_tensors(file, tensors, card.model_dump(mode="json"), NETWORK)
    return file


def load_network(path: Path) -> tuple[DualSpaceNetwork, DualSpaceCard]:
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
            f"There is no dual-space network {file}. Train one with `xtalpriors dual-space`, or give the "
            "folder of a finished run."
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
        card = DualSpaceCard.model_validate(json.loads(metadata.get(METADATA_KEY, "{}")))
    except (json.JSONDecodeError, ValidationError) as error:
        raise XtalpriorsError(
            f"{file} has no card of a dual-space network ({str(error).splitlines()[0]}): it may hold another "
            "network. Networks of `xtalpriors train` are read by `xtalpriors predict`."
        ) from error
    network = DualSpaceNetwork(card.config.size)
    if wrong := misfits(stored, {name: value.shape for name, value in network.state_dict().items()}):
        raise XtalpriorsError(
            f"{file}: the weights are not those of a network of width {card.config.size.width}, as its card "
            f"says: {wrong[0]}{f' (and {len(wrong) - 1} more)' if len(wrong) > 1 else ''}. Get the file anew."
        )
    if card.weights_digest is not None and weights_digest(stored) != card.weights_digest:
        raise XtalpriorsError(
            f"{file}: weights and card do not belong together (digests differ). Get it anew."
        )
    network.load_state_dict({name: value.float() for name, value in stored.items()})
    return network.eval(), card


def shipped_network() -> tuple[DualSpaceNetwork, DualSpaceCard]:
    """The network that comes with the package, trained for eight space groups (its card says how)."""
    return load_network(Path(__file__).with_name(SHIPPED))


def network_named(name: str) -> DualSpaceNetwork:
    """The shipped network for `shipped`, else that of a folder or file.

    Raises
    ------
    XtalpriorsError
        As `load_network`.
    """
    network, _ = shipped_network() if name == "shipped" else load_network(Path(name))
    return network


def _file(path: Path) -> Path:
    path = Path(path)
    return path / FILE_NAME if path.is_dir() or path.suffix == "" else path
