"""Networks beside PhAI as files: safetensors with a card, written, read and checked in one way."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, TypeVar

import torch
from pydantic import Field, ValidationError
from safetensors import SafetensorError, safe_open

from xtalpriors.errors import XtalpriorsError
from xtalpriors.frozen_model import Frozen
from xtalpriors.model.network.published_weights import misfits
from xtalpriors.model.network.weights import METADATA_KEY, weights_digest, write_tensors
from xtalpriors.outputs import FileKind

__all__ = ["WeightsCard", "network_file", "read_network", "write_network"]


class WeightsCard(Frozen):
    """What travels with the weights of every kind of network."""

    card_version: Literal[1] = 1
    name: str = Field(description="Name of the preset or run")
    parameters: int
    weights_digest: str | None = None

    def size(self) -> str:
        """The network in words, for messages: `a network of width 32`."""
        return "such a network"


Card = TypeVar("Card", bound=WeightsCard)
Network = TypeVar("Network", bound=torch.nn.Module)


def network_file(path: Path, name: str) -> Path:
    """The file of this name in a folder, or the file itself."""
    path = Path(path)
    return path / name if path.is_dir() or path.suffix == "" else path


def write_network(
    file: Path,
    state: Mapping[str, torch.Tensor],
    card: Card,
    kind: FileKind,
    dtype: torch.dtype | None = None,
) -> Card:
    """Write weights, in another type if one is given, and their card, which is returned with their digest."""
    tensors = {
        name: value.detach().to("cpu", dtype or value.dtype).contiguous() for name, value in state.items()
    }
    card = card.model_copy(update={"weights_digest": weights_digest(tensors)})
    write_tensors(file, tensors, card.model_dump(mode="json"), kind)
    return card


def read_network(
    file: Path, card_type: type[Card], network_of: Callable[[Card], Network], what: str, command: str
) -> tuple[Network, Card]:
    """A network in evaluation mode, float32 on the CPU, and its card.

    Parameters
    ----------
    network_of
        Makes the network that a card describes.
    what, command
        What should be in the file, and the command that trains one, for messages.

    Raises
    ------
    XtalpriorsError
        The file is missing, cut short, or another kind of network's; the weights are not finite, or differ
        from the card.
    """
    if not file.is_file():
        raise XtalpriorsError(
            f"There is no {what} {file}. Train one with `{command}`, or give the folder of a finished run."
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
        card = card_type.model_validate(json.loads(metadata.get(METADATA_KEY, "{}")))
    except (json.JSONDecodeError, ValidationError) as error:
        raise XtalpriorsError(
            f"{file} has no card of a {what} ({str(error).splitlines()[0]}): it may hold another network. "
            f"Give one that `{command}` made."
        ) from error
    network = network_of(card)
    if wrong := misfits(stored, {name: value.shape for name, value in network.state_dict().items()}):
        raise XtalpriorsError(
            f"{file}: the weights are not those of {card.size()}, as its card says: {wrong[0]}"
            f"{f' (and {len(wrong) - 1} more)' if len(wrong) > 1 else ''}. Get it anew."
        )
    if card.weights_digest is not None and weights_digest(stored) != card.weights_digest:
        raise XtalpriorsError(
            f"{file}: weights and card do not belong together (digests differ). Get it anew."
        )
    network.load_state_dict({name: value.float() for name, value in stored.items()})
    return network.eval(), card
