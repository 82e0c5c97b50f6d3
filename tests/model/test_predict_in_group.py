"""Phases by the dual-space network that is shipped, in the crystal's own group."""

from __future__ import annotations

from pathlib import Path

import gemmi
import numpy as np
import pytest
import torch
from phasing_crystals import cif_text

from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.model import phase_crystal
from xtalpriors.model.charge_flipping.known_crystals import KnownCrystal, artificial_crystals
from xtalpriors.model.charge_flipping.map_correlation import map_correlation
from xtalpriors.model.prediction.predict_in_group import GroupPrediction


def _listed(path: Path, crystal: KnownCrystal) -> Path:
    """A list of h k l |F|, of equivalents by the last operator of the group."""
    hkl = crystal.grid.hkl @ crystal.grid.group.rotations[-1]
    rows = zip(hkl.tolist(), crystal.amplitudes.tolist(), strict=True)
    path.write_text("".join(f"{h} {k} {l} {f:.5f}\n" for (h, k, l), f in rows))
    return path


def test_a_list_in_a_group_without_a_centre(tmp_path: Path) -> None:
    """The phases of the file are right, and those of centric reflections are multiples of 90°."""
    crystal = next(artificial_crystals("P 21 21 21", 1, 1.2, (200.0, 300.0), seed=3))
    path = _listed(tmp_path / "data.hkl", crystal)
    output, ccp4 = tmp_path / "phases.cif", tmp_path / "map.ccp4"
    group, cell = crystal.grid.group, UnitCell(*crystal.cell)
    found = phase_crystal("shipped", path, output, density_map=ccp4, cell=cell, space_group=group)
    assert isinstance(found, GroupPrediction) and found.r is None and found.doubt is None
    table = (
        gemmi.cif.read(str(output))
        .sole_block()
        .find("_refln_", ["index_h", "index_k", "index_l", "F_meas", "phase_calc"])
    )
    rows = {tuple(int(x) for x in list(row)[:3]): (float(row[3]), float(row[4])) for row in table}
    assert set(rows) == {tuple(h) for h in crystal.grid.hkl.tolist()}
    f, phase = np.array([rows[tuple(h)] for h in crystal.grid.hkl.tolist()]).T
    np.testing.assert_allclose(f, crystal.amplitudes, rtol=1e-4, atol=1e-4)
    centric = (crystal.grid.hkl == 0).any(axis=1)
    assert np.abs(phase[centric] / 90.0 - np.rint(phase[centric] / 90.0)).max() < 0.01
    phased = torch.from_numpy(np.exp(1j * np.radians(phase))).to(torch.complex64)[None]
    assert float(map_correlation(crystal.grid, phased, crystal.f, crystal.amplitudes)[0]) > 0.9

    # the map is that of gemmi for the same file
    read = gemmi.read_ccp4_map(str(ccp4))
    read.setup(0.0)
    values = np.array(read.grid.array)
    asu = gemmi.ComplexAsuData(
        gemmi.UnitCell(*cell.parameters),
        gemmi.SpaceGroup("P 21 21 21"),
        np.array(list(rows), dtype=np.int32),
        np.array([f * np.exp(1j * np.radians(p)) for f, p in rows.values()], dtype=np.complex64),
    )
    theirs = np.array(asu.transform_f_phi_to_map(exact_size=values.shape).array)
    np.testing.assert_allclose(values, theirs, atol=1e-3 * values.max())


def test_a_structure_gives_its_own_score(tmp_path: Path) -> None:
    """A crystal of P2₁/n with a known structure; r says how right the phases are, and the file repeats it."""
    path = tmp_path / "made.cif"
    path.write_text(cif_text("P 1 21/n 1"))
    found = phase_crystal("shipped", path, tmp_path / "phases.cif")
    assert isinstance(found, GroupPrediction)
    assert found.group.hm == "P 1 21/n 1" and found.r is not None and found.r > 0.95
    assert f"r = {found.r:.4f}" in (tmp_path / "phases.cif").read_text()
    assert "to d_min without an amplitude" in str(found)


def test_refused_with_the_file_and_the_remedy(tmp_path: Path) -> None:
    crystal = next(artificial_crystals("P 21 21 21", 1, 2.0, (150.0, 200.0), seed=0))
    path, output = _listed(tmp_path / "data.hkl", crystal), tmp_path / "phases.cif"
    group, cell = crystal.grid.group, UnitCell(*crystal.cell)
    with pytest.raises(UsageError, match=r"data\.hkl: the space group is not known.*--space-group"):
        phase_crystal("shipped", path, output, cell=cell)
    with pytest.raises(UsageError, match=r"data\.hkl: the cell is not known.*--cell"):
        phase_crystal("shipped", path, output, space_group=group)
    with pytest.raises(UsageError, match=r"data\.hkl: the cell .* does not have the symmetry of P 4"):
        phase_crystal("shipped", path, output, cell=cell, space_group=SpaceGroup.from_number(75))
    with pytest.raises(
        UsageError, match=r"data\.hkl: P 3 has operators that mix axes.*charge flipping alone\.$"
    ):
        hexagonal = UnitCell(8, 8, 9, 90, 90, 120)
        phase_crystal("shipped", path, output, cell=hexagonal, space_group=SpaceGroup.from_number(143))
    with pytest.raises(XtalpriorsError, match=r"data\.hkl.*none can be used \(\|F\| > 0, d ≥ 30 Å\)"):
        phase_crystal("shipped", path, output, cell=cell, space_group=group, d_min_angstrom=30.0)
    assert not output.exists()


@pytest.mark.parametrize(
    ("symbol", "d_min", "doubt"),
    [("P 21 21 21", 1.95, "amplitudes are too few"), ("P 21 21 2", 1.5, "not trained in P 21 21 2")],
)
def test_where_the_network_knows_nothing_it_is_doubtful(
    tmp_path: Path, symbol: str, d_min: float, doubt: str
) -> None:
    crystal = next(
        artificial_crystals(symbol, 1, d_min, (90.0, 110.0) if d_min > 1.9 else (150.0, 250.0), seed=1)
    )
    path = _listed(tmp_path / "data.hkl", crystal)
    group, cell = crystal.grid.group, UnitCell(*crystal.cell)
    options = {"cell": cell, "space_group": group, "d_min_angstrom": None}
    found = phase_crystal("shipped", path, tmp_path / "phases.cif", **options)  # type: ignore[arg-type]
    assert isinstance(found, GroupPrediction) and found.doubt is not None
    assert doubt in found.doubt and "doubtful" in str(found)
