"""A network that phases crystals, by its name: the shipped one, the folder of a run, or a file of weights."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from xtalpriors.errors import UsageError
from xtalpriors.model.dual_space import weights as dual_space
from xtalpriors.model.dual_space.network import DualSpaceNetwork
from xtalpriors.model.dual_space.weights import DualSpaceCard
from xtalpriors.model.network import weights as phai
from xtalpriors.model.network.card import ModelCard
from xtalpriors.model.network.carded_weights import tensors_with
from xtalpriors.model.network.phai import PhAI

__all__ = ["SHIPPED", "network_file_named", "network_named"]

SHIPPED: Final = "shipped"
"""Name of the dual-space network that comes with the package."""


def network_named(name: str) -> tuple[DualSpaceNetwork, DualSpaceCard] | tuple[PhAI, ModelCard]:
    """A dual-space network or PhAI, in evaluation mode on the CPU, and its card.

    Parameters
    ----------
    name
        As in `network_file_named`.

    Raises
    ------
    UsageError
        There is no such folder or file, or it holds no network.
    XtalpriorsError
        The network cannot be read.
    """
    file = network_file_named(name)
    # cards of PhAI were written before there were other networks, and name no kind
    return dual_space.load_network(file) if tensors_with("kind")(file) else phai.load_model(file)


def network_file_named(name: str) -> Path:
    """The file of weights that a name stands for.

    Parameters
    ----------
    name
        `shipped`, the folder of a run of `xtalpriors dual-space` or `xtalpriors train`, or a file of weights
        that one of the two wrote. A folder that holds both is taken for the dual-space network's.

    Raises
    ------
    UsageError
        There is no such folder or file, or the folder holds no network.
    """
    if name == SHIPPED:
        return dual_space.SHIPPED_FILE
    path = Path(name)
    if path.is_file():
        return path
    if not path.is_dir():
        raise UsageError(
            f"There is no network '{name}'. Give {SHIPPED}, or the folder of a run of `xtalpriors "
            "dual-space` or `xtalpriors train`."
        )
    for file in (path / dual_space.FILE_NAME, path / phai.FILE_NAME):
        if file.is_file():
            return file
    raise UsageError(
        f"{path} holds no network: there is neither {dual_space.FILE_NAME} of `xtalpriors dual-space` in "
        f"it nor {phai.FILE_NAME} of `xtalpriors train`."
    )
