"""Which structure an entry is: codes, blocks, global data, encodings, status flags."""

from __future__ import annotations

import pytest
from reader_cif import atoms, cell, entry, notes, read, rejection, structure

from xtalpriors.mining.cif import extract
from xtalpriors.mining.database.schema import ENTRY, REJECTION, SITE, arrow_schema
from xtalpriors.mining.sources.fingerprint import content_hash

ATOM = atoms("C1 C 0.1 0.2 0.3")


def test_tables_have_the_schemas_exactly_even_when_empty() -> None:
    for data in (b"", structure(ATOM).encode()):
        found = extract("s", None, "original", [("f", data)])
        for table, columns in zip(found, (ENTRY, SITE, REJECTION), strict=True):
            assert table.schema == arrow_schema(columns)
            for field in table.schema:
                assert field.nullable or table[field.name].null_count == 0
    nothing = extract("s", None, "original", [])
    assert [t.num_rows for t in nothing] == [0, 0, 0]


def test_identity_columns() -> None:
    text = "#$Revision: 1210 $\n" + structure(
        ATOM,
        "_cod_database_code 2016452\n_journal_name_full Acta_C\n_journal_year 2001",
        "_journal_paper_doi 10.1107/S0108270101000001",
        name="2016452",
    )
    found = entry(text)
    assert found["entry_id"] == "test:file.cif#2016452"
    assert found["content_hash"] == content_hash(text.encode())
    assert found["revision"] == 1210
    assert found["database"] == "COD"
    assert found["cod_code"] == "2016452"
    assert (found["journal"], found["year"]) == ("Acta_C", 2001)
    assert found["doi"] == "10.1107/S0108270101000001"
    assert found["reader"] == "scan"


@pytest.mark.parametrize(
    ("items", "given", "database", "csd_code"),
    [
        ("_database_code_CSD ABABEM", None, "CSD", "ABABEM"),
        ("_database_code_depnum_ccdc_archive 'CCDC 1234567'", None, "CSD", "CCDC 1234567"),
        (
            "_database_code_depnum_ccdc_archive 'CCDC 1234567'\n_cod_database_code 7000001",
            None,
            "COD",
            "CCDC 1234567",
        ),
        ("_cod_database_code 7000001", "CSD", "COD", None),
        ("_database_code_amcsd 0000001", None, "AMCSD", None),
        ("", "AMCSD", "AMCSD", None),
        ("", None, None, None),
    ],
)
def test_the_database_an_entry_belongs_to(
    items: str, given: str | None, database: str | None, csd_code: str | None
) -> None:
    data = structure(ATOM, items).encode()
    found = extract("s", given, "original", [("f", data)]).entries.to_pylist()[0]
    assert (found["database"], found["csd_code"]) == (database, csd_code)


def test_blocks_of_one_file_are_entries_of_their_own_and_take_global_data() -> None:
    text = (
        "data_global\n_journal_name_full Acta\n_journal_year 1999\n_publ_section_title 'Two phases'\n"
        + structure(ATOM, "_journal_year 1998", name="I")
        + structure(ATOM, name="II")
        + "data_pattern\nloop_\n_pd_proc_intensity_total\n1 2 3\n"
    )
    entries, sites, rejections = read(text)
    assert [e["entry_id"] for e in entries] == ["test:file.cif#I", "test:file.cif#II"]
    assert [e["year"] for e in entries] == [1998, 1999]
    assert [e["journal"] for e in entries] == ["Acta", "Acta"]
    assert all("inherited" in notes(e) for e in entries)
    assert [s["entry_id"] for s in sites] == [e["entry_id"] for e in entries]
    assert not rejections


def test_a_second_block_of_one_name_has_a_number() -> None:
    entries, _, _ = read(structure(ATOM, name="a") + structure(ATOM, name="a"))
    assert [e["entry_id"] for e in entries] == ["test:file.cif#a", "test:file.cif#a#2"]
    assert all("duplicate-block" in notes(e) and e["reader"] == "gemmi-repaired" for e in entries)


