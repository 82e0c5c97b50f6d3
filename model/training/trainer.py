"""The state of a training run and one step of it; the loop around it is `xtalpriors.model.training.loop`."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import math
import subprocess
from typing import Any

import torch
from torch import Tensor, nn

from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.generator.stream import StructureStream
from xtalpriors.model.network.inputs import InputScaling, maps_of
from xtalpriors.model.network.loss import origin_free_cross_entropy
from xtalpriors.model.network.phai import PhAI
from xtalpriors.model.network.recycling import initial_phases, recycled_logits
from xtalpriors.model.training.averaging import average_, decay_at
from xtalpriors.model.training.checkpoint import Checkpoint, collect, restore_optimiser
from xtalpriors.model.training.config import OptimiserConfig, TrainConfig
from xtalpriors.model.training.distributed import Processes
from xtalpriors.model.training.feed import DeviceBatch
from xtalpriors.model.training.loss_weights import mean_amplitudes
from xtalpriors.model.training.muon import Muon
from xtalpriors.model.training.schedule import Schedule
from xtalpriors.priors.bundle import PriorBundle

__all__ = ["Trainer", "make_stream"]


class Trainer:
    """Network, average, optimiser and schedule; `step` does one step of the optimiser.

    Everything random in a step follows from (seed, step) or (seed, first structure), so that a run that
    continues needs no state of a random number generator.

    Parameters
    ----------
    config, bundle
        The run.
    group
        This process among those of the run.
    """

    def __init__(self, config: TrainConfig, bundle: PriorBundle, group: Processes) -> None:
        self.config, self.group, self.device = config, group, group.device
        self.reflections = config.reflections()
        self.scaling = InputScaling(self.reflections, config.scaling)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(_seed(config.seed, "weights"))
            model = PhAI(config.network_size(self.reflections))
        self.model = model.to(self.device)
        if config.channels_last:
            for layer in self.model.modules():  # the 5-dimensional weights only
                if isinstance(layer, nn.Conv3d):
                    layer.to(memory_format=torch.channels_last_3d)
        decay = config.averaging.decay
        self.average = copy.deepcopy(self.model).requires_grad_(False) if decay is not None else None
        self.optimiser = _optimiser(self.model, config.optimiser)
        self.schedule = Schedule(
            config.schedule, config.optimiser.learning_rate, config.steps, config.optimiser.batch_size
        )
        self.weights = mean_amplitudes(config, bundle, self.reflections).to(self.device)
        self.signs = torch.from_numpy(self.reflections.origin_signs).float().to(self.device)
        self.steps_done = 0
        self.loss_sum = torch.zeros((), dtype=torch.float64, device=self.device)
        self.loss_steps = 0
        self._bad_step = torch.full((), -1, dtype=torch.int64, device=self.device)
        self.compile_note: str | None = None
        self._bare: nn.Module = self._compiled(self.model) if config.compile else self.model
        self._network: nn.Module = self._bare
        if group.world_size > 1:
            ids = [self.device.index] if self.device.type == "cuda" else None
            self._network = nn.parallel.DistributedDataParallel(self._bare, device_ids=ids)

    @property
    def structures(self) -> int:
        """Structures trained on so far, over all processes."""
        return self.steps_done * self.config.optimiser.batch_size

    @property
    def result(self) -> PhAI:
        """The network that is validated and saved: the average where there is one."""
        result: PhAI = self.model if self.average is None else self.average
        return result

    def step(self, batch: DeviceBatch) -> None:
        """One step of the optimiser."""
        config, number = self.config, self.steps_done
        listed = self.reflections.gather(batch.amplitudes)
        positive = self.reflections.gather(batch.phases) < 0.5 * math.pi
        inputs = (
            batch.amplitudes
            if config.scaling == "maximum"
            else self.reflections.scatter(self.scaling.scaled(listed, batch.cells))
        )
        logits = recycled_logits(
            lambda a, p: self._call(self._network, a, p),
            self.reflections,
            inputs,
            self._initial(batch),
            self._cycles(number),
            without_gradient=lambda a, p: self._call(self._bare, a, p),
        )
        loss = self._loss(logits, positive, listed)
        loss.backward()
        if config.optimiser.clip_norm is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), config.optimiser.clip_norm)
        for group in self.optimiser.param_groups:
            group["lr"] = self.schedule.rate(number)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        if self.average is not None and config.averaging.decay is not None:
            average_(self.average, self.model, decay_at(config.averaging.decay, number))
        loss = loss.detach().double()
        self.loss_sum += loss
        self.loss_steps += 1
        self.steps_done += 1
        unseen = (self._bad_step < 0) & ~torch.isfinite(loss)
        self._bad_step = torch.where(unseen, self.steps_done, self._bad_step)

    def check_finite(self) -> None:
        """Stop if the loss was not a finite number in any step so far.

        Raises
        ------
        XtalpriorsError
            With the first such step.
        """
        bad = int(self._bad_step)
        if bad >= 0:
            size = self.config.optimiser.batch_size
            raise XtalpriorsError(
                f"the loss of step {bad} (structures {(bad - 1) * size:,} … {bad * size - 1:,}, learning "
                f"rate {self.schedule.rate(bad - 1):g}) is not a finite number, so training stopped; what "
                "was written before is untouched. Lower optimiser.learning_rate, set "
                "optimiser.clip_norm or schedule.warmup_structures, or say precision: fp32."
            )

    def take_loss(self) -> tuple[float, int]:
        """Sum of the losses since the last call, mean over the processes, and their number."""
        total = float(self.group.mean(self.loss_sum))
        steps, self.loss_steps = self.loss_steps, 0
        self.loss_sum = torch.zeros_like(self.loss_sum)
        return total, steps

    def autocast_type(self) -> torch.dtype | None:
        """Type of the products; None is float32."""
        return torch.bfloat16 if self.config.precision == "bf16" else None

    def tensors(self) -> dict[str, Tensor]:
        """Tensors of a checkpoint."""
        return collect(self.model, self.average, self.optimiser)

    def state(self) -> dict[str, Any]:
        """The rest of a checkpoint."""
        return {
            "schedule": self.schedule.state_dict(),
            "loss_sum": float(self.loss_sum),
            "loss_steps": self.loss_steps,
        }

    def restore(self, checkpoint: Checkpoint) -> None:
        """Continue from a checkpoint of the same configuration."""
        try:
            self.model.load_state_dict(checkpoint.part("model"))
            if self.average is not None:
                self.average.load_state_dict(checkpoint.part("average"))
            restore_optimiser(self.optimiser, checkpoint.part("optimiser"))
        except (RuntimeError, KeyError, ValueError) as error:
            raise XtalpriorsError(
                f"the checkpoint of step {checkpoint.step} holds another network: "
                f"{str(error).splitlines()[0]}"
            ) from error
        self.schedule.load_state_dict(checkpoint.state["schedule"])
        self.loss_sum.fill_(checkpoint.state["loss_sum"])
        self.loss_steps = int(checkpoint.state["loss_steps"])
        self.steps_done = checkpoint.step

    def _call(self, network: nn.Module, amplitudes: Tensor, phases_degree: Tensor) -> Tensor:
        # a context of its own each time: the weights cast in a cycle without gradient are kept until the
        # context ends, and would leave the last cycle without one
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.precision == "bf16"):
            logits: Tensor = network(amplitudes, phases_degree)
        return logits

    def _loss(self, logits: Tensor, positive: Tensor, amplitudes: Tensor) -> Tensor:
        kind = self.config.loss_weights
        if kind == "mean-amplitude":
            return origin_free_cross_entropy(logits, positive, self.weights, self.signs)
        own = (amplitudes if kind == "amplitude" else amplitudes.square()) * (self.weights > 0)
        total = own.sum(dim=1, keepdim=True)
        # the weights of the whole batch are divided by their sum, which is then its size
        return len(own) * origin_free_cross_entropy(
            logits, positive, own / total.where(total > 0, 1.0), self.signs
        )

    def _cycles(self, number: int) -> int:
        """N_c of a step, the same in every process."""
        choices = self.config.recycling.cycles
        if len(choices) == 1:
            return choices[0]
        return choices[_seed(self.config.seed, f"cycles {number}") % len(choices)]

    def _initial(self, batch: DeviceBatch) -> Tensor:
        random = self.config.recycling.initial == "random"
        generator = torch.Generator().manual_seed(_seed(self.config.seed, f"phases {batch.first}"))
        count = len(batch.amplitudes)
        return initial_phases(self.reflections, count, random=random, generator=generator).to(self.device)

    def _compiled(self, model: nn.Module) -> nn.Module:
        """The compiled network, or the network itself (and a note) where compiling does not work."""
        box = self.reflections.box.shape
        size = self.config.optimiser.batch_size // self.group.world_size
        maps = maps_of(self.config.scaling)
        compiled: nn.Module = torch.compile(model, dynamic=False)
        zeros = torch.zeros((size, *box), device=self.device)
        amplitudes = zeros if maps == 1 else torch.zeros((size, maps, *box), device=self.device)
        failures = (RuntimeError, OSError, subprocess.SubprocessError, ImportError, NotImplementedError)
        try:
            self._call(compiled, amplitudes, zeros).float().sum().backward()
        except failures as error:
            self.compile_note = f"torch.compile does not work here ({type(error).__name__}); running without"
            return model
        finally:
            with contextlib.suppress(AttributeError):
                model.zero_grad(set_to_none=True)
        return compiled


def make_stream(config: TrainConfig, bundle: PriorBundle, group: Processes) -> StructureStream:
    """This process's share of the training stream: a step of the run takes one batch from every process.

    Raises
    ------
    UsageError
        The batch size cannot be shared equally among the processes.
    """
    size, world = config.optimiser.batch_size, group.world_size
    if size % world:
        raise UsageError(
            f"optimiser.batch_size is {size}: {world} processes cannot share it equally. Choose a multiple."
        )
    return StructureStream(
        bundle,
        config.data.generator,
        seed=config.data.seed,
        batch_size=size // world,
        max_index=config.data.max_index,
        d_min_angstrom=config.data.d_min_angstrom,
        completeness=config.data.completeness,
        rank=group.rank,
        world_size=world,
    )


def _seed(seed: int, purpose: str) -> int:
    """A seed that depends on the run's seed and on what it is used for, 63 bits."""
    name = hashlib.blake2b(f"{seed} {purpose}".encode(), digest_size=8).digest()
    return int.from_bytes(name, "little") >> 1


def _optimiser(model: PhAI, config: OptimiserConfig) -> torch.optim.Optimizer:
    rate, decay = config.learning_rate, config.weight_decay
    if config.name == "muon":
        return Muon(model, (model.amplitudes, model.phases, model.head), rate, decay)
    if config.name == "adamw":
        return torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=decay)
    return torch.optim.RMSprop(model.parameters(), lr=rate, weight_decay=decay)
