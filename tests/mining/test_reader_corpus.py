"""The reader on real files: counts against the corpus's own list, and against other libraries."""

from __future__ import annotations

import csv
import math
from collections import Counter
from pathlib import Path
from typing import Any

import CifFile
import pyarrow as pa
import pytest
from corpus import corpus_dir
from oracle import ask

from xtalpriors.crystal.chemistry.formula import parse_formula
from xtalpriors.mining.cif import extract
from xtalpriors.mining.sources.parse import parse_source

Rows = list[dict[str, Any]]


def extract_all(name: str, items: list[tuple[str, bytes]], batch: int = 200) -> tuple[Rows, pa.Table, Rows]:
    parts = [extract(name, None, "original", items[i : i + batch]) for i in range(0, len(items), batch)]
    entries, sites, rejections = (pa.concat_tables(tables) for tables in zip(*parts, strict=True))
    return entries.to_pylist(), sites, rejections.to_pylist()


def listed(folder: Path) -> Rows:
    with (folder / "manifest.tsv").open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.fixture(scope="module")
def cod() -> tuple[Rows, dict[str, dict[str, Any]], pa.Table, Rows]:
    folder = corpus_dir("cod")
    manifest = listed(folder)
    entries, sites, rejections = extract_all(
        "cod", [(m["path"], (folder / m["path"]).read_bytes()) for m in manifest]
    )
    return manifest, {e["file_id"]: e for e in entries}, sites, rejections


def test_every_file_of_the_cod_corpus_is_accounted_for(cod: Any) -> None:
    manifest, entries, _, rejections = cod
    assert {m["path"] for m in manifest} == entries.keys() | {r["file_id"] for r in rejections}
    assert not rejections
    assert "angle-from-group" in entries["cif/2/00/43/2004325.cif"]["notes"]  # β is ?, in P 21 21 21
    assert sum(e["sg_number"] == 14 for e in entries.values()) >= 600


def test_space_groups_sites_formulas_and_temperatures_are_those_of_the_list(cod: Any) -> None:
    manifest, entries, sites, _ = cod
    rows = Counter(sites["entry_id"].to_pylist())
    differ: dict[str, set[str]] = {
        name: set() for name in ("group", "sites", "formula", "temperature", "system")
    }
    for m in manifest:
        found = entries.get(m["path"])
        if found is None:
            continue
        checks = {
            "group": str(found["sg_number"]) == m["sg_number"],
            "sites": rows[found["entry_id"]] == int(m["n_atom_sites"] or 0),
            "formula": parse_formula(found["formula_declared"]) == parse_formula(m["formula"]),
            "temperature": found["temperature_kelvin"]
            == (float(m["temperature_K"]) if m["temperature_K"] else None),
            "system": found["crystal_system"] == m["crystal_system"],
        }
        for name, same in checks.items():
            if not same:
                differ[name].add(m["cod_id"])
    assert len(entries) > 2500
    assert not differ["formula"]
    # five values a row under four tags: coordinates and labels have changed places
    assert differ["sites"] == {"2103187"}
    # the list goes by operators: the identity alone under P m 3 m, and C c without its centring
    assert differ["group"] == {"1000055", "1100978"}
    assert differ["system"] == {"1000055"}
    # -150 C; the uncertainty written as 293.0(1.5); 100(2)_K; 293K: the list has none for these
    assert differ["temperature"] == {"2010359", "4024741", "4300690", "7103889"}
    assert all(
        entries[m["path"]]["temperature_kelvin"] for m in manifest if m["cod_id"] in differ["temperature"]
    )


def test_multiplicity_times_order_is_the_order_of_the_group(cod: Any) -> None:
    _, entries, sites, _ = cod
    order = {e["entry_id"]: e["n_operators"] for e in entries.values()}
    placed = [
        s
        for s in sites.select(["entry_id", "multiplicity", "site_symmetry_order"]).to_pylist()
        if s["multiplicity"]
    ]
    assert len(placed) > 140_000
    assert all(s["multiplicity"] * s["site_symmetry_order"] == order[s["entry_id"]] for s in placed)


