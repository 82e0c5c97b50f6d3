"""Chemical composition as the networks read it: fractions of atoms in a vector of 119, by atomic number.

The vector is that of the published code: the place is the atomic number, and place 0 stays empty (the paper
says 118).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import reduce
from typing import NamedTuple

import numpy as np

from xtalpriors.arrays import F32
from xtalpriors.crystal.chemistry.elements import ATOMIC_NUMBER
from xtalpriors.crystal.chemistry.form_factors import LAST_ELEMENT
from xtalpriors.crystal.chemistry.formula import parse_formula
from xtalpriors.errors import UsageError

__all__ = ["COMPOSITION_LENGTH", "Composition", "composition_vector", "read_composition", "reduced"]

COMPOSITION_LENGTH = 119
_LARGEST_DENOMINATOR = 24
_TOLERANCE = 0.03


class Composition(NamedTuple):
    """Elements of one formula unit.

    Attributes
    ----------
    numbers
        Atomic numbers, ascending.
    counts
        Atoms of each in the smallest formula of whole numbers.
    """

    numbers: tuple[int, ...]
    counts: tuple[int, ...]

    @property
    def atoms(self) -> int:
        """Atoms in a formula unit."""
        return sum(self.counts)

    @property
    def electrons(self) -> int:
        """Electrons in a formula unit."""
        return sum(z * n for z, n in zip(self.numbers, self.counts, strict=True))

    @property
    def stoichiometry(self) -> str:
        """The counts in ascending order, such as `1:1:3` for CaTiO3."""
        return ":".join(map(str, sorted(self.counts)))


def reduced(counts: Mapping[int, int]) -> Composition:
    """The smallest formula of whole numbers with these counts by atomic number."""
    divisor = reduce(math.gcd, counts.values())
    ordered = sorted(counts.items())
    return Composition(tuple(z for z, _ in ordered), tuple(n // divisor for _, n in ordered))


def read_composition(text: str) -> Composition:
    """Composition of a formula such as `Na Cl`, `CaTiO3` or `Mg0.5Fe0.5O`.

    Raises
    ------
    UsageError
        An unknown element, counts whose sum is zero, counts that no small whole numbers have, or an element
        without a form factor.
    """
    found = parse_formula(text)
    if found is None:
        zero = parse_formula("".join(c for c in text if not (c.isdigit() or c == "."))) is not None
        reason = (
            "has no atoms: the sum of its counts is zero"
            if zero
            else "cannot be read as a formula, or names an element that does not exist"
        )
        raise UsageError(f"The composition {text!r} {reason}. Write it as in 'Na Cl' or 'CaTiO3'.")
    heavy = [symbol for symbol, _ in found if ATOMIC_NUMBER[symbol] > LAST_ELEMENT]
    if heavy:
        raise UsageError(f"The composition {text!r} has {heavy[0]}, for which there is no form factor.")
    return reduced(_whole({ATOMIC_NUMBER[symbol]: count for symbol, count in found}, text))


def _whole(counts: Mapping[int, float], text: str) -> dict[int, int]:
    """The counts times the smallest factor that makes all of them whole."""
    least = min(counts.values())
    for factor in range(1, _LARGEST_DENOMINATOR + 1):
        for unit in (1.0, least):
            scaled = {z: n * factor / unit for z, n in counts.items()}
            if all(abs(n - round(n)) < _TOLERANCE for n in scaled.values()):
                return {z: max(1, round(n)) for z, n in scaled.items()}
    raise UsageError(
        f"The counts of the composition {text!r} are not in proportions of small whole numbers. Round them."
    )


def composition_vector(composition: Composition) -> F32:
    """The vector (119,) of the fractions of atoms."""
    vector = np.zeros(COMPOSITION_LENGTH, dtype=np.float32)
    vector[list(composition.numbers)] = np.array(composition.counts) / composition.atoms
    return vector
