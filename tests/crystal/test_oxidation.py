"""Formulae of minerals with and without their hydrogen: what the charges give away."""

from __future__ import annotations

import numpy as np
import pytest

from xtalpriors.crystal.chemistry.elements import ATOMIC_NUMBER, SYMBOLS
from xtalpriors.crystal.chemistry.formula import parse_formula
from xtalpriors.crystal.chemistry.oxidation import lacks_cations


def lacks(formula: str) -> bool:
    counts = np.zeros((1, len(SYMBOLS)))
    for symbol, n in parse_formula(formula) or ():
        counts[0, ATOMIC_NUMBER[symbol]] = n
    return bool(lacks_cations(counts)[0])


@pytest.mark.parametrize(
    "formula",
    # Mg(OH)₂, AlOOH, FeOOH, Ca₂Mg₅Si₈O₂₂(OH)₂, Al₂Si₂O₅(OH)₄, CaSO₄·2H₂O, Ca₂Al₂FeSi₃O₁₂OH, ice
    [
        "Mg O2",
        "Al O2",
        "Fe O2",
        "Ca2 Mg5 Si8 O24",
        "Al2 Si2 O9",
        "Ca S O6",
        "Ca2 Al2 Fe Si3 O13",
        "O",
    ],
)
def test_minerals_whose_hydrogen_was_left_out(formula: str) -> None:
    assert lacks(formula)


@pytest.mark.parametrize(
    "formula",
    # quartz, forsterite, hematite, magnetite, fluorite, calcite, gypsum and brucite in full, pyrite, halite,
    # apatite, alum, scheelite, perchlorate, a superconductor, topaz, an alloy, a non-stoichiometric oxide
    [
        *("Si O2", "Mg2 Si O4", "Fe2 O3", "Fe3 O4", "Ca F2", "Ca C O3", "Ca S O6 H4", "Mg O2 H2", "Fe S2"),
        *("Na Cl", "Ca5 P3 O12 F", "K Al S2 O20 H24", "Ca W O4", "K Cl O4", "Y Ba2 Cu3 O6.5", "Al2 Si O4 F2"),
        *("Cu3 Au", "Fe0.95 O"),
    ],
)
def test_minerals_whose_charges_balance(formula: str) -> None:
    assert not lacks(formula)


def test_an_atom_of_unknown_element_can_be_any_cation() -> None:
    counts = np.zeros((1, len(SYMBOLS)))
    counts[0, [0, ATOMIC_NUMBER["O"]]] = 1, 2
    assert not lacks_cations(counts)[0]
