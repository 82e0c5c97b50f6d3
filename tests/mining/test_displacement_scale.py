"""U under the tag of B, B under that of U, and what could be either: told by the size of the values."""

from __future__ import annotations

import math

import pytest

from tests.reader_cif import atoms, cell, entry, notes, sites, structure

B_PER_U = 8 * math.pi**2
ANISO = "loop_\n_atom_site_aniso_label\n" + "".join(
    f"_atom_site_aniso_B_{ij}\n" for ij in ("11", "22", "33", "12", "13", "23")
)


def listed(values: list[str], column: str) -> str:
    """An atom for each value: a hydrogen where the number has an `H` before it, else a carbon."""
    rows = []
    for i, value in enumerate(values):
        element = "H" if value[0] == "H" else "C"
        rows.append(f"{element}{i} {element} {0.1 + 0.2 * i:.1f} 0.2 0.3 {value.removeprefix('H')}")
    return structure(cell(), atoms(*rows, columns=column))


@pytest.mark.parametrize(
    "values",
    [
        [".0178", ".0155"],
        ["0.0178(3)", "0.0155(4)", "0.0301(12)"],
        [".004", ".006", ".0052"],
        ["0.031", "0.045", "0.052", "H0.065", "H0.09"],  # a molecule, its hydrogens among the larger values
        ["0.02", "0.02", "0.02", "0.18"],  # one atom moves a lot
        ["0.0178"],
    ],
)
def test_u_under_the_tag_of_b_is_u(values: list[str]) -> None:
    text = listed(values, "B_iso_or_equiv")
    found = sites(text)
    numbers = [float(v.removeprefix("H").split("(")[0]) for v in values]
    assert [s["u_iso_angstrom2"] for s in found] == pytest.approx(numbers)
    assert {s["u_iso_origin"] for s in found} == {"U"}
    assert all(s["u_is_evidence"] for s in found)
    assert notes(entry(text)) == {"u-under-tag-of-b"}


@pytest.mark.parametrize(
    "values",
    [
        [".2"],  # diamond
        ["0.14", "0.15"],  # the same at low temperature
        ["0.16", "0.21", "0.35"],
        ["0.083", "0.012", "0.258"],  # a heavy compound at 12 K: one value is too large for U
        ["0.45", "0.03", "0.62"],  # one value that failed
        ["1.2", "2.3", "4.1", "H0.05"],
        ["12.5", "9.8"],
        ["25", "31", "28"],  # a protein
    ],
)
def test_b_of_any_usual_size_is_b(values: list[str]) -> None:
    text = listed(values, "B_iso_or_equiv")
    found = sites(text)
    numbers = [float(v.removeprefix("H")) / B_PER_U for v in values]
    assert [s["u_iso_angstrom2"] for s in found] == pytest.approx(numbers)
    assert {(s["u_iso_origin"], s["u_is_evidence"]) for s in found} == {("B", True)}
    assert notes(entry(text)) == set()


@pytest.mark.parametrize(
    ("values", "column"),
    [
        (["0.052", "0.061", "0.081"], "B_iso_or_equiv"),  # U of a molecule, or B of a heavy metal when cold
        (["0.0002", "0.0003"], "B_iso_or_equiv"),  # neither
        (["0.01", "0.02", "0.9"], "B_iso_or_equiv"),
        (["45", "61", "28"], "B_iso_or_equiv"),
        (["0.3", "0.28", "0.45"], "U_iso_or_equiv"),  # B of a mineral
        (["0.53", "0.24", "1.44"], "U_iso_or_equiv"),
        (["1.2", "0.9", "H0.02"], "U_iso_or_equiv"),
        (["0.0002", "0.0003"], "U_iso_or_equiv"),  # U that was taken for B and divided
    ],
)
def test_what_could_be_either_stays_and_is_no_evidence(values: list[str], column: str) -> None:
    text = listed(values, column)
    found = sites(text)
    factor = B_PER_U if column[0] == "B" else 1.0
    numbers = [float(v.removeprefix("H")) / factor for v in values]
    assert [s["u_iso_angstrom2"] for s in found] == pytest.approx(numbers)
    assert not any(s["u_is_evidence"] for s in found)
    assert notes(entry(text)) == {"displacement-unclear"}


