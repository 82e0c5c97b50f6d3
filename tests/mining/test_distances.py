"""Interatomic distances against pymatgen's neighbour lists and hand counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pymatgen.core import Lattice, Structure
from tables import entry, site

from xtalpriors.crystal.cells.distances import DistanceHistograms, StructureArrays, distance_histograms
from xtalpriors.crystal.chemistry.elements import ATOMIC_NUMBER, COVALENT_RADIUS_ANGSTROM
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.crystal.wyckoff import site_symmetries
from xtalpriors.mining.database.schema import ENTRY, SITE, arrow_schema
from xtalpriors.mining.subsets.distances import interatomic_distances, subset_distances

# Published structures: cell, group, sites. Halite; quartz, Antao et al. 2008; forsterite, Hazen 1976;
# gypsum, Cole & Lancucki 1974 (positions of Ca, S, O, with one H); calcite, Graf 1961.
STRUCTURES: dict[str, tuple[tuple[float, ...], str, list[tuple[str, tuple[float, float, float]]]]] = {
    "halite": ((5.64, 5.64, 5.64, 90, 90, 90), "F m -3 m", [("Na", (0, 0, 0)), ("Cl", (0.5, 0.5, 0.5))]),
    "quartz": (
        (4.9134, 4.9134, 5.4051, 90, 90, 120),
        "P 32 2 1",
        [("Si", (0.4701, 0, 2 / 3)), ("O", (0.4139, 0.2674, 0.7857))],
    ),
    "forsterite": (
        (4.752, 10.192, 5.978, 90, 90, 90),
        "P b n m",
        [
            ("Si", (0.4262, 0.094, 0.25)),
            ("Mg", (0, 0, 0)),
            ("Mg", (0.9915, 0.2774, 0.25)),
            ("O", (0.7657, 0.0913, 0.25)),
            ("O", (0.2215, 0.4474, 0.25)),
            ("O", (0.2777, 0.1628, 0.0331)),
        ],
    ),
    "gypsum": (
        (6.284, 15.2, 6.523, 90, 127.41, 90),
        "C 1 2/c 1",
        [
            ("Ca", (0.5, 0.0797, 0.25)),
            ("S", (0, 0.0773, 0.75)),
            ("O", (0.9632, 0.1319, 0.5505)),
            ("O", (0.7582, 0.0222, 0.6671)),
            ("O", (0.3796, 0.1821, 0.4588)),
            ("H", (0.251, 0.161, 0.5)),
        ],
    ),
    "calcite": (
        (4.99, 4.99, 17.06, 90, 90, 120),
        "R -3 c:H",
        [("Ca", (0, 0, 0)), ("C", (0, 0, 0.25)), ("O", (0.2578, 0, 0.25))],
    ),
    "triclinic": (
        (4.137, 6.313, 9.727, 75, 100, 112),
        "P -1",
        [("C", (0.1, 0.2, 0.3)), ("N", (0.33, 0.36, 0.37))],
    ),
}


def arrays(
    name: str, occupancy: list[float] | None = None, alternative: list[int] | None = None
) -> StructureArrays:
    cell, symbol, sites = STRUCTURES[name]
    group = SpaceGroup.from_hm(symbol)
    fract = np.array([xyz for _, xyz in sites], dtype=float)
    numbers = np.array([ATOMIC_NUMBER[element] for element, _ in sites])
    metric = pymatgen_lattice(cell).metric_tensor
    return StructureArrays(
        cells=np.array([cell], dtype=float),
        offsets=np.array([0, len(sites)]),
        fract=fract,
        atomic_number=numbers,
        occupancy=np.ones(len(sites)) if occupancy is None else np.array(occupancy),
        multiplicity=site_symmetries(group, fract, metric).multiplicity,
        radius_angstrom=np.array([COVALENT_RADIUS_ANGSTROM[z] for z in numbers], dtype=float),
        group_of=np.array([0]),
        group_offsets=np.array([0, group.order]),
        rotations=group.rotations,
        translations=group.translations,
        assembly=None if alternative is None else np.zeros(len(sites), dtype=int),
        alternative=None if alternative is None else np.array(alternative),
    )


def pymatgen_lattice(cell: tuple[float, ...]) -> Lattice:
    return Lattice.from_parameters(*cell)


def neighbours(name: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Distances and atomic numbers of all pairs within 6 Å, by pymatgen from the written-out cell."""
    cell, symbol, sites = STRUCTURES[name]
    group, lattice = SpaceGroup.from_hm(symbol), pymatgen_lattice(cell)
    species: list[str] = []
    coordinates: list[npt.NDArray[np.float64]] = []
    for element, xyz in sites:
        orbit: list[npt.NDArray[np.float64]] = []
        for rotation, translation in zip(group.rotations, group.translations, strict=True):
            image = rotation @ np.array(xyz, dtype=float) + translation
            if all(
                np.linalg.norm(lattice.get_cartesian_coords(image - o - np.rint(image - o))) > 0.01
                for o in orbit
            ):
                orbit.append(image)
        species += [element] * len(orbit)
        coordinates += orbit
    first, second, _, distance = Structure(lattice, species, coordinates).get_neighbor_list(6.0)
    numbers = np.array([ATOMIC_NUMBER[s] for s in species])
    return distance, numbers[first], numbers[second]


