from __future__ import annotations

import gemmi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtalpriors.crystal.symmetry.triplets import (
    DENOMINATOR,
    TripletError,
    compose,
    format_triplet,
    parse_triplet,
)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("-X, 1/2+Y, z", "-x,y+1/2,z"),
        ("'1/2-y',x,z", "-y+1/2,x,z"),
        ("+0.6667-y, .3333+x-y, z", "-y+2/3,x-y+1/3,z"),
        ("x-1/2,y,-z+0.5", "x+1/2,y,-z+1/2"),
        ("-x - y , +z, .5+ x", "-x-y,z,x+1/2"),
        ("x+0.33,y,z+.66667", "x+1/3,y,z+2/3"),
        ("x+5/4,y-3,z", "x+1/4,y,z"),
        ("x,y,0.2+z", "x,y,z+1/5"),
        ("2*x,y,z", "2*x,y,z"),
        ("x+0.0417,y,z", "x+1/24,y,z"),
    ],
)
def test_spellings(text: str, meant: str) -> None:
    assert format_triplet(parse_triplet(text)) == meant


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x,y", "unreadable"),
        ("x,y,z,", "unreadable"),
        ("x,,z", "unreadable"),
        ("x1/2,y,z", "unreadable"),
        ("xy,y,z", "unreadable"),
        ("1/0+x,y,z", "unreadable"),
        ("x,y,w", "unreadable"),
        ("", "unreadable"),
        ("-x,-y,-z malformed symmop", "unreadable"),
        ("x/2,y,z", "not-integer"),
        ("0.5*x,y,z", "not-integer"),
        ("x," * 10000, "unreadable"),
        ("x+1e5,y,z", "unreadable"),
    ],
)
def test_what_is_no_operator(text: str, code: str) -> None:
    with pytest.raises(TripletError) as caught:
        parse_triplet(text)
    assert caught.value.code == code


def test_every_operator_of_gemmi_is_read_and_written_as_gemmi_does() -> None:
    triplets = {op.wrap().triplet() for sg in gemmi.spacegroup_table() for op in sg.operations()}
    assert len(triplets) > 800
    for triplet in triplets:
        assert format_triplet(parse_triplet(triplet)) == triplet


OPS = sorted(
    {op.wrap().triplet() for n in (14, 167, 227) for op in gemmi.find_spacegroup_by_number(n).operations()}
)


@given(st.sampled_from(OPS), st.sampled_from(OPS))
def test_composition_agrees_with_gemmi(first: str, second: str) -> None:
    product = (gemmi.Op(first) * gemmi.Op(second)).wrap().triplet()
    assert format_triplet(compose(parse_triplet(first), parse_triplet(second))) == product


@given(st.text(alphabet="xyz+-/,.0123456789 *'", max_size=30))
def test_any_text_is_an_operator_or_a_named_failure(text: str) -> None:
    try:
        rotation, translation = parse_triplet(text)
    except TripletError as error:
        assert error.code in ("unreadable", "not-integer")
    else:
        assert len(rotation) == 9
        assert all(0 <= t < DENOMINATOR for t in translation)
