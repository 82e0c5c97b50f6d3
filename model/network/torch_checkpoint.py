"""Checkpoints of trainings whose whole state is one file of PyTorch: recognised, written and read."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import torch
from pydantic import BaseModel

from xtalpriors.atomic_write import replacing
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.outputs import FileKind

__all__ = ["CHECKPOINT_FILE", "checkpoint_with", "load_state", "save_state"]

CHECKPOINT_FILE: Final = "checkpoint.pt"
_DAMAGE: Final = (
    pickle.UnpicklingError,
    RuntimeError,
    EOFError,
    OSError,
    LookupError,
    TypeError,
    ValueError,
)
"""What PyTorch raises over a file that is cut short or holds something else."""


def checkpoint_with(word: str) -> Callable[[Path], bool]:
    """Recognise a checkpoint of this project by a word that its content has."""

    def is_own(path: Path) -> bool:
        """Whether the pickled content has the word; the file is searched, never unpickled."""
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith("data.pkl")]
            return bool(names) and word.encode() in archive.read(names[0])

    return is_own


def save_state(folder: Path, content: dict[str, Any], kind: FileKind) -> None:
    """Write the checkpoint of a folder; the file before is there until it is whole."""
    with replacing(folder / CHECKPOINT_FILE, kind) as part:
        torch.save(content, part)


def load_state(
    folder: Path, config: BaseModel, device: torch.device, priors_digest: str | None = None
) -> dict[str, Any] | None:
    """The checkpoint of a folder; null where there is none.

    Parameters
    ----------
    config, priors_digest
        Of the run that is to go on.

    Raises
    ------
    UsageError
        The checkpoint belongs to a run with another configuration or other priors.
    XtalpriorsError
        It is damaged.
    """
    file = folder / CHECKPOINT_FILE
    if not file.is_file():
        return None
    try:
        content: dict[str, Any] = torch.load(file, map_location=device, weights_only=True)
        theirs = content["config"]
    except torch.cuda.OutOfMemoryError:  # says nothing of the file
        raise
    except _DAMAGE as error:
        raise XtalpriorsError(
            f"{file} is damaged ({type(error).__name__}). Remove it, and the run begins again."
        ) from error
    ours = json.loads(config.model_dump_json())
    if theirs != ours or content.get("priors_digest") != priors_digest:
        names = [key for key in ours if theirs.get(key) != ours[key]] or ["priors"]
        raise UsageError(
            f"{file} is of a run with another {', '.join(names)}: continue it with the same options, or "
            "choose another --output."
        )
    return content
