"""The dual-space network beside charge flipping at equal CPU time: solved shares, paired, with intervals.

Each side gets the same data of the same crystals. Charge flipping: N trials, of which the one that agrees
best with its own eliminated density is taken. Hybrid: fewer trials, four steps of the network on each, the
critic's choice; as many trials as fit the time that charge flipping took on the first crystals of the row.
Polished: the network on the trials that agree best only, low-density elimination after it, chosen by
agreement. Network: the network alone from origin-fixing starts. r over the unique reflections, best of the
permissible origins and hands; differences are means over crystals with bootstrap 95 % intervals (2,000
draws). One thread.

    python benchmarks/phasing/dual_space.py WEIGHTS [--structures 300] [--trials 12] [--d-min 1.0 1.2 1.5 2.0]
        [--groups "P 1 21/c 1" "P -1" …] [--corpus FOLDER-OF-CIFS] [--steps 4] [--half] [--alone] [--polished]
        [--without-harker] [--phai FOLDER] [--output FILE]

PhAI, of a run of `xtalpriors train`, is a control in P2₁/c: it gives one answer and takes what time it takes.
With `--corpus` the crystals are the real ones of these groups with 100–1,200 Å³ in a folder of CIFs.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from xtalpriors.crystal import SpaceGroup, cell_volumes
from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining import extract, parse_source
from xtalpriors.model.charge_flipping.elimination import eliminate
from xtalpriors.model.charge_flipping.known_crystals import (
    KnownCrystal,
    artificial_crystals,
    known_crystal,
    one_of,
)
from xtalpriors.model.charge_flipping.map_correlation import map_correlation
from xtalpriors.model.charge_flipping.trials import phase_by_charge_flipping
from xtalpriors.model.dual_space import inputs
from xtalpriors.model.dual_space.inputs import known_of
from xtalpriors.model.dual_space.network import DualSpaceNetwork, phasors
from xtalpriors.model.dual_space.phasing import (
    grid_of_crystal,
    listed,
    phase_by_network,
    phase_with_network,
    places_of,
)
from xtalpriors.model.dual_space.states import logits_of
from xtalpriors.model.dual_space.weights import load_network
from xtalpriors.model.scoring.read_structures import structures_of_rows
from xtalpriors.model.scoring.structures import ExperimentalStructures
from xtalpriors.model.seeding.network_seeds import PhaiSeeds, seeding_network
from xtalpriors.reports.statistics import wilson

GROUPS = ("P 1 21/c 1", "P -1", "P 21 21 21", "P b c a", "P n m a", "C 1 2/c 1")
CALIBRATION = 6
PHAI = "PhAI"
POLISHED = 4
"""Trials that the network improves with `--polished`."""
Side = Callable[[KnownCrystal, int, np.random.Generator], tuple[Tensor, int]]
"""Structure factors of n trials of a crystal, in its own order, and the trial chosen."""


def flipping_side() -> Side:
    """Charge flipping, chosen by agreement."""

    def run(made: KnownCrystal, n: int, rng: np.random.Generator) -> tuple[Tensor, int]:
        found = phase_by_charge_flipping(made.grid, made.amplitudes, made.cell, trials=n, rng=rng)
        return found.f, found.best

    return run


def network_side(network: DualSpaceNetwork, steps: int, *, alone: bool) -> Side:
    """The network after charge flipping, or alone."""

    def run(made: KnownCrystal, n: int, rng: np.random.Generator) -> tuple[Tensor, int]:
        grid = grid_of_crystal(made.grid.group, made.cell, made.d_min_angstrom)
        amplitudes = listed(grid, made.grid.hkl, made.amplitudes)
        if alone:
            found = phase_by_network(network, grid, made.cell, amplitudes, starts=n, rng=rng)
        else:
            found = phase_with_network(network, grid, made.cell, amplitudes, trials=n, steps=steps, rng=rng)
        return found.f[:, torch.from_numpy(places_of(grid, made.grid.hkl))], found.best

    return run


def polished_side(network: DualSpaceNetwork, steps: int) -> Side:
    """The network on the trials that agree best, and low-density elimination after it.

    Its candidates stand beside the trials, and agreement chooses among all of them: the critic has no part.
    """

    def run(made: KnownCrystal, n: int, rng: np.random.Generator) -> tuple[Tensor, int]:
        grid = grid_of_crystal(made.grid.group, made.cell, made.d_min_angstrom)
        place = torch.from_numpy(places_of(grid, made.grid.hkl))
        amplitudes = listed(grid, made.grid.hkl, made.amplitudes)
        found = phase_by_charge_flipping(made.grid, made.amplitudes, made.cell, trials=n, rng=rng)
        best = found.agreement.argsort(descending=True, stable=True)[:POLISHED]
        known = known_of(grid, np.array([made.cell]), amplitudes[None]).repeated(len(best))
        f = torch.zeros(len(best), len(amplitudes), dtype=torch.complex64)
        f[:, place] = found.f[best]
        with torch.no_grad():
            logits = network(logits_of(f, amplitudes[None], known), known, steps)[-1].logits
        ended = eliminate(made.grid, made.amplitudes, phasors(logits)[:, place], cycles=6)
        agreement = torch.cat([found.agreement, ended.agreement])
        return torch.cat([found.f, ended.f]), int(agreement.argmax())

    return run


def phai_side(folder: str) -> Side:
    """PhAI as the control: one answer, of the run that it picks; what it does not list has no phase."""
    network = seeding_network(folder)
    if not isinstance(network, PhaiSeeds):
        raise SystemExit(f"--phai {folder}: that is no PhAI")

    def run(made: KnownCrystal, n: int, rng: np.random.Generator) -> tuple[Tensor, int]:
        found = network.phases(made, rng)
        assert found is not None
        return found[None], 0

    return run


def timed(side: Side, made: KnownCrystal, n: int, seed: int) -> tuple[float, float, float]:
    """r of the chosen trial, r of the best, and CPU seconds."""
    rng = np.random.default_rng(seed)
    start = time.process_time()
    f, chosen = side(made, n, rng)
    spent = time.process_time() - start
    r = map_correlation(made.grid, f, made.f, made.amplitudes)
    return float(r[chosen]), float(r.max()), spent


def row(crystals: list[KnownCrystal], sides: dict[str, Side], trials: int) -> dict[str, object]:
    """One line of the table, printed; and its numbers."""
    first, *others = sides
    counts = {first: trials} | {
        name: 1 if name == PHAI else fitting(crystals, sides, name, trials) for name in others
    }
    results: dict[str, list[tuple[float, float, float]]] = {name: [] for name in sides}
    for i, made in enumerate(crystals):
        for name in sides:  # in turn, so that whatever else runs here slows both
            results[name].append(timed(sides[name], made, counts[name], i))
    table: dict[str, object] = {"n": len(crystals)}
    base = np.array(results[first])
    for name in sides:
        values = np.array(results[name])
        parts = [f"  {name:8s} {counts[name]:3d} trials {1e3 * values[:, 2].mean():7.1f} ms"]
        numbers: dict[str, object] = {"trials": counts[name], "ms": 1e3 * values[:, 2].mean()}
        for limit in (0.8, 0.95):
            solved = values[:, 0] >= limit
            share = wilson(float(solved.sum()), len(solved))
            text = f"r ≥ {limit:g}: {share.value:.2f} [{share.low:.2f}, {share.high:.2f}]"
            if name != first:
                low, high = bootstrap(solved.astype(float) - (base[:, 0] >= limit))
                difference = float(solved.mean() - (base[:, 0] >= limit).mean())
                text += f" Δ {difference:+.3f} [{low:+.3f}, {high:+.3f}]"
                numbers[f"difference_{limit}"] = [difference, low, high]
            numbers[f"solved_{limit}"] = [share.value, share.low, share.high]
            numbers[f"best_{limit}"] = float((values[:, 1] >= limit).mean())
            parts.append(f"{text} (best trial {numbers[f'best_{limit}']:.2f})")
        print("   ".join(parts), flush=True)
        table[name] = numbers
    return table


def fitting(crystals: list[KnownCrystal], sides: dict[str, Side], name: str, trials: int) -> int:
    """Trials of a side that take the time of the first side's."""
    first = next(iter(sides))
    few = crystals[:CALIBRATION]
    for side in (first, name):  # tables and compilation apart
        timed(sides[side], few[0], 2, 0)
    allowed = sum(timed(sides[first], made, trials, 0)[2] for made in few)
    one, many = (sum(timed(sides[name], made, n, 0)[2] for made in few) for n in (1, trials))
    each = max((many - one) / (trials - 1), 1e-6)
    return int(np.clip(1 + (allowed - one) / each, 1, 4 * trials))


