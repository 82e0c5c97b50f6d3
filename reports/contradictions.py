"""In what the files of a database contradict themselves: counts by kind, and one file's two statements."""

from __future__ import annotations

from typing import Final, NamedTuple

import duckdb
import pandas as pd

__all__ = ["KINDS", "count_contradicting", "read_contradictions"]


class Kind(NamedTuple):
    """A kind of contradiction: which entries have it, and in SQL what the two statements of an entry are."""

    key: str
    where: str
    one: str
    other: str


def _noted(*codes: str) -> str:
    """SQL: the entry has one of the notes."""
    has = (f"contains(';' || coalesce(notes, '') || ';', ';{code};')" for code in codes)
    return f"({' OR '.join(has)})"


_CELL: Final = " || ' ' || ".join(
    f"round({name}, 2)"
    for name in ("a_angstrom", "b_angstrom", "c_angstrom", "alpha_degree", "beta_degree", "gamma_degree")
)
_FORMULA: Final = "formula_declared || coalesce(', Z = ' || CAST(z_declared AS INTEGER), '')"
_GROUP: Final = "coalesce(sg_hm, 'no. ' || sg_number) || ', ' || n_operators || ' operators'"
_SETTING: Final = "coalesce('operators of ' || sg_hall || ' (Hall)', 'operators of another origin or axes')"
_SYMBOL: Final = "coalesce(sg_declared_hm, sg_declared_hall, 'no. ' || sg_declared_number)"
_PER_ATOM: Final = "round(volume_per_non_h_atom_angstrom3, 1) || ' Å³ for an atom'"

KINDS: Final = (
    Kind("composition", "composition_agreement = 'disagree'", _FORMULA, "formula_sites"),
    Kind("units", "composition_agreement = 'multiple'", _FORMULA, "formula_sites"),
    Kind("hydrogen", "composition_agreement = 'hydrogen'", _FORMULA, "formula_sites"),
    Kind("group", "sg_agreement = 'disagree'", _SYMBOL, _GROUP),
    Kind("setting", "sg_agreement = 'setting'", _SYMBOL, _SETTING),
    Kind(
        "operators",
        _noted(
            "operators-incomplete",
            "operators-misprinted",
            "operators-unreadable",
            "symbol-contradicted",
            "symmetry-contradicted",
        ),
        _SYMBOL,
        _GROUP,
    ),
    Kind("axes", _noted("axes-from-cell"), _SYMBOL, _CELL),
    Kind("cell", _noted("cell-contradicts-group"), _CELL, _GROUP),
    Kind(
        "volume",
        _noted("volume-mismatch"),
        "round(volume_declared_angstrom3, 1) || ' Å³'",
        f"{_CELL} || ': ' || round(volume_angstrom3, 1) || ' Å³'",
    ),
    Kind(
        "density",
        _noted("density-mismatch"),
        "'the declared density'",
        f"formula_cell || ', ' || {_PER_ATOM}",
    ),
    Kind("room", _noted("volume-implausible"), "formula_cell", _PER_ATOM),
    Kind("overfull", _noted("overfull-position"), "'one atom to a position'", "formula_sites"),
    Kind("repeated", _noted("repeated-sites"), _GROUP, "n_sites || ' sites without the repetitions'"),
    Kind("labels", _noted("label-by-composition"), _FORMULA, "formula_sites"),
    Kind("percent", _noted("occupancy-in-percent"), "'an occupancy above 10'", "formula_sites"),
    Kind(
        "displacement",
        _noted("u-under-tag-of-b", "displacement-unclear"),
        "'U or B, by its tag'",
        "'values that are too large or too small for it'",
    ),
    Kind(
        "unclear",
        _noted("pressure-limit", "pressure-unclear", "wavelength-unclear", "temperature-unclear"),
        "'a number of the dictionary''s unit'",
        "'a range, a limit or a remark'",
    ),
)


def count_contradicting(connection: duckdb.DuckDBPyConnection) -> int:
    """Entries with a contradiction of any kind."""
    query = f"SELECT count(*) FROM entry WHERE {' OR '.join(f'({kind.where})' for kind in KINDS)}"
    [(n,)] = connection.execute(query).fetchall()
    return int(n)


def read_contradictions(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Rows `kind`, `n`, `example` (the first entry by name), `one`, `other`, the most frequent first."""
    rows = []
    for kind in KINDS:
        query = f"SELECT count(*), min(entry_id) FROM entry WHERE {kind.where}"
        [(n, example)] = connection.execute(query).fetchall()
        if n:
            query = f"SELECT {kind.one}, {kind.other} FROM entry WHERE entry_id = ?"
            [(one, other)] = connection.execute(query, [example]).fetchall()
            rows.append((kind.key, n, example, one or "–", other or "–"))
    rows.sort(key=lambda row: (-row[1], row[0]))
    return pd.DataFrame(rows, columns=["kind", "n", "example", "one", "other"])
