"""PhAI as a file: safetensors with the model card in the metadata, and the published state dicts."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import torch

from xtalpriors.model.network.card import ModelCard
from xtalpriors.model.network.carded_weights import (
    network_file,
    read_card,
    read_network,
    tensors_with,
    write_network,
)
from xtalpriors.model.network.phai import PhAI
from xtalpriors.model.network.published_weights import load_published_weights, published_names
from xtalpriors.outputs import FileKind

__all__ = [
    "FILE_NAME",
    "NETWORK",
    "load_card",
    "load_model",
    "load_published_weights",
    "published_names",
    "save_model",
    "weights_file",
]

FILE_NAME: Final = "model.safetensors"
NETWORK: Final = FileKind("a network", tensors_with("card_version"))
_WHAT: Final = "model"
_COMMAND: Final = "xtalpriors train"


def weights_file(path: Path) -> Path:
    """The weights of a run's folder, or the file itself."""
    return network_file(path, FILE_NAME)


def save_model(path: Path, model: PhAI, card: ModelCard, *, dtype: torch.dtype | None = None) -> Path:
    """Write a network and its card.

    Parameters
    ----------
    path
        A folder (then `model.safetensors` in it) or a file.
    dtype
        Type of the weights in the file, for instance `torch.bfloat16` to halve it; null: as they are.

    Returns
    -------
    Path
        The file, which appears under its name when it is complete. Its card has the digest of the weights.
    """
    file = weights_file(path)
    write_network(file, model.state_dict(), card, NETWORK, dtype)
    return file


def load_card(path: Path) -> ModelCard:
    """The model card of a file or folder.

    Raises
    ------
    XtalpriorsError
        As `read_card`.
    """
    return read_card(weights_file(path), ModelCard, _WHAT, _COMMAND)


def load_model(path: Path) -> tuple[PhAI, ModelCard]:
    """A network in evaluation mode, float32, on the CPU, and its card.

    Parameters
    ----------
    path
        A run's folder or its `model.safetensors`.

    Raises
    ------
    XtalpriorsError
        As `read_network`.
    """
    return read_network(weights_file(path), ModelCard, lambda card: PhAI(card.size), _WHAT, _COMMAND)