def bootstrap(differences: np.ndarray) -> tuple[float, float]:
    """95 % interval of the mean."""
    rng = np.random.default_rng(0)
    draws = rng.choice(differences, (2000, len(differences))).mean(axis=1)
    low, high = np.quantile(draws, (0.025, 0.975))
    return float(low), float(high)


@cache
def real_structures(corpus: Path, symbol: str) -> ExperimentalStructures:
    """Structures of a folder of CIFs that can be described in this setting of their group."""
    return structures_of_rows([(*tables_of(corpus), "corpus")], SpaceGroup.from_hm(symbol))


@cache
def tables_of(corpus: Path) -> tuple[pa.Table, pa.Table]:
    """Entries and sites of a folder of CIFs."""
    source = parse_source(f"cod:{corpus}")
    items = [(f.file_id, source.read(f.file_id)) for f in source.files()]
    found = extract("corpus", None, "original", items)
    return found.entries, found.sites


def real_crystals(corpus: Path, symbol: str, d_min: float, most: int) -> Iterator[KnownCrystal]:
    """Crystals of 100–1,200 Å³ in a folder of CIFs, `most` at most, in a random order."""
    group, read = SpaceGroup.from_hm(symbol), real_structures(corpus, symbol)
    volumes = cell_volumes(read.crystals.cells)
    rows = np.random.default_rng(0).permutation(np.flatnonzero((volumes > 100) & (volumes < 1200)))
    for i in rows[:most]:
        try:
            made = known_crystal(group, one_of(read.crystals, int(i)), d_min)
        except XtalpriorsError:
            continue  # no reflection within d_min
        if len(made.f) >= 20 and max(made.grid.shape) <= 48:
            yield made