@pytest.mark.parametrize("name", STRUCTURES)
def test_histograms_are_pymatgens(name: str) -> None:
    found = distance_histograms(arrays(name), bin_angstrom=0.1)
    distance, first, second = neighbours(name)
    heavy = (first > 1) & (second > 1)
    assert len(distance) > 20
    for density, chosen in ((found.all_atoms, distance), (found.non_hydrogen, distance[heavy])):
        expected = np.histogram(chosen, bins=found.edges_angstrom, density=True)[0]
        assert density == pytest.approx(expected, abs=1e-9)
    radius = np.array([np.nan if r is None else r for r in COVALENT_RADIUS_ANGSTROM])
    ratio = (distance / (radius[first] + radius[second]))[heavy]
    expected = np.histogram(ratio[ratio < 1.5], bins=found.ratio_edges, density=True)[0]
    assert found.bond_ratio == pytest.approx(expected, abs=1e-9)


def test_halite_by_hand() -> None:
    """6 at a/2, 12 at a/√2, 8 at a√3/2, 6 at a, 24 beyond 6 Å: shares 6, 12, 8, 6 of 32."""
    found = distance_histograms(arrays("halite"), bin_angstrom=0.01)
    peaks = np.flatnonzero(found.all_atoms > 0)
    assert found.edges_angstrom[peaks] == pytest.approx([2.82, 3.98, 4.88, 5.64], abs=0.011)
    assert found.all_atoms[peaks] * 0.01 == pytest.approx(np.array([6, 12, 8, 6]) / 32)


def test_occupancy_weights_pairs() -> None:
    """Cl sites half occupied: Na–Cl counts ½, Cl–Cl ¼, Na–Na 1."""
    found = distance_histograms(arrays("halite", occupancy=[1.0, 0.5]), bin_angstrom=0.01)
    counts = np.array([6 * 0.5 * 2, 12 * (1 + 0.25), 8 * 0.5 * 2, 6 * (1 + 0.25)])
    shares = found.all_atoms[found.all_atoms > 0] * 0.01
    assert shares == pytest.approx(counts / counts.sum())


def test_alternative_groups_do_not_see_each_other() -> None:
    """With Na in group 1 and Cl in group 2 only like atoms are neighbours; group 0 is neighbour of all."""
    apart = distance_histograms(arrays("halite", alternative=[1, 2]), bin_angstrom=0.01)
    assert np.count_nonzero(apart.all_atoms) == 2
    with_ordered = distance_histograms(arrays("halite", alternative=[0, 2]), bin_angstrom=0.01)
    assert np.count_nonzero(with_ordered.all_atoms) == 4


def test_disorder_about_a_special_position() -> None:
    """Group −1 sees no symmetry image of itself: of the triclinic pair only translations remain."""
    ordered = distance_histograms(arrays("triclinic"), bin_angstrom=0.01)
    found = distance_histograms(arrays("triclinic", alternative=[-1, -1]), bin_angstrom=0.01)
    assert 0 < np.count_nonzero(found.all_atoms) < np.count_nonzero(ordered.all_atoms)
    lattice = pymatgen_lattice(STRUCTURES["triclinic"][0])
    sites = STRUCTURES["triclinic"][2]
    no_images = Structure(lattice, [s for s, _ in sites], [x for _, x in sites])
    distance = no_images.get_neighbor_list(6.0)[3]
    expected = np.histogram(distance, bins=found.edges_angstrom, density=True)[0]
    assert found.all_atoms == pytest.approx(expected, abs=1e-9)