def test_no_two_entries_have_one_id() -> None:
    x, other = structure(ATOM, name="x"), structure(atoms("O1 O 0.1 0.2 0.3"), name="x#2")
    entries, sites, _ = read(x + other + x)
    assert [e["entry_id"] for e in entries] == [
        "test:file.cif#x",
        r"test:file.cif#x\x232",
        "test:file.cif#x#2",
    ]
    assert [(s["entry_id"], s["element"]) for s in sites] == [
        (e["entry_id"], element) for e, element in zip(entries, "COC", strict=True)
    ]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (("x", "b.cif#c"), ("x#b.cif", "c")),
        (("x", "a#c"), ("x", r"a\x23c")),
        (("x", r"a\#c"), ("x", r"a\\x23c")),
    ],
)
def test_an_id_depends_on_its_file_alone(one: tuple[str, str], two: tuple[str, str]) -> None:
    def ids(*named: tuple[str, str]) -> list[str]:
        items = [(file, structure(ATOM, name=block).encode()) for file, block in named]
        return [str(name) for name in extract("s", None, "original", items).entries["entry_id"].to_pylist()]

    together = ids(one, two)
    assert len(set(together)) == 2
    assert together == ids(one) + ids(two)


def test_a_file_of_publication_data_alone_is_one_rejection() -> None:
    found = rejection("data_global\n_journal_name_full Acta\ndata_text\n_publ_section_title 'x'\n")
    assert (found["stage"], found["code"], found["block"]) == ("sites", "no-structure", None)
    assert "2 data blocks (global, text)" in found["detail"]


def test_each_bad_block_is_a_rejection_beside_the_good_ones() -> None:
    text = structure(ATOM, name="good") + "data_bad\n" + cell(a="?") + "data_atoms\n" + ATOM
    entries, _, rejections = read(text)
    assert [e["block"] for e in entries] == ["good"]
    assert [(r["block"], r["stage"], r["code"]) for r in rejections] == [
        ("bad", "cell", "cell-unknown"),
        ("atoms", "cell", "no-cell"),
    ]


def test_rows_are_in_the_order_of_the_files_whatever_reads_them() -> None:
    plain = structure(ATOM, name="p").encode()
    odd = structure(ATOM, "_journal_year 1999\n_journal_year 2000", name="odd").encode()
    big = structure(
        ATOM, "_shelx_hkl_file\n;\n" + "   1   0   0  100.00    1.00\n" * 12_000 + ";\n", name="big"
    ).encode()
    items = [("1", odd), ("2", plain), ("3", b"\xff\xfe\x00"), ("4", big), ("5", plain), ("6", odd)]
    found = extract("s", None, "original", items)
    assert found.entries["file_id"].to_pylist() == ["1", "2", "4", "5", "6"]
    assert found.sites["entry_id"].to_pylist() == found.entries["entry_id"].to_pylist()
    assert found.rejections["file_id"].to_pylist() == ["3"]
    backwards = extract("s", None, "original", items[::-1])
    order = [("entry_id", "ascending")]
    assert backwards.entries.sort_by(order).equals(found.entries.sort_by(order))


@pytest.mark.parametrize(
    ("encode", "note"),
    [
        (lambda t: t.encode("utf-8"), None),
        (lambda t: b"\xef\xbb\xbf" + t.encode("utf-8"), "utf-8-bom"),
        (lambda t: t.encode("latin-1"), "latin-1"),
        (lambda t: t.encode("utf-16"), "utf-16"),
        (lambda t: t.encode("utf-16-be"), "utf-16"),
        (lambda t: t.replace("\n", "\r\n").encode("utf-8"), None),
        (lambda t: t.replace("\n", "\r").encode("utf-8"), None),
    ],
)
def test_encodings_and_line_ends(encode: object, note: str | None) -> None:
    text = structure(ATOM, "_journal_name_full 'Zeitschrift f\u00fcr Kristallographie'")
    found = entry(encode(text))  # type: ignore[operator]
    assert found["journal"] == "Zeitschrift f\u00fcr Kristallographie"
    assert found["formula_sites"] == "C"
    assert notes(found) == ({note} if note else set())


