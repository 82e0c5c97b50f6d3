"""The AMCSD source against published structures, and its reading of labels, numbers and damaged files."""

from __future__ import annotations

import base64
import pickle
import sqlite3
import struct
from pathlib import Path

import gemmi
import pytest

from xtalpriors.errors import UsageError
from xtalpriors.mining.cif import extract
from xtalpriors.mining.sources import amcsd
from xtalpriors.mining.sources.amcsd import AmcsdSource, larixite_database
from xtalpriors.mining.sources.amcsd_labels import SiteKind, site_kind
from xtalpriors.mining.sources.amcsd_text import decode_numbers
from xtalpriors.mining.sources.fingerprint import content_fingerprint, content_hash
from xtalpriors.mining.sources.tree import TreeSource


@pytest.fixture(scope="module")
def source() -> AmcsdSource:
    try:
        larixite_database()
    except UsageError as error:
        pytest.skip(str(error))
    return AmcsdSource()


def block_of(source: AmcsdSource, number: int) -> gemmi.cif.Block:
    return gemmi.cif.read_string(source.read(f"{number:07d}.cif").decode()).sole_block()


# Literature: quartz, Antao et al. 2008 (doi 10.3749/canmin.46.6.1501); calcite, Graf 1961 (Am. Mineral.
# 46, 1283); rock salt, diamond, rutile, Wyckoff 1963 (Crystal Structures 1); forsterite, Hazen 1976
# (Am. Mineral. 61, 1280); gypsum, Cole & Lancucki 1974 (doi 10.1107/S0567740874004055); corundum,
# Newnham & de Haan 1962 (doi 10.1524/zkri.1962.117.2-3.235).
KNOWN = [
    (6212, "Quartz", "O2 Si", (4.913, 4.913, 5.405, 90, 90, 120), 154, 6),
    (98, "Calcite", "C Ca O3", (4.990, 4.990, 17.06, 90, 90, 120), 167, 36),
    (11356, "Halite", "Cl Na", (5.6402, 5.6402, 5.6402, 90, 90, 90), 225, 192),
    (11242, "Diamond", "C", (3.567, 3.567, 3.567, 90, 90, 90), 227, 192),
    (11762, "Rutile", "O2 Ti", (4.594, 4.594, 2.958, 90, 90, 90), 136, 16),
    (546, "Forsterite", "Mg2 O4 Si", (4.752, 10.19, 5.978, 90, 90, 90), 62, 8),
    (11093, "Gypsum", "Ca H4 O6 S", (6.284, 15.200, 6.523, 90, 127.41, 90), 15, 8),
    (10593, "Corundum", "Al2 O3", (4.7589, 4.7589, 12.991, 90, 90, 120), 167, 36),
]


@pytest.mark.parametrize(("number", "mineral", "formula", "cell", "group", "order"), KNOWN)
def test_known_minerals(
    source: AmcsdSource,
    number: int,
    mineral: str,
    formula: str,
    cell: tuple[float, ...],
    group: int,
    order: int,
) -> None:
    block = block_of(source, number)
    assert block.find_value("_chemical_name_mineral") == mineral
    assert gemmi.cif.as_string(block.find_value("_chemical_formula_sum")) == formula
    structure = gemmi.make_small_structure_from_block(block)
    assert structure.cell.parameters == pytest.approx(cell, rel=6e-4)
    operators = block.find_values("_space_group_symop_operation_xyz")
    operations = gemmi.GroupOps([gemmi.Op(gemmi.cif.as_string(o)) for o in operators])
    assert len(operators) == order
    assert gemmi.find_spacegroup_by_ops(operations).number == group


def test_coordinates_of_forsterite(source: AmcsdSource) -> None:
    """Hazen 1976, Am. Mineral. 61, 1280, Table 4 (23 °C, 1 atm): M2 and O3."""
    sites = {s.label: s for s in gemmi.make_small_structure_from_block(block_of(source, 546)).sites}
    assert sites["Mg2"].fract.tolist() == pytest.approx([0.9915, 0.2774, 0.25], abs=1e-9)
    assert sites["O3"].fract.tolist() == pytest.approx([0.2777, 0.1628, 0.0331], abs=1e-9)
    assert sites["Mg2"].element.name == "Mg"


def test_displacements_are_u_not_b(source: AmcsdSource) -> None:
    """Forsterite at room temperature: B ≈ 0.3 Å² for the cations (Hazen 1976), so U ≈ 0.004 Å²."""
    table = block_of(source, 546).find("_atom_site_aniso_", ["label", "U_11", "U_22", "U_33"])
    mean = {row[0]: sum(float(x) for x in list(row)[1:]) / 3 for row in table}
    assert 0.002 < mean["Mg1"] < 0.006
    assert 0.001 < mean["Si"] < 0.004


