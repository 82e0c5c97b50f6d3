"""The diffraction experiment: radiation, method, temperature, pressure, resolution, agreement factors.

Every column is null where the file does not say; no value is taken from what is usual.
"""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np

from xtalpriors.arrays import F64, Bool
from xtalpriors.mining.reading.numbers import MISSING, NUMBER, PARTLY, TEXT
from xtalpriors.mining.reading.tokens import FIELD_INDEX, TAG_FIELD
from xtalpriors.mining.reading.units import QUANTITY, number_and_unit
from xtalpriors.mining.rows.batch import Batch

__all__ = ["experiment_columns"]

Notes = dict[int, list[str]]

_HOTTEST_KELVIN: Final = 5000.0
_AMBIENT_KILOPASCAL: Final = 200.0
"""A structure below this pressure is taken for one at ambient pressure."""
_AMBIENT: Final = re.compile(r"ambient|atmosph|normal|room", re.IGNORECASE)
_ELECTRON_WAVELENGTH_ANGSTROM: Final = 0.06
"""Electrons of more than 40 kV are shorter than this; X-rays and neutrons of crystallography are not."""
_LONGEST_ANGSTROM: Final = 10.0
"""X-rays of crystallography are shorter; neutrons need not be."""
_LINES_ANGSTROM: Final = np.array([0.5594, 0.7107, 1.3414, 1.5418, 1.7903, 1.9373, 2.2910])
"""Kα of Ag, Mo, Ga, Cu, Co, Fe and Cr; α₁ and α₂ are within 0.4 % of the mean."""
_LINE_WIDTH: Final = 0.004
_SHORTER_ANGSTROM: Final = 0.1
"""No X-rays of crystallography are; between this and the longest line in nanometre synchrotrons have some."""
_TUBE: Final = re.compile(r"k\s*(?:\\?a|α)", re.IGNORECASE)
_SAID_IF_TEXT: Final = frozenset(("wavelength", "theta_max", "d_min"))
_ROOM_CELSIUS: Final = (15.0, 35.0)
_FREE_ELECTRON_LASER: Final = re.compile(r"free[\s_-]*electron|\bx?fel\b|\blcls\b|\bsacla\b")
_NUMBER_AND_UNIT: Final = re.compile(
    r"\s*[+-]?[\d.]+(?:e[+-]?\d+)?\s*(?:\([\d.]*\)?|(?:±|\+/?-)\s*[\d.]+)?[\s_]*"
    r"(?:(?:°|º|\\%|deg(?:rees?|\.)?)?\s*(?:(?P<kelvin>k(?:elvins?)?)|(?P<celsius>c(?:elsius|entigrade)?))\.?)?\s*",
    re.IGNORECASE,
)
"""`293(2)`, `293 K`, `100(2)_K`, `-100 C`, `20 °C`: a degree sign without a letter says neither."""


def experiment_columns(batch: Batch, longest: F64, notes: Notes) -> dict[str, Any]:
    """Columns of the `entry` table that describe the experiment, each of one value per block.

    `longest` (b,) is the longest edge of each cell in Å, NaN where unknown. Decisions worth knowing are added
    to `notes` by block.
    """
    wavelength = _number(batch, "wavelength", notes)
    radiation = _radiation(batch, wavelength)
    wavelength = _within(_in_angstrom(batch, wavelength, radiation, notes), 0.0, 100.0)
    method, powder = _method(batch)
    theta = _within(_number(batch, "theta_max", notes), 0.0, 90.0, closed=True)
    d_min = _resolution(batch, notes)
    with np.errstate(divide="ignore", invalid="ignore"):
        d_theta = wavelength / (2.0 * np.sin(np.radians(theta)))
        unclear = np.flatnonzero(d_theta > longest)  # radians, or another quantity
    theta[unclear] = d_theta[unclear] = np.nan
    for block in unclear.tolist():
        notes.setdefault(block, []).append("theta-max-unclear")
    reflections = _within(batch.numbers(batch.block_tokens("n_reflections")), 0.0, 2e9)
    return {
        "temperature_kelvin": _temperature(batch, notes),
        "pressure_kilopascal": _pressure(batch, notes),
        "radiation": radiation,
        "method": method,
        "wavelength_angstrom": wavelength,
        "theta_max_degree": theta,
        "d_min_angstrom": _within(np.where(np.isfinite(d_theta), d_theta, d_min), 0.0, 100.0),
        "completeness": _completeness(batch, notes),
        "n_reflections": reflections,
        "r1": _agreement(batch, "r1", "r_all", notes),
        "wr2": _agreement(batch, "wr2", None, notes),
        "is_powder": powder,
        "is_electron": np.array([r == "electron" for r in radiation], dtype=np.bool_),
    }


