"""Which element each peak is, from how much density it has and from what the user says is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xtalpriors.arrays import F64, I64
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.chemistry.elements import ATOMIC_NUMBER
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.model.measured.formula_units import (
    VOLUME_PER_ATOM_ANGSTROM3,
    VOLUME_WITHOUT_CARBON_ANGSTROM3,
)
from xtalpriors.model.measured.read_data import Probe
from xtalpriors.model.solving.derivatives import scattering_power
from xtalpriors.model.solving.model import nearest_images

__all__ = ["Composition", "assign_elements", "peak_powers"]

BOND_ANGSTROM = (1.25, 1.65)
"""Two light atoms this far apart are carbon or its neighbours."""
_REFERENCE_S2 = 0.15
"""1/d² in Å⁻² at which scattering powers are compared: the middle of a usual list."""
VOLUME_UNDER_PRESSURE_ANGSTROM3 = 6.0
"""In hard materials and at high pressure: diamond has 5.7, FeN₄ at 180 GPa 5.3."""
VOLUMES_PER_ATOM_ANGSTROM3 = 4.5, 40.0
"""Of atoms other than hydrogen, in the densest and the emptiest crystals."""


@dataclass(frozen=True, slots=True)
class Composition:
    """What the crystal may be made of, without hydrogen.

    Attributes
    ----------
    numbers
        Atomic numbers, ascending.
    counts
        Atoms of each per cell where that is known and possible; else empty.
    powers
        Scattering power of each relative to the others.
    crowded
        More atoms than usual have to find room: those of a hard material without carbon.
    """

    numbers: tuple[int, ...]
    counts: tuple[float, ...]
    powers: tuple[float, ...]
    crowded: bool = False

    @classmethod
    def of(
        cls, elements: Sequence[str], counts: Sequence[float], cell: UnitCell, probe: Probe
    ) -> Composition:
        """Of symbols and counts per cell; counts that cannot fill the cell are passed over.

        Without any element C, N and O are assumed.
        """
        pairs = {ATOMIC_NUMBER[e]: 0.0 for e in elements if e != "H"}
        for symbol, count in zip(elements, counts, strict=False):
            if symbol != "H":
                pairs[ATOMIC_NUMBER[symbol]] += count
        numbers = tuple(sorted(pairs)) or (6, 7, 8)
        total = sum(pairs.values())
        densest, emptiest = VOLUMES_PER_ATOM_ANGSTROM3
        possible = total > 0 and densest <= cell.volume / total <= emptiest and min(pairs.values()) > 0
        powers = tuple(abs(power_of(z, probe)) for z in numbers)
        return cls(numbers, tuple(pairs[z] for z in numbers) if possible else (), powers)

    def atoms_expected(self, volume: float, order: int) -> float:
        """Atoms of the asymmetric unit."""
        if self.counts:
            return sum(self.counts) / order
        each = VOLUME_PER_ATOM_ANGSTROM3 if 6 in self.numbers else VOLUME_WITHOUT_CARBON_ANGSTROM3
        if self.crowded:
            each = VOLUME_UNDER_PRESSURE_ANGSTROM3
        return volume / each / order


def power_of(number: int, probe: Probe) -> float:
    """Scattering power of an element at the resolution where elements are compared."""
    return float(scattering_power(number, np.array([_REFERENCE_S2]), probe)[0])


def peak_powers(
    group: SpaceGroup, cell: UnitCell, fract: F64, integrals: F64, composition: Composition
) -> F64:
    """Scattering powers (n,) of peaks, on the scale of `Composition.powers`.

    Where carbon may be there its scale is the median of peaks with a neighbour at a distance of 1.25 to
    1.65 Å; else the largest peak is the heaviest element.
    """
    values = np.maximum(integrals, 1e-6 * max(float(integrals.max(initial=0.0)), 1e-30))
    powers = np.array(composition.powers)
    if 6 in composition.numbers and len(fract) >= 4:
        bonded = []
        for i in range(len(fract)):
            distances = nearest_images(group, cell, fract[i], fract)
            if ((distances > BOND_ANGSTROM[0]) & (distances < BOND_ANGSTROM[1])).any():
                bonded.append(values[i])
        if len(bonded) >= 4:
            carbon = powers[composition.numbers.index(6)]
            scaled: F64 = values / np.median(bonded) * carbon * 1.08  # nitrogen and oxygen are among them
            return scaled
    relative: F64 = values / values.max() * powers.max()
    return relative


def assign_elements(powers: F64, weights: F64, composition: Composition, order: int) -> I64:
    """Atomic numbers (n,) of atoms.

    Parameters
    ----------
    powers
        Scattering powers of the atoms as they were found.
    weights
        1 / number of operators that keep each site.
    composition
        Elements, and their counts where known: then the strongest atoms get the heaviest elements, until
        these are used up.
    order
        Of the group.
    """
    available = np.array(composition.powers)
    by_power = np.argsort(available)
    nearest = np.abs(np.log(powers[:, None] / available[None])).argmin(axis=1)
    result: I64 = np.array(composition.numbers, dtype=np.int64)[nearest]
    if not composition.counts:
        return result
    counts = np.array(composition.counts) / order
    room = counts * max(1.0, weights.sum() / counts.sum())
    place = list(by_power[::-1])
    used = 0.0
    for i in np.argsort(-powers, kind="stable"):
        # an element is used up when less than half of the atom would still belong to it
        while len(place) > 1 and used + 0.5 * weights[i] > room[place[0]]:
            used = max(0.0, used - room[place[0]])
            place.pop(0)
        result[i] = composition.numbers[place[0]]
        used += weights[i]
    return result
