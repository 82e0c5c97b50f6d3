"""Do the cations of a structure balance its oxygen? If not, hydrogen was left out.

The American Mineralogist database leaves hydrogen out of sites and formula alike where it was not located:
brucite, Mg(OH)₂, stands there as MgO₂. Oxygen (−2) and fluorine (−1) that even the highest oxidation states
of all other elements do not balance give it away. Peroxides look the same, and are few.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from xtalpriors.arrays import F64, Bool
from xtalpriors.crystal.chemistry.elements import ATOMIC_NUMBER, SYMBOLS

__all__ = ["lacks_cations"]

# Highest oxidation state that is usual in oxides: of Mn 4, of Fe, Co, Ni and Cu 3.
_HIGHEST: Final = {
    1: "H Li Na K Rb Cs Fr Ag",
    2: "Be Mg Ca Sr Ba Ra Zn Cd Hg Pd",
    3: "B Al Ga In Tl Sc Y La Nd Pm Sm Eu Gd Dy Ho Er Tm Yb Lu Ac Fe Co Ni Cu Rh Au Cf Bk Cm",
    4: "C Si Ge Sn Pb Ti Zr Hf Ce Pr Tb Th Mn Ir Pt Po",
    5: "N P As Sb Bi V Nb Ta Pa Br",
    6: "S Se Te Ru Cr Mo W U Np Pu Am",
    7: "Cl I Tc Re At",
    8: "Os Xe Kr",
}
_TOLERANCE: Final = 0.03
"""Share of the anions' charge that rounding and vacancies may leave unbalanced."""
_OXYGEN, _FLUORINE = ATOMIC_NUMBER["O"], ATOMIC_NUMBER["F"]


def _charges() -> F64:
    charges = np.zeros(len(SYMBOLS))
    for state, symbols in _HIGHEST.items():
        charges[[ATOMIC_NUMBER[symbol] for symbol in symbols.split()]] = state
    charges.setflags(write=False)
    return charges


_CHARGES: Final = _charges()


def lacks_cations(counts: F64, tolerance: float = _TOLERANCE) -> Bool:
    """Whether oxygen outweighs the cations of structures (n, elements by atomic number).

    Atoms of unknown element (number 0) could be any cation: with them the answer is no. The `tolerance` is a
    share of the anions' charge.
    """
    anions = 2.0 * counts[:, _OXYGEN] + counts[:, _FLUORINE]
    cations = counts[:, 2:] @ _CHARGES[2:] + np.nan_to_num(counts[:, 1])
    found: Bool = (counts[:, _OXYGEN] > 0) & (counts[:, 0] == 0) & (anions - cations > tolerance * anions)
    return found
