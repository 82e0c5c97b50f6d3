"""Derive the table of `crystal/chemistry/atomic_volumes.py` from mined databases.

    python tools/derive_atomic_volumes.py data/amcsd/crystals.duckdb data/cod/crystals.duckdb

Cell volumes of structures at ambient pressure whose sites explain their formula are fitted by non-negative
least squares as sums over their atoms; structures further than 0.25 in the logarithm from the fit are left
out of it. What is written to standard output replaces `_TABLE` and `HYDROGEN_ANGSTROM3`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

from xtalpriors.crystal.chemistry.elements import ATOMIC_NUMBER, SYMBOLS
from xtalpriors.crystal.chemistry.formula import parse_formula
from xtalpriors.mining.database.store import open_database

QUERY = """
    SELECT formula_cell, volume_angstrom3 FROM entry
    WHERE composition_agreement IN ('agree', 'multiple') AND coalesce(pressure_kilopascal, 0) < 200
    AND NOT is_theoretical AND NOT contains(coalesce(notes, ''), 'overfull') AND formula_cell IS NOT NULL
    ORDER BY entry_id
"""
TRIMMED = 0.25
FIFTH = 0.2
LAST_ELEMENT = 98


def structures(paths: list[Path]) -> tuple[np.ndarray, np.ndarray]:
    """Atoms per cell (n, elements) and volumes (n,)."""
    rows = []
    for path in paths:
        with open_database(path) as connection:
            rows += connection.execute(QUERY).fetchall()
    parsed = [(parse_formula(formula), volume) for formula, volume in rows]
    parsed = [(found, volume) for found, volume in parsed if found]
    counts = np.zeros((len(parsed), len(SYMBOLS)))
    for row, (found, _) in zip(counts, parsed, strict=True):
        for symbol, n in found or ():
            row[ATOMIC_NUMBER[symbol]] = n
    heavy = counts[:, 2:].any(axis=1)
    return counts[heavy], np.array([volume for _, volume in parsed])[heavy]


def main() -> None:
    """Write the table."""
    counts, volume = structures([Path(p) for p in sys.argv[1:]])
    used = np.ones(len(volume), dtype=np.bool_)
    for _ in range(6):
        mean, _ = nnls(counts[used] / volume[used, None], np.ones(used.sum()))
        ratio = volume / np.maximum(counts @ mean, 1e-9)
        used = np.abs(np.log(ratio)) < TRIMMED
    share = counts * mean / np.maximum(counts @ mean, 1e-9)[:, None]
    compound = (counts[:, 2:] > 0).sum(axis=1) > 1
    for z in range(2, LAST_ELEMENT + 1):
        if mean[z] <= 0:
            continue
        bounds = []
        for of, enough in ((compound, 20), (~compound, 5)):
            seen = of & (share[:, z] > FIFTH)
            low, high = np.quantile(ratio[seen], (0.01, 0.99)) if seen.sum() >= enough else (0.55, 2.5)
            bounds += [low * mean[z], high * mean[z]]
        sys.stdout.write(f"{SYMBOLS[z]} {' '.join(f'{b:.1f}' for b in bounds)}\n")
    sys.stdout.write(f"HYDROGEN_ANGSTROM3: Final = {mean[1]:.1f}  # {len(volume)} structures\n")


if __name__ == "__main__":
    main()
