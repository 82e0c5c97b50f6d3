"""Measured reflections from every format, merged; amplitudes of negative intensities."""

from __future__ import annotations

from pathlib import Path

import gemmi
import numpy as np
import pytest

from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.model.measured.merging import laue_rotations, merge_equivalents
from xtalpriors.model.measured.negative_intensities import amplitudes_of_intensities
from xtalpriors.model.measured.read_data import read_data
from xtalpriors.model.measured.read_reflections import read_hkl
from xtalpriors.model.measured.shelx_instructions import parse_shelx_instructions
from xtalpriors.model.solving.shelx_output import lattice_and_operators

HKL = "   1   0   0   12.50    0.50\n  -1   2  -3 891711.   12.00\n   0   0   2   -1.25    0.75\n"
INS = """TITL a compound
CELL 0.71073 7.1 9.2 6.5 90 105.3 90 ! Mo
ZERR 4 0.001 0.001 0.001 0 0.01 0
LATT 1
SYMM -X, 1/2+Y, =
 1/2-Z
SFAC C H
SFAC S 6.9053 1.4679 5.2034 22.2151 1.4379 0.2536 1.5863 =
     56.1720 0.8669 0.1246 0.1234 53.20 1.11 32.066
UNIT 40 44 4
C1 1 0.1 0.2 0.3 11.0 0.04
HKLF 4
END
SFAC U
"""


@pytest.mark.parametrize(
    "end",
    ["", "   0   0   0    0.00    0.00\n", "\n", "   0   0   0    0.00    0.00\nTITL what follows\nHKLF 4\n"],
)
def test_columns_without_blanks_and_every_end(end: str, tmp_path: Path) -> None:
    """`891711.` fills its column; a list ends at 0 0 0, at a blank line, at instructions or with the file."""
    (tmp_path / "x.hkl").write_text(HKL + end)
    found = read_hkl(tmp_path / "x.hkl", "hklf4")
    assert found.hkl.tolist() == [[1, 0, 0], [-1, 2, -3], [0, 0, 2]]
    assert found.intensity.tolist() == [12.5, 891711.0, -1.25]
    assert found.sigma.tolist() == [0.5, 12.0, 0.75]


def test_touching_columns(tmp_path: Path) -> None:
    (tmp_path / "x.hkl").write_text("-100-120-113123456.7123456.7\n")
    found = read_hkl(tmp_path / "x.hkl", "hklf4")
    assert (found.hkl.tolist(), found.intensity[0]) == ([[-100, -120, -113]], 123456.7)


def test_overlapped_components_are_left_out(tmp_path: Path) -> None:
    """HKLF 5: −2 joins the next line; component 1 alone counts."""
    rows = [(1, 0, 0, 1), (2, 0, 0, -2), (2, 0, 1, 1), (3, 0, 0, 2), (4, 0, 0, 1)]
    text = "".join(f"{h:4d}{k:4d}{l:4d}{10.0:8.2f}{1.0:8.2f}{m:4d}\n" for h, k, l, m in rows)
    (tmp_path / "x.hkl").write_text(text)
    found = read_hkl(tmp_path / "x.hkl", "hklf5")
    assert found.hkl[:, 0].tolist() == [1, 4]
    assert found.n_overlapped == 3


def test_instructions(tmp_path: Path) -> None:
    (tmp_path / "x.hkl").write_text(HKL)
    (tmp_path / "x.ins").write_text(INS)
    for name in ("x.hkl", "x.ins"):
        crystal = read_data(tmp_path / name)
        assert crystal.group is SpaceGroup.from_number(14)
        assert crystal.cell is not None and crystal.cell.parameters == (7.1, 9.2, 6.5, 90.0, 105.3, 90.0)
        assert crystal.elements == ("C", "H", "S") and crystal.counts == (40.0, 44.0, 4.0)
        assert (crystal.wavelength_angstrom, crystal.probe) == (0.71073, None)


