"""Type symbols of several elements: what is divided, and what only looks like it."""

from __future__ import annotations

import pytest

from xtalpriors.crystal.chemistry.mixture import mixture, mixture_of_label


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
        ("Mg90%Fe10%", {"Mg": 0.9, "Fe": 0.1}),
        ("Na50K50", {"Na": 0.5, "K": 0.5}),
        ("Na(50)K(50)", {"Na": 0.5, "K": 0.5}),
        ("Mg(.8)Fe(.2)", {"Mg": 0.8, "Fe": 0.2}),
        ("Mg0,8Fe0,2", {"Mg": 0.8, "Fe": 0.2}),
        ("Na 50 %, K 25 %", {"Na": 0.5, "K": 0.25}),
        ("Mg (80%), Fe (20%)", {"Mg": 0.8, "Fe": 0.2}),
        ("80% Mg 20% Fe", {"Mg": 0.8, "Fe": 0.2}),
        ("Fe3+0.5Al3+0.5", {"Fe": 0.5, "Al": 0.5}),
        ("MgFe", {"Mg": None, "Fe": None}),
        ("Mg0.8Fe", {"Mg": None, "Fe": None}),
        ("Fe2Mg1", {"Fe": None, "Mg": None}),
        ("Na K", {"Na": None, "K": None}),
        ("Na-K", {"Na": None, "K": None}),
        ("Na_K", {"Na": None, "K": None}),
        ("Na or K", {"Na": None, "K": None}),
        ("Na:K 1:1", {"Na": None, "K": None}),
        ("Mg2+Fe2+", {"Mg": None, "Fe": None}),
        ("Mg2+,Fe2+", {"Mg": None, "Fe": None}),
        ("OH,F", {"O": None, "F": None}),
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
    [
        *("Fe3+", "O2-", "Fe+3", "H2O", "OH", "Cval", "C0", "NH4", "Fe", "Xx0.5Fe0.5", "", "Fe2+/x"),
        *("O-H", "CuI", "SiIV", "MoVI", "CN", "C_R", "N.am", "AlT", "Oab", "Siva", "O2-.", "a" * 10_000),
    ],
)
def test_what_is_no_mixture(symbol: str) -> None:
    assert mixture(symbol) == ()


@pytest.mark.parametrize(
    ("label", "shares"),
    [
        ("Na/K", {"Na": None, "K": None}),
        ("(Na,K)1", {"Na": None, "K": None}),
        ("Na+K", {"Na": None, "K": None}),
        ("Na1/K1", {"Na": None, "K": None}),
        ("Na0.5K0.5", {"Na": 0.5, "K": 0.5}),
    ],
)
def test_mixtures_in_labels(label: str, shares: dict[str, float | None]) -> None:
    assert dict(mixture_of_label(label)) == shares


@pytest.mark.parametrize(
    "label", ["NaK1", "CAB1", "FeA", "C1A/B", "C1/C2", "FeM2+", "O/OH", "Na50K50", "Fe2.5", "C.1", "N-NH4"]
)
def test_labels_that_are_no_mixtures(label: str) -> None:
    assert mixture_of_label(label) == ()


def test_a_long_symbol_costs_no_time() -> None:
    assert mixture("Fe 0.5   " * 22 + "x") == ()
