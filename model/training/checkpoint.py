"""Checkpoints: tensors as safetensors, everything else as JSON in the same file, written in one step."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from xtalpriors.counted import counted
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.model.network.carded_weights import METADATA_KEY, tensors_with, write_tensors
from xtalpriors.model.training.config import TrainConfig
from xtalpriors.outputs import FileKind
from xtalpriors.priors.bundle import PriorBundle

__all__ = [
    "Checkpoint",
    "check_same_run",
    "checkpoint_files",
    "latest",
    "load_checkpoint",
    "restore_optimiser",
    "save_checkpoint",
]

CHECKPOINT_VERSION = 1
CHECKPOINT = FileKind("a checkpoint", tensors_with("checkpoint_version"))
KEEP = 2
"""Checkpoints kept: should the last one be damaged, the one before is there."""
_NAME = re.compile(r"step-(\d+)\.safetensors")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A run after `step` steps.

    Attributes
    ----------
    step
        Steps done.
    tensors
        `model.…`, `average.…` and `optimiser.N.…`.
    state
        Schedule, stream, sums of the log, digest of the configuration: JSON.
    """

    step: int
    tensors: dict[str, Tensor]
    state: dict[str, Any]

    def part(self, prefix: str) -> dict[str, Tensor]:
        """Tensors of `prefix.…`, without the prefix."""
        return {
            name.removeprefix(f"{prefix}."): value
            for name, value in self.tensors.items()
            if name.startswith(f"{prefix}.")
        }


def collect(
    model: nn.Module, average: nn.Module | None, optimiser: torch.optim.Optimizer
) -> dict[str, Tensor]:
    """Every tensor of a run by its name in the file, on the CPU."""
    parts: dict[str, Tensor] = {f"model.{name}": value for name, value in model.state_dict().items()}
    if average is not None:
        parts |= {f"average.{name}": value for name, value in average.state_dict().items()}
    for number, state in optimiser.state_dict()["state"].items():
        parts |= {f"optimiser.{number}.{name}": value for name, value in state.items()}
    # a copy even on the CPU: safetensors refuses tensors that share memory
    return {name: value.detach().to("cpu", copy=True).contiguous() for name, value in parts.items()}


def restore_optimiser(optimiser: torch.optim.Optimizer, saved: dict[str, Tensor]) -> None:
    """Put the tensors `N.name` of a checkpoint back."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in saved.items():
        number, name = key.split(".", 1)
        state.setdefault(int(number), {})[name] = value
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": state, "param_groups": groups})


def save_checkpoint(folder: Path, step: int, tensors: dict[str, Tensor], state: dict[str, Any]) -> Path:
    """Write `step-N.safetensors`; then remove all but the last two, and what was never finished."""
    file = folder / f"step-{step:09d}.safetensors"
    write_tensors(
        file, tensors, {"checkpoint_version": CHECKPOINT_VERSION, "step": step, **state}, CHECKPOINT
    )
    unfinished = folder.glob(".step-*.part")  # of a process that was killed
    former = [path for path in checkpoint_files(folder)[:-KEEP] if CHECKPOINT.is_own(path)]
    for old in (*former, *unfinished):
        old.unlink(missing_ok=True)
    return file


def latest(folder: Path) -> Path | None:
    """The newest checkpoint of a folder; None if the folder holds no checkpoint."""
    files = checkpoint_files(folder)
    return files[-1] if files else None


def checkpoint_files(folder: Path) -> list[Path]:
    """Complete checkpoints, oldest first."""
    found = [p for p in folder.glob("step-*.safetensors") if _NAME.fullmatch(p.name)]
    return sorted(found, key=lambda p: int(p.stem.removeprefix("step-")))


def load_checkpoint(file: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises
    ------
    XtalpriorsError
        The file is cut short, is not a checkpoint, or was written by a newer xtalpriors. The message names
        the checkpoint before it.
    """
    try:
        with safe_open(file, "pt") as opened:
            state = json.loads((opened.metadata() or {})[METADATA_KEY])
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - no mapping
        version, step = int(state["checkpoint_version"]), int(state["step"])
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        others = [p for p in checkpoint_files(file.parent) if p != file]
        remedy = (
            f"Remove it, and the run goes on from {others[-1].name}."
            if others
            else "There is no other: remove it and train from the start."
        )
        raise XtalpriorsError(f"the checkpoint {file} is cut short or damaged ({error}). {remedy}") from error
    if version > CHECKPOINT_VERSION:
        raise XtalpriorsError(
            f"the checkpoint {file} has version {version}; this xtalpriors reads {CHECKPOINT_VERSION}. "
            "Upgrade xtalpriors."
        )
    return Checkpoint(step, tensors, state)


def check_same_run(state: dict[str, Any], config: TrainConfig, bundle: PriorBundle, file: Path) -> None:
    """Refuse a checkpoint of another configuration or bundle, naming the first difference."""
    if state.get("priors_digest") != bundle.priors_digest:
        raise UsageError(
            f"{file} was trained on priors {state.get('priors_digest')}, not on {bundle.priors_digest} of "
            f"{bundle.called}: give the bundle of the run, or another --output."
        )
    if state.get("training_digest") == config.digest:
        return
    then, now = _flat(state.get("training", {})), _flat(config.model_dump(mode="json"))
    differ = [key for key in sorted({*then, *now}) if then.get(key) != now.get(key)]
    first = differ[0] if differ else "the configuration"
    more = f" (and {counted(len(differ) - 1, 'more difference')})" if len(differ) > 1 else ""
    raise UsageError(
        f"{file} was trained with {first} = {then.get(first)!r}, not {now.get(first)!r}{more}: "
        "resume with the "
        "configuration of the run, or choose another --output."
    )


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat
