"""The section on contradictions: counts by kind of entries made to have them, and their two statements."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from reader_cif import atoms, cell, structure

from xtalpriors.mining.cif import extract
from xtalpriors.reports.contradictions import KINDS, count_contradicting, read_contradictions
from xtalpriors.reports.html import markup, words

SALT = atoms("Na1 Na 0 0 0", "Cl1 Cl .5 .5 .5")
FM3M = "_space_group_name_H-M_alt 'F m -3 m'\n"
SOUND = structure(
    cell(5.64, 5.64, 5.64), "_chemical_formula_sum 'Cl Na'\n_cell_formula_units_Z 4", SALT, symmetry=FM3M
)
FILES = {
    "sound": SOUND,
    "formula": SOUND.replace("'Cl Na'", "'Cl3 Fe'").replace("Z 4", "Z 2"),
    "volume": SOUND + "_cell_volume 279.4\n",
    "small": SOUND.replace("5.64", "4.0"),
    "axes": SOUND.replace("F m -3 m", "P 1 21/c 1").replace("gamma 90", "gamma 99"),
    "displacement": SOUND.replace("_fract_z\n", "_fract_z\n_atom_site_B_iso_or_equiv\n")
    .replace("0 0 0", "0 0 0 .0178")
    .replace(".5 .5 .5", ".5 .5 .5 .0155"),
    "range": SOUND + "_diffrn_radiation_wavelength 0.4-3.5\n",
    "percent": SOUND.replace("_fract_z\n", "_fract_z\n_atom_site_occupancy\n")
    .replace("0 0 0", "0 0 0 100")
    .replace(".5 .5 .5", ".5 .5 .5 100"),
}


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    found = extract(
        "made", None, "original", [(f"{name}.cif", text.encode()) for name, text in FILES.items()]
    )
    assert found.entries.num_rows == len(FILES)
    database = duckdb.connect()
    database.register("read", found.entries)
    database.execute("CREATE TABLE entry AS SELECT * FROM read")
    return database


def test_each_kind_is_counted_with_an_example(connection: duckdb.DuckDBPyConnection) -> None:
    frame = read_contradictions(connection).set_index("kind")
    assert frame.loc["composition", "n"] == 1
    assert frame.loc["composition", "example"] == "made:formula.cif#x"
    assert frame.loc["composition", "one"] == "Cl3 Fe, Z = 2"
    assert frame.loc["composition", "other"] == "Cl4 Na4"
    assert frame.loc["volume", "one"] == "279.4 Å³"
    assert frame.loc["volume", "other"].endswith("179.4 Å³")
    assert frame.loc["room", "example"] == "made:small.cif#x"
    assert frame.loc["percent", "example"] == "made:percent.cif#x"
    assert frame.loc["unclear", "example"] == "made:range.cif#x"
    assert frame.loc["axes", ["example", "one"]].tolist() == ["made:axes.cif#x", "P 1 21/c 1"]
    assert frame.loc["displacement", "example"] == "made:displacement.cif#x"
    assert count_contradicting(connection) == len(FILES) - 1


def test_a_database_without_contradictions_says_so(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("DELETE FROM entry WHERE file_id <> 'sound.cif'")
    assert read_contradictions(connection).empty
    assert words("contradictions", "lead", n=0, entries=1).startswith("No file of this corpus")


def test_every_kind_has_words(tmp_path: Path) -> None:
    rows = [{"kind": k.key, "n": 1, "one": "<b>", "other": "b", "example": "x:y#z"} for k in KINDS]
    html = markup("contradictions", "table", rows=rows)
    assert html.count("<tr>") == len(KINDS) + 1
    assert "<b>" not in html
