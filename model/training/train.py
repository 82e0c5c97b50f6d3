"""Train a network on the generator's stream: the loop, with its log, scores, checkpoints and model card."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml

from xtalpriors.atomic_write import write_text
from xtalpriors.canonical_json import canonical_json
from xtalpriors.errors import UsageError
from xtalpriors.interrupts import stop_flag
from xtalpriors.model.network.card import CARD_FILES, ModelCard, SetScore, write_card
from xtalpriors.model.network.curve import CURVE, CURVE_FILE
from xtalpriors.model.network.weights import FILE_NAME, NETWORK, load_card, save_model
from xtalpriors.model.training.checkpoint import (
    CHECKPOINT,
    check_same_run,
    checkpoint_files,
    latest,
    load_checkpoint,
    save_checkpoint,
)
from xtalpriors.model.training.config import TrainConfig
from xtalpriors.model.training.distributed import processes
from xtalpriors.model.training.feed import Feed
from xtalpriors.model.training.journal import LOG, LOG_FILE, Journal
from xtalpriors.model.training.lineage import lineage_of
from xtalpriors.model.training.session import settings
from xtalpriors.model.training.trainer import Trainer, make_stream
from xtalpriors.model.training.validation import ValidationSet, generated_set, score_set
from xtalpriors.outputs import FileKind, check_folder, check_outputs, json_with
from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.progress import Progress, silent

__all__ = ["RECORD", "TrainResult", "discard_run", "train"]

RECORD = "digest.json"
"""Name of the file that says what a finished run was made from, for `dvc.lock`."""


def _is_configuration(path: Path) -> bool:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError:
        return False
    return isinstance(content, dict) and {"network", "structures", "data", "optimiser"} <= content.keys()


CONFIG = FileKind("the configuration of a training", _is_configuration)
METRICS = FileKind("the metrics of a training", json_with("structures", "parameters", "loss", "scores"))
MADE_FROM = FileKind("the record of a training", json_with("priors_digest", "training_digest", "structures"))
RUN_FILES: dict[str, FileKind] = {
    FILE_NAME: NETWORK,
    **CARD_FILES,
    "config.yaml": CONFIG,
    "metrics.json": METRICS,
    CURVE_FILE: CURVE,
    LOG_FILE: LOG,
    RECORD: MADE_FROM,
}
"""Names and kinds of what a run writes into its folder, beside `checkpoints/`."""

WARNING_FACTOR = 1.5
"""A mean loss above the best one by this factor is worth a warning in the log."""


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What a run came to.

    Attributes
    ----------
    folder
        `model.safetensors`, `model-card.json` and `.md`, `metrics.json`, `curve.csv`, `log.jsonl`,
        `config.yaml`, `checkpoints/`, and `digest.json`: what the run was made from.
    card
        The model card.
    """

    folder: Path
    card: ModelCard

    def __str__(self) -> str:
        scores = [
            f"{name}: median r {s.median_r:.3f}, r ≥ 0.8 for {100 * s.solved:.1f} % of {s.n:,} "
            f"(all phases zero: {100 * s.zero_phases_solved:.1f} %)"
            for name, s in sorted(self.card.scores.items())
        ]
        head = f"{self.folder}: {self.card.structures:,} structures, {self.card.parameters:,} parameters"
        return "\n".join([head, *(f"  {line}" for line in scores)])