def test_a_tensor_of_u_under_the_tags_of_b() -> None:
    text = structure(cell(), atoms("C1 C .1 .2 .3", "C2 C .4 .5 .6"))
    text += ANISO + "C1 .01 .02 .03 0 0 0\nC2 .02 .02 .02 0 0 0\n"
    found = sites(text)
    assert [s["u_iso_angstrom2"] for s in found] == pytest.approx([0.02, 0.02])  # a third of the trace
    assert {(s["u_iso_origin"], s["u_is_evidence"]) for s in found} == {("tensor", True)}
    usual = sites(text.replace(".02", ".52").replace(".01", ".41").replace(".03", ".63"))
    assert {(s["u_iso_origin"], s["u_is_evidence"]) for s in usual} == {("B-tensor", True)}


def test_each_tag_is_judged_by_its_own_values() -> None:
    """The values of two atoms stand under the tag of U, those of the others under that of B."""
    rows = ("C1 C .1 .2 .3 0.02 .", "C2 C .3 .2 .3 0.03 .", "C3 C .5 .2 .3 . 0.04", "C4 C .7 .2 .3 . 0.03")
    found = sites(structure(cell(), atoms(*rows, columns="U_iso_or_equiv B_iso_or_equiv")))
    assert [s["u_iso_angstrom2"] for s in found] == pytest.approx([0.02, 0.03, 0.04, 0.03])
    assert all(s["u_is_evidence"] for s in found)


def test_one_block_says_nothing_of_another() -> None:
    small, usual = listed([".0178", ".0155"], "B_iso_or_equiv"), listed(["0.8", "1.1"], "B_iso_or_equiv")
    found = sites(usual + small.replace("data_x", "data_y") + usual.replace("data_x", "data_z"))
    assert [s["u_iso_origin"] for s in found] == ["B", "B", "U", "U", "B", "B"]


def hard(values: list[str], column: str, *items: str, of: str = "Al") -> str:
    """Atoms of one element and an oxygen."""
    rows = [f"{of if i else 'O'}{i} {of if i else 'O'} .1 .2 .{i + 1} {v}" for i, v in enumerate(values)]
    return structure(cell(), *items, atoms(*rows, columns=column))


@pytest.mark.parametrize(
    ("values", "kelvin", "can_be_u"),
    [
        (["0.21", "0.25"], "293", False),  # corundum, whose B this is
        (["0.14", "0.15"], None, False),
        (["0.23", "0.21", "0.24"], "100", False),
        (["0.14", "0.15", "0.19"], "1073", True),  # an ion conductor
        (["0.12", "0.09", "0.13"], "293", True),  # solid carbon dioxide has 0.09 at least
    ],
)
def test_no_atom_of_a_structure_at_room_temperature_moves_much_where_one_does_not(
    values: list[str], kelvin: str | None, can_be_u: bool
) -> None:
    said = [f"_diffrn_ambient_temperature {kelvin}"] if kelvin else []
    text = hard(values, "U_iso_or_equiv", *said)
    assert {s["u_is_evidence"] for s in sites(text)} == {can_be_u}
    assert ("displacement-unclear" in notes(entry(text))) != can_be_u


@pytest.mark.parametrize(("element", "is_b"), [("C", False), ("Al", True)])
def test_molecules_have_no_b_of_a_tenth(element: str, is_b: bool) -> None:
    text = hard(["0.12", "0.11", "0.14"], "B_iso_or_equiv", of=element)
    assert {s["u_is_evidence"] for s in sites(text)} == {is_b}
    assert ("displacement-unclear" in notes(entry(text))) != is_b


def test_one_u_among_b_is_no_evidence_and_the_others_are() -> None:
    text = hard(["1.58", "1.41", "0.0178"], "B_iso_or_equiv")
    assert [s["u_is_evidence"] for s in sites(text)] == [True, True, False]
    assert "displacement-unclear" in notes(entry(text))
