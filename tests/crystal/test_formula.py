from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtalpriors.crystal.chemistry.elements import ATOMIC_NUMBER
from xtalpriors.crystal.chemistry.formula import hill_formula, parse_formula


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("C10 H12 N2 O", {"C": 10, "H": 12, "N": 2, "O": 1}),
        ("C10H12N2O", {"C": 10, "H": 12, "N": 2, "O": 1}),
        ("'Fe0.5 Mg1.5 O4'", {"Fe": 0.5, "Mg": 1.5, "O": 4}),
        ("C2 H3 O2 -", {"C": 2, "H": 3, "O": 2}),
        ("C12 H8 D4", {"C": 12, "H": 12}),
        ("Li T", {"Li": 1, "H": 1}),
        ("Co Co3", {"Co": 4}),
        ("C O", {"C": 1, "O": 1}),
        ("C₁₀ H₁₂ N₂ O", {"C": 10, "H": 12, "N": 2, "O": 1}),
        ("Fe₀.₅ Mg₁.₅ O₄", {"Fe": 0.5, "Mg": 1.5, "O": 4}),
        ("C~10~ H~12~ N~2~ O", {"C": 10, "H": 12, "N": 2, "O": 1}),
        ("C<sub>10</sub>H<sub>12</sub>", {"C": 10, "H": 12}),
        ("CO", {"C": 1, "O": 1}),
        ("Co", {"Co": 1}),
        ("Ca (Al1.94 Fe.06) Si2 O10 D4", {"Ca": 1, "Al": 1.94, "Fe": 0.06, "Si": 2, "O": 10, "H": 4}),
        ("(Fe6.1 Mg.9) Si8 O23.5 (F.5 H1.5)", {"Fe": 6.1, "Mg": 0.9, "Si": 8, "O": 23.5, "F": 0.5, "H": 1.5}),
        ("Ca3 (P O4)2", {"Ca": 3, "P": 2, "O": 8}),
        ("C30 B2 F20, 1.5 C7 H8", {"C": 40.5, "B": 2, "F": 20, "H": 12}),
        ("[Ru (C57 H49 N6 O3 P2)], Cl O4", {"Ru": 1, "C": 57, "H": 49, "N": 6, "O": 7, "P": 2, "Cl": 1}),
        ("2(C H Cl3)", {"C": 2, "H": 2, "Cl": 6}),
        ("C42 H26 N4 * C7 H7", {"C": 49, "H": 33, "N": 4}),
        ("Fe1/3 I2", {"Fe": 1 / 3, "I": 2}),
        ("Cu 2+", {"Cu": 1}),
        ("Cu 2", {"Cu": 2}),
        ("C10 H12 N2 O1 1+", {"C": 10, "H": 12, "N": 2, "O": 1}),
        # one case: a token is an element, two where it can be no other
        ("TI O2", {"Ti": 1, "O": 2}),
        ("CA C O3", {"Ca": 1, "C": 1, "O": 3}),
        ("CA CO3", {"Ca": 1, "C": 1, "O": 3}),
        ("C2 CU N O2", {"C": 2, "Cu": 1, "N": 1, "O": 2}),
        ("NH4 CL", {"N": 1, "H": 4, "Cl": 1}),
        ("CO O", {"Co": 1, "O": 1}),
        ("mg2 si o4", {"Mg": 2, "Si": 1, "O": 4}),
        # remarks and dots
        ("C2 H5 N O2 (glycine)", {"C": 2, "H": 5, "N": 1, "O": 2}),
        ("C2 H5 N O2, glycine", {"C": 2, "H": 5, "N": 1, "O": 2}),
        ("Mg2 Si O4 [forsterite]", {"Mg": 2, "Si": 1, "O": 4}),
        ("CaSO4·2H2O", {"Ca": 1, "S": 1, "O": 6, "H": 4}),
        ("Ca S O4 . 2H2O", {"Ca": 1, "S": 1, "O": 6, "H": 4}),
    ],
)
def test_formulae(text: str, counts: dict[str, float]) -> None:
    assert dict(parse_formula(text) or ()) == pytest.approx(counts)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "?",
        ".",
        "(C2 H4)n",
        "C10 H12 x",
        "Xx2 O",
        "C10 H12 and",
        "(C H4",
        "C H4)",
        "Fe1/0",
        "(Fe,Mg)2 Si O4",
        "CACO3",
        "CO2 O4",
        "Fe0·5Mg0·5O",
        "C6 H6, n(H2 O)",
        "1",
        "(" * 50 + "C" + ")" * 50,
    ],
)
def test_what_cannot_be_read_is_none(text: str | None) -> None:
    assert parse_formula(text) is None


def test_hill_order() -> None:
    assert hill_formula({"O": 1, "H": 12, "N": 2, "C": 10}) == "C10 H12 N2 O"
    assert hill_formula({"O": 4, "H": 2, "S": 1}) == "H2 O4 S"
    assert hill_formula({"Mg": 1.5, "Fe": 0.5, "O": 4, "C": 0}) == "Fe0.5 Mg1.5 O4"


COUNTS = st.dictionaries(
    st.sampled_from(sorted(ATOMIC_NUMBER)), st.integers(1, 4000).map(lambda n: n / 16), min_size=1, max_size=8
)


@given(COUNTS)
def test_round_trip(counts: dict[str, float]) -> None:
    assert dict(parse_formula(hill_formula(counts)) or ()) == pytest.approx(counts)