def train(
    config: TrainConfig,
    bundle: PriorBundle,
    output: Path,
    *,
    resume: bool = False,
    device: str | None = None,
    validation: Sequence[ValidationSet] = (),
    progress: Progress = silent,
    stop_after_steps: int | None = None,
) -> TrainResult | None:
    """Train a network.

    Parameters
    ----------
    config
        The run, from `xtalpriors.model.training.presets.load_preset` or `config.make_config`.
    bundle
        Priors of the training structures.
    output
        Folder of the run.
    resume
        Go on from the last checkpoint there (from the start where there is none). What comes out is bit for
        bit what the run would have given without a stop, on the same device with the same threads.
    device
        `cpu`, `cuda` or `cuda:N`; null: CUDA where there is one. Under `torchrun` each process takes its own.
    validation
        Sets to score on besides the fixed generated one, experimental structures for instance.
    stop_after_steps
        Stop after so many steps of the run with a checkpoint, as an interrupt does.

    Returns
    -------
    TrainResult | None
        None in all but the first of several processes, and after `stop_after_steps`.

    Raises
    ------
    UsageError
        The folder holds another run, or one and `resume` is false, or a file of somebody else that the run
        would replace; a device that is not there.
    XtalpriorsError
        A damaged checkpoint; a loss that is not finite; whatever the stream raises.
    KeyboardInterrupt
        After an interrupt (or SIGTERM), once the checkpoint is written.
    """
    with (
        processes(device) as group,
        settings(config),
        stop_flag("Interrupted: the step or scores at hand are finished, a checkpoint written") as stopped,
    ):
        _check_run_folder(output)
        trainer = Trainer(config, bundle, group)
        stream = make_stream(config, bundle, group)
        file = latest(output / "checkpoints")
        if file is None and (output / FILE_NAME).exists():
            raise UsageError(
                f"{output} holds a network without checkpoints, which would be replaced: choose another "
                "--output."
            )
        if not resume and file is not None:
            raise UsageError(
                f"{output} holds a run already: say --resume to go on with it, or choose another --output."
            )
        group.wait()
        if file is not None:
            checkpoint = load_checkpoint(file)
            check_same_run(checkpoint.state, config, bundle, file)
            trainer.restore(checkpoint)
            position = {"position": trainer.steps_done}
            stream.load_state_dict(stream.state_dict() | position)
        if group.first:
            text = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
            write_text(output / "config.yaml", text, CONFIG)
        sets = [generated_set(config, bundle, trainer.reflections), *validation]
        journal = Journal(output, write=group.first, step=trainer.steps_done)
        run = _Run(trainer, journal, output, sets, bundle)
        shown = progress if group.first else silent
        with shown("training", config.steps * config.optimiser.batch_size, "structures") as advance:
            advance(trainer.structures)
            feed = Feed(stream, group.device, config.data_threads)
            for _ in run.steps(feed, stopped, stop_after_steps):
                advance(config.optimiser.batch_size, note=journal.headline)
        if stopped.is_set():
            raise KeyboardInterrupt
        return run.finish() if trainer.steps_done == config.steps and group.first else None


def discard_run(folder: Path) -> None:
    """Remove what `train` wrote in a folder, so that a run can start there; other files stay.

    Raises
    ------
    UsageError
        A file has the name of one that `train` writes and is something else; nothing is removed then.
    """
    _check_run_folder(folder)
    checkpoints = checkpoint_files(folder / "checkpoints")
    check_outputs((path, CHECKPOINT) for path in checkpoints)
    for path in [*(folder / name for name in RUN_FILES), *checkpoints]:
        path.unlink(missing_ok=True)


def _check_run_folder(folder: Path) -> None:
    """Raise UsageError if a file would be replaced that no training wrote."""
    check_folder(folder)
    check_folder(folder / "checkpoints")
    check_outputs((folder / name, kind) for name, kind in RUN_FILES.items())


