"""Artificial crystals: prototypes with drawn elements, free parameters and cells.

The free parameters are moved by up to 0.01. The tightest contact in the cell is the sum of covalent radii:
against cubic minerals of the AMCSD that rule is 4 % too long with a scatter of 8 %, which is put back.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from xtalpriors.counted import counted
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.errors import XtalpriorsError
from xtalpriors.model.powder.canonical import canonical_coordinates
from xtalpriors.model.powder.composition import Composition
from xtalpriors.model.powder.contacts import tightest_contact
from xtalpriors.model.powder.crystals import PowderCrystal, PowderCrystals, gather
from xtalpriors.model.powder.prototypes import ELEMENT_POOLS, Prototype, System, orbit, prototypes
from xtalpriors.model.powder.structure_type import structure_type

__all__ = ["powder_crystals"]

_RULE_TOO_LONG: Final = 1.04
_LOG_SCATTER: Final = 0.08
_RATIO_SCATTER: Final = 0.03
_PARAMETER_SHIFT: Final = 0.01
_LENGTHS_ANGSTROM: Final = (2.5, 10.5)
_LONGEST_C_ANGSTROM: Final = 32.0
_TRIES: Final = 400


def powder_crystals(system: System, count: int, seed: int = 0) -> PowderCrystals:
    """Artificial crystals of the prototypes, one for each formula and space group.

    Parameters
    ----------
    system
        `cubic` or `trigonal`.
    count
        Number of crystals.
    seed
        The same seed gives the same crystals; the first of a longer list are those of a shorter one.

    Raises
    ------
    XtalpriorsError
        More crystals are asked for than can be drawn.
    """
    table = prototypes(system)
    weights = np.array([p.weight for p in table])
    rng = np.random.default_rng(seed)
    found: list[PowderCrystal] = []
    seen: set[tuple[Composition, int]] = set()
    misses = 0
    while len(found) < count:
        prototype = table[int(rng.choice(len(table), p=weights / weights.sum()))]
        crystal = _draw(prototype, rng)
        key = None if crystal is None else (crystal.composition, crystal.group.number)
        if crystal is None or key is None or key in seen:
            misses += 1
            if misses > _TRIES * (count + 1):
                raise XtalpriorsError(
                    f"Only {counted(len(found), f'different {system} crystal')} can be drawn; ask for fewer."
                )
            continue
        seen.add(key)
        found.append(crystal)
    return gather(found)


def _draw(prototype: Prototype, rng: np.random.Generator) -> PowderCrystal | None:
    """One crystal of a prototype; None where elements repeat or the cell is out of bounds."""
    elements = []
    for letters in prototype.pools:
        pool = ELEMENT_POOLS[letters[int(rng.integers(len(letters)))]]
        elements.append(pool[int(rng.integers(len(pool)))])
    ratio = prototype.c_over_a * (
        math.exp(rng.normal(0.0, _RATIO_SCATTER)) if prototype.system == "trigonal" else 1
    )
    points, numbers = [], []
    for site in prototype.sites:
        shifts = rng.uniform(-_PARAMETER_SHIFT, _PARAMETER_SHIFT, len(site.parameters))
        points.append(orbit(prototype.group, site.point(shifts)))
        numbers.append(np.full(len(points[-1]), elements[site.species]))
    stretch = math.exp(rng.normal(0.0, _LOG_SCATTER)) / _RULE_TOO_LONG
    if len(set(elements)) < len(elements):
        return None
    fract, z = np.concatenate(points), np.concatenate(numbers)
    gamma = 120.0 if prototype.system == "trigonal" else 90.0
    a = round(tightest_contact(UnitCell(1.0, 1.0, ratio, gamma=gamma), z, fract) * stretch, 4)
    cell = UnitCell(a, a, a if prototype.system == "cubic" else round(a * ratio, 4), gamma=gamma)
    if not (_LENGTHS_ANGSTROM[0] <= a <= _LENGTHS_ANGSTROM[1] and cell.c <= _LONGEST_C_ANGSTROM):
        return None
    label = structure_type(
        prototype.group,
        cell,
        [elements[s.species] for s in prototype.sites],
        np.stack([s.point() for s in prototype.sites]),
    )
    return PowderCrystal(
        cell,
        prototype.group,
        z,
        canonical_coordinates(prototype.group, cell, z, fract),
        label,
        prototype.name,
    )
