"""The distance rules by brute force in float64 over a million structures, and what was dropped, per strategy.

Every pair of atoms, every operator, every lattice translation within the cutoff
(`xtalpriors.generator.reference.check`). The table also says how often atoms were
dropped, beside the paper's "rarely". About a minute a million.

    python benchmarks/verify_generator.py [--count 1000000] [--seed 1] [--bundle FILE]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from xtalpriors.generator import CELL_STRATEGIES, COUNTERS, FILLINGS, Generator, check_rules, configure
from xtalpriors.priors import load_bundle, published_bundle

BATCH = 4096
OF_PAPER = tuple(f for f in FILLINGS if f not in ("fitted", "packed"))
"""Fillings that the rules of the paper hold for."""


def main() -> int:
    """Check every strategy that the bundle allows, `--count` structures in all; 1 where a rule is broken."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bundle", type=Path)
    options = parser.parse_args()
    bundle = load_bundle(options.bundle) if options.bundle else published_bundle()
    priors = bundle.priors
    there = {"volume-empirical": priors.cell_volume and priors.cell_volume.empirical, "fitted": priors.cell}
    strategies = [c for c in CELL_STRATEGIES if there.get(c, True)]
    each = -(-options.count // (len(strategies) * len(OF_PAPER)))
    print(
        f"{each:,} structures of each "
        f"strategy\n{'cell':18s}{'filling':12s}{'distances':>14s}{'violations':>12s}"
        f"{'exempt':>9s}{'dropped':>10s}{'dropped H':>11s}{'redrawn':>10s}"
    )
    broken = 0
    for cell in strategies:
        for filling in OF_PAPER:
            config = configure(cell=cell, filling=filling)
            found, totals = np.zeros(6, np.int64), dict.fromkeys(COUNTERS, 0)
            for batch in Generator(bundle, config, options.seed).batches(0, each, size=BATCH):
                check = check_rules(batch, config)
                found += check.n_distances, check.violations, check.special_violations, check.exempt, 0, 0
                found[4:] += check.wrong_orbits, check.unbonded
                totals = {name: totals[name] + value for name, value in batch.totals.items()}
            bad = int(found[1] + found[2] + found[4] + found[5])
            broken += bad
            print(
                f"{cell:18s}{filling:12s}{found[0]:14,d}{bad:12,d}{found[3]:9,d}"
                f"{totals['dropped'] / max(1, totals['n_target']):10.3%}"
                f"{totals['dropped_hydrogen'] / max(1, totals['n_hydrogen_target']):11.3%}"
                f"{totals['redraws'] / each:10.3%}",
                flush=True,
            )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
