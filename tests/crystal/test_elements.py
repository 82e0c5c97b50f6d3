from __future__ import annotations

import gemmi
import pytest
from oracle import ask

from xtalpriors.crystal.chemistry.elements import (
    ATOMIC_NUMBER,
    COVALENT_RADIUS_ANGSTROM,
    SYMBOLS,
    block,
    covalent_radius_angstrom,
    is_metal,
)


@pytest.mark.parametrize(
    ("symbol", "radius"),
    # Cordero et al. 2008, doi 10.1039/b801115j, Table 2 (C sp3; Mn, Fe, Co low spin)
    [
        ("H", 0.31),
        ("C", 0.76),
        ("N", 0.71),
        ("O", 0.66),
        ("F", 0.57),
        ("Si", 1.11),
        ("P", 1.07),
        ("S", 1.05),
        ("Cl", 1.02),
        ("Mn", 1.39),
        ("Fe", 1.32),
        ("Co", 1.26),
        ("Zn", 1.22),
        ("Br", 1.20),
        ("I", 1.39),
        ("Cs", 2.44),
        ("La", 2.07),
        ("Lu", 1.87),
        ("Au", 1.36),
        ("U", 1.96),
        ("Cm", 1.69),
    ],
)
def test_radii_as_published(symbol: str, radius: float) -> None:
    assert covalent_radius_angstrom(symbol) == radius


def test_radii_agree_with_pymatgen() -> None:
    # pymatgen holds the same paper's radii; where the paper gives several it takes other ones
    module = "pymatgen.core.molecule_structure_comparator"
    published = ask("pymatgen", f"from {module} import CovalentRadius as C; answer = C.radius", None)
    several = {"C", "Mn", "Fe", "Co"}
    compared = [z for z in range(1, 97) if SYMBOLS[z] not in several]
    assert len(compared) == 92
    assert {SYMBOLS[z]: COVALENT_RADIUS_ANGSTROM[z] for z in compared} == {
        SYMBOLS[z]: published[SYMBOLS[z]] for z in compared
    }
    assert all(r is None for r in COVALENT_RADIUS_ANGSTROM[97:])


def test_symbols_agree_with_gemmi() -> None:
    assert len(SYMBOLS) == 119
    for symbol, z in ATOMIC_NUMBER.items():
        assert gemmi.Element(symbol).atomic_number == z


def test_blocks_have_the_right_sizes() -> None:
    sizes = {b: sum(block(s) == b for s in ATOMIC_NUMBER) for b in "spdf"}
    # s: two in each of seven rows; p: six in each of six; d: ten in two rows, nine where f has fifteen
    assert sizes == {"s": 14, "p": 36, "d": 38, "f": 30}
    assert [block(s) for s in ("Na", "Ca", "Fe", "La", "U", "Sn", "Hf", "Hg")] == list("ssdffpdd")


def test_metals() -> None:
    assert all(is_metal(s) for s in ("Li", "Al", "Fe", "Sn", "Pb", "Bi", "La", "U", "Ga"))
    assert not any(is_metal(s) for s in ("H", "B", "C", "Si", "Ge", "As", "Sb", "Te", "I", "Xe"))
