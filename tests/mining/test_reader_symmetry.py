"""Symmetry that files state under the tags of magnetic structures."""

from __future__ import annotations

import gemmi
import pytest

from tests.reader_cif import atoms, cell, entry, notes, rejection, structure

MNF2 = """_space_group_symop_magn_operation.xyz
x,y,z,+1
-y+1/2,x+1/2,z+1/2,-1
-x,-y,z,+1
y+1/2,-x+1/2,z+1/2,-1
x+1/2,-y+1/2,-z+1/2,+1
-y,-x,-z,-1
-x+1/2,y+1/2,-z+1/2,+1
y,x,-z,-1
"""


def magnetic(operators: str, *parts: str, centrings: str = "") -> str:
    """A block whose operators stand under magnetic tags, beside the symbols of its family."""
    symmetry = "_space_group_magn.number_BNS 136.499\n_parent_space_group.name_H-M_alt 'P 42/m n m'\n"
    symmetry += ("loop_\n" + operators if operators else "") + ("loop_\n" + centrings if centrings else "")
    return structure(*parts, symmetry=symmetry)


MANGANESE = atoms("Mn1 Mn 0 0 0", "F1 F 0.305 0.305 0")


def test_a_magnetic_structure_has_the_operators_without_time_reversal() -> None:
    found = entry(magnetic(MNF2, cell(4.874, 4.874, 3.3), MANGANESE))
    expected = gemmi.find_spacegroup_by_name("P 42 21 2").number  # of the eight operators alone
    assert (found["sg_number"], found["n_operators"]) == (94, 8)
    assert expected == 94
    assert found["formula_sites"] == "F4 Mn2"
    assert "magnetic-operators" in notes(found)


@pytest.mark.parametrize(
    ("operators", "centrings", "number", "n_operators"),
    [
        # black-white translation (type IV): of the atoms it is a centring like any other
        ("x,y,z,+1\n-x,-y,-z,+1", "x,y,z,+1\nx+1/2,y+1/2,z,-1", 2, 4),
        ("x,y,z,+1\n-x,-y,-z,-1", "x,y,z,+1\nx,y+1/2,z+1/2,+1\nx+1/2,y,z+1/2,-1\nx+1/2,y+1/2,z,-1", 2, 8),
        ("x,y,z,+1", "x,y,z,+1", 1, 1),
        ("x,y,z,+1\n-x,y+1/2,-z,-1", "", 4, 2),
        ("x,y,z\n-x,-y,-z", "", 2, 2),  # without the fourth part
        ("x,y,z,+1\nx,y,z,-1\n-x,-y,-z,+1\n-x,-y,-z,-1", "", 2, 2),  # grey
    ],
)
def test_magnetic_operators_times_centrings(
    operators: str, centrings: str, number: int, n_operators: int
) -> None:
    listed = "_space_group_symop_magn_operation.xyz\n" + operators + "\n"
    centred = "_space_group_symop_magn_centering.xyz\n" + centrings + "\n" if centrings else ""
    found = entry(magnetic(listed, cell(5, 6, 7, 90, 90, 90), atoms("Fe1 Fe 0.1 0.2 0.3"), centrings=centred))
    assert (found["sg_number"], found["n_operators"]) == (number, n_operators)


def test_the_older_spelling_of_the_magnetic_tags_is_the_same() -> None:
    older = MNF2.replace("_magn_operation.xyz", ".magn_operation_xyz")
    assert entry(magnetic(older, cell(4.874, 4.874, 3.3), MANGANESE))["n_operators"] == 8


def test_superspace_and_magnetic_operators_give_their_average() -> None:
    listed = "_space_group_symop_magn_ssg_operation.algebraic\nx1,x2,x3,x4,+1\n-x1,x2+1/2,-x3,-x4+1/2,-1\n"
    found = entry(magnetic(listed, cell(5, 6, 7, 90, 97, 90), MANGANESE))
    assert (found["sg_number"], found["n_operators"]) == (4, 2)


@pytest.mark.parametrize(
    "symmetry",
    [
        "_space_group_magn.name_BNS \"P 42'/m n m'\"\n_symmetry_space_group_name_H-M 'P 42/m n m'\n",
        "_space_group_magn.number_BNS 136.499\n_space_group_IT_number 136\n",
        "_space_group_magn.number_OG 136.5.1156\n",
        "loop_\n_space_group_symop_magn_operation.xyz\nx,y,z,+1\n-x,y,z+q,-1\n",
        "loop_\n_space_group_symop_magn_operation.xyz\nx,y,z,+1\n-x,-y,z,+1\nx,-y,z,-1\n",
    ],
)
def test_a_magnetic_structure_without_usable_operators_is_rejected_as_such(symmetry: str) -> None:
    """The symbol of the family is that of another cell as often as not."""
    found = rejection(structure(cell(4.874, 4.874, 3.3), MANGANESE, symmetry=symmetry))
    assert (found["stage"], found["code"]) == ("symmetry", "magnetic")
