"""Brackets, bars, remarks and markup in symbols: all of the symbol counts, or it is unknown."""

from __future__ import annotations

import itertools

import gemmi
import pytest

from xtalpriors.crystal.symmetry.resolve import Resolution, resolve_space_group
from xtalpriors.crystal.symmetry.symbols import setting_of_hm

MARKS = ("(", "]", "{", "?", ",", ";", "#", "~", "[hex]", "{a}", " (No. 14)", " sub ")
BRACKETS = ("()", "[]", "{}")


def number_of(symbol: str) -> int | None:
    found = setting_of_hm(symbol, "")
    return None if found is None else found.number


@pytest.mark.parametrize("crowded", [False, True])
def test_marks_in_a_symbol_never_make_it_that_of_another_group(crowded: bool) -> None:
    """All settings of gemmi's table, with a mark or a pair of brackets at every place."""
    marks, brackets, known = itertools.cycle(MARKS), itertools.cycle(BRACKETS), 0
    for setting in gemmi.spacegroup_table():
        symbol = setting.hm.replace(" ", "") if crowded else setting.hm
        number = number_of(symbol)  # gemmi takes `P211` for P 2 1 1
        for i in range(1, len(symbol) + 1):
            spoilt = [symbol[:i] + next(marks) + symbol[i:]]
            for j in range(i + 1, len(symbol) + 1, 2):
                opened, closed = next(brackets)
                spoilt.append(symbol[:i] + opened + symbol[i:j] + closed + symbol[j:])
            for text in spoilt:
                found = number_of(text)
                known += found is not None
                assert found in (None, number), (symbol, text)
    assert known > 2_000  # many pairs of brackets are understood


@pytest.mark.parametrize(
    ("spelt", "meant"),
    [
        ("P2[1]/n", "P 1 21/n 1"),
        ("P 2{1}/n", "P 1 21/n 1"),
        ("P 2 (1)/n", "P 1 21/n 1"),
        ("P 2(1)/n 1", "P 1 21/n 1"),
        ("P 2[1] 2[1] 2[1]", "P 21 21 21"),
        ("P 2[1]/b 2[1]/n 2[1]/m", "P b n m"),
        ("P3[2]21", "P 32 2 1"),
        ("P4[2]/mnm", "P 42/m n m"),
        ("P-42[1]m", "P -4 21 m"),
        ("C2[/c]", "C 1 2/c 1"),
        ("F m [-3] m", "F m -3 m"),
        ("F m (-3) m", "F m -3 m"),
        ("Fm{3}m", "F m -3 m"),
        ("F m 3(bar) m", "F m -3 m"),
        ("F m 3[bar] m", "F m -3 m"),
        ("F m 3- m", "F m -3 m"),
        ("Fm3-m", "F m -3 m"),
        ("R 3[-] c", "R -3 c:H"),
        ("R 3* c", "R -3 c:H"),
        ("R(-3)c", "R -3 c:H"),
        (r"P{\bar 1}", "P -1"),
        ("P1-", "P -1"),
        ("P 1 21/n", "P 1 21/n 1"),
        ("P 21/n1", "P 1 21/n 1"),
        ("P 2 1/n", "P 1 21/n 1"),
        ("P 2^1/n", "P 1 21/n 1"),
        ("P 2sub1/n", "P 1 21/n 1"),
        (r"P2\~1/n", "P 1 21/n 1"),
        ("P 2\u2081\u2215n", "P 1 21/n 1"),
        ("P2&#x2081;/n", "P 1 21/n 1"),
        ("P 21/n?", "P 1 21/n 1"),
        ("P 21/n*", "P 1 21/n 1"),
        ("(P 21/n)", "P 1 21/n 1"),
        ("14 P21/n", "P 1 21/n 1"),
        ("P 21/n [No. 14]", "P 1 21/n 1"),
        ("P 21/n (14), unique axis b", "P 1 21/n 1"),
        ("P 21/n, Z=4", "P 1 21/n 1"),
        ("P21/n C2h5", "P 1 21/n 1"),
        ("I41amd", "I 41/a m d:2"),
        ("R-3c (R)", "R -3 c:R"),
        ("F d -3 m (O2)", "F d -3 m:2"),
    ],
)
def test_brackets_bars_and_remarks_are_told_apart(spelt: str, meant: str) -> None:
    found = setting_of_hm(spelt, "")
    assert found is not None
    assert found.xhm() == meant


@pytest.mark.parametrize(
    "symbol",
    [
        "P 2 (3)",  # no. 3, or P 2 3
        "P~1",  # P 1 or P -1
        "P 3*",  # a footnote or a bar
        "P 1{a}",  # a footnote or P a
        "15 P21/n",  # another number
        "P 21/n (15)",
        "P 21/n or P 21/c",
        "P 21/n (a,b+1/2,c)",  # on other axes
        "I 4 amd",  # no words, but half of the symbol
        "P 3 overline",
        "P 2[x]/n hexagonal",
    ],
)
def test_a_symbol_in_doubt_is_unknown(symbol: str) -> None:
    assert setting_of_hm(symbol, "") is None


@pytest.mark.parametrize(
    ("said", "source"),
    [({"hm": "-P 2yn"}, "hall"), ({"hall": "P 1 21/n 1"}, "hm"), ({"hall": "P 21/n"}, "hm")],
)
def test_a_symbol_under_the_tag_of_the_other_kind_is_read(said: dict[str, str], source: str) -> None:
    found = resolve_space_group(**said)  # type: ignore[arg-type]
    assert isinstance(found, Resolution)
    assert (found.group.hm, found.source, found.agreement) == ("P 1 21/n 1", source, "unread")
