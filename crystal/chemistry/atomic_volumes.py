"""Least and largest volume that an atom takes, by element: what `tools/derive_atomic_volumes.py` found.

Volumes of cells are shared out among their atoms in the ratio of the elements' mean volumes (least squares
over 10,887 structures of AMCSD and the COD). The bounds of an element are the 1 % and 99 % quantiles of its
share among structures in which it takes a fifth of the volume or more, apart for compounds and for the
element itself: carbon in diamond takes half of what it takes in a molecule. Of rarely seen elements they are
0.55 and 2.5 times the mean. Hydrogen only adds to the largest volume.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from xtalpriors.arrays import F64
from xtalpriors.crystal.chemistry.elements import ATOMIC_NUMBER, SYMBOLS

__all__ = ["HYDROGEN_ANGSTROM3", "volume_bounds"]

# Element; least and largest volume in Å³ of one atom in compounds; the same in the element.
_TABLE: Final = """
He 17.7 80.4 17.7 80.4
Li 7.1 39.0 9.3 21.6
Be 5.7 9.0 8.1 8.5
B 4.9 9.2 7.1 69.9
C 10.0 25.4 4.9 15.9
N 6.9 26.5 12.3 44.5
O 7.3 15.6 9.4 18.8
F 9.1 19.1 6.0 27.2
Ne 12.2 55.4 21.7 23.1
Na 14.8 26.6 22.4 39.5
Mg 9.0 18.9 23.1 24.3
Al 7.9 14.9 12.2 16.6
Si 10.1 24.4 10.5 20.2
P 14.2 33.1 19.0 151.5
S 16.0 36.7 23.7 26.5
Cl 15.3 51.7 13.2 33.4
Ar 19.9 90.6 19.9 90.6
K 18.7 52.0 38.5 75.3
Ca 16.1 26.6 42.1 45.2
Sc 13.1 20.2 15.1 25.0
Ti 8.8 27.1 9.6 18.1
V 10.0 18.1 13.8 14.0
Cr 7.9 12.1 12.0 14.2
Mn 10.3 16.8 12.1 14.8
Fe 8.0 17.9 11.6 38.4
Co 8.3 14.8 11.1 86.3
Ni 6.7 21.4 10.8 13.2
Cu 11.0 18.0 11.0 12.6
Zn 13.7 21.5 8.8 39.8
Ga 14.2 21.6 17.6 19.6
Ge 13.0 28.7 20.6 22.6
As 16.9 32.8 21.3 33.1
Se 20.4 33.0 26.7 30.1
Br 10.7 58.9 31.9 78.5
Kr 25.3 115.0 25.3 115.0
Rb 31.6 54.2 52.2 92.6
Sr 20.2 43.5 29.6 57.7
Y 15.7 28.8 22.0 48.9
Zr 10.0 17.7 8.5 38.8
Nb 12.5 24.0 9.8 44.5
Mo 13.3 20.3 15.4 17.9
Tc 43.8 198.9 43.8 198.9
Ru 6.4 28.9 6.4 28.9
Rh 10.6 14.6 6.7 30.5
Pd 12.4 48.0 11.0 15.8
Ag 16.2 29.9 16.7 18.1
Cd 17.9 29.4 11.7 53.0
In 19.7 32.8 13.9 26.2
Sn 20.5 42.7 26.9 48.7
Sb 19.6 50.3 22.7 83.0
Te 26.2 46.2 17.4 79.1
I 32.2 91.2 24.8 112.5
Xe 31.4 142.5 57.6 59.6
Cs 13.2 90.6 24.5 111.7
Ba 26.7 61.1 62.5 63.4
La 21.9 32.4 30.0 73.0
Ce 20.5 38.2 30.2 34.4
Pr 16.6 36.4 27.7 67.4
Nd 20.9 32.1 26.6 67.0
Sm 21.4 31.0 13.5 61.5
Eu 23.2 32.9 14.9 67.9
Gd 22.9 47.0 25.7 51.1
Tb 21.0 29.4 24.4 32.0
Dy 14.6 66.4 24.0 31.5
Ho 20.2 28.0 13.6 61.9
Er 20.3 27.7 22.3 30.6
Tm 11.4 51.9 11.4 51.9
Yb 18.6 25.6 22.7 41.3
Lu 10.5 47.8 10.5 47.8
Hf 7.3 33.0 7.3 33.0
Ta 12.7 26.5 9.9 44.9
W 11.5 39.6 15.7 16.4
Re 7.9 36.0 7.9 36.0
Os 7.6 34.6 7.6 34.6
Ir 7.4 33.6 7.4 33.6
Pt 12.7 22.7 14.6 16.2
Au 15.8 25.3 16.8 17.8
Hg 13.3 35.2 14.2 64.8
Tl 24.7 73.1 20.8 29.3
Pb 19.4 38.0 29.8 30.3
Bi 24.5 93.1 35.0 105.5
Po 18.4 83.7 18.4 83.7
Ra 23.5 106.9 23.5 106.9
Ac 20.6 93.6 20.6 93.6
Th 25.2 33.2 16.2 73.4
Pa 13.3 60.7 13.3 60.7
U 19.9 35.4 19.8 21.0
Np 11.3 51.2 19.2 21.8
Pu 12.2 55.5 20.0 24.9
Am 15.7 71.2 15.7 71.2
Cm 12.4 56.5 12.4 56.5
"""
HYDROGEN_ANGSTROM3: Final = 6.5
"""Å³ that a hydrogen atom adds, by the same fit."""


def _bounds() -> F64:
    table = np.full((2, 2, len(SYMBOLS)), np.nan)
    for line in _TABLE.split("\n")[1:-1]:
        symbol, *values = line.split()
        table[:, :, ATOMIC_NUMBER[symbol]] = np.array(values, dtype=np.float64).reshape(2, 2)
    table[:, 0, 1], table[:, 1, 1] = 0.0, 1.5 * HYDROGEN_ANGSTROM3
    table.setflags(write=False)
    return table


_BOUNDS: Final = _bounds()
_UNKNOWN: Final = np.isnan(_BOUNDS[0, 0]).astype(np.float64) * (np.arange(len(SYMBOLS)) > 0)
_VOLUMES: Final = np.column_stack([_UNKNOWN, *np.nan_to_num(_BOUNDS).reshape(4, -1)])
"""By element: 1 where no volume is known; least and largest volume in compounds, and in the element."""


def volume_bounds(counts: F64) -> tuple[F64, F64]:
    """Least and largest volume in Å³ of cells (n,) with these atoms (n, elements by atomic number).

    NaN where an element is present of which no volume is known.

    >>> import numpy as np
    >>> eight_carbons = np.eye(119)[6:7] * 8
    >>> least, largest = volume_bounds(eight_carbons)
    >>> bool(least[0] < 45.4 < largest[0])  # the cell of diamond
    True
    """
    compound = (counts[:, 2:] > 0).sum(axis=1) > 1
    unknown, *volumes = (counts @ _VOLUMES).T
    least, largest = (np.where(compound, volumes[k], volumes[2 + k]) for k in (0, 1))
    return np.where(unknown > 0, np.nan, least), np.where(unknown > 0, np.nan, largest)
