"""Clusters of redeterminations: what belongs together, what does not, and that nothing chains."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import gemmi
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tables import clusters, entry, make_database

from xtalpriors.crystal.cells.cell import metric_tensors
from xtalpriors.crystal.cells.lattice_match import LATTICE_TOLERANCE, lattices_match, may_match
from xtalpriors.crystal.cells.niggli import niggli_reduce
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.mining.database.clusters import _shares, build_clusters
from xtalpriors.mining.database.store import open_database

CELL = (5.0, 6.0, 7.0, 90.0, 95.0, 90.0)


def scaled(factor: float) -> tuple[float, ...]:
    return tuple(x * factor for x in CELL[:3]) + CELL[3:]


def together(path: Path, *rows: dict[str, Any]) -> list[set[str]]:
    found: dict[str, set[str]] = {}
    for name, (cluster_id, size, weight, _) in clusters(make_database(path, rows)).items():
        found.setdefault(cluster_id, set()).add(name)
        assert weight == pytest.approx(1 / size)
    for cluster_id, members in found.items():
        assert cluster_id == min(members)
    return sorted(found.values(), key=min)


def test_same_structure_twice(tmp_path: Path) -> None:
    rows = (
        entry("a:1"),
        entry("a:2", scaled(1.01)),
        entry("a:3", formula="C4 H8 S4"),
        entry("a:4", hm="P -1"),
    )
    assert together(tmp_path / "d", *rows) == [{"a:1", "a:2"}, {"a:3"}, {"a:4"}]


def test_formula_units_and_deuterium_do_not_matter(tmp_path: Path) -> None:
    """Element ratios count; the reader counts D as H, and hydrogen that was not found is no contradiction."""
    rows = (
        entry("a:1", formula="C4 H8 O4", h_fraction=0.5),
        entry("a:2", formula="C8 H16 O8", h_fraction=0.5),
        entry("a:3", formula="C4 O4", h_fraction=None),
        entry("a:4", formula="C4 H4 O4", h_fraction=1 / 3),
    )
    assert together(tmp_path / "d", *rows) == [{"a:1", "a:2", "a:3"}, {"a:4"}]


def test_a_pressure_series_does_not_chain(tmp_path: Path) -> None:
    """Ten steps of 1.2 % in volume: neighbours match, the ends (11 % apart) must not be one cluster."""
    rows = [entry(f"a:{i}", scaled(1.004**i), r1=0.05) for i in range(10)]
    found = together(tmp_path / "d", *rows)
    assert 1 < len(found) < 10
    for members in found:
        numbers = [int(name[2:]) for name in members]
        assert 1.004 ** (3 * (max(numbers) - min(numbers))) < 1.05**2


def test_settings_and_enantiomorphs_are_one_structure(tmp_path: Path) -> None:
    """P2₁/c and P2₁/n of one lattice (c′ = a + c), and quartz in P3₁21 and P3₂21."""
    c_n = float(np.sqrt(5**2 + 7**2 + 2 * 5 * 7 * np.cos(np.radians(95))))
    beta_n = float(np.degrees(np.arccos((5**2 + 5 * 7 * np.cos(np.radians(95))) / (5 * c_n))))
    quartz = (4.913, 4.913, 5.405, 90.0, 90.0, 120.0)
    rows = (
        entry("a:1"),
        entry("a:2", (5.0, 6.0, c_n, 90.0, beta_n, 90.0), "P 1 21/n 1"),
        entry("b:1", quartz, "P 31 2 1", "O6 Si3"),
        entry("b:2", quartz, "P 32 2 1", "O6 Si3"),
    )
    assert together(tmp_path / "d", *rows) == [{"a:1", "a:2"}, {"b:1", "b:2"}]


def test_every_enantiomorphic_pair_is_one_structure(tmp_path: Path) -> None:
    """The mirror image of a group has its translations reversed; eleven pairs have another number then."""
    cells = {"tetragonal": (5.0, 5.0, 7.0, 90.0, 90.0, 90.0), "cubic": (6.0, 6.0, 6.0, 90.0, 90.0, 90.0)}
    pairs, rows = [], []
    for number in range(1, 231):
        group = SpaceGroup.from_number(number)
        mirrored = [(op.rot, [-t for t in op.tran]) for op in map(gemmi.Op, group.operators)]
        image = SpaceGroup.from_operators(_triplet(rotation, shift) for rotation, shift in mirrored)
        if image.number > number:
            pairs.append({f"a:{number}", f"a:{image.number}"})
            cell = cells.get(group.crystal_system, (5.0, 5.0, 7.0, 90.0, 90.0, 120.0))
            formula = f"C{number} N"  # another compound for each pair
            rows += [entry(f"a:{g.number}", cell, str(g.hm), formula) for g in (group, image)]
    assert len(pairs) == 11
    found = together(tmp_path / "d", *rows)
    assert sorted(map(sorted, found)) == sorted(map(sorted, pairs))


def _triplet(rotation: list[list[int]], shift: list[int]) -> str:
    op = gemmi.Op("x,y,z")
    op.rot, op.tran = rotation, shift
    return str(op.wrap().triplet())


def test_marks_of_the_databases_join(tmp_path: Path) -> None:
    """`duplicate_of` and `optimal_code` name a COD number; equal codes join across sources."""
    other = (11.0, 12.0, 13.0, 90.0, 100.0, 90.0)
    rows = (
        entry("cod:1", cod_code="1000001"),
        entry("cod:2", other, cod_code="1000002", duplicate_of="1000001", is_duplicate=True),
        entry("cod:3", scaled(1.3), cod_code="1000003", optimal_code="1000002", is_suboptimal=True),
        entry("csd:1", formula=None, elements="C H O", csd_code="123456", doi="10.1/A"),
        entry("cod:4", formula=None, elements="C H O", csd_code="123456", doi="10.1/a"),
        entry("cod:5", formula=None, elements="C H S", csd_code="123456", doi="10.1/a"),
        entry("cod:6", formula=None, elements="C H O", csd_code="123456", doi="10.1/other"),
    )
    found = together(tmp_path / "d", *rows)
    assert {"cod:1", "cod:2", "cod:3"} in found
    assert {"cod:4", "csd:1"} in found
    assert {"cod:5"} in found
    assert {"cod:6"} in found


def test_what_is_not_known_stays_alone(tmp_path: Path) -> None:
    rows = (
        entry("a:1", formula=None),
        entry("a:2", formula=None),
        entry("a:3", n_sites=0),
        entry("a:4", n_sites=0),
        entry("a:5", niggli_a_angstrom=float("nan")),
        entry("a:6", niggli_a_angstrom=None),
    )
    assert len(together(tmp_path / "d", *rows)) == 6


def test_the_best_of_a_cluster(tmp_path: Path) -> None:
    """Ordered, then R1, then resolution, then the name; nothing retracted while there is another."""
    rows = [
        entry("a:1", r1=0.01, is_retracted=True),
        entry("a:2", r1=0.02, has_disorder=True),
        entry("a:3", r1=0.04, d_min_angstrom=0.9),
        entry("a:4", r1=0.04, d_min_angstrom=0.8),
        entry("a:5", r1=0.04, d_min_angstrom=0.8),
        entry("a:6", r1=None, d_min_angstrom=0.5),
    ]
    table = clusters(make_database(tmp_path / "d", rows))
    assert {row[0] for row in table.values()} == {"a:1"}
    assert [name for name, row in table.items() if row[3]] == ["a:4"]


def test_empty_database(tmp_path: Path) -> None:
    assert clusters(make_database(tmp_path / "d", [])) == {}


@pytest.mark.parametrize("sizes", [[], [1], [9], [1, 1, 1, 1, 1], [7, 1, 1], [1, 1, 7], [3, 2, 4, 1, 6, 5]])
def test_threads_take_whole_buckets_from_the_best_to_the_worst(sizes: list[int]) -> None:
    bucket = np.repeat(np.arange(len(sizes)), sizes)
    rank = np.random.default_rng(1).permutation(len(bucket))
    shares = _shares(bucket, rank)
    assert sorted(i for share in shares for i in share) == list(range(len(bucket)))
    of_shares = [set(bucket[share].tolist()) for share in shares]
    assert sum(map(len, of_shares)) == len(sizes)  # no bucket is in two of them
    for share in shares:
        assert sorted(share, key=lambda i: (bucket[i], rank[i])) == share.tolist()


def test_clusters_do_not_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    rows = [entry(f"a:{i:02d}", scaled(1 + 0.003 * i), r1=0.03 + 0.01 * (i % 3)) for i in range(20)]
    first = clusters(make_database(tmp_path / "first", rows))
    random.Random(5).shuffle(rows)
    assert clusters(make_database(tmp_path / "second", rows)) == first
    with open_database(tmp_path / "second", read_only=False) as connection:
        assert build_clusters(connection) == len({row[0] for row in first.values()})
    assert clusters(tmp_path / "second") == first


lengths = st.floats(4, 12)


@settings(max_examples=150, deadline=None)
@given(
    st.tuples(lengths, lengths, lengths, st.floats(70, 110), st.floats(70, 110), st.floats(70, 110)),
    st.lists(st.floats(-1, 1), min_size=6, max_size=6),
)
def test_noise_never_parts_a_lattice_from_itself(cell: tuple[float, ...], noise: list[float]) -> None:
    """0.3 % in lengths and 0.3° in angles, reduced anew: Niggli cells may jump, the match may not."""
    shaken = [x * (1 + 0.003 * e) for x, e in zip(cell[:3], noise[:3], strict=True)]
    shaken += [x + 0.3 * e for x, e in zip(cell[3:], noise[3:], strict=True)]
    reduced = niggli_reduce(np.array([cell, shaken])).cells
    if np.isfinite(reduced).all():
        assert lattices_match(reduced[0], reduced[1])
        assert may_match(*metric_tensors(reduced), LATTICE_TOLERANCE[0])


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ((5.01, 5.99, 7.02, 90.1, 89.9, 90.1), True),
        ((5.0, 6.0, 7.0, 89.0, 89.0, 89.0), True),
        ((5.0, 6.0, 7.0, 93.0, 90.0, 90.0), False),
        ((5.0, 6.0, 7.3, 90.0, 90.0, 90.0), False),
        ((5.0, 6.0, 14.0, 90.0, 90.0, 90.0), False),
        ((5.08, 6.1, 7.12, 90.0, 90.0, 90.0), False),
    ],
)
def test_tolerances_of_a_lattice(other: tuple[float, ...], same: bool) -> None:
    """3 % in a length, 2° in an angle, 5 % in volume; the last cell is 1.7 % longer in all directions."""
    assert lattices_match((5.0, 6.0, 7.0, 90.0, 90.0, 90.0), other) is same
