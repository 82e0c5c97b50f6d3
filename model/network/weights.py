"""Networks as files: safetensors with the model card in the metadata, and the published state dicts."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from xtalpriors.atomic_write import replacing
from xtalpriors.errors import XtalpriorsError
from xtalpriors.model.network.card import CARD_VERSION, ModelCard
from xtalpriors.model.network.phai import PhAI
from xtalpriors.model.network.published_weights import load_published_weights, misfits, published_names
from xtalpriors.outputs import FileKind, content_of

__all__ = [
    "FILE_NAME",
    "METADATA_KEY",
    "NETWORK",
    "load_card",
    "load_model",
    "load_published_weights",
    "published_names",
    "save_model",
    "weights_digest",
    "write_tensors",
]

FILE_NAME = "model.safetensors"
METADATA_KEY = "xtalpriors"


def tensors_with(field: str) -> Callable[[Path], bool]:
    """Recognise a safetensors file of this project by a field of its metadata."""

    def is_own(path: Path) -> bool:
        try:
            with safe_open(path, "pt") as opened:
                return field in json.loads((opened.metadata() or {}).get(METADATA_KEY, "{}"))
        except SafetensorError:
            return False

    return is_own


NETWORK = FileKind("a network", tensors_with("card_version"))


def weights_file(path: Path) -> Path:
    """The weights of a run's folder, or the file itself."""
    path = Path(path)
    return path / FILE_NAME if path.is_dir() or path.suffix == "" else path


def weights_digest(tensors: Mapping[str, torch.Tensor]) -> str:
    """Digest of names, types, shapes and values, whatever the file around them says."""
    digest = hashlib.blake2b(digest_size=16)
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


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
    tensors = {
        name: value.detach().to("cpu", dtype or value.dtype).contiguous()
        for name, value in model.state_dict().items()
    }
    written = card.model_copy(update={"weights_digest": weights_digest(tensors)})
    write_tensors(file, tensors, written.model_dump(mode="json"), NETWORK)
    return file


def write_tensors(file: Path, tensors: dict[str, torch.Tensor], content: object, kind: FileKind) -> None:
    """Write a safetensors file in one step: a reader sees the former file or the whole of the new one.

    Raises
    ------
    XtalpriorsError
        The disk is full or the folder cannot be written; the former file is untouched.
    """
    with replacing(file, kind) as part:
        try:
            save_file(tensors, part, metadata={METADATA_KEY: json.dumps(content, sort_keys=True)})
        except SafetensorError as error:  # of the disk: it was given good tensors
            raise OSError(str(error)) from error
        with part.open("rb+") as written:
            os.fsync(written.fileno())


def load_card(path: Path) -> ModelCard:
    """The model card of a file or folder.

    Raises
    ------
    XtalpriorsError
        As `load_model`, for what the card can tell.
    """
    file = weights_file(path)
    text = _metadata(file)
    try:
        raw = json.loads(text)
        version = raw.get("card_version") if isinstance(raw, dict) else None
        if isinstance(version, int) and version > CARD_VERSION:
            raise XtalpriorsError(
                f"{file} has model card {version}; this xtalpriors reads {CARD_VERSION}. Upgrade xtalpriors."
            )
        return ModelCard.model_validate(raw)
    except (json.JSONDecodeError, ValidationError) as error:
        raise XtalpriorsError(
            f"{file} has no valid model card in its metadata ({str(error).splitlines()[0]}). Train it again, "
            "or save it with `save_model`."
        ) from error


def _metadata(file: Path) -> str:
    """JSON in the metadata of a safetensors file."""
    if not file.is_file():
        raise XtalpriorsError(
            f"there is no model {file}. Train one with `xtalpriors train`, or give the folder of a "
            "finished run."
        )
    try:
        with safe_open(file, "pt") as opened:
            metadata = opened.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise XtalpriorsError(
            f"{file} is no safetensors file, or was cut short: it is {content_of(file)} ({error}). Give a "
            "network that `xtalpriors train` made, or train it again; a published PyTorch state dict is read "
            "by `load_published_weights`."
        ) from error
    if METADATA_KEY not in metadata:
        raise XtalpriorsError(
            f"{file} is a safetensors file without an xtalpriors model card: nothing says which group, size "
            "and input scale it belongs to. A published state dict is read by `load_published_weights`."
        )
    return str(metadata[METADATA_KEY])


def load_model(path: Path) -> tuple[PhAI, ModelCard]:
    """A network in evaluation mode, float32, on the CPU, and its card.

    Parameters
    ----------
    path
        A run's folder or its `model.safetensors`.

    Raises
    ------
    XtalpriorsError
        The file is missing, cut short or not safetensors; it has no model card, or one of a newer xtalpriors;
        or the weights are not finite, or differ from the card in size or digest.
    """
    file = weights_file(path)
    card = load_card(file)
    with safe_open(file, "pt") as opened:
        stored = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - no mapping
    state = {name: tensor.float() for name, tensor in stored.items()}
    with torch.device("meta"):
        model = PhAI(card.size)
    if wrong := misfits(state, {name: value.shape for name, value in model.state_dict().items()}):
        raise XtalpriorsError(
            f"{file}: the weights are not what its model card states: {wrong[0]}"
            f"{f' (and {len(wrong) - 1} more)' if len(wrong) > 1 else ''}. Train it again, or get the file "
            "anew."
        )
    if card.weights_digest is not None and weights_digest(stored) != card.weights_digest:
        raise XtalpriorsError(
            f"{file}: the weights are not those of its model card (digest {weights_digest(stored)}, not "
            f"{card.weights_digest}): one of the two was changed. Train it again, or get the file anew."
        )
    model.load_state_dict(state, assign=True)
    return model.eval(), card
