"""Atoms per cell, as numbers: counted from the sites, read from the formula, and reconciled (`reconcile`).

Hydrogen is the element that files leave out: it has no sites, or is only stated as
`_atom_site_attached_hydrogens`, or belongs to a solvent that was squeezed out. So the sites' counts are
compared with formula × Z without hydrogen first, and the hydrogens are taken from the formula where the other
elements agree with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import F64, I16, I32, Bool
from xtalpriors.compilation import kernel
from xtalpriors.crystal.chemistry.elements import ATOMIC_NUMBER, SYMBOLS
from xtalpriors.crystal.chemistry.formula import parse_formula

__all__ = [
    "AGREEMENTS",
    "HYDROGEN_ORIGINS",
    "N_ELEMENTS",
    "Contents",
    "formula_counts",
    "misfit",
    "reconcile",
    "site_counts",
]

I8 = npt.NDArray[np.int8]

N_ELEMENTS: Final = len(SYMBOLS)
AGREEMENTS: Final = ("agree", "hydrogen", "multiple", "disagree", "no-formula", "no-sites")
AGREE, HYDROGEN, MULTIPLE, DISAGREE, NO_FORMULA, NO_SITES = range(6)
HYDROGEN_ORIGINS: Final = ("sites", "attached", "formula", "none", None)
SITES, ATTACHED, FORMULA, NO_HYDROGEN, UNKNOWN = range(5)

_RELATIVE: Final = 0.03
_ABSOLUTE: Final = 0.06
"""An element agrees within 3 % and 0.06 atoms of the formula: rounding of refined occupancies."""


@dataclass(frozen=True, slots=True)
class Contents:
    """Reconciled contents of n cells.

    Attributes
    ----------
    counts
        (n, N_ELEMENTS) atoms per cell by atomic number, as reconciled; unknown elements under 0.
    units
        (n,) formula units per cell that bring the formula nearest to the sites; NaN without either.
    agreement, hydrogen_origin
        (n,) indices into `AGREEMENTS` and `HYDROGEN_ORIGINS`.
    """

    counts: F64
    units: F64
    agreement: I8
    hydrogen_origin: I8


def formula_counts(formulas: list[str | None]) -> tuple[F64, Bool]:
    """Atoms per formula unit (n, N_ELEMENTS), and whether each formula could be read (n,)."""
    columns: list[int] = []
    values: list[float] = []
    sizes = np.zeros(len(formulas), dtype=np.int64)
    for i, text in enumerate(formulas):
        numbers, found = _numbers_and_counts(text)
        sizes[i] = len(numbers)
        columns += numbers
        values += found
    counts = np.zeros((len(formulas), N_ELEMENTS))
    counts[np.repeat(np.arange(len(formulas)), sizes), columns] = values
    return counts, sizes > 0


@lru_cache(maxsize=16384)
def _numbers_and_counts(formula: str | None) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Atomic numbers and counts of a formula; both empty where it cannot be read."""
    parsed = parse_formula(formula) or ()
    return tuple(ATOMIC_NUMBER[element] for element, _ in parsed), tuple(n for _, n in parsed)


@kernel()
def site_counts(
    start: I32,
    end: I32,
    number: I16,
    multiplicity: I16,
    occupancy: F64,
    hydrogens: F64,
    counted: Bool,
) -> tuple[F64, F64]:
    """Σ multiplicity × occupancy by element, and the same of the hydrogens that sites carry unlocated.

    Parameters
    ----------
    start, end
        (n,) first and one past the last site of each entry.
    number, multiplicity, occupancy
        (s,) of the sites; an unknown occupancy (NaN) counts as 1, a negative one as 0.
    hydrogens
        (s,) hydrogens attached to each site without sites of their own.
    counted
        (s,) false for dummies and sites without coordinates.

    Returns
    -------
    counts (n, N_ELEMENTS), attached (n,)
    """
    counts = np.zeros((start.size, N_ELEMENTS))
    attached = np.zeros(start.size)
    for e in range(start.size):
        for i in range(start[e], end[e]):
            if counted[i]:
                weight = 1.0 if np.isnan(occupancy[i]) else max(occupancy[i], 0.0)
                weight *= multiplicity[i]
                counts[e, number[i]] += weight
                attached[e] += weight * hydrogens[i]
    return counts, attached


@kernel()
def _units(sites: F64, formula: F64) -> float:
    """Least-squares k in sites ≈ k × formula over the non-hydrogen elements (all, if there are no others)."""
    product, square = 0.0, 0.0
    for z in range(sites.size):
        if z != 1:
            product += sites[z] * formula[z]
            square += formula[z] * formula[z]
    if square == 0.0:
        product, square = sites[1] * formula[1], formula[1] * formula[1]
    return product / square if square > 0.0 else np.nan


