"""Training steps: this loop beside a plain transcription of the published recipe, in one run.

Same network, same machine, same generated structures, same number of cycles, in turn; median of the rounds.
(a) `this loop`: the product's own `Trainer` and `Feed`: batches made ahead by threads with the kernels.
(b) `transcription`: what the published training code does in each step, one thing after another: the
structures of the batch, their atoms expanded over the operators and padded to 400, form factors looked up in
a table, structure factors in torch on the device, amplitudes over their maximum, phase recycling, the loss
origin by origin, backward with a gradient scaler (fp16 on CUDA, bf16 on a CPU), AdamW. Its structures come
from this package's generator too, which is kinder to it than the Python code of the papers would be.

    python benchmarks/training.py                                   # demonstrator on the CPU
    python benchmarks/training.py --preset molecules-lognormal --batch 256 --device cuda --steps 50

Structures/s are by wall time on CUDA and by CPU time on a CPU (others may be using it). The peak is that of a
large matrix product of the same type, measured here; a step's operations are counted by torch.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import count

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from xtalpriors.crystal import form_factors, s_squared
from xtalpriors.generator import Generator
from xtalpriors.model import PhAI, TrainConfig, load_preset
from xtalpriors.model.network.device import pick_device
from xtalpriors.model.training.distributed import Processes
from xtalpriors.model.training.feed import Feed
from xtalpriors.model.training.trainer import Trainer, make_stream
from xtalpriors.priors import published_bundle

PADDED_ATOMS = 400
TABLE_STEPS = 2000  # of sin θ/λ up to 1 Å⁻¹


class Transcription:
    """The published recipe, step by step and nothing ahead of time."""

    def __init__(self, config: TrainConfig, device: torch.device) -> None:
        self.config, self.device = config, device
        self.reflections = config.reflections()
        self.generator = Generator(published_bundle(), config.data.generator, config.data.seed)
        self.group = self.generator.specification.group
        self.model = PhAI(config.network_size(self.reflections)).to(device)
        optimiser = config.optimiser
        self.optimiser = torch.optim.AdamW(
            self.model.parameters(), lr=optimiser.learning_rate, weight_decay=optimiser.weight_decay
        )
        self.half = torch.float16 if device.type == "cuda" else torch.bfloat16
        self.scaler = torch.amp.GradScaler(device.type, enabled=self.half == torch.float16)
        grid = np.linspace(0.0, 1.0, TABLE_STEPS) ** 2 * 4.0  # |s|² = 4 (sin θ/λ)²
        self.table = torch.zeros(100, TABLE_STEPS, device=device)
        numbers = np.arange(1, 98)
        self.table[1:98] = torch.from_numpy(form_factors(numbers, grid)).float()
        self.hkl = torch.from_numpy(self.reflections.hkl).float().to(device)
        self.signs = torch.from_numpy(self.reflections.origin_signs).float().to(device)
        self.weights = torch.from_numpy(~self.reflections.absent).float().to(device)
        self.weights /= self.weights.sum()
        self.size = optimiser.batch_size

    def step(self, number: int) -> None:
        """One step of the optimiser."""
        f = self._structure_factors(number)
        amplitudes = f.abs()
        amplitudes = amplitudes / amplitudes.amax(dim=1, keepdim=True)
        target = (f >= 0).long()
        boxed = self.reflections.scatter(amplitudes)
        phases = torch.zeros_like(boxed)
        self.optimiser.zero_grad()
        with torch.autocast(self.device.type, self.half, cache_enabled=False):
            with torch.no_grad():
                for _ in range(max(self.config.recycling.cycles) - 1):
                    answer = self.model(boxed, phases).argmax(dim=1)
                    phases = self.reflections.scatter((answer.float() - 1.0) * 180.0)
            logits = self.model(boxed, phases)
        loss = self._loss(logits.float(), target)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimiser)
        self.scaler.update()
        loss.item()  # the published loop prints it

    def _loss(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        losses = []
        for sign in self.signs:
            moved = torch.where(sign > 0, target, 1 - target)
            one = torch.nn.functional.cross_entropy(logits, moved, reduction="none")
            losses.append((one * self.weights).sum(dim=1))
        return torch.stack(losses).amin(dim=0).mean()

    def _structure_factors(self, number: int) -> torch.Tensor:
        """F (B, N) to d_min, over the atoms of the whole cell, padded."""
        batch = self.generator.batch(number * self.size, self.size)
        order = self.group.order
        fract = np.zeros((self.size, PADDED_ATOMS, 3), np.float32)
        numbers = np.zeros((self.size, PADDED_ATOMS), np.int64)
        u_iso = np.zeros((self.size, PADDED_ATOMS), np.float32)
        weight = np.zeros((self.size, PADDED_ATOMS), np.float32)
        for i in range(self.size):
            atoms = slice(batch.offsets[i], batch.offsets[i + 1])
            images = np.einsum("nij,aj->nai", self.group.rotations, batch.fract[atoms])
            images = (images + self.group.translations[:, None]).reshape(-1, 3)
            n = min(len(images), PADDED_ATOMS)
            fract[i, :n] = images[:n]
            numbers[i, :n] = np.tile(batch.element[atoms], order)[:n]
            u_iso[i, :n] = np.tile(batch.u_iso[atoms], order)[:n]
            weight[i, :n] = np.tile(batch.weight[atoms], order)[:n]
        s2 = torch.from_numpy(s_squared(self.reflections.hkl, batch.cell)).float().to(self.device)
        x, z, u, w = (torch.from_numpy(a).to(self.device) for a in (fract, numbers, u_iso, weight))
        place = (s2.sqrt() * 0.5 * (TABLE_STEPS - 1)).long().clamp(max=TABLE_STEPS - 1)
        f = self.table[z[:, :, None], place[:, None, :]]
        f = f * torch.exp(-2 * math.pi**2 * u[:, :, None] * s2[:, None, :]) * w[:, :, None]
        total = (f * torch.cos(2 * math.pi * (x @ self.hkl.T))).sum(dim=1)
        d_min = self.config.data.d_min_angstrom
        assert isinstance(d_min, float)
        return total * (s2 <= d_min**-2)


class ThisLoop:
    """The product's loop."""

    def __init__(self, config: TrainConfig, device: torch.device) -> None:
        group = Processes(0, 1, device)
        self.trainer = Trainer(config, published_bundle(), group)
        self.feed = Feed(make_stream(config, published_bundle(), group), device, config.data_threads)
        self.batches = iter(self.feed)

    def step(self, number: int) -> None:
        """One step of the optimiser."""
        self.trainer.step(next(self.batches))