def test_declared_multiplicities_are_mostly_orders(cod: Any) -> None:
    # the trap: most values given as multiplicity are the order of the site symmetry group
    stated = cod[2].to_pylist()
    stated = [
        s for s in stated if s["declared_multiplicity"] and s["multiplicity"] != s["site_symmetry_order"]
    ]
    orders = sum(s["declared_multiplicity"] == s["site_symmetry_order"] for s in stated)
    multiplicities = sum(s["declared_multiplicity"] == s["multiplicity"] for s in stated)
    assert orders + multiplicities > 2000
    assert orders > 4 * multiplicities > 0


def test_sites_and_formula_agree_in_nearly_all_entries(cod: Any) -> None:
    agreement = Counter(e["composition_agreement"] for e in cod[1].values())
    with_formula = agreement.total() - agreement["no-formula"]
    assert with_formula > 2000
    assert agreement["agree"] > 0.94 * with_formula
    assert agreement["agree"] + agreement["hydrogen"] > 0.97 * with_formula


def test_every_malformed_file_ends_as_entries_or_a_rejection_with_a_reason() -> None:
    folder = corpus_dir("dirty")
    manifest = listed(folder)
    items = [(m["path"], (folder / m["path"]).read_bytes()) for m in manifest]
    entries, sites, rejections = extract_all("dirty", items)
    seen = {e["file_id"] for e in entries} | {r["file_id"] for r in rejections}
    assert seen == {m["path"] for m in manifest}
    assert all(r["code"] and r["detail"] and r["stage"] for r in rejections)
    assert len({e["entry_id"] for e in entries}) == len(entries)
    assert set(sites["entry_id"].to_pylist()) <= {e["entry_id"] for e in entries}
    # files in which the list counts full structures all give at least one entry
    full = {m["path"] for m in manifest if int(m["n_full_structures"] or 0) > 0}
    lost = full - {e["file_id"] for e in entries}
    assert len(full) > 900
    assert len(lost) <= 12, lost
    readers = Counter(e["reader"] for e in entries)
    assert readers["gemmi-repaired"] > 100


def test_minerals_of_the_installed_database_are_read() -> None:
    source = parse_source("amcsd")
    items = [(f.file_id, source.read(f.file_id)) for f in list(source.files())[::30]]
    entries, _, rejections = extract_all("amcsd", items)
    assert len(items) > 250
    assert len(entries) + len(rejections) == len(items)
    assert len(rejections) <= 1
    agreement = Counter(e["composition_agreement"] for e in entries)
    assert agreement["agree"] > 0.97 * len(entries)


def test_scalars_as_pycifrw_reads_them(cod: Any) -> None:
    """PyCifRW parses CIF by a grammar of its own: the same strings must come out of it."""
    manifest, entries, _, _ = cod
    folder = corpus_dir("cod")
    checked = 0
    for m in [m for m in manifest if m["kind"] == "exp-test" and int(m["bytes"]) < 12_000][::6]:
        found = entries.get(m["path"])
        if found is None:
            continue
        block = CifFile.ReadCif(str(folder / m["path"]), grammar="1.1").first_block()
        pairs = {
            "_cell_length_a": "a_angstrom",
            "_cell_length_b": "b_angstrom",
            "_cell_length_c": "c_angstrom",
            "_cell_angle_alpha": "alpha_degree",
            "_cell_angle_beta": "beta_degree",
            "_cell_angle_gamma": "gamma_degree",
        }
        for tag, column in pairs.items():
            value, su = CifFile.get_number_with_esd(str(block[tag]))
            assert found[column] == pytest.approx(value)
            if su is not None:
                unit = column.rsplit("_", 1)
                assert found[f"{unit[0]}_su_{unit[1]}"] == pytest.approx(su)
            checked += 1
        assert len(block["_atom_site_label"]) == int(m["n_atom_sites"])
        assert found["journal"] == block["_journal_name_full"]
    assert checked >= 6 * 8