def _resolution(batch: Batch, notes: Notes) -> F64:
    """The smallest d of the reflections in Å, as stated: of limits that are exchanged it is the lower one."""
    d_min, d_max = (_number(batch, name, notes) for name in ("d_min", "d_max"))
    with np.errstate(invalid="ignore"):
        exchanged = (d_max > 0.0) & (d_max < d_min)
    for block in np.flatnonzero(exchanged):
        notes.setdefault(int(block), []).append("resolution-limits-exchanged")
    return np.where(exchanged, d_max, d_min)


def _number(batch: Batch, name: str, notes: Notes) -> F64:
    """Numbers of a block field in the unit of its column.

    A known unit behind a number is applied; a range or a remark leaves nobody sure of the number, so that the
    field's other tags are asked, and it is null where they say no more.
    """
    tokens = batch.block_tokens(name)
    values = batch.numbers(tokens)
    for block in np.flatnonzero(batch.kind[tokens] == PARTLY):
        stated = values[block]
        values[block], note = _in_unit(batch, name, int(tokens[block]))
        if values[block] != stated:  # also where it is null now
            notes.setdefault(int(block), []).append(f"{name.replace('_', '-')}-{note}")
    for block in np.flatnonzero(batch.kind[tokens] == TEXT) if name in _SAID_IF_TEXT else ():
        if tokens[block] >= 0 and np.isnan(values[block]) and re.search(r"\d", batch.raw(int(tokens[block]))):
            notes.setdefault(int(block), []).append(f"{name.replace('_', '-')}-unclear")
    return values


def _in_angstrom(batch: Batch, wavelength: F64, radiation: list[str | None], notes: Notes) -> F64:
    """Wavelengths (b,) with those of X-ray tubes in picometre or nanometre put right.

    A longer one that is no tube's is null. One that may be a synchrotron's is in nanometre only if the file
    names a Kα line.
    """
    with np.errstate(invalid="ignore"):
        short = (wavelength > 0.0) & (wavelength < (1.0 + _LINE_WIDTH) * _LINES_ANGSTROM[-1] / 10.0)
        odd = np.flatnonzero((wavelength > _LONGEST_ANGSTROM) | short).tolist()
    for block in odd:
        if radiation[block] not in (None, "x-ray"):
            continue
        unit = "nanometre" if short[block] else "picometre"
        in_angstrom = wavelength[block] * 10.0 if short[block] else wavelength[block] / 100.0
        known = np.abs(in_angstrom / _LINES_ANGSTROM - 1.0).min() < _LINE_WIDTH
        if short[block]:
            token = int(batch.block_tokens("radiation_type")[block])
            named = token >= 0 and _TUBE.search(batch.raw(token)) is not None
            if not known or not (named or wavelength[block] < _SHORTER_ANGSTROM):
                continue
        wavelength[block] = in_angstrom if known else np.nan
        notes.setdefault(block, []).append(f"wavelength-from-{unit}" if known else "wavelength-unclear")
    return wavelength


def _in_unit(batch: Batch, name: str, token: int) -> tuple[float, str]:
    """The number of a field whose token has text behind it, and how it was found."""
    found = _read_in_unit(batch, name, token)
    others = () if found else _by_rank(batch, name, token)
    return found or next((f for t in others if (f := _read_in_unit(batch, name, t))), (np.nan, "unclear"))


def _read_in_unit(batch: Batch, name: str, token: int) -> tuple[float, str] | None:
    """The number of a token in the unit of its column, and how it was found; None where it tells nothing."""
    if batch.kind[token] == NUMBER:
        return float(batch.value[token]), "unclear"
    known = number_and_unit(batch.raw(token), QUANTITY[name]) if batch.kind[token] == PARTLY else None
    return None if known is None else (known, "with-unit")