def rows(name: str, **changes: Any) -> tuple[pa.Table, pa.Table]:
    cell, symbol, sites = STRUCTURES[name]
    multiplicity = arrays(name).multiplicity.tolist()
    entries = [entry(f"x:{name}", [float(x) for x in cell], symbol)]
    listed = [
        site(f"x:{name}", i, element, **dict(zip("xyz", map(float, xyz), strict=True)), multiplicity=m)
        | changes
        for i, ((element, xyz), m) in enumerate(zip(sites, multiplicity, strict=True))
    ]
    return pa.Table.from_pylist(entries, arrow_schema(ENTRY)), pa.Table.from_pylist(
        listed, arrow_schema(SITE)
    )


def test_tables_give_the_mean_of_their_structures() -> None:
    """Two structures of a subset, weighted: the weighted mean of their own histograms."""
    both = [rows("gypsum"), rows("calcite")]
    entries = pa.concat_tables([e for e, _ in both]).append_column("weight", pa.array([1.0, 0.25]))
    sites = pa.concat_tables([s for _, s in reversed(both)])
    found = interatomic_distances(entries, sites)
    parts: list[DistanceHistograms] = [distance_histograms(arrays(name)) for name in ("gypsum", "calcite")]
    expected = (parts[0].all_atoms + 0.25 * parts[1].all_atoms) / 1.25
    assert found.all_atoms == pytest.approx(expected, abs=1e-9)
    assert found.n_structures == 2
    assert (found.all_atoms * 0.05).sum() == pytest.approx(1)


@pytest.mark.parametrize("structures", [1, 2, 16])
def test_batches_of_files_give_the_same_bits(tmp_path: Path, structures: int) -> None:
    """Also where a structure's sites lie in two row groups, and one has none."""
    tables = []
    for i, name in enumerate(("calcite", "gypsum", "halite", "gypsum", "calcite")):
        listed = list(rows(name))
        for k, table in enumerate(listed):
            ids = pa.array([f"y:{i}"] * table.num_rows)
            listed[k] = table.set_column(table.schema.get_field_index("entry_id"), "entry_id", ids)
        tables.append((listed[0], listed[1].slice(0, 0) if i == 2 else listed[1]))
    weight = pa.array([1.0, 0.25, 1.0, 0.1, 0.3])
    entries = pa.concat_tables([e for e, _ in tables]).append_column("weight", weight)
    sites = pa.concat_tables([s for _, s in tables])
    pq.write_table(entries, tmp_path / "s.parquet", row_group_size=3)
    pq.write_table(sites, tmp_path / "s.sites.parquet", row_group_size=2)
    whole = interatomic_distances(entries, sites)
    parts = subset_distances(tmp_path / "s.parquet", structures=structures)
    assert whole.n_structures == parts.n_structures == 4
    for name in ("all_atoms", "non_hydrogen", "bond_ratio"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name))


def test_nothing_is_assumed_for_what_is_missing() -> None:
    """Sites without occupancy, and entries without sites, are left out; no structure gives no density."""
    entries, sites = rows("calcite", occupancy=None)
    found = interatomic_distances(entries, sites)
    assert found.n_structures == 0
    assert np.isnan(found.all_atoms).all()


def test_disorder_of_tables() -> None:
    entries, sites = rows("halite")
    column = SITE_NAMES.index("disorder_group")
    marked = sites.set_column(column, "disorder_group", pa.array(["1", "2"]))
    assert np.count_nonzero(interatomic_distances(entries, marked, bin_angstrom=0.01).all_atoms) == 2
    assemblies = marked.set_column(
        SITE_NAMES.index("disorder_assembly"), "disorder_assembly", pa.array(["A", "B"])
    )
    assert np.count_nonzero(interatomic_distances(entries, assemblies, bin_angstrom=0.01).all_atoms) == 4


SITE_NAMES = [c.name for c in SITE]


def test_ranges_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="positive"):
        distance_histograms(arrays("halite"), bin_angstrom=0)
    with pytest.raises(ValueError, match="need 1 weights"):
        distance_histograms(arrays("halite"), weights=[1.0, 2.0])
