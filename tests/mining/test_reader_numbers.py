"""Numbers of CIF, against Python's own float and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtalpriors.mining.reading.numbers import MISSING, NUMBER, PARTLY, TEXT, parse_numbers


def parse(*texts: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    parts = [t.encode() for t in texts]
    end = np.cumsum([len(p) for p in parts]).astype(np.int32)
    start = (end - [len(p) for p in parts]).astype(np.int32)
    return parse_numbers(np.frombuffer(b"".join(parts) or b" ", dtype=np.uint8), start, end)


@pytest.mark.parametrize(
    ("text", "value", "su"),
    [
        ("5.123(4)", 5.123, 0.004),
        ("5.123(14)", 5.123, 0.014),
        ("104.5(10)", 104.5, 1.0),
        ("10(2)", 10.0, 2.0),
        ("-.5(1)", -0.5, 0.1),
        (".25", 0.25, None),
        ("5.", 5.0, None),
        ("+3", 3.0, None),
        ("1.2(1.5)", 1.2, 1.5),  # an uncertainty written out in full
        ("1.5E-3", 0.0015, None),
        ("1.50(5)e2", 150.0, 5.0),
        ("1.50e2(5)", 150.0, 5.0),
        ("1/3", 1 / 3, None),
        (" 7 ", 7.0, None),
        ("5.123(4", 5.123, None),  # cut off
    ],
)
def test_numbers_and_uncertainties_by_hand(text: str, value: float, su: float | None) -> None:
    values, uncertainties, kinds = parse(text)
    assert values[0] == pytest.approx(value, rel=1e-15)
    assert kinds[0] == NUMBER
    if su is None:
        assert math.isnan(uncertainties[0])
    else:
        assert uncertainties[0] == pytest.approx(su, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("?", MISSING),
        (".", MISSING),
        ("", MISSING),
        ("293 K", PARTLY),
        ("abc", TEXT),
        ("-", TEXT),
        ("(3)", TEXT),
        ("1,5418", TEXT),  # a decimal comma: the whole number alone would be a wrong value
        ("10,234(3)", TEXT),
    ],
)
def test_what_is_no_number(text: str, kind: int) -> None:
    values, _, kinds = parse(text)
    assert kinds[0] == kind
    assert np.isnan(values[0]) == (kind != PARTLY)


def test_tokens_are_parsed_apart() -> None:
    values, _, _ = parse("12", "3", "?", "4.5")
    np.testing.assert_array_equal(values, [12.0, 3.0, np.nan, 4.5])


@given(st.integers(-(10**15), 10**15), st.integers(0, 15))
def test_every_decimal_number_is_the_float_that_python_reads(digits: int, decimals: int) -> None:
    sign = "-" if digits < 0 else ""
    text = str(abs(digits)).rjust(decimals + 1, "0")
    text = sign + (text[:-decimals] + "." + text[-decimals:] if decimals else text)
    assert parse(text)[0][0] == float(text)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_in_any_notation_within_rounding(number: float) -> None:
    assert parse(repr(number))[0][0] == pytest.approx(number, rel=1e-14, abs=1e-300)


@given(st.binary(max_size=30))
def test_no_bytes_make_it_fail(data: bytes) -> None:
    buffer = np.frombuffer(data or b" ", dtype=np.uint8)
    size = np.array([len(data)], dtype=np.int32)
    value, su, kind = parse_numbers(buffer, size * 0, size)
    assert kind[0] in (MISSING, NUMBER, PARTLY, TEXT)
    assert np.isnan(value[0]) == (kind[0] in (MISSING, TEXT))
    assert not su[0] < 0


def test_tokens_outside_the_buffer_are_refused() -> None:
    with pytest.raises(ValueError, match="outside"):
        parse_numbers(np.zeros(3, np.uint8), np.zeros(1, np.int32), np.full(1, 9, np.int32))