def _by_rank(batch: Batch, name: str, token: int) -> list[int]:
    """The tokens of a field in the block of one of them (its giver, where it is inherited), by their rank."""
    tag = batch.tokens.tag
    mine = np.flatnonzero(batch.tokens.block == batch.tokens.block[token])
    found = mine[TAG_FIELD[tag[mine]] == FIELD_INDEX[name]].tolist()
    return sorted(found, key=lambda t: (int(tag[t]), t))


def _pressure(batch: Batch, notes: Notes) -> F64:
    """Kilopascal; a limit (`_gt`, `_lt`) or a text without a known unit is no value, and is noted."""
    value = _within(_number(batch, "pressure", notes), 0.0, np.inf, low_closed=True)
    tokens = batch.block_tokens("pressure")
    for block in np.flatnonzero((batch.kind[tokens] == TEXT) & np.isnan(value)):
        if not _AMBIENT.search(batch.raw(int(tokens[block]))):
            notes.setdefault(int(block), []).append("pressure-unclear")
    above, below = (_number(batch, f"pressure_{side}", notes) for side in ("above", "below"))
    with np.errstate(invalid="ignore"):
        limited = np.isnan(value) & ((above > 0.0) | (below >= _AMBIENT_KILOPASCAL))
    for block in np.flatnonzero(limited):
        notes.setdefault(int(block), []).append("pressure-limit")
    return value


def _within(values: F64, low: float, high: float, *, closed: bool = False, low_closed: bool = False) -> F64:
    """The values inside the open interval, NaN for the rest."""
    with np.errstate(invalid="ignore"):
        inside = ((values > low) | (low_closed & (values == low))) & (
            (values < high) | (closed & (values == high))
        )
    return np.where(inside, values, np.nan)


def _temperature(batch: Batch, notes: Notes) -> F64:
    """Kelvin. A unit after the number counts, a number in °C is converted; both are noted.

    Where that number is in doubt, the other tags for the temperature are asked. A number that another tag
    gives in kelvin as well, if it is taken for °C, is that (25 beside 298).
    """
    tokens = batch.block_tokens("temperature")
    kelvin = batch.numbers(tokens)
    good = _within(kelvin, 0.0, _HOTTEST_KELVIN)
    plain = (batch.kind[tokens] == NUMBER) & np.isfinite(good)
    for block in np.flatnonzero((batch.kind[tokens] != MISSING) & ~plain):
        tokens_by_rank = _by_rank(batch, "temperature", int(tokens[block]))
        found = [_one_temperature(batch, t) for t in tokens_by_rank]
        certain = [f for f in found if np.isfinite(f[0])]
        good[block], note = certain[0] if certain else found[0]
        if note or (note := found[0][1]):
            notes.setdefault(int(block), []).append(note)
    with np.errstate(invalid="ignore"):
        room = np.flatnonzero((good >= _ROOM_CELSIUS[0]) & (good <= _ROOM_CELSIUS[1]) & plain).tolist()
    for k in room:
        celsius = good[k] + 273.15
        others = (_one_temperature(batch, t)[0] for t in _by_rank(batch, "temperature", int(tokens[k])))
        if any(abs(other - celsius) <= 1.0 for other in others):
            good[k] = celsius
            notes.setdefault(k, []).append("temperature-from-celsius")
    return good


def _one_temperature(batch: Batch, token: int) -> tuple[float, str | None]:
    """Kelvin, NaN where the text leaves it open, and a note."""
    value = float(batch.value[token])
    if not np.isfinite(value):  # `~295` and `ca. 295 K`, but not `room temperature`
        return np.nan, "temperature-unclear" if re.search(r"\d", batch.raw(token)) else None
    match = _NUMBER_AND_UNIT.fullmatch(batch.raw(token))
    note = None
    if match is None:
        return np.nan, "temperature-unclear"
    if match["celsius"]:
        value, note = round(value + 273.15, 6), "temperature-from-celsius"
    elif match["kelvin"]:
        note = "temperature-with-unit"
    if not 0.0 < value < _HOTTEST_KELVIN:
        return np.nan, "temperature-impossible"
    return value, note


