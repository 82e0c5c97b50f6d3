"""The CSD through a stand-in of its licensed Python API, as reading processes import it, beside a COD tree.

The stand-in has what `ccdc.io` documents: `EntryReader(filename)`, iteration over entries,
`entry(identifier)`, which raises RuntimeError, `file_name`; and of an entry `identifier` and
`to_string(format='mol2')`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from xtalpriors.mining import DEFAULT_SUBSETS, mine, open_database, parse_source, write_subset
from xtalpriors.mining.sources import csd
from xtalpriors.mining.subsets.snapshot import read_snapshot, write_snapshot
from xtalpriors.priors.fitting.fit import fit_subset

API = """
class Entry:
    def __init__(self, identifier, text):
        self.identifier, self._text = identifier, text

    def to_string(self, format="mol2"):
        if format != "cif":
            raise RuntimeError(f"no such format here: {format}")
        return self._text


class EntryReader:
    def __init__(self, filename="CSD"):
        import json, pathlib

        self.file_name = [str(pathlib.Path(__file__).with_name("csd.json"))]
        self._entries = json.loads(pathlib.Path(self.file_name[0]).read_text())

    def __len__(self):
        return len(self._entries)

    def __iter__(self):
        return (Entry(name, text) for name, text in self._entries.items())

    def __getitem__(self, index):
        return list(self)[index]

    def entry(self, identifier):
        if identifier not in self._entries:
            raise RuntimeError(f"{identifier} not found in the database")
        return Entry(identifier, self._entries[identifier])
"""

CIF = """data_{block}
{codes}
_journal_paper_doi '10.1000/example'
_cell_length_a {a}
_cell_length_b {b}
_cell_length_c 9.25
_cell_angle_alpha 90
_cell_angle_beta 101.5
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 1 21/c 1'
_chemical_formula_sum 'C8 H8 O4'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
C1 C 0.1 0.2 0.3
C2 C 0.3 0.1 0.35
O1 O 0.45 0.3 0.1
"""


def cif(block: str, i: int, codes: str) -> str:
    """Structure `i`; no two are within 3 % of each other in both lengths."""
    lengths = {"a": 7 * (1 + 0.035 * (i // 5)), "b": 8.5 * (1 + 0.035 * (i % 5))}
    return CIF.format(block=block, codes=codes, **lengths)


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A CSD of 24 entries, one of which is in a COD tree of two files too, mined into one database."""
    package = tmp_path / "api" / "ccdc"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "io.py").write_text(API)
    names = [f"ABCD{chr(65 + i)}F" for i in range(24)]
    codes = "_database_code_depnum_ccdc_archive 'CCDC {}'\n_database_code_CSD {}"
    entries = {name: cif(name, i, codes.format(100_000 + i, name)) for i, name in enumerate(names)}
    (package / "csd.json").write_text(json.dumps(entries))
    tree = tmp_path / "cod"
    tree.mkdir()
    both = "_cod_database_code 7000001\n_database_code_depnum_ccdc_archive 'CCDC 100003'"
    (tree / "7000001.cif").write_text(cif("7000001", 3, both))
    (tree / "7000002.cif").write_text(cif("7000002", 24, "_cod_database_code 7000002"))
    monkeypatch.setattr(sys, "path", [str(package.parent), *sys.path])
    forget_the_package()
    mine([parse_source(f"cod:{tree}"), parse_source("csd")], None, tmp_path / "both.duckdb", workers=1)
    yield tmp_path / "both.duckdb"
    forget_the_package()


def forget_the_package() -> None:
    """Other tests have stand-ins of their own."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "ccdc"]:
        del sys.modules[name]
    csd._reader.cache_clear()


def test_a_structure_of_both_databases_counts_once_and_bundles_hold_statistics_alone(
    database: Path, tmp_path: Path
) -> None:
    with open_database(database) as connection:
        rows = connection.sql('SELECT source, "database", csd_code, text_origin FROM entry').fetchall()
        shared = connection.sql(
            "SELECT entry_id, cluster_size, weight FROM cluster WHERE cluster_size > 1"
        ).fetchall()
    assert len(rows) == 26 and sum(row[:2] == ("csd", "CSD") and row[3] == "rebuilt" for row in rows) == 24
    assert sum(row[:2] == ("cod", "COD") for row in rows) == 2
    assert {"cod:7000001.cif#7000001", "csd:ABCDDF#ABCDDF"} <= {name for name, _, _ in shared}
    subset = tmp_path / "all-50.parquet"
    report = write_subset(database, DEFAULT_SUBSETS["all-50"], subset)
    weights = dict(zip(*(pq.read_table(subset)[c].to_pylist() for c in ("entry_id", "weight")), strict=True))
    assert (report.n_entries, report.n_clusters) == (26, 25)
    assert sum(weights.values()) == pytest.approx(25)
    bundle = tmp_path / "all-50.json"
    fit_subset(subset, bundle, bootstrap=100)
    text = bundle.read_text(encoding="utf-8")
    assert '"cell_volume": {' in text and "ABCD" not in text and "CCDC" not in text and "7000001" not in text
    write_snapshot(database, [DEFAULT_SUBSETS["all-50"]], tmp_path / "entries.parquet")
    kept = {
        row["entry_id"].partition(":")[0]: row
        for row in read_snapshot(tmp_path / "entries.parquet")[1].to_pylist()
    }
    assert kept["csd"]["elements"] is kept["csd"]["volume_angstrom3"] is kept["csd"]["sg_number"] is None
    assert kept["cod"]["elements"] == "C H O" and kept["cod"]["sg_number"] == 14
