"""A run of crystalnet-fourier in a folder: weights with a card, and the crystals of its library."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pydantic import Field

from xtalpriors import __version__
from xtalpriors.counted import counted
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.frozen_model import Frozen
from xtalpriors.model.network.carded_weights import (
    WeightsCard,
    read_network,
    tensors_with,
    write_network,
)
from xtalpriors.model.powder.crystals import CRYSTALS_KIND, PowderCrystals
from xtalpriors.model.powder.data_config import DataConfig, crystals_digest
from xtalpriors.model.powder.fourier.network import FourierNet
from xtalpriors.model.powder.fourier.training import FourierConfig, train_fourier
from xtalpriors.model.powder.run_record import RECORD, RUN_RECORD, write_run_record
from xtalpriors.outputs import FileKind, check_folder, check_outputs

__all__ = [
    "FILE_NAME",
    "LIBRARY_FILE",
    "RUN_FILES",
    "FourierCard",
    "FourierRunConfig",
    "TrainedFourier",
    "load_fourier",
    "train_fourier_run",
]

FILE_NAME: Final = "crystalnet-fourier.safetensors"
LIBRARY_FILE: Final = "library.npz"
NETWORK: Final = FileKind("a network crystalnet-fourier", tensors_with("card_version"))
RUN_FILES: Final = {FILE_NAME: NETWORK, LIBRARY_FILE: CRYSTALS_KIND, RECORD: RUN_RECORD}
"""Names and kinds of the files in the folder of a run."""


class FourierRunConfig(Frozen):
    """Crystals and training of crystalnet-fourier."""

    kind: Literal["crystalnet-fourier"] = "crystalnet-fourier"
    data: DataConfig = DataConfig()
    training: FourierConfig = FourierConfig()


class FourierCard(WeightsCard):
    """What travels with the weights."""

    kind: Literal["crystalnet-fourier"] = "crystalnet-fourier"
    config: FourierRunConfig
    training_crystals: int
    crystals_digest: str = Field(description="Of the formulas and structure types trained on")
    seconds: float = Field(description="Time of training")
    code_version: str


@dataclass(frozen=True, slots=True)
class TrainedFourier:
    """A finished run: its folder with the files of `RUN_FILES`, and its card."""

    folder: Path
    card: FourierCard

    def __str__(self) -> str:
        card = self.card
        return (
            f"{self.folder}: {card.parameters:,} parameters, library of "
            f"{counted(card.training_crystals, 'crystal')}, "
            f"trained in {card.seconds:,.0f} s"
        )


def train_fourier_run(
    config: FourierRunConfig,
    output: Path,
    *,
    name: str = "crystalnet-fourier",
    say: Callable[[str], None] = lambda text: None,
) -> TrainedFourier:
    """Train crystalnet-fourier on the CPU, and write the run; one that is finished there is not done again.

    Raises
    ------
    UsageError
        The folder holds a run with another configuration, or files of somebody else.
    """
    check_folder(output)
    check_outputs([(output / file, kind) for file, kind in RUN_FILES.items()])
    if (output / FILE_NAME).exists():
        _, _, card = load_fourier(output)
        if card.config != config:
            raise UsageError(f"{output} holds a run with another configuration: choose another --output.")
        return TrainedFourier(output, card)
    train, _, _ = config.data.crystals()
    began = time.monotonic()
    network = train_fourier(train, config.training, say)
    card = FourierCard(
        name=name,
        config=config,
        parameters=sum(int(p.numel()) for p in network.parameters() if p.requires_grad),
        training_crystals=len(train),
        crystals_digest=crystals_digest(train),
        seconds=round(time.monotonic() - began, 1),
        code_version=__version__,
    )
    train.save(output / LIBRARY_FILE)
    card = write_network(output / FILE_NAME, network.state_dict(), card, NETWORK)
    write_run_record(output, config.kind, config, card.crystals_digest)
    return TrainedFourier(output, card)


def load_fourier(folder: Path) -> tuple[FourierNet, PowderCrystals, FourierCard]:
    """Network in evaluation mode, the crystals of its library, and its card.

    Raises
    ------
    XtalpriorsError
        A file is missing, cut short or another one; the weights are not finite, or differ from the card.
    """
    file = Path(folder) / FILE_NAME
    network, card = read_network(
        file,
        FourierCard,
        lambda card: FourierNet(card.config.data.system),
        "network crystalnet-fourier",
        "xtalpriors powder train",
    )
    crystals = PowderCrystals.load(Path(folder) / LIBRARY_FILE)
    if crystals_digest(crystals) != card.crystals_digest:
        raise XtalpriorsError(
            f"{Path(folder) / LIBRARY_FILE} is not the library of {file}: its crystals are others. Get both "
            "anew."
        )
    return network, crystals, card
