"""Charge flipping of artificial molecules in P2₁/c, V 200–500 Å³: solved shares and time, by resolution.

One trial, and several of which `Trials.best` takes one; r ≥ 0.8 and ≥ 0.95
over the unique list, best of the permissible origins, with Wilson 95 % intervals. Then CPU time of one cycle
on grids of 24³ to 96³ on one thread, beside the cycle of cctbx (`smtbx.ab_initio.charge_flipping`, in a
process of its own) on the same reflections in P1, in turn; median of the rounds. Beside it the CPU time of
one whole trial of 180 cycles in P1, as `xtalpriors solve` begins with (skewness and weak reflections
included), and the peak memory of a process that does it, with all that it imports; and of cctbx's process.

    python benchmarks/phasing/charge_flipping.py [--structures 150] [--rounds 5] [--space-group "P 1 21/c 1"]
    python benchmarks/phasing/charge_flipping.py --structures 0     # the times alone
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch

from xtalpriors.crystal import SpaceGroup
from xtalpriors.model.charge_flipping.cycles import Constraint, Densities
from xtalpriors.model.charge_flipping.flipping import random_start
from xtalpriors.model.charge_flipping.grids import ReflectionGrid, reflections_within
from xtalpriors.model.charge_flipping.kernels import MEASURED
from xtalpriors.model.charge_flipping.known_crystals import artificial_crystals
from xtalpriors.model.charge_flipping.map_correlation import map_correlation
from xtalpriors.model.charge_flipping.trials import phase_by_charge_flipping
from xtalpriors.model.solving.phasing import flip_trials
from xtalpriors.reports.statistics import wilson

TRIAL_CYCLES = 180
TRIALS = {1.0: 4, 1.5: 24, 2.0: 36}

CCTBX = """
import json, sys, time
from cctbx import crystal, miller
from cctbx.array_family import flex
from smtbx.ab_initio import charge_flipping
q = json.load(sys.stdin)
symmetry = crystal.symmetry(unit_cell=q["cell"], space_group_symbol="P1")
indices = flex.miller_index([tuple(h) for h in q["hkl"]])
f = miller.array(miller.set(symmetry, indices, anomalous_flag=False), flex.double(q["f"]))
flipper = charge_flipping.basic_iterator()
flipper.start(f, flex.random_double(f.size()) * 6.283)
flipper.delta = flipper.rho_map.sigma()
next(flipper)
times = []
for _ in range(q["cycles"]):
    start = time.process_time()
    next(flipper)
    times.append(time.process_time() - start)
