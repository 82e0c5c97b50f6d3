"""No bytes make the reader fail, and no file is lost: it ends as entries or as a rejection."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reader_cif import P21C, atoms, cell, entry, notes, read, rejection, structure

from xtalpriors.mining.cif import extract

ATOM = atoms("C1 C 0.1 0.2 0.3")
GOOD = structure(P21C, ATOM, symmetry="")


@pytest.mark.parametrize(
    ("data", "stage", "code"),
    [
        (b"", "read", "empty-file"),
        (b" \n\r\n\t", "read", "empty-file"),
        (b"\xef\xbb\xbf", "read", "empty-file"),
        (bytes(range(256)) * 40, "read", "binary"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 500, "read", "binary"),
        (b"<html><body>404 Not Found</body></html>", "parse", "syntax"),
        (b"just some words", "parse", "syntax"),
        (b"data_x\nloop_\n_atom_site_label\n_atom_site_fract_x\nA 1 B\n", "parse", "syntax"),
        (b"data_x\n", "sites", "no-structure"),
        (b"# only a comment\n", "sites", "no-structure"),
    ],
)
def test_what_is_no_structure_is_rejected_with_a_reason(data: bytes, stage: str, code: str) -> None:
    found = rejection(data)
    assert (found["stage"], found["code"]) == (stage, code)
    assert found["detail"]


def test_a_gzip_file_by_another_name_is_told_its_name() -> None:
    packed = gzip.compress(GOOD.encode())
    assert rejection(packed)["code"] == "binary"
    assert "should end in .cif.gz" in str(rejection(packed)["detail"])


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("Supplementary material\n\n" + GOOD, "text-before-data"),
        (GOOD.replace("data_x\n", ""), "no-data-header"),
        (
            GOOD + "_computing_structure_solution 'SHELXS-97 (Sheldrick\n_journal_year 1998\n",
            "unterminated-quote",
        ),
        (GOOD + "_publ_section_title\n;\nnever closed\n", "unterminated-text"),
        (GOOD.replace("data_x\n", "data_x\n_publ_section_title\n;\nA title\n ;\n"), "unterminated-text"),
        (GOOD.replace("data_x\n", "data_x\n_publ_section_title\n;\nnever closed\n"), "unterminated-text"),
        (GOOD + "#\n\n;\n", "line-dropped"),
        (GOOD.replace("data_x\n", "data_x\n_publ_contact_author ‘Ann “A.” Bee’\n"), "non-ascii-words"),
        (GOOD + "_chemical_name_common two words\n", "unquoted-blank"),
        (GOOD + "_journal_year 1999\n_journal_year 2000\n", "duplicate-tag"),
        (GOOD + "_journal_year\n_journal_volume 3\n", "tag-without-value"),
        (
            GOOD + "loop_\n_geom_bond_atom_site_label_1\n_geom_bond_distance\nC1 1.5 C2\n",
            "broken-loop-dropped",
        ),
        (
            GOOD.replace(
                "_symmetry_equiv", "computing_something ?\n_journal_year 1999\nloop_\n_symmetry_equiv"
            ).replace("loop_\ncomputing", "computing"),
            "line-dropped",
        ),
        (GOOD.replace("C1 C", "C1\0C"), "control-bytes"),
    ],
)
def test_repairs_are_noted_and_keep_the_structure(text: str, note: str) -> None:
    found = entry(text)
    assert note in notes(found)
    assert found["reader"] in ("gemmi-repaired", "pycifrw", "scan")
    assert (found["sg_number"], found["n_sites"], found["formula_sites"]) == (14, 1, "C4")


def test_a_broken_list_of_atoms_is_never_repaired() -> None:
    text = structure(atoms("C1 C 0.1 0.2 0.3", "C2 C 0.2 0.2"))
    assert rejection(text)["code"] == "syntax"


def test_lists_of_cif_2_among_the_values_of_atoms_are_read_by_pycifrw() -> None:
    rows = ATOM.replace("C1 C", "[1 2] C1 C").replace("_atom_site_label", "_atom_site_list\n_atom_site_label")
    found = entry("#\\#CIF_2.0\n" + structure(P21C, rows, symmetry=""))
    assert (found["reader"], found["n_sites"], found["formula_sites"]) == ("pycifrw", 1, "C4")


def test_one_bad_file_costs_only_itself() -> None:
    bad = [b"", b"\0" * 100, b"data_x\n_a 'open", b"data_x\n" + cell(a="nan").encode(), b"\xff\xfe\xff"]
    items = [(f"{i}", data) for i, data in enumerate([GOOD.encode(), *bad, GOOD.encode()])]
    found = extract("s", None, "original", items)
    assert found.entries["file_id"].to_pylist() == ["0", "6"]
    assert found.rejections["file_id"].to_pylist() == ["1", "2", "3", "4", "5"]
    alone = extract("s", None, "original", items[:1])
    assert found.entries.slice(0, 1).equals(alone.entries)


@pytest.mark.parametrize(
    "data",
    [
        (GOOD + "_publ_section_title\n;\n" + "text " * 1_000_000 + "\n;\n").encode(),
        (GOOD + "_shelx_hkl_file\n;\n" + "   1   0   0  100.00    1.00\n" * 180_000 + ";\n").encode(),
        (GOOD + "_x '" + "a" * 5_000_000 + "'\n").encode(),
        (GOOD + "".join(f"_tag{i} {i}\n" for i in range(3000))).encode(),
    ],
    ids=["5 MB text", "5 MB reflections", "5 MB string", "3000 tags"],
)
def test_large_files_cost_time_in_proportion(data: bytes) -> None:
    before = time.process_time()
    assert entry(data)["n_sites"] == 1
    assert time.process_time() - before < 20  # a bound against quadratic behaviour, not a measurement


@pytest.mark.parametrize(
    "data",
    [
        b"data_x\nloop_\n" * 20_000,
        b"data_x\n" + b"loop_ _a 1 " * 20_000,
        b"(" * 100_000,
        b"data_x\n_a [" + b"[" * 50_000,
        b"data_x\n_a {" + b"{" * 50_000 + b"'a':",
        b";" * 100_000,
        b"data_x\n_a\n;" + b"\n" * 100_000,
        b"'" * 100_000,
        b"save_x\n" * 20_000,
        b"".join(b"data_b%d\n" % i for i in range(50_000)),
        b"data_x\n_symmetry_equiv_pos_as_xyz " + b"x" * 100_000 + b"\n" + cell().encode(),
        b"data_x\n"
        + cell().encode()
        + b"_chemical_formula_sum '"
        + b"C" * 50_000
        + b"'\n"
        + b"_space_group_IT_number 1\n",
    ],
    ids=[
        "loops",
        "tags again",
        "parentheses",
        "lists",
        "tables",
        "semicolons",
        "lines",
        "quotes",
        "frames",
        "blocks",
        "operator",
        "formula",
    ],
)
def test_pathological_texts_end(data: bytes) -> None:
    before = time.process_time()
    entries, _, rejections = read(data)
    assert entries or rejections
    assert time.process_time() - before < 20


def test_hostile_numbers_and_operators() -> None:
    rows = ["A C 1e400 0 0", "B C nan 0 0", "D C 1e9 0 0", "E C 0.1 0.2 0.3(", "F C --1 0 0"]
    found = entry(structure(atoms(*rows)))
    assert found["n_sites"] == 1
    assert "sites-without-coordinates" in notes(found)
    operators = "loop_\n_symmetry_equiv_pos_as_xyz\n" + "".join(f"x+{i}/99999,y,z\n" for i in range(2000))
    assert rejection(structure(ATOM, operators, symmetry=""))["stage"] == "symmetry"


def test_files_too_large_for_positions_are_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    items = [(str(i), GOOD.encode()) for i in range(5)]
    for module in ("intake", "scan"):
        monkeypatch.setattr(f"xtalpriors.mining.reading.{module}.LARGEST_BYTES", len(GOOD) - 1)
    found = extract("s", None, "original", items)
    assert set(found.rejections["code"].to_pylist()) == {"too-large"}
    assert found.rejections.num_rows == 5


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=400))
def test_random_bytes_give_a_row(data: bytes) -> None:
    entries, _, rejections = read(data)
    assert len(entries) + len(rejections) >= 1


SEEDS = [
    GOOD,
    structure(
        cell(5.64, 5.64, 5.64),
        atoms("Na1 Na 0 0 0 1 0.01(1) Uiso", columns="occupancy U_iso_or_equiv adp_type"),
        "_chemical_formula_sum 'Cl Na'\n_cell_formula_units_Z 4\n_diffrn_ambient_temperature '100 K'",
        "loop_\n_atom_site_aniso_label\n_atom_site_aniso_U_11\nNa1 0.1(2)",
        symmetry="_symmetry_space_group_name_H-M 'F m -3 m'\n",
    ),
]
INSERTS = [
    b"",
    b"?",
    b".",
    b"'",
    b"\n;",
    b"loop_\n",
    b"data_y\n",
    b"-1e99",
    b"nan",
    b"\0",
    b"\xe9",
    b"_cell.length_a 3\n",
    b"0",
]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(SEEDS),
    st.lists(
        st.tuples(st.integers(0, 2000), st.integers(0, 12), st.sampled_from(INSERTS)), min_size=1, max_size=6
    ),
)
def test_mutated_cifs_give_a_row(seed: str, edits: list[tuple[int, int, bytes]]) -> None:
    data = bytearray(seed.encode())
    for at, length, piece in edits:
        at %= len(data) or 1
        data[at : at + length] = piece
    entries, found_sites, rejections = read(bytes(data))
    assert len(entries) + len(rejections) >= 1
    assert {s["entry_id"] for s in found_sites} <= {e["entry_id"] for e in entries}
    for e in entries:
        assert e["volume_angstrom3"] > 0
        assert e["n_sites"] <= sum(s["entry_id"] == e["entry_id"] for s in found_sites)


def test_the_reader_does_not_touch_files(tmp_path: Path) -> None:
    path = tmp_path / "a.cif"
    path.write_text("data_other\n")
    assert entry(structure(ATOM, f"_journal_name_full {path}"))["journal"] == str(path)
