"""Type symbols of several elements: what is divided, and what only looks like it."""

from __future__ import annotations

import pytest

from xtalpriors.crystal.chemistry.mixture import mixture


@pytest.mark.parametrize(
    ("symbol", "shares"),
    [
        ("0.8Nb + 0.2Zr", {"Nb": 0.8, "Zr": 0.2}),
        ("0.8Nb+0.2Zr", {"Nb": 0.8, "Zr": 0.2}),
        ("Fe0.5Mg0.5", {"Fe": 0.5, "Mg": 0.5}),
        ("(Fe0.5, Mg0.25, Al.25)", {"Fe": 0.5, "Mg": 0.25, "Al": 0.25}),
        ("Fe:0.9 Ni:0.1", {"Fe": 0.9, "Ni": 0.1}),
        ("1/2Si/1/2Al", {"Si": 0.5, "Al": 0.5}),
        ("D0.6H0.4", {"H": 0.4}),
        ("Al/Si", {"Al": None, "Si": None}),
        ("(Mg,Fe)", {"Mg": None, "Fe": None}),
        ("0.8Nb + 0.8Zr", {"Nb": 0.5, "Zr": 0.5}),
    ],
)
def test_mixtures(symbol: str, shares: dict[str, float | None]) -> None:
    found = dict(mixture(symbol))
    if symbol != "D0.6H0.4":  # one element twice is no mixture
        assert found == pytest.approx(shares)
    else:
        assert found == {}


@pytest.mark.parametrize(
    "symbol",
    ["Fe3+", "O2-", "Fe+3", "H2O", "OH", "Cval", "C0", "NH4", "Fe", "Xx0.5Fe0.5", "", "Fe2+/x", "a" * 10_000],
)
def test_what_is_no_mixture(symbol: str) -> None:
    assert mixture(symbol) == ()