def test_the_matrix_of_hklf_turns_the_indices(tmp_path: Path) -> None:
    """h′ = M h with M = (0 0 1, −1 0 0, 0 −1 0), so that 1 0 0 becomes 0 −1 0; HKLF 3 holds |F|."""
    (tmp_path / "x.hkl").write_text("   1   0   0   12.50    0.50\n   1   2   3    2.00    0.50\n")
    (tmp_path / "x.ins").write_text(INS.replace("HKLF 4", "HKLF 3 1 0 0 1 -1 0 0 0 -1 0"))
    found = read_data(tmp_path / "x.hkl").observations
    assert found.hkl.tolist() == [[0, -1, 0], [3, -1, -2]]
    assert found.intensity.tolist() == [156.25, 4.0]


EMBEDDED = """data_x
_shelx_res_file
;
{}
;
_shelx_hkl_file
;
   1   0   0   12.50    0.50
   1   2   3    2.00    0.50
;
"""


def test_the_matrix_turns_an_embedded_list_too(tmp_path: Path) -> None:
    """The list of the test above in a CIF; instructions beside with a matrix take the place of its own."""
    path = tmp_path / "x.cif"
    path.write_text(EMBEDDED.format(INS.replace("HKLF 4", "HKLF 3 1 0 0 1 -1 0 0 0 -1 0")))
    found = read_data(path).observations
    assert found.hkl.tolist() == [[0, -1, 0], [3, -1, -2]]
    assert found.intensity.tolist() == [156.25, 4.0]
    (tmp_path / "other.ins").write_text(INS.replace("HKLF 4", "HKLF 3 1 1 0 0 0 0 1 0 1 0"))
    other = read_data(path, instructions=tmp_path / "other.ins").observations
    assert other.hkl.tolist() == [[1, 0, 0], [1, 3, 2]]
    path.write_text(EMBEDDED.format(INS.replace("HKLF 4", "HKLF 4 1 0.5 0 0 0 1 0 0 0 1")))
    with pytest.raises(XtalpriorsError, match=r"block x, embedded instructions: the matrix .* not whole"):
        read_data(path)


@pytest.mark.parametrize("number", [1, 2, 6])
def test_lists_that_are_not_of_one_crystal_are_refused(number: int, tmp_path: Path) -> None:
    """HKLF 1 is a powder's, 2 is of Laue photographs, 6 is of sums of reflections."""
    said = INS.replace("HKLF 4", f"HKLF {number}")
    (tmp_path / "x.hkl").write_text(HKL)
    (tmp_path / "x.ins").write_text(said)
    (tmp_path / "y.cif").write_text(EMBEDDED.format(said))
    for name in ("x.ins", "x.hkl", "y.cif"):
        with pytest.raises(UsageError, match=rf"x.*the type HKLF {number}\. Only HKLF 3, 4 and 5"):
            read_data(tmp_path / name)
    assert len(read_data(tmp_path / "x.hkl", hkl_format="hklf4").observations.hkl) == 3, (
        "what is given counts"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("CELL 0.71073 7.1 9.2 6.5 90", "CELL 0.71073 7.1 9.2 x 90"), "needs 7 numbers"),
        (("90 105.3 90", "90 0 90"), "is no cell"),
        (("SYMM -X", "SYMM -Q"), "cannot be read as a symmetry operator"),
        (("LATT 1", "LATT 9"), "LATT 9 is no lattice"),
        (("SFAC C H\n", "SFAC C Xx\n"), "names 'Xx', which is no element"),
        (("SYMM -X, 1/2+Y", "SYMM X+Y, 1/2+Y"), "make no space group .they make more than 192"),
    ],
)
def test_instructions_that_cannot_be(change: tuple[str, str], message: str) -> None:
    with pytest.raises(XtalpriorsError, match=f"here.*({message})"):
        parse_shelx_instructions(INS.replace(*change), "here")


def test_lattice_and_operators_of_all_groups_read_back() -> None:
    """LATT and SYMM of the 230 reference settings make the same groups again."""
    for number in range(1, 231):
        group = SpaceGroup.from_number(number)
        lattice, operators = lattice_and_operators(group)
        text = f"LATT {lattice}\n" + "".join(f"SYMM {operator}\n" for operator in operators)
        assert parse_shelx_instructions(text, "here").group is group, group
        points = {1: 1, 2: 2, 3: 3, 4: 4}.get(abs(lattice), 2)
        assert group.order == points * (len(operators) + 1) * (2 if lattice > 0 else 1), "none is there twice"