times.sort()
print(json.dumps({
    "seconds": times[len(times) // 2], "grid": list(flipper.crystal_gridding.n_real()),
    "kib": next(int(x.split()[1]) for x in open("/proc/self/status") if x.startswith("VmHWM")),
}))
"""


def shares(symbol: str, structures: int) -> None:
    """One line a resolution."""
    print(f"{symbol}, V 200–500 Å³, N = {structures}; r ≥ 0.8 / r ≥ 0.95 [95 % intervals]")
    for d_min, trials in TRIALS.items():
        one: list[float] = []
        chosen: list[float] = []
        best: list[float] = []
        spent = 0.0
        for i, made in enumerate(artificial_crystals(symbol, structures, d_min, (200.0, 500.0))):
            rng = np.random.default_rng(i)
            start = time.process_time()
            found = phase_by_charge_flipping(made.grid, made.amplitudes, made.cell, trials=trials, rng=rng)
            spent += time.process_time() - start
            r = map_correlation(made.grid, found.f, made.f, made.amplitudes)
            one.append(float(r[0]))
            chosen.append(float(r[found.best]))
            best.append(float(r.max()))
        print(
            f"{d_min:.1f} Å  1 trial {_pair(one)}   {trials} trials: chosen {_pair(chosen)}, "
            f"best {_pair(best)}   {1e3 * spent / structures / trials:.1f} ms a trial"
        )


def _pair(r: list[float]) -> str:
    text = []
    for limit in (0.8, 0.95):
        share = wilson(sum(x >= limit for x in r), len(r))
        text.append(f"{share.value:.2f} [{share.low:.2f}, {share.high:.2f}]")
    return " / ".join(text)


def cycles(rounds: int) -> None:
    """µs of a cycle in P1, one density at a time and as many together as the cache likes."""
    print("in P1: µs of a cycle     alone   in batches   cctbx (its grid)   ms of a trial   peak MiB, its")
    for size in (24, 32, 48, 64, 96):
        cell, grid, moduli = problem(size)
        rng = np.random.default_rng(0)
        known = Constraint(moduli, torch.full(moduli.shape, MEASURED, dtype=torch.uint8))
        several = max(1, (1 << 18) // size**3)
        ours: dict[int, list[float]] = {1: [], several: []}
        theirs: list[float] = []
        question = {"cell": cell, "hkl": grid.hkl.tolist(), "f": moduli[0].tolist(), "cycles": 7}
        used: list[int] = []
        kib = 0
        for _ in range(rounds):
            for trials in ours:
                batch = Densities(grid, known, random_start(grid, moduli, trials, rng))
                one_cycle(batch)
                start = time.process_time()
                for _ in range(10):
                    one_cycle(batch)
                ours[trials].append((time.process_time() - start) / 10 / trials)
            run = subprocess.run(
                [sys.executable, "-c", CCTBX],
                input=json.dumps(question),
                capture_output=True,
                text=True,
                check=False,
            )
            if run.returncode == 0:
                answer = json.loads(run.stdout.splitlines()[-1])
                theirs.append(answer["seconds"])
                used, kib = answer["grid"], answer["kib"]
        reference = f"{1e6 * statistics.median(theirs):9.0f} ({used})" if theirs else "   not installed"
        alone, together = (1e6 * statistics.median(ours[n]) for n in (1, several))
        child = [sys.executable, __file__, "--size", str(size)]
        trial = json.loads(subprocess.run(child, capture_output=True, text=True, check=True).stdout)
        print(
            f"{size:3d}³ {len(grid.hkl):8,} reflections {alone:9.0f} {together:9.0f} {reference} "
            f"{1e3 * trial['seconds']:9.0f} {trial['kib'] / 1024:9.0f} {kib / 1024:7.0f}",
            flush=True,
        )


def problem(size: int) -> tuple[tuple[float, ...], ReflectionGrid, torch.Tensor]:
    """A cubic cell whose reflections to 1 Å fill a grid of size³, and moduli for them."""
    cell = (float(size) / 2 - 1 + 1e-6,) * 3 + (90.0, 90.0, 90.0)
    group = SpaceGroup.from_number(1)
    grid = ReflectionGrid(group, reflections_within(group, cell, 1.0), (size,) * 3)
    rng = np.random.default_rng(0)
    return cell, grid, torch.from_numpy(rng.rayleigh(1.0, (1, len(grid.hkl)))).float()


def one_trial(size: int) -> None:
    """CPU seconds of a trial and peak memory of this process, as JSON."""
    _, grid, moduli = problem(size)
    amplitude = moduli[0].double().numpy()
    rng = np.random.default_rng(0)
    flip_trials(grid, amplitude, amplitude, 1.0, rng, trials=1, cycles=2)  # compiled and planned
    start = time.process_time()
    flip_trials(grid, amplitude, amplitude, 1.0, rng, trials=1, cycles=TRIAL_CYCLES)
    spent = time.process_time() - start
    # not ru_maxrss, which counts what the parent had before this process was its own
    with Path("/proc/self/status").open(encoding="ascii") as status:
        kib = next(int(x.split()[1]) for x in status if x.startswith("VmHWM"))
    print(json.dumps({"seconds": spent, "kib": kib}))


def one_cycle(batch: Densities) -> None:
    """Transform, flip, transform back, measured moduli."""
    batch.to_density()
    batch.flip(1.03 * batch.sigma)
    batch.to_spectrum()
    batch.impose()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--structures", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--space-group", default="P 1 21/c 1")
    parser.add_argument("--size", type=int, help="only one trial on a grid of this size, as JSON")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.size:
        one_trial(arguments.size)
    else:
        if arguments.structures:
            shares(arguments.space_group, arguments.structures)
        cycles(arguments.rounds)
