"""Charge flipping with its two choices and the dual-space network after it, at equal CPU time, paired.

Every side gets the same data of the same crystals, in turn. The others take as much time as the first one:
for the next crystal a side gets the trials that it makes in the first one's mean time, corrected a little for
what it has spent more or less so far (`trials_in_time`).

- baseline: N trials of charge flipping of 100 cycles; the one whose phases agree best with the last density
  of its low-density elimination is taken (`Trials.agreement`);
- flipping: as many shorter trials as fit (`settings_for` many), until one is convincing; the choice is
  `Trials.best`;
- hybrid: fewer of these, and the network on the three best of them (`--improved`); the same choice among its
  answers.

r is over the unique reflections, the best of the permissible origins and hands. Differences from the
baseline are means over crystals with bootstrap 95 % intervals (2,000 draws). One thread.

    python benchmarks/phasing/dual_space.py [--weights FILE] [--structures 300] [--trials 12] [--steps 1]
        [--improved 3] [--d-min 2.0 1.5 1.2 1.0] [--groups "P 1 21/c 1" "P -1" …]
        [--corpus FOLDER-OF-CIFS | --subset FILE] [--float] [--alone] [--phai FOLDER …] [--phai-only]
        [--covered] [--ablations] [--output FILE] [--table [FILE] --name COD]

With `--corpus` or `--subset` (of `xtalpriors subset`) the crystals are the real ones of these groups with
100–1,200 Å³. `--alone` adds the network without charge flipping before it. PhAI, of runs of `xtalpriors
train`, is a control in P2₁/c: it gives one answer and takes what time it takes. Its list of reflections ends
with an index; `--covered` takes only crystals whose data lie within the list. With `--phai-only` the networks
stand alone, and differences are from the first of them. `--ablations` compares the hybrid of N trials with
the same where one thing is different, whatever the time.

`--table` writes the lines into the table that the report and the documentation show, in the place of those
that were measured on the same kind of crystals before; `--name` is what that table calls the real ones.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Container
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from equal_time_sides import IMPROVED, Side, ablations, alone_side, covers, equal_sides, phai_of, phai_side
from real_crystals import real_crystals

from xtalpriors.crystal import SpaceGroup
from xtalpriors.model.charge_flipping.grids import ReflectionGrid
from xtalpriors.model.charge_flipping.known_crystals import (
    KnownCrystal,
    artificial_crystals,
)
from xtalpriors.model.charge_flipping.map_correlation import map_correlation
from xtalpriors.model.dual_space.weights import load_network, shipped_network
from xtalpriors.reports.phasing.equal_time import TABLE, EqualTime, EqualTimeTable, Solved
from xtalpriors.reports.statistics import wilson

GROUPS = ("P 1 21/c 1", "P -1", "P 21 21 21", "C 1 2/c 1", "P b c a", "P n m a")
FEWEST = 10
"""Crystals of a row."""
CATCHING_UP = 10
"""Crystals in which a side makes up for what it has spent more or less than the first."""


def timed(side: Side, made: KnownCrystal, n: int, seed: int) -> tuple[float, float, float]:
    """r of the chosen trial, r of the best, and CPU seconds."""
    rng = np.random.default_rng(seed)
    # a grid keeps its tables: each side has to make its own
    own = replace(made, grid=ReflectionGrid(made.grid.group, made.grid.hkl, made.grid.shape))
    start = time.process_time()
    f, chosen = side(own, n, rng)
    spent = time.process_time() - start
    r = map_correlation(made.grid, f, made.f, made.amplitudes)
    return float(r[chosen]), float(r.max()), spent


def row(
    crystals: list[KnownCrystal],
    sides: dict[str, Side],
    trials: int,
    *,
    equal_time: bool,
    one_answer: Container[str] = (),
) -> dict[str, Any]:
    """One line of the table, printed; and its numbers. Sides of `one_answer` take what time they take."""
    first = next(iter(sides))
    for side in sides.values():  # compilation apart
        timed(side, crystals[0], trials, 0)
    counts = {name: trials if name == first or not equal_time else 2 * trials for name in sides}
    done = dict.fromkeys(sides, 0)
    results: dict[str, list[tuple[float, float, float]]] = {name: [] for name in sides}
    spent = dict.fromkeys(sides, 0.0)
    for i, made in enumerate(crystals):
        for name in sides:  # in turn, so that whatever else runs here slows all
            results[name].append(timed(sides[name], made, counts[name], i))
            spent[name] += results[name][-1][2]
            done[name] += counts[name]
            if equal_time and name != first and name not in one_answer:
                counts[name] = trials_in_time(done[name], spent[name], spent[first], i + 1)
    table: dict[str, Any] = {"n": len(crystals)}
    base = np.array(results[first])
    for name in sides:
        values = np.array(results[name])
        parts = [f"  {name:20s} {done[name] / len(crystals):5.1f} trials {1e3 * values[:, 2].mean():7.1f} ms"]
        numbers: dict[str, object] = {"trials": done[name] / len(crystals), "ms": 1e3 * values[:, 2].mean()}
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


def trials_in_time(done: int, spent: float, allowed: float, crystals: int) -> int:
    """Trials for the next crystal of a side that made `done` of them in `spent` seconds.

    Parameters
    ----------
    done, spent
        So far, over all crystals.
    allowed
        Seconds that the first side has spent.
    crystals
        So far.
    """
    seconds = allowed / crystals + (allowed - spent) / CATCHING_UP
    return max(1, round(done / spent * seconds))


def bootstrap(differences: np.ndarray) -> tuple[float, float]:
    """95 % interval of the mean."""
    rng = np.random.default_rng(0)
    draws = rng.choice(differences, (2000, len(differences))).mean(axis=1)
    low, high = np.quantile(draws, (0.025, 0.975))
    return float(low), float(high)


def main() -> None:
    """All rows."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--weights", type=Path, help="A network of `xtalpriors dual-space`; else the shipped one"
    )
    parser.add_argument("--structures", type=int, default=300, help="Crystals of each line")
    parser.add_argument("--trials", type=int, default=12, help="Trials of charge flipping for each crystal")
    parser.add_argument("--steps", type=int, default=1, help="Times that the network is applied to a trial")
    parser.add_argument("--improved", type=int, default=IMPROVED, help="Trials that the network improves")
    parser.add_argument(
        "--d-min", type=float, nargs="+", default=[2.0, 1.5, 1.2, 1.0], help="Resolutions in Å"
    )
    parser.add_argument(
        "--groups", nargs="+", default=list(GROUPS), help="Space groups of artificial crystals"
    )
    parser.add_argument(
        "--volumes",
        type=float,
        nargs=2,
        default=[200.0, 500.0],
        help="Least and largest cell of artificial crystals, Å³",
    )
    real = parser.add_mutually_exclusive_group()
    real.add_argument("--corpus", type=Path, help="A folder of CIFs")
    real.add_argument("--subset", type=Path, help="A subset, NAME.parquet")
    parser.add_argument(
        "--phai",
        metavar="FOLDER",
        nargs="+",
        default=[],
        help="PhAI as a control in P2₁/c, beside equal time",
    )
    parser.add_argument("--phai-only", action="store_true", help="Only the networks of --phai")
    parser.add_argument("--covered", action="store_true", help="Only crystals whose data --phai lists")
    parser.add_argument("--alone", action="store_true", help="The network alone too")
    parser.add_argument("--ablations", action="store_true", help="The hybrid with one thing different")
    parser.add_argument("--float", action="store_true", help="Convolutions in float32, not bfloat16")
    parser.add_argument("--output", type=Path, help="JSON file for all lines")
    parser.add_argument(
        "--table",
        type=Path,
        nargs="?",
        const=TABLE,
        help="Put the lines into the table of the docs and the report",
    )
    parser.add_argument("--name", help="What the table calls real crystals")
    a = parser.parse_args()
    if a.table and (a.ablations or ((a.corpus or a.subset) and not a.name)):
        parser.error("--table takes lines at equal time, of crystals with a --name")
    if (a.phai_only or a.covered) and (a.table or not a.phai):
        parser.error("--phai-only and --covered are for controls, --phai, and not for the table")
    torch.set_num_threads(1)
    network, card = load_network(a.weights) if a.weights else shipped_network()
    network.in_half = not a.float
    print(f"{card.name}: {card.parameters:,} parameters, {card.structures:,} crystals; {card.weights_digest}")
    trained = card.config.crystals
    if a.ablations:
        sides = ablations(network, trained, a.steps)
    else:
        sides = equal_sides(network, trained, a.steps, a.improved)
    if a.phai_only:
        sides = {}
    if a.alone:
        sides["network alone"] = alone_side(network, trained)
    networks = {f"PhAI {Path(folder).name}": phai_of(folder) for folder in a.phai}
    controls = {name: phai_side(network) for name, network in networks.items()}
    source = a.corpus or a.subset
    kind = f"real ({source.name})" if source else "artificial"
    tables: dict[str, object] = {"weights_digest": card.weights_digest}
    for symbol in a.groups:
        scale = max(1.0, SpaceGroup.from_hm(symbol).order / 4)
        low, high = (v * scale for v in a.volumes)
        for d_min in a.d_min:
            if source:
                crystals = list(real_crystals(source, symbol, d_min, a.structures))
            else:
                crystals = list(artificial_crystals(symbol, a.structures, d_min, (low, high), seed=5))
            if a.covered:
                crystals = [made for made in crystals if all(covers(n, made) for n in networks.values())]
            if len(crystals) < FEWEST:
                print(f"{symbol}, {d_min} Å: {len(crystals)} crystals, too few for a row")
                continue
            print(f"{symbol}, {kind}, {d_min:g} Å, N = {len(crystals)}", flush=True)
            own = sides | controls if symbol == GROUPS[0] else sides
            found = row(crystals, own, a.trials, equal_time=not a.ablations, one_answer=controls)
            tables[f"{symbol}, {kind}, {d_min:g}"] = found
            if a.table:
                write_line(a.table, card.weights_digest, line_of(found, a.name or kind, symbol, d_min))
            if a.output:
                a.output.write_text(json.dumps(tables, indent=1), encoding="utf-8")


