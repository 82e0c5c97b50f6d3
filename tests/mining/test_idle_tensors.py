"""Tensors that nobody reads are passed over, and nothing that is read changes by it."""

from __future__ import annotations

from typing import Any

import gemmi
import numpy as np
import pytest
from corpus import corpus_dir
from hypothesis import given, settings
from hypothesis import strategies as st
from reader_cif import atoms, structure

from xtalpriors.mining.cif import extract
from xtalpriors.mining.reading import intake
from xtalpriors.mining.reading.scan import Scanned, scan
from xtalpriors.mining.reading.tags import ANISO
from xtalpriors.mining.reading.tokens import FIELD_INDEX, TAG_FIELD

TENSORS = [FIELD_INDEX[name] for name in ANISO]
ANISO_HEAD = "loop_\n_atom_site_aniso_label\n" + "".join(
    f"_atom_site_aniso_U_{ij}\n" for ij in ("11", "22", "33", "12", "13", "23")
)


def sites(*us: str) -> str:
    return atoms(*(f"C{i} C .{i + 1} .2 .3 {u}" for i, u in enumerate(us)), columns="U_iso_or_equiv")


def tensors(n: int) -> str:
    return ANISO_HEAD + "".join(f"C{i} 0.0{i + 1} 0.03 0.05 0 0 0\n" for i in range(n))


def scanned(text: str, *, idle_tensors: bool) -> Scanned:
    return scan([text.encode()], idle_tensors=idle_tensors)


def n_tensor_tokens(found: Scanned) -> int:
    return int(np.isin(TAG_FIELD[found.tokens.tag], TENSORS).sum())


def both_ways(
    monkeypatch: pytest.MonkeyPatch, items: list[tuple[str, bytes]]
) -> tuple[list[list[dict[str, Any]]], list[list[dict[str, Any]]]]:
    """Entries, sites and rejections with tensors passed over, and with all of them read."""
    usual = extract("test", None, "original", items)
    with monkeypatch.context() as patched:
        patched.setattr(intake, "scan", lambda texts, **_: scan(texts, idle_tensors=True))
        everything = extract("test", None, "original", items)
    tables = [[table.to_pylist() for table in found] for found in (usual, everything)]
    for row in (*tables[0][0], *tables[1][0]):
        del row["reader"]
    return tables[0], tables[1]


def test_tensors_of_sites_with_u_are_passed_over() -> None:
    text = structure(sites("0.02(1)", "0.03"), tensors(2))
    assert n_tensor_tokens(scanned(text, idle_tensors=True)) == 14
    passed = scanned(text, idle_tensors=False)
    assert passed.status[0] == 0
    assert n_tensor_tokens(passed) == 0


@pytest.mark.parametrize(
    "text",
    [
        structure(sites("0.02", "?"), tensors(2)),
        structure(sites("0.02", "."), tensors(2)),
        structure(tensors(2), sites("0.02", "0.03")),
        structure(atoms("C0 C .1 .2 .3", "C1 C .2 .2 .3"), tensors(2)),
        structure(sites("0.02", "0.03")) + structure(tensors(2), name="y"),
    ],
    ids=["unknown", "default", "tensors-first", "no-u", "another-block"],
)
def test_tensors_that_may_be_needed_are_kept(text: str) -> None:
    found = scanned(text, idle_tensors=False)
    assert found.status[0] == 0
    assert n_tensor_tokens(found) == 14


def test_sites_after_tensors_that_were_passed_over_make_the_scanner_give_up() -> None:
    """Of three places two are listed with their U; the places, and so the third site, come last."""
    places = (
        "loop_\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n.1 .2 .3\n.2 .2 .3\n.3 .2 .3\n"
    )
    values = "loop_\n_atom_site_label\n_atom_site_U_iso_or_equiv\nC0 0.021\nC1 0.022\n"
    text = structure(values, tensors(3), places)
    assert scanned(text, idle_tensors=True).status[0] == 0
    given_up = scanned(text, idle_tensors=False)
    assert given_up.status[0] != 0
    assert given_up.tokens.tag.size == 0
    # the next block begins anew: its sites come after no tensors of its own
    blocks = structure(sites("0.02"), tensors(1)) + structure(sites("0.03"), name="y")
    assert scanned(blocks, idle_tensors=False).status[0] == 0
    found = extract("test", None, "original", [("a.cif", text.encode())])
    assert found.entries["reader"].to_pylist() == ["gemmi"]
    assert found.sites["u_iso_angstrom2"].to_pylist()[:2] == [0.021, 0.022]


def test_u_is_that_of_gemmi_and_u_eq_the_mean_of_its_tensor() -> None:
    """Orthogonal axes: U_eq is the mean of the diagonal; gemmi gives 0 where a U is missing."""
    text = structure(sites("0.021(3)", "?", "0.04"), tensors(3))
    rows = extract("test", None, "original", [("a.cif", text.encode())]).sites.to_pylist()
    by_gemmi = gemmi.make_small_structure_from_block(gemmi.cif.read_string(text).sole_block()).sites
    expected = [s.u_iso or (s.aniso.u11 + s.aniso.u22 + s.aniso.u33) / 3 for s in by_gemmi]
    assert [r["u_iso_angstrom2"] for r in rows] == pytest.approx(expected)
    assert [r["u_iso_origin"] for r in rows] == ["U", "tensor", "U"]


LOOPS = st.lists(
    st.one_of(
        st.lists(st.sampled_from(["0.02", "0.3(1)", "?", ".", "0", "-0.01"]), min_size=1, max_size=4).map(
            lambda us: sites(*us)
        ),
        st.integers(1, 5).map(tensors),
        st.just("loop_\n_atom_site_fract_x\n.1\n.2\n"),
        st.just("loop_\n_atom_site_label\nC0\nC1\nC2\n"),
        st.just("loop_\n_atom_site_U_iso_or_equiv\n0.05\n0.06\n"),
        st.just("data_next\n_cell_length_a 9\n"),
    ),
    max_size=5,
)


@settings(max_examples=150, deadline=None)
@given(LOOPS)
def test_rows_are_the_same_with_all_tensors_read(loops: list[str]) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        usual, everything = both_ways(monkeypatch, [("a.cif", structure(*loops).encode())])
    assert usual == everything


def test_rows_of_real_files_are_the_same_with_all_tensors_read(monkeypatch: pytest.MonkeyPatch) -> None:
    files = sorted((corpus_dir("cod") / "cif").rglob("*.cif"))[::15]
    items = [(p.name, p.read_bytes()) for p in files]
    tokens = [
        sum(n_tensor_tokens(scanned(d.decode(), idle_tensors=k)) for _, d in items if d.isascii())
        for k in (True, False)
    ]
    assert tokens[1] < 0.2 * tokens[0]
    usual, everything = both_ways(monkeypatch, items)
    assert usual == everything
