"""The published networks: their layer names and shapes, mapped to ours.

Layout of the state dicts of Larsen et al. (2024), doi 10.17894/ucph.681ff154-a66a-41f4-aee6-9168777de7d9, and
of Melgalvis & Reķis (2026), doi 10.5281/zenodo.17039016: P2₁/c, amplitudes divided by their maximum.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from xtalpriors.errors import XtalpriorsError
from xtalpriors.model.network.phai import SIZES, NetworkSize, PhAI

__all__ = ["load_published_weights", "published_names"]

_PREFIXES = ("module.", "_orig_mod.")
"""What DistributedDataParallel and torch.compile put before every name."""
_WRAPPERS = ("state_dict", "model_state_dict", "model")


def published_names(size: NetworkSize = SIZES["phai"]) -> dict[str, str]:
    """Published name of each of our parameters: {ours: published}.

    Parameters
    ----------
    size
        The published layout for another size; the published networks have `SIZES["phai"]`.
    """
    layers = {
        "amplitudes.0": "net_a.1",
        "amplitudes.2": "net_a.3",
        "phases.0": "net_p.1",
        "phases.2": "net_p.3",
        "projection": "net_projection_layer.1",
        "norm": f"net_mixer_layers.{size.mixer_blocks}",
        "head": "net_output.3",
    }
    for i in range(size.residual_blocks):
        for layer in ("conv1", "conv2", "norm1", "norm2"):
            layers[f"residual.{i}.{layer}"] = f"net_convolution_layers.{i}.0.{layer}"
    for i in range(size.mixer_blocks):
        for j in (0, 1):
            for layer in ("norm1", "layer1", "layer2"):
                layers[f"mixer.{i}.{j}.{layer}"] = f"net_mixer_layers.{i}.{j}.{layer}"
    return {
        f"{ours}.{kind}": f"{theirs}.{kind}" for ours, theirs in layers.items() for kind in ("weight", "bias")
    }


def load_published_weights(path: Path, size: NetworkSize = SIZES["phai"]) -> PhAI:
    """A network from a published state dict, in evaluation mode on the CPU.

    Parameters
    ----------
    path
        File of `torch.save` (only tensors are read: no code in it is run) or safetensors.
    size
        Its size.

    Raises
    ------
    XtalpriorsError
        No such file, cut short, not a state dict, or of another size; the message names the first layer
        that does not fit.
    """
    path = Path(path)
    if not path.is_file():
        raise XtalpriorsError(
            f"there are no weights {path}. The archives are doi "
            "10.17894/ucph.681ff154-a66a-41f4-aee6-9168777de7d9 (2024) and doi "
            "10.5281/zenodo.17039016 (2026)."
        )
    state = _state_dict(_read(path), path)
    names = published_names(size)
    with torch.device("meta"):
        model = PhAI(size)
    shapes = {names[ours]: value.shape for ours, value in model.state_dict().items()}
    if wrong := misfits(state, shapes):
        raise XtalpriorsError(
            f"{path} does not hold the published network of {model.count_parameters():,} parameters: "
            f"{'; '.join(wrong[:3])}{f' (and {len(wrong) - 3} more)' if len(wrong) > 3 else ''}."
        )
    model.load_state_dict({ours: state[theirs].float() for ours, theirs in names.items()}, assign=True)
    model.eval()
    return model


def misfits(state: Mapping[str, torch.Tensor], shapes: Mapping[str, torch.Size]) -> list[str]:
    """What keeps tensors from being those of these names and shapes, all finite: one clause for each."""
    wrong = [
        f"{name} is {tuple(state[name].shape) if name in state else 'missing'}, not {tuple(shape)}"
        for name, shape in shapes.items()
        if name not in state or state[name].shape != shape
    ]
    wrong += [f"{name} is unknown" for name in sorted(set(state) - set(shapes))]
    return wrong or [
        f"{name} holds values that are not finite numbers"
        for name, value in state.items()
        if not bool(torch.isfinite(value).all())
    ]


def _read(path: Path) -> Any:
    """Content of the file."""
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise XtalpriorsError(
            f"{path} cannot be read as a state dict: it is cut short, or holds more than tensors, which is "
            "refused because a pickle can run code. Save `model.state_dict()` alone."
        ) from error
    except (RuntimeError, EOFError, OSError, KeyError, ValueError, SafetensorError) as error:
        reason = str(error).splitlines()[0] if str(error) else "it is empty"
        raise XtalpriorsError(
            f"{path} cannot be read as a state dict: {reason}. It may be cut short: fetch it again."
        ) from error


def _state_dict(raw: Any, path: Path) -> dict[str, torch.Tensor]:
    """The tensors by name, out of the usual wrappings."""
    if isinstance(raw, Mapping):
        for key in _WRAPPERS:
            if isinstance(raw.get(key), Mapping):
                raw = raw[key]
                break
    if not isinstance(raw, Mapping) or not raw or not all(isinstance(v, torch.Tensor) for v in raw.values()):
        raise XtalpriorsError(f"{path} holds {type(raw).__name__}, not a state dict (names and tensors).")
    state = {str(name): value for name, value in raw.items()}
    for prefix in _PREFIXES:
        if all(name.startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): value for name, value in state.items()}
    return state