def line_of(found: dict[str, Any], crystals: str, symbol: str, d_min: float) -> EqualTime:
    """What `row` gives as a line of the table."""
    sides = [found[name] for name in ("baseline", "flipping", "hybrid")]

    def solved(limit: float) -> Solved:
        shares = (side[f"solved_{limit}"][0] for side in sides)
        return Solved.model_validate(
            dict(zip(("baseline", "flipping", "hybrid"), shares, strict=True))
            | {f"{name}_gain": found[name][f"difference_{limit}"] for name in ("flipping", "hybrid")}
        )

    trials, milliseconds = (tuple(side[key] for side in sides) for key in ("trials", "ms"))
    return EqualTime(
        crystals=crystals,
        space_group=symbol,
        d_min_angstrom=d_min,
        n=found["n"],
        trials=trials,
        milliseconds=milliseconds,
        solved=solved(0.8),
        nearly_exact=solved(0.95),
    )


def write_line(path: Path, digest: str, line: EqualTime) -> None:
    """Put a line into a table of lines of the same network."""
    new = EqualTimeTable(weights_digest=digest, rows=())
    table = EqualTimeTable.read(path) if path.exists() else new
    if table.weights_digest != digest:
        raise SystemExit(f"{path} has lines of another network ({table.weights_digest})")
    path.write_text(str(table.with_row(line)), encoding="utf-8")


if __name__ == "__main__":
    main()
