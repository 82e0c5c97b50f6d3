"""Test structures: their structure factors against gemmi, their displacements, classes and refusals."""

from __future__ import annotations

import json
from pathlib import Path

import gemmi
import numpy as np
import pyarrow.parquet as pq
import pytest
from phasing_crystals import ATOMS, P21C, cif_text, structures

from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.crystal.symmetry.subgroups import describe_in_p21c
from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining.cif import extract
from xtalpriors.mining.database.store import open_database
from xtalpriors.mining.run import mine
from xtalpriors.mining.sources.parse import parse_source
from xtalpriors.mining.subsets.definition import SubsetDefinition
from xtalpriors.mining.subsets.write import write_subset
from xtalpriors.model.network.reflections import Reflections
from xtalpriors.model.scoring.diffraction import calculate
from xtalpriors.model.scoring.read_structures import read_structures, structures_of_rows
from xtalpriors.model.scoring.structures import compound_class

FIVE = Reflections(P21C, 5)


def _gemmi_magnitudes(text: str, hkl: np.ndarray) -> np.ndarray:
    """|F| by gemmi of the file as it is, U = 0.05 Å² where it has none."""
    small = gemmi.make_small_structure_from_block(gemmi.cif.read_string(text).sole_block())
    small.determine_and_set_spacegroup("2")
    assert len(small.cell.images) == 3
    small.change_occupancies_to_crystallographic()
    for site in small.sites:
        site.u_iso = site.u_iso or 0.05
    calculator = gemmi.StructureFactorCalculatorX(small.cell)
    return np.array([abs(calculator.calculate_sf_from_small_structure(small, h)) for h in hkl.tolist()])


@pytest.mark.parametrize("setting", ["P 1 21/c 1", "P 1 21/n 1"])
def test_structure_factors_are_gemmis(setting: str) -> None:
    """The file's own setting by gemmi, the network's setting by us: the same |F| of the same reflections."""
    text = cif_text(setting)
    small = gemmi.make_small_structure_from_block(gemmi.cif.read_string(text).sole_block())
    group = SpaceGroup.from_hm(setting)
    described = describe_in_p21c(group, UnitCell(*small.cell.parameters))
    assert described is not None
    own = np.rint(described.change.inverse().miller_indices(FIVE.hkl)).astype(int)
    ours = calculate(FIVE, structures(text).crystals).magnitudes[0]
    np.testing.assert_allclose(ours, _gemmi_magnitudes(text, own), rtol=2e-5, atol=0.02)
    assert ours.max() > 50


def test_displacements_are_the_structures_own_and_the_assumed_are_counted() -> None:
    found = structures(cif_text())
    assert found.n_u_assumed.tolist() == [1]
    assert found.u_origin == ("part",)
    given = [0.05 if atom[5] == "?" else float(atom[5]) for atom in ATOMS]
    np.testing.assert_allclose(found.crystals.u_iso, given, rtol=1e-6)


def test_an_atom_of_an_unknown_element_is_a_reason() -> None:
    unknown = cif_text(name="odd").replace("C1 C 0.8", "Q1 ? 0.8")
    found = structures(cif_text(), unknown)
    assert len(found) == 1
    assert [reason for _, reason in found.refused] == ["an atom of an unknown element"]


def test_weights_are_occupancy_and_multiplicity() -> None:
    """Fe on an inversion centre counts a half, N is three quarters there; H stays."""
    found = structures(cif_text())
    np.testing.assert_allclose(found.crystals.weights, [1, 1, 0.75, 1, 1, 1, 0.5])
    assert found.n_special.tolist() == [1]
    assert found.compound_class == ("d-block",)


@pytest.mark.parametrize(
    ("d_block", "s_block", "kind", "expected"),
    [
        (True, True, "metal-organic", "d-block"),
        (False, True, "inorganic", "s-block"),
        (False, False, "organic", "organic"),
        (False, False, "inorganic", "other"),
    ],
)
def test_classes(d_block: bool, s_block: bool, kind: str, expected: str) -> None:
    assert compound_class({"has_d_block": d_block, "has_s_block": s_block, "class": kind}) == expected


