from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtalpriors.crystal.elements import ATOMIC_NUMBER
from xtalpriors.crystal.formula import hill_formula, parse_formula


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("C10 H12 N2 O", {"C": 10, "H": 12, "N": 2, "O": 1}),
        ("C10H12N2O", {"C": 10, "H": 12, "N": 2, "O": 1}),
        ("'Fe0.5 Mg1.5 O4'", {"Fe": 0.5, "Mg": 1.5, "O": 4}),
        ("C2 H3 O2 -", {"C": 2, "H": 3, "O": 2}),
        ("C12 H8 D4", {"C": 12, "H": 12}),
        ("Co Co3", {"Co": 4}),
        ("C O", {"C": 1, "O": 1}),
        ("CO", {"C": 1, "O": 1}),
        ("Co", {"Co": 1}),
        ("C10 H12 N2 O1 1+", {"C": 10, "H": 12, "N": 2, "O": 1}),
    ],
)
def test_formulae(text: str, counts: dict[str, float]) -> None:
    assert dict(parse_formula(text) or ()) == counts


@pytest.mark.parametrize(
    "text", [None, "", "?", ".", "(C2 H4)n", "C10 H12 x", "Xx2 O", "2(C H Cl3)", "C10 H12 and"]
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