def timed(side: Callable[[int], None], steps: int, numbers: Iterator[int], device: torch.device) -> float:
    """Seconds of some steps."""
    clock = time.monotonic if device.type == "cuda" else time.process_time
    start = clock()
    for _ in range(steps):
        side(next(numbers))
    if device.type == "cuda":
        torch.cuda.synchronize()
    return clock() - start


def flop_per_structure(trainer: Trainer, cycles: int, batch: int) -> float:
    """Operations of a step, counted by torch, for one structure."""
    model = trainer.model
    box = torch.zeros(batch, *trainer.reflections.box.shape, device=trainer.device)
    with FlopCounterMode(display=False) as counted:
        with torch.no_grad():
            for _ in range(cycles - 1):
                model(box, box)
        model(box, box).sum().backward()
    model.zero_grad(set_to_none=True)
    return counted.get_total_flops() / batch


def peak_flop_per_second(device: torch.device, dtype: torch.dtype) -> float:
    """Of a large matrix product."""
    n = 8192 if device.type == "cuda" else 1536
    a, b = (torch.randn(n, n, device=device, dtype=dtype) for _ in range(2))
    best = math.inf
    for _ in range(5):
        if device.type == "cuda":
            torch.cuda.synchronize()
        best = min(best, timed(lambda _: (a @ b, None)[1], 2, count(), device) / 2)
    return 2.0 * n**3 / best


def main() -> None:
    """Time both sides in turn and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--preset", default="demonstrator")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--cycles", type=int, default=3)
    parser.add_argument("--steps", type=int, default=8, help="steps of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default=None)
    parser.add_argument("--threads", type=int, default=1, help="of torch on a CPU")
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    device = pick_device(options.device)
    config = load_preset(
        options.preset,
        {
            "optimiser.batch_size": options.batch,
            "optimiser.name": "adamw",  # the recipe's, on both sides
            "optimiser.learning_rate": 5e-4,
            "recycling.cycles": [options.cycles],
            "recycling.initial": "zero",
            "precision": "bf16",  # half precision on both sides
            "compile": options.compile,
        },
    )
    here, plain = ThisLoop(config, device), Transcription(config, device)
    sides = {"this loop": here.step, "transcription": plain.step}
    numbers = count()
    for side in sides.values():
        timed(side, 2, numbers, device)
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    waited, wall = here.feed.waited_seconds, 0.0
    for _ in range(options.rounds):
        for name, side in sides.items():
            start = time.monotonic()
            seconds[name].append(timed(side, options.steps, numbers, device))
            wall += time.monotonic() - start if name == "this loop" else 0.0
    waited = (here.feed.waited_seconds - waited) / wall
    flop = flop_per_structure(here.trainer, options.cycles, options.batch)
    peak = peak_flop_per_second(device, torch.bfloat16)
    size = config.network_size(here.trainer.reflections)
    print(
        f"{options.preset}: {here.trainer.model.count_parameters():,} parameters, box {size.box}, batch "
        f"{options.batch}, {options.cycles} cycles, {flop / 1e9:.3g} GFLOP a structure; {device}, "
        f"{options.threads} threads; matrix product {peak / 1e12:.3g} TFLOP/s (bf16)"
    )
    rates = {}
    for name, values in seconds.items():
        rates[name] = options.steps * options.batch / statistics.median(values)
        share = rates[name] * flop / peak
        print(f"  {name:14s} {rates[name]:10,.0f} structures/s   {100 * share:5.1f} % of the peak")
    print(f"  this loop / transcription: {rates['this loop'] / rates['transcription']:.2f}")
    print(f"  this loop waits for data {100 * waited:.1f} % of the time")
    if device.type == "cuda":
        print(f"  memory: {torch.cuda.max_memory_allocated(device) / 2**30:.1f} GiB")


if __name__ == "__main__":
    main()
