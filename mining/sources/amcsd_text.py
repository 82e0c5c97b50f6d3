"""CIF text of one entry of the American Mineralogist Crystal Structure Database, rebuilt from its columns."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from xtalpriors.arrays import I32
from xtalpriors.mining.sources.amcsd_labels import counts_no_hydrogen, site_kind

__all__ = ["RENDERER_VERSION", "AmcsdRow", "decode_numbers", "render_cif"]

RENDERER_VERSION = "1"
"""Raised when the same row would give another text: entries rendered before are then read again."""

_SCALE = 4_000_000
_UNKNOWN, _INAPPLICABLE = 2 * _SCALE, 3 * _SCALE
_MISSING = frozenset({"", "0", "<missing>", "None", "null"})
_ANISOTROPIC = ("U_11", "U_22", "U_33", "U_12", "U_13", "U_23")

_OXYGEN_AS_OSMIUM = frozenset({10842, 10843})
"""Alums whose sulfate oxygens are labelled `Os1`, `Os2`; the database's formula counts them as osmium."""

_TEMPERATURE = re.compile(r"\bT\s*=[\s=]*(-?\d+(?:\.\d+)?)\s*(?:deg(?:rees?|\.)?\s*)?([CK])\b")
_PRESSURE = re.compile(r"\bP\s*=[\s=]*(\d*\.?\d+)\s*(GPa|MPa|kPa|kbars?|kb|bars?|atm)\b", re.IGNORECASE)
_KILOPASCAL = {"gpa": 1e6, "mpa": 1e3, "kpa": 1.0, "kbar": 1e5, "kb": 1e5, "bar": 100.0, "atm": 101.325}
_ELEMENT_COUNT = re.compile(r"([A-Z][a-z]?)(\d*\.?\d*)")
_BARE_WORD = re.compile(r"(?!(?:data|save|loop|stop|global)_)[A-Za-z0-9.+\-][^\s'\"]*", re.IGNORECASE)
_COD_NUMBER = re.compile(r"_cod_database_code\s+(\d{7})\b")
_THEORETICAL = re.compile(
    r"computer[\s-]simulated|theoretically\s+calculated|hypothetical|first[\s-]principles|density\s+functional",
    re.IGNORECASE,
)


class AmcsdRow(NamedTuple):
    """One row of `cif` with what its foreign keys point at; strings as the database spells them."""

    id: int
    mineral: str
    hm: str
    operators: str
    journal: str
    journal_volume: str | None
    year: int
    page_first: str | None
    page_last: str | None
    authors: tuple[str, ...]
    formula: str
    compound: str
    title: str
    formula_title: str
    cell: tuple[str, str, str, str, str, str]
    volume: str
    density: str
    sites: str
    x: str
    y: str
    z: str
    occupancy: str
    u_iso: str
    aniso_labels: str
    aniso: tuple[str, str, str, str, str, str]


def decode_numbers(text: str) -> list[str] | None:
    """Decimal strings of a packed column, or None when the entry has no such column.

    A column is base64 of little-endian int32 in units of 1/4,000,000; the values 2 and 3 stand for `?`
    and `.`. Those are coordinates, occupancies or displacements that no structure has exactly; a number of
    up to six decimals comes back as it was printed.
    """
    if text in _MISSING:
        return None
    packed: I32 = np.frombuffer(base64.b64decode(text), dtype="<i4")
    return list(map(_decimal, packed.tolist()))


@lru_cache(maxsize=65536)
def _decimal(value: int) -> str:
    if value == _UNKNOWN:
        return "?"
    if value == _INAPPLICABLE:
        return "."
    return f"{value / _SCALE:.8f}".rstrip("0").rstrip(".")  # the unit is 0.00000025: eight decimals are exact


def render_cif(row: AmcsdRow) -> bytes:
    """CIF text of one entry, UTF-8, the same bytes for the same row.

    Cell, operators, sites and displacements are the database's; type symbols and attached hydrogen atoms
    come from the labels; COD number, temperature and pressure from the title, where it states exactly one.
    A formula that is known to lack hydrogen (of ammonia, ammonium, methane, …) is left out.
    """
    lines = [f"data_{row.id:07d}", f"_database_code_amcsd {row.id:07d}"]
    lines += _publication(row)
    if row.id in _OXYGEN_AS_OSMIUM:
        row = row._replace(
            formula=row.formula.replace("Os", "O"),
            sites=row.sites.replace('"Os', '"O_s'),
            aniso_labels=row.aniso_labels.replace('"Os', '"O_s'),
        )
    formula = _formula_counts(row.formula)
    lines += [
        *_contents(row, formula),
        *_stated_in_title(row.title),
        *_cell(row),
        *_sites(row, frozenset(formula)),
    ]
    return ("\n".join([*lines, ""])).encode()


def _publication(row: AmcsdRow) -> list[str]:
    lines = _item("_chemical_name_mineral", row.mineral) + _item("_chemical_compound_source", row.compound)
    lines += _item("_journal_name_full", row.journal) + _item("_journal_volume", row.journal_volume)
    lines += _item("_journal_year", str(row.year)) + _item("_journal_page_first", row.page_first)
    lines += _item("_journal_page_last", row.page_last) + _item("_publ_section_title", row.title.strip())
    if row.authors:
        lines += ["loop_", "_publ_author_name", *(_quoted(name) for name in row.authors)]
    return lines


def _contents(row: AmcsdRow, formula: dict[str, str]) -> list[str]:
    lines = _item("_amcsd_formula_title", row.formula_title)
    if not any(counts_no_hydrogen(label) for label in _labels(row.sites)):
        lines += _item("_chemical_formula_sum", " ".join(f"{e}{count}" for e, count in formula.items()))
    return lines + (_item("_exptl_crystal_density_diffrn", row.density) if _positive(row.density) else [])


