"""The scanner against gemmi: what it accepts gemmi accepts, with the same blocks and the same values."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from corpus import corpus_dir
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reader_cif import P21C, atoms, structure
from scan_beside_gemmi import assert_same, scanned, values_of_scan

from xtalpriors.mining.reading.encoding import to_utf8
from xtalpriors.mining.reading.scan import scan

WELL_FORMED = [
    structure(P21C, atoms("C1 C 0.1 0.2 0.3", "'O 1' O .1 .2 ?")),
    structure("_chemical_formula_sum\n;C6 H6\n;\n", "_journal_name_full 'O'Neil's Acta'\n"),
    structure("_journal_name_full\r\n;\r\nActa\r\nCryst\r\n;\r\n_journal_year 1999\r\n"),
    structure("_journal_name_full ''\n_journal_paper_doi \"\"\n_cod_database_code ;7\n"),
    structure("_cell.length_a_ 3 # comment\n#_cell_length_a 7\n_chemical_formula_sum C#1\n"),
    "data_a\n_cell_length_a 1\ndata_b\n_cell_length_a 2\nloop_ _geom_bond_distance 1 2 3\n",
    "DATA_A\nLoop_\n_cell.length_a\n5(1)\n_[local]_cod_error_flag errors\n",
    structure("loop_\n_atom_site_label _atom_site_fract_x\nA 1 B 2\nC\n3"),
    structure("_journal_name_full 'Zeitschrift f\u00fcr Kristallographie'\n"),
    structure("loop_\n_refln_index_h\n_refln_index_k\n1 2 3 4 5 6\n_shelx_hkl_file\n;\n1 2 3\n'quote\n;\n"),
    structure("_journal_name_full\n;a\n ; not the end\n;\n_journal_year 2001\n"),
]


@pytest.mark.parametrize("text", WELL_FORMED)
def test_well_formed_files_are_read_as_gemmi_reads_them(text: str) -> None:
    assert assert_same(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no data block at all",
        "_cell_length_a 5\n",
        "data_a\n_cell_length_a\n",
        "data_a\n_cell_length_a\n_cell_length_b 4\n",
        "data_a\n_cell_length_a 5 6\n",
        "data_a\n_cell_length_a 5\n_CELL_LENGTH_A 6\n",
        "data_a\n_cell_length_a 5\ndata_A\n_cell_length_a 6\n",
        "data_a\nloop_\n_a\n_b\n1 2 3\n",
        "data_a\nloop_\n_a\n",
        "data_a\nloop_\n1 2\n",
        "data_a\n_a 'open\n",
        "data_a\n_a\n;open\n",
        "data_a\n_a\n;text\n;glued\n",
        "data_a\n_a '''CIF 2'''\n",
        "data_a\nsave_frame\n_a 1\nsave_\n",
        "data_a\nstop_\n",
        "data_a\nglobal_\n",
        "data_\n_a 1\n",
        "data_a\n_a \x07bell\n",
    ],
)
def test_what_is_odd_is_left_to_gemmi(text: str) -> None:
    assert not assert_same(text.encode())


def test_files_of_a_batch_do_not_touch_each_other() -> None:
    texts = [
        WELL_FORMED[0],
        "data_broken\n_cell_length_a 'open\n",
        WELL_FORMED[5],
        "data_a\n_a",
        WELL_FORMED[7],
    ]
    data = [t.encode() for t in texts]
    together = scan(data)
    assert together.status.tolist() == [0, 1, 0, 1, 0]
    assert together.n_blocks.tolist() == [1, 0, 2, 0, 1]
    shift, expected = 0, []
    for i in (0, 2, 4):
        alone = scanned(data[i])
        expected += [(b + shift, *rest) for b, *rest in values_of_scan(alone)]
        shift += int(alone.n_blocks[0])
    assert values_of_scan(together) == sorted(expected)


@pytest.mark.parametrize("place", [0, 63, 64, 100, 163, 170])
def test_bytes_that_are_no_ascii_are_seen_if_asked(place: int) -> None:
    text = "data_a _cell_length_a 5 #" + "-" * 146
    assert scan([text.encode()], only_ascii=True).status.tolist() == [0]
    odd = [text[:place] + character + text[place + 1 :] for character in "\0é\x80"]
    assert scan([t.encode() for t in odd], only_ascii=True).status.tolist() == [1, 1, 1]
    in_comment = place > 24
    assert scan([odd[1].encode()]).status.tolist() == [0 if in_comment else 1]


def test_the_buffer_of_tokens_grows() -> None:
    rows = "".join(f"C{i} {i}\n" for i in range(20_000))
    data = ("data_a\nloop_\n_atom_site_label\n_atom_site_fract_x\n" + rows).encode()
    assert scanned(data).tokens.tag.size == 40_000
    dense = ("data_a\nloop_\n_atom_site_label\n" + "C\n" * 50_000).encode()
    assert scanned(dense).tokens.tag.size == 50_000
    blocks = "".join(f"data_b{i}\n" for i in range(3000)).encode()
    assert scanned(blocks).n_blocks.tolist() == [3000]


FRAGMENTS = st.sampled_from(
    [
        "data_a",
        "data_",
        "loop_",
        "_cell_length_a",
        "_cell.length_b",
        "_x",
        "_refln_index_h",
        "_atom_site_label",
        "5(1)",
        "?",
        ".",
        "'a b'",
        '"q"',
        "'",
        '"',
        ";",
        "\n;",
        "\n;\ntext\n;\n",
        "\n",
        "\r\n",
        " ",
        "\t",
        "#c\n",
        "''",
        "'''",
        "é",
        "[1",
        "save_",
        "stop_",
        "global_",
        "$f",
        "loop_x",
        "data",
        "_",
        "\x00",
        "\x0c",
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(FRAGMENTS, max_size=30), st.sampled_from(["", " ", "\n"]))
@example(["data_a", "_x", "'a'b'"], " ")
@example(["data_a", "_x", "\n;a\n;", "5(1)"], "\n")
def test_any_text_made_of_cif_pieces_agrees_with_gemmi(pieces: list[str], glue: str) -> None:
    assert_same(glue.join(pieces).encode())


def _mutations(path: Path, rng: random.Random) -> bytes:
    data = bytearray(path.read_bytes()[:20_000])
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(max(len(data), 1))
        piece = rng.choice([b"'", b'"', b"\n;", b"_", b" ", b"\n", b"loop_\n", b"#", b"?", b"data_z\n", b""])
        data[at : at + rng.choice([0, 1, 5])] = piece
    return bytes(data)


def test_real_files_and_mutations_of_them_agree_with_gemmi() -> None:
    files = sorted((corpus_dir("cod") / "cif").rglob("*.cif"))[::20]
    files = [f for f in files if f.read_bytes().isascii()]
    rng = random.Random(1)
    accepted = sum(assert_same(f.read_bytes()) for f in files)
    assert accepted >= 0.97 * len(files) > 100
    survivors = sum(assert_same(_mutations(f, rng)) for f in files)
    assert 0 < survivors < len(files)  # some mutations break a file, others do not


def test_malformed_files_agree_with_gemmi() -> None:
    files = sorted(p for p in corpus_dir("dirty").rglob("*") if p.is_file() and p.suffix != ".tsv")[::4]
    accepted = refused = 0
    for path in files:
        text = to_utf8(path.read_bytes())
        if isinstance(text[0], bytes):
            ok = assert_same(text[0])
            accepted, refused = accepted + ok, refused + (not ok)
    assert accepted > 100
    assert refused > 30


READS_AN_ATOM = """
from xtalpriors.mining.reading.scan import scan
text = b"data_a\\nloop_\\n_atom_site_label\\n_atom_site_fract_x\\nC1 0.1\\nC2 0.2\\n"
found = scan([text])
print(found.status.tolist(), len(found.tokens.start))
"""


def test_scan_uses_no_memory_that_it_has_given_back() -> None:
    """Every freed array is unmapped at once, so that its next use kills the process."""
    strict = {"MALLOC_MMAP_THRESHOLD_": "2048", "MALLOC_PERTURB_": "165"}
    run = subprocess.run(
        [sys.executable, "-c", READS_AN_ATOM], env={**os.environ, **strict}, capture_output=True, text=True
    )
    assert (run.returncode, run.stdout) == (0, "[0] 4\n"), run.stderr