def test_every_entry_is_there_and_parses(source: AmcsdSource) -> None:
    files = list(source.files())
    assert len(files) == 9275
    assert [f.file_id for f in files] == sorted(f.file_id for f in files)
    assert files[0].file_id == "0000003.cif"
    with sqlite3.connect(larixite_database()) as connection:
        row = connection.execute("SELECT * FROM cif WHERE id = 3").fetchone()
    assert files[0].size_bytes == sum(map(len, row[4:29]))  # from the formula to the tensors
    without_element = 0
    for file in files[::10]:
        text = source.read(file.file_id)
        assert file.size_bytes > 0
        block = gemmi.cif.read_string(text.decode()).sole_block()
        types = block.find_values("_atom_site_type_symbol")
        assert len(types) == len(block.find_values("_atom_site_fract_z")) > 0
        without_element += sum(t == "?" for t in types)
        assert len(set(block.find_values("_atom_site_label"))) == len(types)
    assert without_element == 0


def test_missing_displacements_stay_missing(source: AmcsdSource) -> None:
    galena, jarosite = block_of(source, 3), block_of(source, 5408)
    assert not galena.find_values("_atom_site_U_iso_or_equiv")
    assert not galena.find_values("_atom_site_occupancy")
    assert list(jarosite.find_values("_atom_site_U_iso_or_equiv"))[:3] == ["?", "?", "0.02"]


def test_water_and_hydroxyl_become_oxygen_with_hydrogens(source: AmcsdSource) -> None:
    """Phosphosiderite FePO4·2H2O: two `Wat` sites; alunite KAl3(SO4)2(OH)6: one `O-H3` site."""
    table = block_of(source, 144).find("_atom_site_", ["label", "type_symbol", "attached_hydrogens"])
    water = {row[0]: (row[1], row[2]) for row in table}
    assert water["Wat1"] == water["Wat2"] == ("O", "2")
    assert water["O3"] == ("O", ".")
    alunite = block_of(source, 16).find("_atom_site_", ["label", "type_symbol", "attached_hydrogens"])
    assert {row[0]: (row[1], row[2]) for row in alunite}["O-H3"] == ("O", "1")


def test_formulae_that_lack_hydrogen_are_left_out(source: AmcsdSource) -> None:
    """Cd(NH3)2Cl2: the database's formula is `Cd N2 Cl2`; the sites carry three hydrogen atoms each."""
    block = block_of(source, 10556)
    assert block.find_value("_chemical_formula_sum") is None
    table = block.find("_atom_site_", ["label", "type_symbol", "attached_hydrogens"])
    assert {row[0]: (row[1], row[2]) for row in table}["NH3"] == ("N", "3")


def test_sulfate_oxygens_are_not_osmium(source: AmcsdSource) -> None:
    """Tschermigite, NH4Al(SO4)2·12H2O: 4 × 2 sulfate and 12 water oxygens."""
    block = block_of(source, 10843)
    assert gemmi.cif.as_string(block.find_value("_chemical_formula_sum")) == "Al H24 N O20 S2"
    assert set(block.find_values("_atom_site_type_symbol")) == {"N", "Al", "S", "O"}


def test_conditions_come_from_the_title(source: AmcsdSource) -> None:
    forsterite = block_of(source, 546)
    assert float(forsterite.find_value("_diffrn_ambient_temperature")) == pytest.approx(296.15)
    assert float(forsterite.find_value("_diffrn_ambient_pressure")) == pytest.approx(101.325)
    calcite = block_of(source, 98)
    assert calcite.find_value("_diffrn_ambient_temperature") is None
    simulated = block_of(source, 279)
    assert simulated.find_value("_cod_struct_determination_method") == "theoretical"
    assert block_of(source, 12594).find_value("_cod_database_code") == "1004107"


@pytest.mark.parametrize(
    ("label", "formula", "expected"),
    [
        ("Wat(2)", {"O", "H"}, SiteKind("O", 2)),
        ("O-H5", {"O", "H"}, SiteKind("O", 1)),
        ("O-h", {"O", "H"}, SiteKind("O", None)),
        ("Ow4", {"O", "H"}, SiteKind("O", None)),
        ("Oab", {"O", "Al"}, SiteKind("O", None)),
        ("OII", {"O"}, SiteKind("O", None)),
        ("NH4(1)", {"N", "U"}, SiteKind("N", 4)),
        ("MgM1", {"Mg"}, SiteKind("Mg", None)),
        ("FeO", {"Fe", "O"}, SiteKind("Fe", None)),
        ("CO3", {"C", "O"}, SiteKind("C", None)),
        ("Fe3+", {"Fe"}, SiteKind("Fe3+", None)),
        ("Fl", {"Ca", "F"}, SiteKind("F", None)),
        ("D2", {"D"}, SiteKind("D", None)),
        ("Sn(2b)", {"Sn", "S"}, SiteKind("Sn", None)),
        ("Ho", {"H", "O"}, SiteKind("H", None)),
        ("*1", set(), SiteKind(None, None)),
    ],
)
def test_labels(label: str, formula: set[str], expected: SiteKind) -> None:
    assert site_kind(label, frozenset(formula)) == expected


def test_packed_numbers() -> None:
    """Little-endian int32 of value × 4·10⁶; 2 is `?`, 3 is `.`, the field `0` is absent."""
    packed = base64.b64encode(
        struct.pack("<5i", 2_000_000, -1_000, 1_333_332, 8_000_000, 12_000_000)
    ).decode()
    assert decode_numbers(packed) == ["0.5", "-0.00025", "0.333333", "?", "."]
    assert decode_numbers("0") is None