def _completeness(batch: Batch, notes: Notes) -> F64:
    """Fraction 0…1; a value above 1.5 is a percentage."""
    value = _number(batch, "completeness", notes)
    with np.errstate(invalid="ignore"):
        percent = (value > 1.5) & (value <= 100.5)
    for block in np.flatnonzero(percent):
        notes.setdefault(int(block), []).append("completeness-in-percent")
    value = np.where(percent, value / 100.0, value)
    with np.errstate(invalid="ignore"):
        slightly = (value > 1.0) & (value <= 1.05)
    return _within(np.where(slightly, 1.0, value), 0.0, 1.0, closed=True)


def _agreement(batch: Batch, name: str, fallback: str | None, notes: Notes) -> F64:
    """An R value as a fraction; one above 1.5 is a percentage."""
    value = _within(_number(batch, name, notes), 0.0, 100.0)
    if fallback is not None:
        other = _within(_number(batch, fallback, notes), 0.0, 100.0)
        for block in np.flatnonzero(np.isnan(value) & np.isfinite(other)):
            notes.setdefault(int(block), []).append("r1-of-all-reflections")
        value = np.where(np.isnan(value), other, value)
    with np.errstate(invalid="ignore"):
        percent = value > 1.5
    for block in np.flatnonzero(percent):
        notes.setdefault(int(block), []).append(f"{name}-in-percent")
    return np.where(percent, value / 100.0, value)


def _lower(batch: Batch, name: str) -> list[str]:
    return [t.strip().lower() if t else "" for t in batch.texts(batch.block_tokens(name)).to_pylist()]


def _radiation(batch: Batch, wavelength: F64) -> list[str | None]:
    """`x-ray`, `neutron`, `electron`, `gamma`: from the probe, else the type, the source, the method."""
    out: list[str | None] = []
    rows = zip(
        *(_lower(batch, n) for n in ("probe", "radiation_type", "radiation_source", "exptl_method")),
        wavelength.tolist(),
        strict=True,
    )
    cache: dict[tuple[str, str, str, str], str | None] = {}
    for *texts, length in rows:
        key = (texts[0], texts[1], texts[2], texts[3])
        if key not in cache:
            cache[key] = next((r for r in map(_named_radiation, key) if r is not None), None)
        found = cache[key]
        if found is None and 0.0 < length < _ELECTRON_WAVELENGTH_ANGSTROM:
            found = "electron"
        out.append(found)
    return out


def _named_radiation(text: str) -> str | None:
    if not text:
        return None
    if "neutron" in text or "spallation" in text or "reactor" in text:
        return "neutron"
    if _FREE_ELECTRON_LASER.search(text):
        return "x-ray"
    if (
        "electron crystallography" in text
        or "electron microscope" in text
        or text in {"electron", "electrons", "tem"}
    ):
        return "electron"
    if text.startswith("gamma") or "γ-ray" in text:
        return "gamma"
    marks = (
        "x-ray",
        "xray",
        "x ray",
        "synchrotron",
        "k\\a",
        "\\a",
        "mok",
        "cuk",
        "agk",
        "crk",
        "fek",
        "cok",
        "gak",
        "mo k",
        "cu k",
        "ag k",
        "cr k",
        "fe k",
        "co k",
        "ga k",
        "sealed",
        "rotating",
        "tube",
        "microfocus",
        "sx-mo",
        "kα",
    )
    if any(mark in text for mark in marks):
        return "x-ray"
    return "electron" if "electron" in text else None


def _method(batch: Batch) -> tuple[list[str | None], Bool]:
    """`single crystal`, `powder` or `theoretical`, and the powder flag: the declared word, else the tags."""
    powder_tags = batch.stated("powder")
    single_tags = batch.stated("single_crystal")
    out: list[str | None] = []
    declared = zip(_lower(batch, "determination_method"), _lower(batch, "exptl_method"), strict=True)
    for block, (word, method) in enumerate(declared):
        text = word or method
        if "theoretical" in text:
            out.append("theoretical")
        elif "powder" in text:
            out.append("powder")
        elif "single" in text or method.endswith("diffraction"):
            out.append("powder" if powder_tags[block] and not word else "single crystal")
        elif powder_tags[block]:
            out.append("powder")
        else:
            out.append("single crystal" if single_tags[block] else None)
    return out, np.array([m == "powder" for m in out], dtype=np.bool_)
