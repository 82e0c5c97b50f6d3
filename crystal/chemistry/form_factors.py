"""X-ray form factors of the neutral atoms, International Tables vol. C, table 6.1.1.4 (as in gemmi).

f(s) = Σᵢ aᵢ exp(-bᵢ (sin θ/λ)²) + c, with four Gaussians, sin θ/λ = |s|/2 and |s| = 1/d.
"""

from __future__ import annotations

from functools import lru_cache

import gemmi
import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import F64
from xtalpriors.crystal.chemistry.elements import SYMBOLS
from xtalpriors.errors import XtalpriorsError

__all__ = ["LAST_ELEMENT", "check_elements", "form_factor_table", "form_factors"]

LAST_ELEMENT = 98
"""Atomic number of the last element with coefficients (Cf)."""


@lru_cache(maxsize=1)
def form_factor_table() -> F64:
    """Coefficients (99, 9) by atomic number: a₁…a₄, b₁…b₄ in Å² for exp(-b |s|²), c. Row 0 is zero.

    The b are a quarter of the tabulated ones, which go with (sin θ/λ)² = |s|²/4.
    """
    table = np.zeros((LAST_ELEMENT + 1, 9))
    for number in range(1, LAST_ELEMENT + 1):
        coefficients = gemmi.Element(number).it92
        table[number] = [*coefficients.a, *(b / 4.0 for b in coefficients.b), coefficients.c]
    table.setflags(write=False)
    return table


def check_elements(numbers: npt.ArrayLike) -> None:
    """Raise unless every atomic number has a form factor.

    Raises
    ------
    XtalpriorsError
        An atomic number below 1 or above 98.
    """
    array = np.asarray(numbers)
    if array.size and not (array.min() >= 1 and array.max() <= LAST_ELEMENT):
        at = int(np.argmax((array < 1) | (array > LAST_ELEMENT)))
        number = int(array[at])
        name = f" ({SYMBOLS[number]})" if 0 < number < len(SYMBOLS) else ""
        raise XtalpriorsError(
            f"Atom {at} has the atomic number {number}{name}, and there is no form factor for it: the tables "
            f"go from 1 (H) to {LAST_ELEMENT} (Cf). Leave the atom out or give it another element."
        )


def form_factors(numbers: npt.ArrayLike, s_squared: npt.ArrayLike) -> F64:
    """f in electrons, (…numbers, …s_squared), of atomic numbers at |s|² = 1/d² in Å⁻².

    Raises
    ------
    XtalpriorsError
        As `check_elements`.
    """
    z = np.asarray(numbers)
    s2 = np.asarray(s_squared, dtype=np.float64)
    check_elements(z)
    rows = form_factor_table()[z].reshape(*z.shape, *(1,) * s2.ndim, 9)
    result: F64 = rows[..., 8] + (rows[..., :4] * np.exp(-rows[..., 4:8] * s2[..., None])).sum(axis=-1)
    return result
