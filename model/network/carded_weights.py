"""Networks as files: safetensors with a card in the metadata, written, read and checked in one way."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import torch
from pydantic import Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from xtalpriors.atomic_write import replacing
from xtalpriors.errors import XtalpriorsError
from xtalpriors.frozen_model import Frozen
from xtalpriors.model.network.published_weights import misfits
from xtalpriors.outputs import FileKind, content_of

__all__ = [
    "CARD_VERSION",
    "METADATA_KEY",
    "WeightsCard",
    "network_file",
    "read_card",
    "read_network",
    "tensors_with",
    "weights_digest",
    "write_network",
    "write_tensors",
]

CARD_VERSION: Final = 1
METADATA_KEY: Final = "xtalpriors"


class WeightsCard(Frozen):
    """What travels with the weights of every kind of network."""

    card_version: Literal[1] = CARD_VERSION
    name: str = Field(description="Name of the preset or run")
    parameters: int
    weights_digest: str | None = Field(
        default=None, description="Of names, types and values of the tensors; null in the oldest files"
    )


Card = TypeVar("Card", bound=WeightsCard)
Network = TypeVar("Network", bound=torch.nn.Module)


def tensors_with(field: str) -> Callable[[Path], bool]:
    """Recognise a safetensors file of this project by a field of its metadata."""

    def is_own(path: Path) -> bool:
        """Whether the metadata has the field; False for what is no safetensors file."""
        try:
            with safe_open(path, "pt") as opened:
                return field in json.loads((opened.metadata() or {}).get(METADATA_KEY, "{}"))
        except SafetensorError:
            return False

    return is_own


def network_file(path: Path, name: str) -> Path:
    """The file of this name in a folder, there or to be made, or the file itself."""
    path = Path(path)
    return path / name if path.is_dir() or (path.suffix == "" and not path.is_file()) else path


def weights_digest(tensors: Mapping[str, torch.Tensor]) -> str:
    """Digest of names, types, shapes and values, whatever the file around them says."""
    digest = hashlib.blake2b(digest_size=16)
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def write_tensors(file: Path, tensors: dict[str, torch.Tensor], content: object, kind: FileKind) -> None:
    """Write a safetensors file in one step: a reader sees the former file or the whole of the new one.

    Raises
    ------
    XtalpriorsError
        The disk is full or the folder cannot be written; the former file is untouched.
    """
    with replacing(file, kind) as part:
        # not `save_file`, whose file nobody but the user could read
        data = save(tensors, metadata={METADATA_KEY: json.dumps(content, sort_keys=True)})
        with part.open("wb") as written:
            written.write(data)
            written.flush()
            os.fsync(written.fileno())


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


def read_card(file: Path, card_type: type[Card], what: str, command: str) -> Card:
    """The card of a file of weights.

    Parameters
    ----------
    what, command
        What should be in the file, and the command that trains one, for messages.

    Raises
    ------
    XtalpriorsError
        The file is missing or cut short; it has no card, another kind of network's, or one of a newer
        xtalpriors.
    """
    content = _metadata(file, what, command)
    try:
        raw: Any = json.loads(content)
        version = raw.get("card_version") if isinstance(raw, dict) else None
        if isinstance(version, int) and version > CARD_VERSION:
            raise XtalpriorsError(
                f"{file} has a card of version {version}; this xtalpriors reads {CARD_VERSION}. Upgrade "
                "xtalpriors."
            )
        return card_type.model_validate(raw)
    except (json.JSONDecodeError, ValidationError) as error:
        raise XtalpriorsError(
            f"{file} has no card of a {what} ({str(error).splitlines()[0]}): it may hold another network. "
            f"Give one that `{command}` made."
        ) from error


def read_network(
    file: Path, card_type: type[Card], network_of: Callable[[Card], Network], what: str, command: str
) -> tuple[Network, Card]:
    """A network in evaluation mode, float32 on the CPU, and its card.

    Parameters
    ----------
    network_of
        Makes the network that a card describes.
    what, command
        As in `read_card`.

    Raises
    ------
    XtalpriorsError
        As `read_card`; or the weights are not finite, or differ from the card in size or digest.
    """
    card = read_card(file, card_type, what, command)
    with safe_open(file, "pt") as opened:
        stored = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - no mapping
    network = network_of(card)
    if wrong := misfits(stored, {name: value.shape for name, value in network.state_dict().items()}):
        raise XtalpriorsError(
            f"{file}: the weights are not what their card states: {wrong[0]}"
            f"{f' (and {len(wrong) - 1} more)' if len(wrong) > 1 else ''}. Train it again, or get the file "
            "anew."
        )
    if card.weights_digest is not None and weights_digest(stored) != card.weights_digest:
        raise XtalpriorsError(
            f"{file}: the weights are not those of their card (digest {weights_digest(stored)}, not "
            f"{card.weights_digest}): one of the two was changed. Train it again, or get the file anew."
        )
    network.load_state_dict({name: value.float() for name, value in stored.items()})
    return network.eval(), card


def _metadata(file: Path, what: str, command: str) -> str:
    """JSON in the metadata of a safetensors file."""
    if not file.is_file():
        raise XtalpriorsError(
            f"There is no {what} {file}. Train one with `{command}`, or give the folder of a finished run."
        )
    try:
        with safe_open(file, "pt") as opened:
            metadata = opened.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise XtalpriorsError(
            f"{file} is no safetensors file, or was cut short: it is {content_of(file)} ({error}). Give a "
            f"{what} that `{command}` made, or train it again; a published PyTorch state dict of PhAI is "
            "read by `load_published_weights`."
        ) from error
    if METADATA_KEY not in metadata:
        raise XtalpriorsError(
            f"{file} is a safetensors file without an xtalpriors card: nothing says which network it holds, "
            "nor for which crystals. A published state dict of PhAI is read by `load_published_weights`."
        )
    return str(metadata[METADATA_KEY])