def main() -> None:
    """All rows."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("weights", type=Path)
    parser.add_argument("--structures", type=int, default=300)
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--d-min", type=float, nargs="+", default=[1.0, 1.2, 1.5, 2.0])
    parser.add_argument("--groups", nargs="+", default=list(GROUPS))
    parser.add_argument("--volumes", type=float, nargs=2, default=[200.0, 500.0])
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--phai", metavar="FOLDER", help="PhAI as a control in P2₁/c, beside equal time")
    parser.add_argument("--alone", action="store_true", help="The network alone too")
    parser.add_argument("--polished", action="store_true", help="The network on the best trials only")
    parser.add_argument("--without-harker", action="store_true", help="Harker distances set to 0")
    parser.add_argument("--half", action="store_true", help="Convolutions in bfloat16")
    parser.add_argument("--output", type=Path)
    a = parser.parse_args()
    torch.set_num_threads(1)
    network, card = load_network(a.weights)
    network.in_half = a.half
    print(f"{card.name}: {card.parameters:,} parameters, {card.structures:,} crystals; {card.weights_digest}")
    if a.without_harker:
        inputs.harker_features = lambda transform, e, f: torch.zeros(len(e), len(transform.inside), 5)
    sides: dict[str, Side] = {
        "flipping": flipping_side(),
        "hybrid": network_side(network, a.steps, alone=False),
    }
    if a.polished:
        sides["polished"] = polished_side(network, a.steps)
    if a.alone:
        sides["network"] = network_side(network, a.steps, alone=True)
    control = None if a.phai is None else phai_side(a.phai)
    tables: dict[str, object] = {"weights_digest": card.weights_digest}
    for symbol in a.groups:
        order = SpaceGroup.from_hm(symbol).order
        scale = max(1.0, order / 4)
        for d_min in a.d_min:
            if a.corpus:
                crystals = list(real_crystals(a.corpus, symbol, d_min, a.structures))
            else:
                low, high = (v * scale for v in a.volumes)
                crystals = list(artificial_crystals(symbol, a.structures, d_min, (low, high), seed=5))
            if len(crystals) < CALIBRATION:
                print(f"{symbol}, {d_min} Å: {len(crystals)} crystals, too few for a row")
                continue
            kind = "real" if a.corpus else "artificial"
            print(f"{symbol}, {kind}, {d_min:g} Å, N = {len(crystals)}", flush=True)
            own = {**sides, PHAI: control} if control and symbol == GROUPS[0] else sides
            tables[f"{symbol}, {kind}, {d_min:g}"] = row(crystals, own, a.trials)
    if a.output:
        a.output.write_text(json.dumps(tables, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
