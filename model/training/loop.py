"""The loop around a trainer: steps with what is due after each, and the files of the finished run."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from xtalpriors.atomic_write import write_text
from xtalpriors.canonical_json import canonical_json
from xtalpriors.counted import counted
from xtalpriors.model.network.card import ModelCard, SetScore, write_card
from xtalpriors.model.network.weights import load_card, save_model
from xtalpriors.model.training.checkpoint import save_checkpoint
from xtalpriors.model.training.feed import Feed
from xtalpriors.model.training.journal import Journal
from xtalpriors.model.training.lineage import lineage_of
from xtalpriors.model.training.trainer import Trainer
from xtalpriors.model.training.validation import ValidationSet, score_set
from xtalpriors.outputs import FileKind, json_with
from xtalpriors.priors.bundle import PriorBundle

__all__ = ["METRICS", "METRICS_FILE", "RECORD", "RECORD_FILE", "TrainResult", "TrainingLoop"]

METRICS_FILE = "metrics.json"
RECORD_FILE = "digest.json"
"""Name of the file that says what a finished run was made from, for `dvc.lock`."""
METRICS = FileKind("the metrics of a training", json_with("structures", "parameters", "loss", "scores"))
RECORD = FileKind("the record of a training", json_with("priors_digest", "training_digest", "structures"))
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
        structures = counted(self.card.structures, "structure")
        head = f"{self.folder}: {structures}, {self.card.parameters:,} parameters"
        return "\n".join([head, *(f"  {line}" for line in scores)])


class TrainingLoop:
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
        write_text(self.folder / METRICS_FILE, canonical_json(metrics, indent=1) + "\n", METRICS)
        record = lineage.record | {"structures": card.structures}
        write_text(self.folder / RECORD_FILE, canonical_json(record, indent=1) + "\n", RECORD)
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
