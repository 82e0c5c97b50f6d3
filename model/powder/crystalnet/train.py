"""A training run of CrystalNet in a folder: stopped, it goes on; its log is lines of JSON."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from xtalpriors import __version__
from xtalpriors.counted import counted
from xtalpriors.errors import InterruptedRunError, XtalpriorsError
from xtalpriors.interrupts import stop_flag
from xtalpriors.model.network.device import pick_device
from xtalpriors.model.network.torch_checkpoint import CHECKPOINT_FILE
from xtalpriors.model.powder.crystalnet.config import CrystalNetConfig
from xtalpriors.model.powder.crystalnet.trainer import CHECKPOINT, Trainer
from xtalpriors.model.powder.crystalnet.weights import FILE_NAME, NETWORK, CrystalNetCard, save_crystalnet
from xtalpriors.model.powder.data_config import crystals_digest
from xtalpriors.model.powder.dataset import PowderCrystals
from xtalpriors.model.powder.run_record import RECORD, RUN_RECORD, write_run_record
from xtalpriors.outputs import FileKind, check_folder, check_outputs, text_with
from xtalpriors.progress import Advance, Progress, silent

__all__ = ["RUN_FILES", "TrainedCrystalNet", "train_crystalnet"]

LOG_FILE: Final = "log.jsonl"
LOG: Final = FileKind("the log of a training", text_with('"epoch": '))

RUN_FILES: Final = {CHECKPOINT_FILE: CHECKPOINT, LOG_FILE: LOG, FILE_NAME: NETWORK, RECORD: RUN_RECORD}
"""Names and kinds of the files in the folder of a run."""


@dataclass(frozen=True, slots=True)
class TrainedCrystalNet:
    """A finished run.

    Attributes
    ----------
    folder
        `crystalnet.safetensors` (weights of the best epoch and their card), `checkpoint.pt`, `log.jsonl` and
        `digest.json`.
    card
        As in the weights.
    """

    folder: Path
    card: CrystalNetCard

    def __str__(self) -> str:
        card = self.card
        best = f", SSIM {card.validation_ssim:.3f} in epoch {card.best_epoch}" if card.best_epoch else ""
        return (
            f"{self.folder}: {card.parameters:,} parameters, {counted(card.training_crystals, 'crystal')}, "
            f"{counted(card.epochs, 'epoch')} in {card.seconds:,.0f} s{best} (validation)"
        )


def train_crystalnet(
    config: CrystalNetConfig,
    output: Path,
    *,
    name: str = "crystalnet-2024",
    device: str | None = None,
    say: Callable[[str], None] = lambda text: None,
    progress: Progress = silent,
    stop_after_steps: int | None = None,
) -> TrainedCrystalNet | None:
    """Train, or go on with the run in `output`; a stopped run ends as it would have without the stop.

    Parameters
    ----------
    config
        The run.
    output
        Its folder.
    name
        Of the run, for its card.
    device
        `cpu`, `cuda` or `cuda:N`; null: CUDA where there is one.
    say
        Gets the arithmetic of the run before it begins.
    stop_after_steps
        Stop with a checkpoint after so many steps of the run, as an interrupt does, and return null.

    Raises
    ------
    UsageError
        The folder holds a run with another configuration, or files of somebody else.
    XtalpriorsError
        A loss that is not finite, or a damaged checkpoint.
    InterruptedRunError
        After an interrupt, once the checkpoint is written.
    """
    check_folder(output)
    check_outputs([(output / file, kind) for file, kind in RUN_FILES.items()])
    chosen = pick_device(device)
    train, validation, _ = config.data.crystals()
    say(f"{config.arithmetic(len(train))} on {chosen}")
    trainer = Trainer(config, train, validation, chosen)
    output.mkdir(parents=True, exist_ok=True)
    trainer.load(output)
    if not _run(trainer, output, progress, stop_after_steps):
        return None
    card = _card(name, trainer, train)
    save_crystalnet(output, trainer.best, card)
    write_run_record(output, config.kind, config, card.crystals_digest)
    return TrainedCrystalNet(output, card)


def _run(trainer: Trainer, output: Path, progress: Progress, stop_after_steps: int | None) -> bool:
    """Do the steps that are left, and write the checkpoint; false if it was stopped after so many steps.

    Raises
    ------
    InterruptedRunError
        After an interrupt.
    """
    left = trainer.config.epochs * trainer.steps_per_epoch - trainer.steps
    with (
        stop_flag("Interrupted: the step at hand is finished and a checkpoint is written") as stopped,
        progress("train", left, "step") as advance,
    ):
        run = _Run(trainer, output, advance)
        while trainer.epoch < trainer.config.epochs:
            run.step()
            if trainer.steps == stop_after_steps:
                trainer.save(output)
                return False
            if stopped.is_set():
                trainer.save(output)
                raise InterruptedRunError(
                    f"Interrupted in epoch {trainer.epoch + 1}: the checkpoint is written, and the same "
                    "command goes on from it."
                )
    trainer.save(output)
    return True


def _card(name: str, trainer: Trainer, train: PowderCrystals) -> CrystalNetCard:
    return CrystalNetCard(
        name=name,
        config=trainer.config,
        parameters=trainer.network.n_parameters,
        training_crystals=len(train),
        crystals_digest=crystals_digest(train),
        epochs=trainer.epoch,
        best_epoch=trainer.best_epoch,
        validation_ssim=trainer.best_ssim,
        seconds=round(trainer.seconds, 1),
        device=str(trainer.device),
        code_version=__version__,
    )


class _Run:
    """The clock, the log and the checkpoints of a run."""

    def __init__(self, trainer: Trainer, folder: Path, advance: Advance) -> None:
        self.trainer, self.folder, self.advance = trainer, folder, advance
        self.began = time.monotonic() - trainer.seconds
        self.saved = time.monotonic()
        self.losses: list[dict[str, Tensor]] = []

    def step(self) -> None:
        """One step, and what is due after it."""
        trainer, config = self.trainer, self.trainer.config
        self.losses.append(trainer.step())
        trainer.seconds = time.monotonic() - self.began
        ended = trainer.step_of_epoch == trainer.steps_per_epoch
        if ended or trainer.steps % config.log_every_steps == 0:
            self._log_losses()
        if ended and (score := trainer.end_epoch()) is not None:
            trainer.seconds = time.monotonic() - self.began
            self._log(ssim=score)
        if time.monotonic() - self.saved > config.checkpoint_every_seconds:
            trainer.save(self.folder)
            self.saved = time.monotonic()
        self.advance()

    def _log_losses(self) -> None:
        means = {
            name: float(torch.stack([one[name] for one in self.losses]).mean()) for name in self.losses[0]
        }
        self.losses = []
        if not all(map(math.isfinite, means.values())):
            raise XtalpriorsError(
                f"the loss is not finite after step {self.trainer.steps:,}: lower the learning rate, as in "
                "--set learning_rate=0.0003, and begin in another --output."
            )
        self._log(**means)
        self.advance(0, note=f"|Δρ| {means['l1']:.3f} e/Å³")

    def _log(self, **values: float) -> None:
        trainer = self.trainer
        record = {
            "epoch": trainer.epoch,
            "step": trainer.steps,
            "seconds": round(trainer.seconds, 2),
            "rate": trainer.config.rate(trainer.epoch),
            **values,
        }
        with (self.folder / LOG_FILE).open("a", encoding="utf-8") as file:
            file.write(json.dumps({k: round(v, 6) for k, v in record.items()}, sort_keys=True) + "\n")