_PYMATGEN = """
import warnings
warnings.simplefilter("ignore")
from pymatgen.io.cif import CifParser
answer = {}
for path in question:
    try:
        structure = CifParser(path, occupancy_tolerance=10).parse_structures(primitive=False)[0]
    except Exception as error:
        continue
    answer[path] = {"volume": structure.volume, "atoms": {}}
    for element, n in structure.composition.get_el_amt_dict().items():
        element = {"D": "H", "T": "H"}.get(element, element)
        answer[path]["atoms"][element] = answer[path]["atoms"].get(element, 0) + n
"""


@pytest.mark.slow
def test_contents_of_the_cell_as_pymatgen_counts_them(cod: Any) -> None:
    """pymatgen applies the operators and merges images by distance: a route without our multiplicities."""
    manifest, entries, _, _ = cod
    folder = corpus_dir("cod")
    chosen = [m["path"] for m in manifest if int(m["n_atom_sites"] or 0) < 30 and m["path"] in entries][::40]
    answer = ask("pymatgen", _PYMATGEN, [str(folder / p) for p in chosen])
    compared, differ = 0, []
    for path in chosen:
        other, found = answer.get(str(folder / path)), entries[path]
        if other is None:
            continue
        ours = dict(parse_formula(found["formula_sites"]) or ())
        compared += 1
        assert found["volume_angstrom3"] == pytest.approx(other["volume"], rel=1e-9)
        elements = (ours.keys() | other["atoms"].keys()) - {"X"}  # X is a dummy, which we leave out
        if not all(math.isclose(ours.get(e, 0), other["atoms"].get(e, 0), abs_tol=0.02) for e in elements):
            differ.append((path, found["formula_sites"], other["atoms"]))
    assert compared >= 20
    assert len(differ) <= 0.06 * compared, differ


@pytest.mark.parametrize(
    ("number", "group", "n_operators", "formula", "decided"),
    [
        # operators as published, and what formula × Z says of them
        ("1000055", 221, 48, "B6 La", "operators-incomplete"),
        ("1100977", 43, 16, "C64 H80 Br16 Cd8 N32", "symbol-contradicted"),
        ("1100978", 9, 4, "C32 H40 Cd4 I8 N16", "operators-incomplete"),
        ("2009397", 146, 9, None, "operators-misprinted"),
        ("7008984", 15, 8, "C592 H504 N32 P48 Ru8 S48", "operators-incomplete"),
    ],
)
def test_published_operators_that_contradict_their_symbol(
    cod: Any, number: str, group: int, n_operators: int, formula: str | None, decided: str
) -> None:
    found = next(e for e in cod[1].values() if e["block"] == number)
    assert (found["sg_number"], found["n_operators"]) == (group, n_operators)
    assert formula is None or found["formula_sites"] == formula
    assert decided in found["notes"].split(";")


@pytest.mark.parametrize(
    ("file", "n_operators", "decided"),
    [
        ("2001925.cif", 4, "operators-incomplete"),
        ("cif_fix_values/2001507_temperature_ambiant.cif", 4, "operators-misprinted"),
    ],
)
def test_altered_operators_that_contradict_their_symbol(file: str, n_operators: int, decided: str) -> None:
    path = corpus_dir("dirty") / "suite" / "cod-tools" / "tests" / "inputs" / file
    (found,) = extract("dirty", None, "original", [(file, path.read_bytes())]).entries.to_pylist()
    assert (found["sg_hm"], found["n_operators"]) == ("P 1 21/n 1", n_operators)
    assert found["composition_agreement"] == "agree"
    assert decided in found["notes"].split(";")
