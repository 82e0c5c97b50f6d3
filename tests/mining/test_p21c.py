"""Rows of supergroup structures as rows in P2₁/c: contents, numbers of sites, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tables import CELL_NAMES, entry, make_database, site

from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.mining import DEFAULT_SUBSETS, SubsetDefinition, read_metadata, write_subset

# Forsterite (Hazen 1976): Pbnm, 4 formula units; M1 on an inversion centre, M2, Si, O1, O2 on mirrors.
FORSTERITE = [
    ("Mg", (0.0, 0.0, 0.0), 4),
    ("Mg", (0.9915, 0.2774, 0.25), 4),
    ("Si", (0.4262, 0.094, 0.25), 4),
    ("O", (0.7657, 0.0913, 0.25), 4),
    ("O", (0.2215, 0.4474, 0.25), 4),
    ("O", (0.2777, 0.1628, 0.0331), 8),
]


def forsterite(name: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    row = entry(
        name, (4.752, 10.0, 5.978, 90.0, 90.0, 90.0), "P b n m", "Mg8 O16 Si4", sg_declared_hm="P b n m"
    )
    sites = [
        site(name, i, element, **dict(zip("xyz", xyz, strict=True)), multiplicity=m)
        for i, (element, xyz, m) in enumerate(FORSTERITE)
    ]
    return row, sites


def test_forsterite_in_p21c(tmp_path: Path) -> None:
    """Σ multiplicities per element is the cell's Mg8 Si4 O16; M1 alone stays special."""
    row, sites = forsterite("x:1")
    report = write_subset(
        make_database(tmp_path / "d.duckdb", [row], sites),
        DEFAULT_SUBSETS["p21c-supergroups"],
        tmp_path / "s.parquet",
    )
    assert report.refused == ()
    (written,) = pq.read_table(tmp_path / "s.parquet").to_pylist()
    assert (written["sg_number"], written["sg_hm"], written["n_operators"]) == (14, "P 1 21/c 1", 4)
    assert written["sg_declared_hm"] == "P b n m"
    assert sorted(written[n] for n in CELL_NAMES[:3]) == pytest.approx([4.752, 5.978, 10.0])
    assert written["volume_angstrom3"] == pytest.approx(4.752 * 10.0 * 5.978)
    moved = pq.read_table(tmp_path / "s.sites.parquet").to_pylist()
    contents: dict[str, int] = {}
    for s in moved:
        contents[s["element"]] = contents.get(s["element"], 0) + s["multiplicity"]
        assert s["multiplicity"] * s["site_symmetry_order"] == 4
        assert all(0 <= s[axis] < 1 for axis in "xyz")
    assert contents == {"Mg": 8, "Si": 4, "O": 16}
    special = [s for s in moved if s["is_special"]]
    assert [(s["element"], s["multiplicity"]) for s in special] == [("Mg", 2), ("Mg", 2)]
    assert written["n_special_positions"] == written["n_special_points"] == 2
    assert written["n_sites"] == len(moved) == 8
    assert [s["site_index"] for s in moved] == list(range(8))
    assert len({s["label"] for s in moved if s["element"] == "O"}) == 4


def test_what_cannot_be_brought_there_is_named(tmp_path: Path) -> None:
    """P2₁2₁2₁ has no inversion; a triclinic cell cannot carry Pbca; a sound one goes through."""
    good, sites = forsterite("x:good")
    rows = [
        good,
        entry("x:acentric", (5.0, 6.0, 7.0, 90.0, 90.0, 90.0), "P 21 21 21", "N"),
        entry("x:oblique", (5.0, 6.0, 7.0, 80.0, 90.0, 90.0), "P b c a", "O"),
    ]
    sites += [site("x:acentric"), site("x:oblique", multiplicity=8)]
    # Marked a duplicate of the oblique one, which is refused: the good one is left with its full weight.
    rows[0] |= {"duplicate_of": "7", "is_duplicate": False}
    rows[2] |= {"cod_code": "7"}
    definition = SubsetDefinition(name="all", bring_to_p21c=True)
    output = tmp_path / "all.parquet"
    report = write_subset(make_database(tmp_path / "d.duckdb", rows, sites), definition, output)
    assert report.n_entries == 1
    assert dict(report.refused) == {
        "x:acentric": "the group has no subgroup P2₁/c on its cell",
        "x:oblique": "the cell has not the symmetry of the group",
    }
    assert report.waterfall[-1] == ("brought to P2₁/c", 1)
    assert {r["entry_id"] for r in read_metadata(output)["refused"]} == {"x:acentric", "x:oblique"}
    (written,) = pq.read_table(output).to_pylist()
    assert (written["entry_id"], written["cluster_size"], written["weight"]) == ("x:good", 1, 1.0)
    assert written["is_best"]
    assert set(pq.read_table(tmp_path / "all.sites.parquet")["entry_id"].to_pylist()) == {"x:good"}


def test_a_centred_setting_of_no_14(tmp_path: Path) -> None:
    """B 1 2₁/d 1 (gudmundite, Buerger 1939): half the volume, and half of everything in the cell."""
    operators = ["x,y,z", "-x,-y,-z", "-x+1/4,y+1/2,-z+1/4", "x+1/4,-y+1/2,z+1/4"]
    operators += ["x+1/2,y,z+1/2", "-x+1/2,-y,-z+1/2", "-x+3/4,y+1/2,-z+3/4", "x+3/4,-y+1/2,z+3/4"]
    group = SpaceGroup.from_operators(operators)
    assert (group.number, group.order) == (14, 8)
    cell = (10.0, 5.93, 6.73, 90.0, 90.0, 90.0)
    row = entry("x:1", cell, formula="Fe8 S8 Sb8", operators=";".join(group.operators), n_operators=8)
    row |= {
        "formula_sites": "Fe8 S8 Sb8",
        "n_atoms_non_h_cell": 24.0,
        "z_declared": 8.0,
        "formula_units": 8.0,
    }
    sites = [
        site("x:1", i, element, x=x, y=y, z=z, multiplicity=8)
        for i, (element, x, y, z) in enumerate(
            [("Fe", 0.01, 0.02, 0.275), ("Sb", 0.147, 0.128, 0.03), ("S", 0.167, 0.132, 0.5)]
        )
    ]
    definition = SubsetDefinition(name="all", bring_to_p21c=True)
    report = write_subset(
        make_database(tmp_path / "d.duckdb", [row], sites), definition, tmp_path / "s.parquet"
    )
    assert report.refused == ()
    (written,) = pq.read_table(tmp_path / "s.parquet").to_pylist()
    assert written["volume_angstrom3"] == pytest.approx(10.0 * 5.93 * 6.73 / 2)
    assert written["formula_cell"] == written["formula_sites"] == "Fe4 S4 Sb4"
    assert (written["n_atoms_non_h_cell"], written["z_declared"]) == (12.0, 4.0)
    assert written["formula_units"] == 4.0
    moved = pq.read_table(tmp_path / "s.sites.parquet").to_pylist()
    assert [s["multiplicity"] for s in moved] == [4, 4, 4]