def test_mtz_and_cif(tmp_path: Path) -> None:
    """Intensities before amplitudes in an MTZ; unmerged intensities of a CIF; an fcf's Fo², not its Fc²."""
    mtz = gemmi.Mtz(with_base=True)
    mtz.spacegroup = gemmi.SpaceGroup("P 1 21 1")
    mtz.set_cell_for_all(gemmi.UnitCell(5, 6, 7, 90, 100, 90))
    mtz.add_dataset("d").wavelength = 0.0251
    for label, kind in (("F", "F"), ("SIGF", "Q"), ("IMEAN", "J"), ("SIGI", "Q")):
        mtz.add_column(label, kind)
    mtz.set_data(np.array([[1, 0, 0, 3, 0.1, 10, 0.5], [0, 2, 0, 2, 0.1, np.nan, np.nan]], np.float32))
    mtz.write_to_file(str(tmp_path / "x.mtz"))
    found = read_data(tmp_path / "x.mtz")
    assert found.observations.hkl.tolist() == [[1, 0, 0]]
    assert (found.observations.intensity.tolist(), found.observations.sigma.tolist()) == ([10.0], [0.5])
    assert found.probe == "electron" and found.group is SpaceGroup.from_hm("P 1 21 1")

    loops = {
        "unmerged.cif": (["diffrn_refln_intensity_net", "diffrn_refln_intensity_u"], "7.5 0.5"),
        "x.fcf": (["refln_F_squared_calc", "refln_F_squared_meas", "refln_F_squared_sigma"], "99 7.5 0.5"),
    }
    for name, (tags, row) in loops.items():
        prefix = tags[0].split("_")[0] + ("_refln" if tags[0].startswith("diffrn") else "")
        head = "".join(f"_{prefix}_index_{x}\n" for x in "hkl") + "".join(f"_{tag}\n" for tag in tags)
        (tmp_path / name).write_text(f"data_x\nloop_\n{head}1 2 3 {row}\n")
        observations = read_data(tmp_path / name).observations
        assert observations.hkl.tolist() == [[1, 2, 3]]
        assert (observations.intensity.tolist(), observations.sigma.tolist()) == ([7.5], [0.5])


def test_a_lone_outlier_is_left_out_and_a_split_vote_is_kept() -> None:
    """10, 10.2, 9.9 and 40 are one reflection and a mistake; of 10, 10, 40, 40 nobody knows which."""
    laue = laue_rotations(np.eye(3, dtype=np.int64)[None])
    hkl = np.array([[1, 2, 3], [-1, -2, -3], [1, 2, 3], [1, 2, 3]])
    sigma = np.full(4, 0.2)
    one = merge_equivalents(hkl, np.array([10, 10.2, 9.9, 40]), sigma, laue, reject_outliers=True)
    assert one.n_outliers == 1 and one.intensity[0] == pytest.approx(10.03, abs=0.01)
    two = merge_equivalents(hkl, np.array([10, 10, 40, 40.0]), sigma, laue, reject_outliers=True)
    assert two.n_outliers == 0 and two.n_observed.tolist() == [4]


def test_amplitudes_of_negative_intensities() -> None:
    """French & Wilson 1978, and limits of Wilson's distribution.

    Their table has |F| = 0.423 √σ for an acentric reflection with I = −4σ where Σ is large (doi
    10.1107/S0567739478001114). A measurement that says nothing leaves the mean of Wilson's distribution:
    √(πΣ)/2 without a centre, √(2Σ/π) with one. A strong intensity is its own root.
    """
    no, yes = np.array([False]), np.array([True])
    f, _ = amplitudes_of_intensities(np.array([-4.0]), np.array([1.0]), np.array([1e8]), no)
    assert f[0] == pytest.approx(0.423, abs=0.002)
    blind = (np.array([0.0]), np.array([1e6]), np.array([4.0]))
    assert amplitudes_of_intensities(*blind, no)[0][0] == pytest.approx(np.sqrt(4 * np.pi) / 2, rel=1e-3)
    assert amplitudes_of_intensities(*blind, yes)[0][0] == pytest.approx(np.sqrt(8 / np.pi), rel=1e-3)
    strong, error = amplitudes_of_intensities(np.array([100.0]), np.array([2.0]), np.array([50.0]), no)
    assert (strong[0], error[0]) == (pytest.approx(10.0), pytest.approx(0.1))
