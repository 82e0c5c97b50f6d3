"""The training loop of the dual-space network: resumable, its log in lines of JSON."""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from xtalpriors.model.dual_space.config import DualSpaceConfig
from xtalpriors.model.dual_space.crystals import CrystalBatch, CrystalPools
from xtalpriors.model.dual_space.inputs import known_of
from xtalpriors.model.dual_space.loss import weighted_loss
from xtalpriors.model.dual_space.network import DualSpaceNetwork, Step
from xtalpriors.model.dual_space.states import State, make_state
from xtalpriors.model.dual_space.validation import validate
from xtalpriors.model.dual_space.weights import FILE_NAME, NETWORK, DualSpaceCard, save_network
from xtalpriors.model.network.torch_checkpoint import (
    CHECKPOINT_FILE,
    checkpoint_with,
    load_state,
    save_state,
)
from xtalpriors.model.training.averaging import average_, decay_at
from xtalpriors.model.training.muon import Muon
from xtalpriors.outputs import FileKind, check_folder, check_outputs, text_with
from xtalpriors.priors.bundle import PriorBundle

__all__ = ["Trainer", "train_dual_space"]

LOG_FILE = "log.jsonl"


CHECKPOINT = FileKind("a checkpoint of a dual-space network", checkpoint_with("priors_digest"))
LOG = FileKind("the log of a training", text_with('"crystals": '))
_WARM_UP = 100
_LARGEST_NORM = 1.0


class Trainer:
    """A network, its average and its optimiser, and how far they are.

    Parameters
    ----------
    config, bundle
        What to train on and how.
    device
        Where.
    """

    def __init__(self, config: DualSpaceConfig, bundle: PriorBundle, device: torch.device) -> None:
        self.config, self.bundle, self.device = config, bundle, device
        if device.type == "cuda":
            torch.set_float32_matmul_precision("high")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.network = DualSpaceNetwork(config.size)
        self.network = self.network.to(device)
        self.network.in_half = config.in_half
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        self.optimiser = Muon(self.network, self.network.outer_layers, config.learning_rate, 0.0)
        self.batches, self.crystals, self.seconds = 0, 0, 0.0
        self.last: dict[int, tuple[int, int]] = {}
        self.scores: dict[str, float] = {}

    @property
    def streams(self) -> int:
        """Pools that batches come from in turn."""
        return self.config.workers or self.config.streams

    def feed(self) -> Iterator[CrystalBatch]:
        """Batches from where the run stands."""
        pools = CrystalPools(
            self.bundle,
            self.config.crystals,
            self.config.seed,
            streams=self.streams,
            used=self.batches,
            last=self.last,
        )
        if self.config.workers == 0:
            return iter(pools)
        return iter(
            DataLoader(
                pools,
                batch_size=None,
                num_workers=self.config.workers,
                prefetch_factor=8,
                multiprocessing_context="spawn",
            )
        )

    def step(self, batch: CrystalBatch) -> dict[str, Tensor]:
        """Train on one batch; its loss, and the mean r before and after the network."""
        rng = np.random.default_rng((self.config.seed, 1, self.batches))
        amplitudes, true = batch.amplitudes.to(self.device), batch.true.to(self.device)
        grid = batch.grid
        with torch.no_grad():
            known = known_of(grid, batch.cells, amplitudes)
            state = make_state(batch, known, amplitudes, true, self.network, self.config.states, rng)
        low, high = self.config.states.steps
        taken = self.network(state.logits, known, int(rng.integers(low, high + 1)))
        loss = weighted_loss([s.logits for s in taken], state.true, known.transform.allowed != 0, known.f)
        r = _r(taken[-1].logits.detach(), state.true, known.f)
        total = loss
        if state.agreement is not None and self.config.critic_weight:
            total = total + self.config.critic_weight * self._critic_loss(taken, state, known, r)
        self._update(total)
        self.last[batch.position[0] % self.streams] = batch.position
        self.batches, self.crystals = self.batches + 1, self.crystals + len(batch)
        # tensors: reading them waits for the device
        before = _r(state.logits, state.true, known.f)
        return {"loss": loss.detach(), "r_before": before.mean(), "r": r.mean()}

    def _critic_loss(self, taken: list[Step], state: State, known: Any, r: Tensor) -> Tensor:
        before = taken[-2].logits if len(taken) > 1 else state.logits
        assert state.agreement is not None
        verdict = self.network.judge(taken[-1], before.detach(), state.agreement, known)
        return torch.nn.functional.binary_cross_entropy_with_logits(verdict, r.clamp(0.0, 1.0))

    def _update(self, loss: Tensor) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), _LARGEST_NORM)
        # a batch with a gradient that is not finite moves nothing
        finite = torch.isfinite(norm)
        for parameter in self.network.parameters():
            if parameter.grad is not None:
                parameter.grad = torch.where(finite, parameter.grad, 0.0)
        self.optimiser.step()
        average_(self.average, self.network, decay_at(self.config.averaging, self.batches))

    @property
    def progress(self) -> float:
        """Share of the run that is done, by crystals or by time, whichever is further."""
        done = self.crystals / self.config.structures
        if self.config.minutes is not None:
            done = max(done, self.seconds / (60.0 * self.config.minutes))
        return min(1.0, done)

    @property
    def rate(self) -> float:
        """Learning rate: rising at first, then falling exponentially."""
        high, low = self.config.learning_rate, self.config.final_learning_rate
        return min(1.0, (self.batches + 1) / _WARM_UP) * high * math.exp(self.progress * math.log(low / high))

    def save(self, folder: Path) -> None:
        """Write the checkpoint; the file before is there until it is whole."""
        content = {
            "config": self.config.model_dump(mode="json"),
            "priors_digest": self.bundle.priors_digest,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "batches": self.batches,
            "crystals": self.crystals,
            "seconds": self.seconds,
            "last": self.last,
            "scores": self.scores,
        }
        save_state(folder, content, CHECKPOINT)

    def load(self, folder: Path) -> bool:
        """Continue from the folder's checkpoint; whether there was one.

        Raises
        ------
        XtalpriorsError
            As `load_state`.
        """
        content = load_state(folder, self.config, self.device, self.bundle.priors_digest)
        if content is None:
            return False
        self.network.load_state_dict(content["network"])
        self.average.load_state_dict(content["average"])
        self.optimiser.load_state_dict(content["optimiser"])
        self.batches, self.crystals = content["batches"], content["crystals"]
        self.seconds, self.last = content["seconds"], content["last"]
        self.scores = content.get("scores", {})  # checkpoints were once without
        return True