@pytest.mark.parametrize(
    ("items", "column", "value"),
    [
        ("_cod_error_flag errors", "has_errors", True),
        ("_[local]_cod_error_flag warnings", "has_warnings", True),
        ("_cod_error_flag retracted", "is_retracted", True),
        ("_cod_error_flag none", "has_errors", False),
        ("_cod_error_flag warnings,errors", "has_warnings", True),
        ("_cod_error_flag warnings,errors", "has_errors", True),
        ("_cod_entry_issue_severity retraction", "is_retracted", True),
        ("_cod_entry_issue.severity error", "has_errors", True),
        ("loop_\n_cod_entry_issue.id\n_cod_entry_issue.severity\n1 warning\n2 error", "has_errors", True),
        ("loop_\n_cod_entry_issue.id\n_cod_entry_issue.severity\n1 warning\n2 error", "has_warnings", True),
        ("_cod_related_duplicate_entry.code 1000002", "duplicate_of", "1000002"),
        ("_cod_related_duplicate_entry_code 1000002", "is_duplicate", True),
        ("_cod_duplicate_entry 1000002", "is_duplicate", True),
        ("_[local]_cod_duplicate_entry 1000002", "duplicate_of", "1000002"),
        ("_cod_suboptimal_structure yes", "is_suboptimal", True),
        ("_[local]_cod_suboptimal_structure yes", "is_suboptimal", True),
        ("_cod_suboptimal_structure no", "is_suboptimal", False),
        ("_cod_related_optimal_entry.code 1000003", "optimal_code", "1000003"),
        ("_cod_related_optimal_struct 1000003", "is_suboptimal", True),
        ("_cod_related_optimal_entry_code ?", "is_suboptimal", True),
        ("_cod_hold_until_date 2030-01-01", "on_hold_until", "2030-01-01"),
        ("_cod_depositor.requested_release_date 2030-01-01", "on_hold_until", "2030-01-01"),
        ("_cod_struct_determination_method theoretical", "is_theoretical", True),
        ("_cod_structure.determination_method theoretical", "method", "theoretical"),
        ("_cod_struct_determination_method 'single crystal'", "method", "single crystal"),
        ("_cod_struct_determination_method 'powder diffraction'", "is_powder", True),
        ("_pd_proc_ls_prof_wR_factor 0.05", "is_powder", True),
        ("_pd_proc_ls_prof_wR_factor ?", "is_powder", False),
        ("_tcod_software_package VASP", "is_theoretical", True),
        ("_cod_database_fobs_code 1000001", "has_structure_factors", True),
        ("_cod_related_diffrn_file.code 1000001", "has_structure_factors", True),
        ("_shelx_hkl_file\n;\n 1 0 0 5 1\n;", "has_structure_factors", True),
        ("loop_\n_refln_index_h\n_refln_F_squared_meas\n1 5 2 6", "has_structure_factors", True),
        ("_shelx_hkl_file ?", "has_structure_factors", False),
        ("_space_group_ssg_name 'P2/m(a0g)'", "is_superspace", True),
        ("_cell_modulation_dimension 1", "is_superspace", True),
        ("_cell_modulation_dimension 0", "is_superspace", False),
        ("_entity_poly.type polypeptide(L)", "is_macromolecule", True),
        ("_exptl.method 'ELECTRON CRYSTALLOGRAPHY'", "is_electron", True),
        ("_diffrn_radiation_probe electron", "is_electron", True),
    ],
)
def test_status_flags(items: str, column: str, value: object) -> None:
    assert entry(structure(ATOM, items))[column] == value
    assert entry(structure(ATOM))[column] in (False, None)


def test_dummies_are_marked_and_not_counted() -> None:
    text = structure(atoms("C1 C 0 0 0 d", "X1 X . . . dum", "Cg1 C 0.5 0.5 0.5 dum", columns="calc_flag"))
    found = entry(text)
    assert found["has_dummy_sites"]
    assert (found["n_sites"], found["formula_sites"]) == (1, "C")
    assert len(read(text)[1]) == 3


def test_sites_of_no_occupancy_are_dummies() -> None:
    # COD 4060402 lists centroids as carbon with occupancy 0
    found = entry(structure(atoms("C1 C 0 0 0 1", "CT01 C 0.3 0.3 0.3 0", columns="occupancy")))
    assert (found["n_sites"], found["has_dummy_sites"], found["has_disorder"]) == (1, True, False)
    assert not found["has_partial_occupancy"]
