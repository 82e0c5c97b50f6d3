"""The scanner among values that nobody wants, and in text fields: it goes by blocks there, beside gemmi."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scan_beside_gemmi import assert_same

PLAIN_VALUES = st.sampled_from(
    [
        "1",
        "-0.25(3)",
        "?",
        ".",
        "o",
        "S1",
        "Data",
        "loops",
        "S123_5",
        "globe_1",
        "alpha1_2",
        "(4)",
        "a#b",
        "it's",
        "x;y",
        "9" * 80,
    ]
)
ENDINGS = st.sampled_from(
    [
        "",
        "# end",
        "_cell_length_a 5",
        "DATA_b _cell_length_a 7",
        "loop_ _cell_length_b 1 2",
        "loop_ _y 'a b' ?",
    ]
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(PLAIN_VALUES, st.sampled_from([" ", "\n", "  ", "\t", "\r\n", " \n  "])),
        min_size=1,
        max_size=150,
    ),
    st.integers(1, 7),
    ENDINGS,
)
def test_values_that_nobody_wants_are_counted(values: list[tuple[str, str]], width: int, ending: str) -> None:
    tags = "".join(f"_geom_bond_{k}\n" for k in range(width))
    text = f"data_a\nloop_\n{tags}" + "".join(value + blank for value, blank in values) + ending
    assert assert_same(text.encode()) == (len(values) % width == 0)


@pytest.mark.parametrize("word", ["stop_", "SAVE_x", "global_", "Global_x", "$frame", "'open"])
@pytest.mark.parametrize("place", [0, 13, 32, 40])
def test_words_that_only_gemmi_handles_are_seen_among_values(word: str, place: int) -> None:
    values = ["S1"] * 80
    values[place] = word
    assert not assert_same(("data_a\nloop_\n_geom_bond_distance\n" + " ".join(values)).encode())


@pytest.mark.parametrize("odd", ["\x07", "\x7f", "\x0b", "é"])
@pytest.mark.parametrize("piece", ["{}", "1{}", "{}2", "1{}2"])
@pytest.mark.parametrize("place", [0, 20, 31, 32, 33, 40])
def test_no_byte_of_values_that_nobody_wants_is_odd(odd: str, piece: str, place: int) -> None:
    values = ["1"] * 80
    values[place] = piece.format(odd)
    assert not assert_same(("data_a\nloop_\n_geom_bond_distance\n" + " ".join(values)).encode())


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["1 2 3\n", "x" * 63 + "\n", "\n", " ;\n", ";;", ";", "\n;", "\n;x", "#\r\n", "é", "\r"]
        ),
        max_size=40,
    ),
    st.sampled_from(["\n;", "\r\n;", "\n; ", "\n;\n_journal_year 1999\n"]),
)
def test_text_fields_end_where_gemmi_ends_them(pieces: list[str], ending: str) -> None:
    text = "data_a\n_journal_name_full\n;" + "".join(pieces) + ending
    accepted = assert_same(text.encode())
    assert accepted or "\n;" in "".join(pieces) + ending[:-1]