def test_source_travels_to_workers(source: AmcsdSource) -> None:
    copy = pickle.loads(pickle.dumps(source))
    assert copy == source
    assert copy.read("0000003.cif") == source.read("0000003.cif")
    with pytest.raises(OSError, match="9999999"):
        source.read("9999999.cif")


def test_without_larixite_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise amcsd.metadata.PackageNotFoundError(name)

    larixite_database.cache_clear()
    monkeypatch.setattr(amcsd.metadata, "files", absent)
    with pytest.raises(UsageError, match="pip install --no-deps larixite"):
        larixite_database()
    larixite_database.cache_clear()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"not a database at all" * 100)
    with pytest.raises(UsageError, match=r"broken\.db is not an AMCSD database"):
        list(AmcsdSource(broken).files())
    with pytest.raises(UsageError, match="not there"):
        list(AmcsdSource(tmp_path / "absent.db").files())


def test_a_damaged_row_costs_only_itself(source: AmcsdSource, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    copy.write_bytes(larixite_database().read_bytes())
    with sqlite3.connect(copy) as connection:
        connection.execute("DELETE FROM cif WHERE id > 10")
        connection.execute("UPDATE cif SET atoms_x = 'A' WHERE id = 4")
    damaged = AmcsdSource(copy)
    assert {"0000003.cif", "0000004.cif"} <= {f.file_id for f in damaged.files()}
    with pytest.raises(OSError, match=r"0000004\.cif"):
        damaged.read("0000004.cif")
    assert damaged.read("0000003.cif") == source.read("0000003.cif")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE cif SET atoms_u_iso = 'AAAAAA==' WHERE id = 3",
        "UPDATE cif SET a = '5.94' WHERE id = 3",
        "UPDATE minerals SET name = 'Gallena' WHERE name = 'Galena'",
        "UPDATE spacegroups SET symmetry_xyz = '[]' WHERE id = (SELECT spacegroup_id FROM cif WHERE id = 3)",
        "DELETE FROM publication_authors WHERE publication_id = 6142",  # of entry 3
    ],
)
def test_the_fingerprint_changes_with_any_part_of_the_entry(
    source: AmcsdSource, tmp_path: Path, change: str
) -> None:
    copy = tmp_path / "copy.db"
    copy.write_bytes(larixite_database().read_bytes())
    with sqlite3.connect(copy) as connection:
        assert connection.execute(change).rowcount > 0
    changed = AmcsdSource(copy)
    assert changed.fingerprint("0000003.cif") != source.fingerprint("0000003.cif")
    assert changed.fingerprint("0006212.cif") == source.fingerprint("0006212.cif")  # quartz, of others


def test_the_fingerprint_changes_with_the_renderer(
    source: AmcsdSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = source.fingerprint("0000003.cif")
    assert before == source.fingerprint("0000003.cif")
    monkeypatch.setattr(amcsd, "RENDERER_VERSION", "next")
    assert source.fingerprint("0000003.cif") != before


def test_a_fingerprint_renders_nothing(source: AmcsdSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(amcsd, "render_cif", None)
    assert sum(1 for _ in source.files()) == 9275
    assert content_fingerprint(source, "0000003.cif") == (source.fingerprint("0000003.cif"), None)
    with pytest.raises(OSError, match="9999999"):
        source.fingerprint("9999999.cif")


def test_a_file_is_known_by_its_bytes(tmp_path: Path) -> None:
    data = b"#$Revision: 12 $\ndata_x\n"
    (tmp_path / "x.cif").write_bytes(data)
    tree = TreeSource(tmp_path)
    assert content_fingerprint(tree, "x.cif") == (content_hash(data), 12)
    assert content_fingerprint(tree, "x.cif", b"data_y\n") == (content_hash(b"data_y\n"), None)


@pytest.mark.parametrize(
    ("name", "formula", "origin"),
    [
        ("Brucite", "Mg O2", None),
        ("Goethite", "Fe O2", None),
        ("Quartz", "O2 Si", "none"),
        ("Forsterite", "Mg2 O4 Si", "none"),
        ("Pyrite", "Fe S2", "none"),
    ],
)
def test_hydrogen_that_amcsd_left_out_is_unknown(name: str, formula: str, origin: str | None) -> None:
    """Without hydrogen in sites and formula it is absent only where the charges balance."""
    source = AmcsdSource()
    query = "SELECT cif.id FROM cif JOIN minerals ON cif.mineral_id = minerals.id WHERE minerals.name = ?"
    with sqlite3.connect(larixite_database()) as connection:
        ids = [f"{number:07d}.cif" for (number,) in connection.execute(query, [name])]
    found = extract("amcsd", "AMCSD", "rebuilt", [(i, source.read(i)) for i in ids]).entries.to_pylist()
    alike = [e for e in found if e["formula_declared"] == formula]
    assert alike
    assert {e["hydrogen_origin"] for e in alike} == {origin}
    assert {e["n_atoms_h_cell"] for e in alike} == ({None} if origin is None else {0.0})