def _formula_counts(formula: str) -> dict[str, str]:
    """Counts of a formula such as `(Ca.5 Mg.5) C O3`: parentheses only group, no multiplier follows them."""
    counts: Counter[str] = Counter()
    for element, count in _ELEMENT_COUNT.findall(formula):
        counts[element] += round(float(count or 1) * 1_000_000)
    order = sorted(counts, key=lambda e: (("C", "H").index(e) if "C" in counts and e in "CH" else 2, e))
    return {
        e: "" if counts[e] == 1_000_000 else f"{counts[e] / 1e6:.6f}".rstrip("0").rstrip(".") for e in order
    }


def _stated_in_title(title: str) -> list[str]:
    """What AMCSD keeps in its titles: the COD number, that it is a computed structure, one T and one P."""
    lines = [f"_cod_database_code {number}" for number in _COD_NUMBER.findall(title)[:1]]
    if _THEORETICAL.search(title):
        lines.append("_cod_struct_determination_method theoretical")
    kelvin = {float(v) + (273.15 if unit == "C" else 0.0) for v, unit in _TEMPERATURE.findall(title)}
    if len(kelvin) == 1 and (value := kelvin.pop()) > 0:
        lines.append(f"_diffrn_ambient_temperature {value:.10g}")
    pressure = {float(v) * _KILOPASCAL[unit.lower().rstrip("s")] for v, unit in _PRESSURE.findall(title)}
    if len(pressure) == 1:
        lines.append(f"_diffrn_ambient_pressure {pressure.pop():.10g}")
    return lines


def _cell(row: AmcsdRow) -> list[str]:
    names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    lines = [f"_cell_{name} {_number(value)}" for name, value in zip(names, row.cell, strict=True)]
    if _positive(row.volume):
        lines.append(f"_cell_volume {_number(row.volume)}")
    lines += _item("_symmetry_space_group_name_H-M", row.hm.split(" %var")[0])
    return [*lines, *_operators(row.operators)]


@lru_cache(maxsize=512)
def _operators(triplets: str) -> tuple[str, ...]:
    return (
        "loop_",
        "_space_group_symop_operation_xyz",
        *(_quoted(triplet) for triplet in json.loads(triplets)),
    )


def _sites(row: AmcsdRow, formula_elements: frozenset[str]) -> list[str]:
    listed = _labels(row.sites)
    if not listed:
        return []
    labels, kinds = _unique(listed), [site_kind(label, formula_elements) for label in listed]
    columns = {"label": [_quoted(label) for label in labels]}
    columns["type_symbol"] = [kind.type_symbol or "?" for kind in kinds]
    packed = {"fract_x": row.x, "fract_y": row.y, "fract_z": row.z, "occupancy": row.occupancy}
    for name, text in {**packed, "U_iso_or_equiv": row.u_iso}.items():
        if (values := decode_numbers(text)) is not None:
            columns[name] = values
    if any(kind.attached_hydrogens is not None for kind in kinds):
        columns["attached_hydrogens"] = [str(kind.attached_hydrogens or ".") for kind in kinds]
    lines = _loop("_atom_site_", columns)
    return lines + _anisotropic(row, set(labels))


def _anisotropic(row: AmcsdRow, labels: set[str]) -> list[str]:
    listed = _labels(row.aniso_labels)
    if not listed:
        return []
    # A prime became an asterisk in the site list, and stayed a prime here.
    named = [n if n in labels else n.replace("'", "*") for n in _unique(listed)]
    columns = {"label": [_quoted(name) for name in named]}
    for component, text in zip(_ANISOTROPIC, row.aniso, strict=True):
        columns[component] = decode_numbers(text) or ["?"] * len(named)
    return _loop("_atom_site_aniso_", columns)


def _labels(text: str) -> list[str]:
    value = json.loads(text) if text not in _MISSING else None
    return [str(label) for label in value] if isinstance(value, list) else []


def _unique(labels: Iterable[str]) -> list[str]:
    """Second and later sites of one label get `_2`, `_3`: the anisotropic loop refers to labels."""
    seen: Counter[str] = Counter()
    unique = []
    for label in labels:
        seen[label] += 1
        unique.append(label if seen[label] == 1 else f"{label}_{seen[label]}")
    return unique


def _loop(prefix: str, columns: dict[str, list[str]]) -> list[str]:
    rows: Sequence[tuple[str, ...]] = list(zip(*columns.values(), strict=True))
    return ["loop_", *(prefix + name for name in columns), *(" ".join(values) for values in rows)]


def _item(tag: str, value: str | None) -> list[str]:
    if value is None or value in _MISSING:
        return []
    text = _quoted(value)
    return [tag + text if text.startswith("\n") else f"{tag} {text}"]


def _positive(number: str) -> bool:
    try:
        return float(_number(number)) > 0
    except ValueError:
        return False


def _number(text: str) -> str:
    """Two lengths are spelt with a comma: `3,2518` and `6.4235,`."""
    return text.strip().rstrip(",").replace(",", ".")


@lru_cache(maxsize=16384)
def _quoted(value: str) -> str:
    if "\n" in value or ("'" in value and '"' in value):
        body = "\n".join(" " + line if line.startswith(";") else line for line in value.split("\n"))
        return f"\n;{body}\n;"
    if _BARE_WORD.fullmatch(value):
        return value
    return f'"{value}"' if "'" in value else f"'{value}'"