def _r(logits: Tensor, true: Tensor, f: Tensor) -> Tensor:
    """Agreement of phases with the truth at the same origin, (B,)."""
    weight = f.square()
    phasor = logits / logits.abs().clamp(min=1e-30)
    agree = (phasor.conj() * true).real
    return (weight * agree).sum(dim=1) / weight.sum(dim=1).clamp(min=1e-30)


def train_dual_space(
    config: DualSpaceConfig,
    bundle: PriorBundle,
    output: Path,
    *,
    name: str = "dual-space",
    device: torch.device | str = "cpu",
    lineage: dict[str, Any] | None = None,
) -> dict[str, float]:
    """Train, or continue the run in `output`; its last scores, also where it was finished before.

    Writes `dual-space.safetensors` (the averaged weights and their card), `checkpoint.pt` and `log.jsonl` at
    least every `checkpoint_every_seconds`.
    """
    check_folder(output)
    check_outputs(
        [(output / CHECKPOINT_FILE, CHECKPOINT), (output / LOG_FILE, LOG), (output / FILE_NAME, NETWORK)]
    )
    output.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(config, bundle, torch.device(device))
    trainer.load(output)
    began, saved = time.monotonic() - trainer.seconds, time.monotonic()
    sums: list[dict[str, Any]] = []
    for batch in trainer.feed() if trainer.progress < 1.0 else ():
        sums.append(trainer.step(batch))
        trainer.seconds = time.monotonic() - began
        finished = trainer.progress >= 1.0
        if trainer.batches % config.log_every_batches == 0 or finished:
            means = {key: float(torch.stack([s[key] for s in sums]).mean()) for key in sums[0]}
            _log(output, trainer, **means)
            sums = []
        if finished or time.monotonic() - saved > config.checkpoint_every_seconds:
            if finished:
                trainer.scores = validate(trainer.average, config, bundle, trainer.device)
                _log(output, trainer, **trainer.scores)
            trainer.save(output)
            card = DualSpaceCard(
                name=name,
                config=config,
                parameters=sum(p.numel() for p in trainer.network.parameters()),
                structures=trainer.crystals,
                seconds=round(trainer.seconds, 1),
                device=str(device),
                lineage=lineage or {"priors_digest": bundle.priors_digest},
                scores=trainer.scores,
            )
            save_network(output, trainer.average, card)
            saved = time.monotonic()
        if finished:
            break
    return trainer.scores


def _log(folder: Path, trainer: Trainer, **values: float) -> None:
    record = {
        "batch": trainer.batches,
        "crystals": trainer.crystals,
        "seconds": round(trainer.seconds, 2),
        "rate": trainer.rate,
        **values,
    }
    with (folder / LOG_FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps({k: round(v, 6) for k, v in record.items()}, sort_keys=True) + "\n")
