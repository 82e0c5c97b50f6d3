"""Chemical elements: symbols, masses, covalent radii, blocks of the periodic table.

Covalent radii are those of Cordero et al., Dalton Trans. 2008, 2832 (doi 10.1039/b801115j), Table 2, which
ends at curium (Z = 96). Where that table has several values, the one used is stated beside it.
Which element a type symbol or a label means is the business of `species`.
"""

from __future__ import annotations

__all__ = [
    "ATOMIC_NUMBER",
    "COVALENT_RADIUS_ANGSTROM",
    "SYMBOLS",
    "atomic_number",
    "block",
    "covalent_radius_angstrom",
    "is_metal",
]

_PERIODIC_TABLE = """
X H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr
Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu
Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr
Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og
"""
SYMBOLS: tuple[str, ...] = tuple(_PERIODIC_TABLE.split())
"""Symbols by atomic number. Index 0 is `X`, a place holder, so that the index is the atomic number."""

ATOMIC_NUMBER: dict[str, int] = {symbol: z for z, symbol in enumerate(SYMBOLS) if z}
"""Atomic number by symbol."""

# C is sp3 (sp2 0.73, sp 0.69); Mn, Fe, Co are low spin (high spin 1.61, 1.52, 1.50).
_CORDERO = (
    "0.31 0.28 1.28 0.96 0.84 0.76 0.71 0.66 0.57 0.58 1.66 1.41 1.21 1.11 1.07 1.05 1.02 1.06 2.03 1.76 "
    "1.70 1.60 1.53 1.39 1.39 1.32 1.26 1.24 1.32 1.22 1.22 1.20 1.19 1.20 1.20 1.16 2.20 1.95 1.90 1.75 "
    "1.64 1.54 1.47 1.46 1.42 1.39 1.45 1.44 1.42 1.39 1.39 1.38 1.39 1.40 2.44 2.15 2.07 2.04 2.03 2.01 "
    "1.99 1.98 1.98 1.96 1.94 1.92 1.92 1.89 1.90 1.87 1.87 1.75 1.70 1.62 1.51 1.44 1.41 1.36 1.36 1.32 "
    "1.45 1.46 1.48 1.40 1.50 1.50 2.60 2.21 2.15 2.06 2.00 1.96 1.90 1.87 1.80 1.69"
)
COVALENT_RADIUS_ANGSTROM: tuple[float | None, ...] = (
    None,
    *(float(r) for r in _CORDERO.split()),
    *(None for _ in range(97, len(SYMBOLS))),
)
"""Covalent radius in Å by atomic number; None for `X` and above curium, which Cordero et al. do not give."""

_NON_METAL_SYMBOLS = "H He B C N O F Ne Si P S Cl Ar Ge As Se Br Kr Sb Te I Xe At Rn Ts Og"
_NON_METALS = frozenset(_NON_METAL_SYMBOLS.split())
_D_BLOCK = frozenset((*range(21, 31), *range(39, 49), *range(72, 81), *range(104, 113)))
_F_BLOCK = frozenset((*range(57, 72), *range(89, 104)))
_S_BLOCK = frozenset((1, 2, 3, 4, 11, 12, 19, 20, 37, 38, 55, 56, 87, 88))


def atomic_number(symbol: str) -> int:
    """Atomic number of an element; KeyError for any other text."""
    return ATOMIC_NUMBER[symbol]


def covalent_radius_angstrom(symbol: str) -> float | None:
    """Covalent radius in Å (Cordero et al. 2008), None above curium."""
    return COVALENT_RADIUS_ANGSTROM[ATOMIC_NUMBER[symbol]]


def is_metal(symbol: str) -> bool:
    """Metal or not; the metalloids B, Si, Ge, As, Sb, Te and At count as non-metals."""
    return ATOMIC_NUMBER[symbol] > 0 and symbol not in _NON_METALS


def block(symbol: str) -> str:
    """Block of the periodic table: `s`, `p`, `d` or `f`.

    Groups 3 to 12 are the d block; La to Lu and Ac to Lr are the f block (15 elements each), so that
    neither La nor Lu counts as a d-block metal.
    """
    z = ATOMIC_NUMBER[symbol]
    if z in _S_BLOCK:
        return "s"
    if z in _D_BLOCK:
        return "d"
    return "f" if z in _F_BLOCK else "p"