def misfit(sites: F64, formula: F64, z_declared: float) -> float:
    """Share of the atoms other than hydrogen by which a cell's counts differ from the formula, ∞ without any.

    Both arrays (N_ELEMENTS,). The units per cell are the declared Z or those that fit best.
    """
    found, wanted = sites.copy(), formula.copy()
    found[1] = wanted[1] = 0.0
    units = [k for k in (z_declared, _units(sites, formula)) if k > 0]
    return min(
        (float(np.abs(found - k * wanted).sum() / (k * wanted.sum() or np.inf)) for k in units),
        default=np.inf,
    )


@kernel()
def _close(found: float, expected: float, units: float) -> bool:
    return abs(found - expected) <= _RELATIVE * expected + _ABSOLUTE * max(units, 1.0)


@kernel()
def _heavy_agree(sites: F64, formula: F64, units: float) -> bool:
    agree = True
    for z in range(sites.size):
        agree &= z == 1 or _close(sites[z], units * formula[z], units)
    return agree


@kernel()
def _reconcile_one(
    sites: F64, attached: float, formula: F64, has_sites: bool, has_formula: bool, z_declared: float
) -> tuple[float, int, int, float, bool]:
    """(units, agreement, hydrogen origin, hydrogens per cell, contents are units × formula)."""
    if not has_sites:
        units = z_declared if has_formula and z_declared > 0 else np.nan
        if np.isnan(units):
            return np.nan, NO_SITES, UNKNOWN, np.nan, False
        return units, NO_SITES, FORMULA if formula[1] > 0 else NO_HYDROGEN, units * formula[1], True
    total = sites[1] + attached
    located = SITES if attached == 0.0 else ATTACHED
    if not has_formula:
        return np.nan, NO_FORMULA, located if total > 0 else UNKNOWN, total if total > 0 else np.nan, False
    units = _units(sites, formula)
    if np.isfinite(units) and abs(units - np.rint(units)) < 0.05 * max(units, 1.0) and np.rint(units) >= 1:
        nearest = np.rint(units)
        if _heavy_agree(sites, formula, nearest):
            units = nearest
    if z_declared > 0 and _heavy_agree(sites, formula, z_declared):
        units = z_declared
    if not (units > 0 and _heavy_agree(sites, formula, units)):
        if total > 0:
            return units, DISAGREE, located, total, False
        return (
            units,
            DISAGREE,
            NO_HYDROGEN if formula[1] == 0 else UNKNOWN,
            0.0 if formula[1] == 0 else np.nan,
            False,
        )
    expected = units * formula[1]
    agreement = AGREE if not z_declared > 0 or abs(units - z_declared) < 0.01 * z_declared else MULTIPLE
    if _close(total, expected, units):
        origin = located if expected > 0 else NO_HYDROGEN
    elif expected > 0.0 and _close(sites[1], expected, units):  # attached hydrogens that have sites as well
        origin = SITES
    else:
        agreement = HYDROGEN if agreement == AGREE else MULTIPLE
        origin = FORMULA
        if expected == 0.0:  # a formula that leaves hydrogen out beside sites that have it
            return units, agreement, located, total, False
    return units, agreement, origin, expected, True


@kernel()
def _reconcile(
    sites: F64,
    attached: F64,
    formula: F64,
    has_sites: Bool,
    has_formula: Bool,
    z: F64,
) -> tuple[F64, F64, I8, I8]:
    n = z.size
    counts, units = sites.copy(), np.empty(n)
    agreement, origin = np.empty(n, dtype=np.int8), np.empty(n, dtype=np.int8)
    for e in range(n):
        k, how, where, hydrogens, from_formula = _reconcile_one(
            sites[e], attached[e], formula[e], has_sites[e], has_formula[e], z[e]
        )
        units[e], agreement[e], origin[e] = k, how, where
        if from_formula:
            counts[e] = k * formula[e]
        counts[e, 1] = hydrogens
    return counts, units, agreement, origin


def reconcile(
    sites: F64,
    attached: F64,
    formula: F64,
    has_sites: Bool,
    has_formula: Bool,
    z_declared: F64,
) -> Contents:
    """Reconcile the sites' counts (n, N_ELEMENTS) with the formulae; NaN hydrogens where nobody knows.

    Where the non-hydrogen elements agree with `units` formula units, the contents are units × formula;
    else they are the sites'. A declared Z is preferred when the sites agree with it.
    """
    return Contents(*_reconcile(sites, attached, formula, has_sites, has_formula, z_declared))