class _Run:
    """The loop around a trainer."""

    def __init__(
        self, trainer: Trainer, journal: Journal, folder: Path, sets: list[ValidationSet], bundle: PriorBundle
    ) -> None:
        self.trainer, self.journal, self.folder = trainer, journal, folder
        self.sets, self.bundle = sets, bundle
        self.config = trainer.config
        losses = [r["loss"] for r in journal.records if r["event"] == "train"]
        self.best_loss = min(losses, default=float("inf"))
        self.saved_step = trainer.steps_done

    def steps(self, feed: Feed, stopped: threading.Event, stop_after: int | None) -> Iterator[None]:
        """Do the steps that are left, with what is due after each."""
        trainer, config = self.trainer, self.config
        if trainer.compile_note:
            self._add("warning", message=trainer.compile_note)
        if trainer.steps_done and not self.journal.records:
            self._add("warning", message="the log of the steps so far is not there: the curve begins here")
        self._clock, self._waited, self._from = time.monotonic(), 0.0, trainer.structures
        if trainer.steps_done == config.steps:
            return
        for batch in feed:
            trainer.step(batch)
            last = trainer.steps_done == config.steps
            stop = self._asked_to_stop(stopped) or trainer.steps_done == stop_after
            if trainer.device.type == "cpu":
                trainer.check_finite()
            if last or self._due(config.log_every_structures):
                self._log(feed)
            if last or self._due(config.validation.every_structures):
                self._validate()
            if stop or last or self._due(config.checkpoint_every_structures):
                self._save()
            yield
            if last or stop:
                return

    def finish(self) -> TrainResult:
        """Write the network, its card and its scores."""
        trainer, config = self.trainer, self.config
        if not self._scores():  # a finished run whose log was removed
            self._score()
        lineage = lineage_of(config, self.bundle)
        card = ModelCard(
            name=config.name,
            size=trainer.model.size,
            parameters=trainer.model.count_parameters(),
            space_group=config.data.generator.space_group,
            max_index=config.data.max_index,
            scaling=config.scaling,
            cycles=max(config.recycling.cycles),
            averaged=trainer.average is not None,
            steps=trainer.steps_done,
            structures=trainer.structures,
            training=config.model_dump(mode="json"),
            lineage=lineage,
            scores=self._scores(),
        )
        dtype = torch.bfloat16 if config.weights_dtype == "bfloat16" else None
        save_model(self.folder, trainer.result, card, dtype=dtype)
        card = load_card(self.folder)  # has the digest of the weights
        write_card(self.folder, card)
        metrics: dict[str, Any] = {"structures": card.structures, "parameters": card.parameters}
        losses = [r["loss"] for r in self.journal.records if r["event"] == "train"]
        metrics["loss"] = losses[-1] if losses else None
        metrics["scores"] = {name: score.model_dump() for name, score in card.scores.items()}
        write_text(self.folder / "metrics.json", canonical_json(metrics, indent=1) + "\n", METRICS)
        record = lineage.record | {"structures": card.structures}
        write_text(self.folder / RECORD, canonical_json(record, indent=1) + "\n", MADE_FROM)
        self.journal.write_curves()
        return TrainResult(self.folder, card)

    def _scores(self) -> dict[str, SetScore]:
        """The last score on every set."""
        fields = set(SetScore.model_fields)
        found = {}
        for record in self.journal.records:
            if record["event"] == "validation":
                found[record["set"]] = SetScore(**{k: v for k, v in record.items() if k in fields})
        return found

    def _asked_to_stop(self, stopped: threading.Event) -> bool:
        """Whether an interrupt came; several processes must stop after the same step, so they ask rarely."""
        if self.trainer.group.world_size > 1 and not self._due(self.config.log_every_structures):
            return False
        return self.trainer.group.any(stopped.is_set())

    def _due(self, every: int) -> bool:
        size, done = self.config.optimiser.batch_size, self.trainer.structures
        return done // every > (done - size) // every

    def _add(self, event: str, **values: Any) -> None:
        self.journal.add(event, self.trainer.steps_done, self.trainer.structures, **values)

    def _log(self, feed: Feed) -> None:
        trainer = self.trainer
        trainer.check_finite()
        total, steps = trainer.take_loss()
        loss = total / steps
        now = time.monotonic()
        elapsed, self._clock = now - self._clock, now
        waited, self._waited = feed.waited_seconds - self._waited, feed.waited_seconds
        rate = trainer.schedule.rate(trainer.steps_done - 1)
        done, self._from = trainer.structures - self._from, trainer.structures
        self._add(
            "train",
            loss=loss,
            learning_rate=rate,
            structures_per_second=round(done / elapsed, 1),
            data_wait_share=round(waited / elapsed, 4),
        )
        if loss > WARNING_FACTOR * self.best_loss:
            self._add(
                "warning", message=f"the mean loss is {loss:.4g}; it has been {self.best_loss:.4g} before"
            )
        self.best_loss = min(self.best_loss, loss)
        if trainer.schedule.observe(total, steps):
            self._add("learning_rate", learning_rate=trainer.schedule.rate(trainer.steps_done))

    def _validate(self) -> None:
        self.trainer.check_finite()
        if self.trainer.group.first:
            self._score()
            self.journal.write_curves()
        self.trainer.group.wait()
        self._clock = time.monotonic()

    def _score(self) -> None:
        for data in self.sets:
            score = score_set(
                self.trainer.result,
                self.trainer.reflections,
                self.trainer.scaling,
                data,
                cycles=self.config.validation.cycles,
                autocast=self.trainer.autocast_type(),
            )
            self._add("validation", set=data.name, **score.model_dump())

    def _save(self) -> None:
        trainer = self.trainer
        trainer.check_finite()
        if trainer.group.first and trainer.steps_done != self.saved_step:
            state = trainer.state() | {
                "training_digest": self.config.digest,
                "training": self.config.model_dump(mode="json"),
                "priors_digest": self.bundle.priors_digest,
            }
            save_checkpoint(self.folder / "checkpoints", trainer.steps_done, trainer.tensors(), state)
        self.saved_step = trainer.steps_done
        trainer.group.wait()