def test_subset_of_places() -> None:
    both = structures(cif_text(), cif_text("P 1 21/n 1"))
    second = both.subset([1])
    alone = structures(cif_text("P 1 21/n 1"))
    np.testing.assert_array_equal(second.crystals.fract, alone.crystals.fract)
    assert len(second) == 1 and second.entry_id == both.entry_id[1:]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "1.cif").write_text(cif_text(name="one"))
    (tree / "2.cif").write_text(cif_text("P 1 21/n 1", name="two").replace("0.2134", "0.2214"))
    path = tmp_path / "crystals.duckdb"
    mine([parse_source(f"cod:{tree}")], None, path, workers=1)
    with open_database(path):
        pass
    return path


def test_database_subsets_and_unions(database: Path, tmp_path: Path) -> None:
    everything = SubsetDefinition(name="all")
    short = SubsetDefinition(name="short", length_max_angstrom=9)
    first, second = tmp_path / "all.parquet", tmp_path / "short.parquet"
    write_subset(database, everything, first)
    write_subset(database, short, second)
    union = read_structures([second, first])
    assert len(union) == 2, "an entry in both files counts once"
    assert union.corpus == ("cod", "cod")


def test_empty_subset_is_an_error(database: Path, tmp_path: Path) -> None:
    path = tmp_path / "none.parquet"
    write_subset(database, SubsetDefinition(name="none", length_max_angstrom=1), path)
    with pytest.raises(XtalpriorsError, match=r"no structure to test in .*none\.parquet"):
        read_structures([path])
    with pytest.raises(XtalpriorsError, match="There is no subset"):
        read_structures([tmp_path / "missing.parquet"])
    (tmp_path / "none.sites.parquet").unlink()
    with pytest.raises(XtalpriorsError, match=r"none\.sites\.parquet of the subset cannot be read"):
        read_structures([path])


def test_subsets_of_another_version_are_named(database: Path, tmp_path: Path) -> None:
    path, sites = tmp_path / "all.parquet", tmp_path / "all.sites.parquet"
    write_subset(database, SubsetDefinition(name="all"), path)
    good, good_sites = pq.read_table(path), pq.read_table(sites)
    assert len(read_structures([path])) == 2
    metadata = json.loads(good.schema.metadata[b"xtalpriors"])
    for version in (0, 99, None):
        text = json.dumps(metadata | {"schema_version": version}).encode()
        pq.write_table(good.replace_schema_metadata({b"xtalpriors": text}), path)
        with pytest.raises(XtalpriorsError, match=rf"all.parquet is a subset of schema {version}; .*reads 1"):
            read_structures([path])
    pq.write_table(good.drop_columns(["operators"]), path)
    with pytest.raises(XtalpriorsError, match=r"all.parquet has no column `operators`"):
        read_structures([path])
    pq.write_table(good, path)
    pq.write_table(good_sites.drop_columns(["u_iso_angstrom2"]), sites)
    with pytest.raises(XtalpriorsError, match=r"all.sites.parquet has no column `u_iso_angstrom2`"):
        read_structures([path])


def test_groups_that_have_no_place_are_refused_with_a_reason() -> None:
    text = cif_text().replace("P 1 21/c 1", "P -1")
    kept = [line for line in text.splitlines() if line not in ("'-x,y+1/2,-z+1/2'", "'x,-y+1/2,z+1/2'")]
    found = extract("made", None, "original", [("1.cif", "\n".join(kept).encode())])
    assert found.entries.num_rows == 1
    with pytest.raises(XtalpriorsError, match="1 refused: the group has no subgroup"):
        structures_of_rows([(found.entries, found.sites, "made")])
    triclinic = structures_of_rows([(found.entries, found.sites, "made")], SpaceGroup.from_number(2))
    assert len(triclinic) == 1, "a network for P-1 takes it"
