"""`read_again`: what the kernel could not read as a number to its end is looked at as a text."""

from __future__ import annotations

import math
from typing import Final

from xtalpriors.arrays import F64, I32, U8
from xtalpriors.mining.reading.numbers import NUMBER, PARTLY, TEXT
from xtalpriors.mining.reading.tags import ANISO
from xtalpriors.mining.reading.tokens import FIELDS, TAG_FIELD, TAG_SCALE, Tokens
from xtalpriors.mining.reading.units import QUANTITY, composed, number_and_unit
from xtalpriors.mining.reading.unusual_numbers import has_remark, unusual_number

__all__ = ["read_again"]

_LEFT: Final = frozenset(
    (
        *("temperature", "pressure", "pressure_above", "pressure_below", "wavelength", "theta_max", "d_min"),
        *("d_max", "completeness", "n_reflections", "r1", "r_all", "wr2", "year", "declared_multiplicity"),
    )
)
"""Fields of which `experiment` weighs what stands behind the number, and multiplicities (`4a`)."""
_OF_CELL: Final = frozenset(("a", "b", "c", "alpha", "beta", "gamma"))
"""A cell that is not understood is a rejection, which says so itself."""
_NAME: Final = {
    **dict.fromkeys(("x", "y", "z", "cartn_x", "cartn_y", "cartn_z"), "coordinate"),
    **dict.fromkeys(("u_iso", "b_iso", *ANISO), "displacement"),
}


def read_again(tokens: Tokens, which: I32, value: F64, su: F64, kind: U8) -> dict[int, list[str]]:
    """Read the tokens `which`, number fields that are `PARTLY` a number or `TEXT`, again; in place.

    What is a number in another spelling becomes `NUMBER`. Behind the numbers of cell, sites and contents a
    unit or a remark is let pass; anything else makes them `TEXT` without a value, for `0.25+x` is not 0.25.

    Returns
    -------
    Notes by block: `unusual-number`, `number-with-remark`, `coordinate-not-a-number`, ….
    """
    notes: dict[int, list[str]] = {}
    for i in which.tolist():
        tag = tokens.tag[i]
        field = FIELDS[TAG_FIELD[tag]]
        quantity = QUANTITY.get(field, _NAME.get(field))
        text = composed(tokens.buffer[tokens.start[i] : tokens.end[i]].tobytes().decode("utf-8", "replace"))
        note = None
        found = unusual_number(text, quantity)
        if found is not None:
            factor, shift = TAG_SCALE[tag]
            value[i], su[i], kind[i] = found[0] * factor + shift, found[1] * factor, NUMBER
            note = "unusual-number"
        elif field not in _LEFT:
            note = _judged(i, field, text, value, su, kind)
        if note is not None:
            of_block = notes.setdefault(int(tokens.block[i]), [])
            if note not in of_block:
                of_block.append(note)
    return notes


def _judged(i: int, field: str, text: str, value: F64, su: F64, kind: U8) -> str | None:
    """Whether what stands behind the number of token `i` lets it count; a note, None where there is none."""
    if kind[i] == PARTLY:
        in_unit = number_and_unit(text, QUANTITY.get(field, ""))
        if in_unit is not None:  # of cells and shares those apply it who also note it
            if QUANTITY.get(field) in ("area", "density") and in_unit != value[i]:
                value[i], su[i] = in_unit, su[i] * (in_unit / value[i])
            return None
        if has_remark(text, QUANTITY.get(field)):
            return "number-with-remark"
        value[i], su[i], kind[i] = math.nan, math.nan, TEXT
    elif not any(character.isnumeric() for character in text):
        return None
    name = _NAME.get(field, field.replace("_", "-"))
    return None if field in _OF_CELL else f"{name}-not-a-number"
