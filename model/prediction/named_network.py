"""A network that phases crystals, by its name: the shipped one, the folder of a run, or a file of weights."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from xtalpriors.errors import XtalpriorsError
from xtalpriors.model.dual_space import weights as dual_space
from xtalpriors.model.dual_space.network import DualSpaceNetwork
from xtalpriors.model.dual_space.weights import DualSpaceCard
from xtalpriors.model.network import weights as phai
from xtalpriors.model.network.card import ModelCard
from xtalpriors.model.network.phai import PhAI

__all__ = ["SHIPPED", "network_named"]

SHIPPED: Final = "shipped"
"""Name of the dual-space network that comes with the package."""


def network_named(name: str) -> tuple[DualSpaceNetwork, DualSpaceCard] | tuple[PhAI, ModelCard]:
    """A dual-space network or PhAI, in evaluation mode on the CPU, and its card.

    Parameters
    ----------
    name
        `shipped`, the folder of a run of `xtalpriors dual-space` or `xtalpriors train`, or a file of weights
        that one of the two wrote. A folder that holds both is taken for the dual-space network's.

    Raises
    ------
    XtalpriorsError
        There is no such folder or file, it holds no network, or the network cannot be read.
    """
    if name == SHIPPED:
        return dual_space.shipped_network()
    path = Path(name)
    if path.is_dir():
        if (path / dual_space.FILE_NAME).is_file():
            return dual_space.load_network(path)
        if (path / phai.FILE_NAME).is_file():
            return phai.load_model(path)
        raise XtalpriorsError(
            f"{path} holds no network: there is neither {dual_space.FILE_NAME} of `xtalpriors dual-space` in "
            f"it nor {phai.FILE_NAME} of `xtalpriors train`."
        )
    if not path.is_file():
        raise XtalpriorsError(
            f"There is no network '{name}'. Give {SHIPPED}, or the folder of a run of `xtalpriors "
            "dual-space` or `xtalpriors train`."
        )
    # cards of PhAI were written before there were other networks, and name no kind
    return dual_space.load_network(path) if phai.tensors_with("kind")(path) else phai.load_model(path)
