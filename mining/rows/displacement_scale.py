"""Displacements under the tag of another quantity, B under that of U or U under that of B, by their size.

B is 79 U, and the usual values of the two lie apart: the median U of an entry, hydrogens left out, is between
0.002 and 0.13 Å² in 98 of 100 entries of the AMCSD and the COD, which as B is 0.16 to 10 Å². Between lie
the B of hard crystals (0.2 Å² in diamond and corundum) and the U of soft ones (0.1 Å²). There the least value
tells: in no structure at room temperature does every atom move as much as that.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import F64, I16, I32, Bool
from xtalpriors.compilation import kernel
from xtalpriors.crystal.chemistry.displacement import B_PER_U
from xtalpriors.crystal.chemistry.elements import ATOMIC_NUMBER, SYMBOLS

__all__ = ["settle_scale"]

_LARGE: Final = (0.25, 0.5)
"""Å², of U under its own tag and of B as U. Above the first no median of AMCSD and COD is one of U, but that
of a silver telluride at 1123 K; between them are the B of proteins."""
_LEAST_U_OF_ALL: Final = 0.1
"""Å². Of 12,000 entries of AMCSD and COD none has more on every atom but solid carbon dioxide (0.09) and
silver tellurides from 523 K on."""
_WARM_KELVIN: Final = 320.0
_LEAST_B: Final = 0.05
"""Å². At absolute zero B is 2873 / (M Θ), by Debye's theory for mass M in dalton and temperature Θ in K: 0.11
for diamond, 0.18 for oxygen of 1000 K, below this only for metals like tungsten (0.04)."""
_LITTLE_B: Final = 0.1
"""Å². Of the median B between the least and this some are real, and U of organic crystals are as large."""
_USUAL_U: Final = (0.001, 0.2)
"""Å². The median of what is U under the tag of B is above the first, all of it below the second."""
_LEAST_B_OF_MOLECULES: Final = 0.2
"""Å². Urea has 0.4 at 12 K."""
_OUTLIER: Final = 20.0
"""A value below the least B, and this many times below the median, is U among B."""
_MOLECULAR: Final = np.isin(
    np.arange(len(SYMBOLS)), [ATOMIC_NUMBER[s] for s in ("H", "C", "N", "O", "F", "P", "S", "Cl", "Br", "I")]
)
_CARBON: Final = ATOMIC_NUMBER["C"]
_IS_B: Final = np.array([False, True, False, True, False, False])
"""By origin (`displacements.ORIGINS`, the last for none): the tag is one of B."""
_U_UNDER_B: Final = "u-under-tag-of-b"
_UNCLEAR: Final = "displacement-unclear"


def settle_scale(
    u: F64,
    origin: npt.NDArray[np.int8],
    site_block: I32,
    number: I16,
    kelvin: F64,
    notes: dict[int, list[str]],
) -> Bool:
    """Put U under the tag of B right, in place, and tell the sites (s,) whose quantity is in doubt.

    The median of an entry's values under each of the two tags decides, hydrogen left out. Too small for B and
    not too large for U, they are U (note `u-under-tag-of-b`). Otherwise too small or too large for their tag,
    they stay and are doubtful (`displacement-unclear`): what is too large for U may be B or 100 U, which are
    nearly the same.

    Parameters
    ----------
    u
        (s,) Å², NaN where nothing is stated.
    origin
        (s,) index into `displacements.ORIGINS`, −1 for none.
    site_block, number
        (s,) block, in order, and atomic number.
    kelvin
        (blocks,) temperature, NaN where unknown.
    """
    doubtful = np.zeros(u.size, dtype=np.bool_)
    for block, by_b in zip(*np.nonzero(_strange(u, origin, site_block, number)), strict=True):
        first, last = np.searchsorted(site_block, (block, block + 1))
        rows = first + np.flatnonzero(_IS_B[origin[first:last]] == by_b)
        shown = rows[(number[rows] != 1) & (u[rows] > 0.0)]
        if by_b:
            note = _b_is(u[shown], _is_molecular(number[first:last]))
        else:
            note = _u_is(u[shown], float(kelvin[block]))
        if note == _U_UNDER_B:
            u[rows] *= B_PER_U
            origin[rows] -= 1  # B becomes U, a tensor of B one of U
        elif note:
            doubtful[rows] = True
        elif by_b:
            small = shown[u[shown] < min(_LEAST_B / B_PER_U, np.median(u[shown]) / _OUTLIER)]
            doubtful[small] = True
            note = _UNCLEAR if small.size else None
        if note:
            notes.setdefault(int(block), []).append(note)
    return doubtful


@kernel()
def _strange(u: F64, origin: npt.NDArray[np.int8], site_block: I32, number: I16) -> Bool:
    """(blocks, 2) under tags of U and of B, most values without hydrogen are small or large for both, or
    one is too small for B."""
    n = site_block[-1] + 1 if site_block.size else 0
    excess, small = np.zeros((n, 2), np.int64), np.zeros((n, 2), np.bool_)
    for i in range(u.size):
        if number[i] != 1 and u[i] > 0.0:
            by_b = int(_IS_B[origin[i]])
            odd = u[i] > _LEAST_U_OF_ALL or u[i] < _LEAST_B_OF_MOLECULES / B_PER_U
            excess[site_block[i], by_b] += 1 if odd else -1
            small[site_block[i], by_b] |= by_b > 0 and u[i] < _LEAST_B / B_PER_U
    return (excess > 0) | small


def _is_molecular(number: I16) -> bool:
    """Carbon with other elements that form molecules, and nothing else: such crystals are soft."""
    return bool((number == _CARBON).any() and _MOLECULAR[number].all() and (number != number[0]).any())


def _u_is(u: F64, kelvin: float) -> str | None:
    """The note on an entry's values (n,) under a tag of U; None where they can be U."""
    if u.min() > _LEAST_U_OF_ALL and not kelvin > _WARM_KELVIN:
        return _UNCLEAR
    most_are_large = 2 * np.count_nonzero(u > _LARGE[0]) > u.size
    return _UNCLEAR if most_are_large or np.median(u) < _LEAST_B / B_PER_U else None


def _b_is(u: F64, molecular: bool) -> str | None:
    """The note on an entry's values (n,) under a tag of B, as U; None where they can be B."""
    b = u * B_PER_U
    middle, low, high = np.median(b), *_USUAL_U
    can_be_u = middle >= low and b.max() <= high
    if middle < _LEAST_B:
        return _U_UNDER_B if can_be_u else _UNCLEAR
    little = _LEAST_B_OF_MOLECULES if molecular else _LITTLE_B
    doubtful = (middle < little and can_be_u) or middle > _LARGE[1] * B_PER_U
    return _UNCLEAR if doubtful else None
