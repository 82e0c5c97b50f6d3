"""Site symmetry of real and awkward sites."""

from __future__ import annotations

import base64
import json
import sqlite3
from importlib.metadata import PackageNotFoundError, distribution

import gemmi
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.symmetry.resolve import Resolution, resolve_space_group
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.crystal.wyckoff import (
    TOLERANCE_ANGSTROM,
    site_symmetries,
    site_symmetries_of_entries,
    wyckoff_positions,
)

P21C = SpaceGroup.from_number(14)
METRIC = UnitCell(9, 8, 7, 90, 100, 90).metric_tensor


def test_rounded_coordinates_are_put_right() -> None:
    group = SpaceGroup.from_number(194)  # hexagonal close packing: 2c at 1/3, 2/3, 1/4
    metric = UnitCell(3.2, 3.2, 5.2, 90, 90, 120).metric_tensor
    found = site_symmetries(
        group, [[0.333, 0.667, 0.25], [0.3333, 0.6667, 0.25], [1.3333, -0.3333, 0.25]], metric
    )
    assert found.letter.tolist() == ["c", "c", "c"]
    np.testing.assert_allclose(found.fract, [[1 / 3, 2 / 3, 0.25]] * 2 + [[4 / 3, -1 / 3, 0.25]], atol=1e-12)


def test_general_sites_are_left_as_they_are() -> None:
    fract = np.array([[0.1, 0.2, 0.3], [-3.7, 12.2, 0.9]])
    found = site_symmetries(P21C, fract, METRIC)
    np.testing.assert_array_equal(found.fract, fract)
    assert found.multiplicity.tolist() == [4, 4]
    assert found.letter.tolist() == ["e", "e"]


def test_tolerance_is_the_distance_to_the_image() -> None:
    # inversion at the origin moves (δ, 0, 0) by 2 δ a
    a = 9.0
    inside, outside = 0.49 * TOLERANCE_ANGSTROM / a, 0.51 * TOLERANCE_ANGSTROM / a
    found = site_symmetries(P21C, [[inside, 0, 0], [outside, 0, 0]], METRIC)
    assert found.letter.tolist() == ["a", "e"]
    np.testing.assert_allclose(found.fract, [[0, 0, 0], [outside, 0, 0]], atol=1e-15)


def test_missing_coordinates_give_marks() -> None:
    found = site_symmetries(P21C, [[np.nan, 0, 0], [0, np.inf, 0], [0, 0, 0]], METRIC)
    assert found.multiplicity.tolist() == [0, 0, 2]
    assert found.order.tolist() == [0, 0, 2]
    assert found.letter.tolist() == ["", "", "a"]
    assert np.isnan(found.fract[0, 0])
    assert site_symmetries(P21C, [[0, 0, 0]], np.full((3, 3), np.nan)).multiplicity.tolist() == [0]
    assert len(site_symmetries(P21C, np.empty((0, 3)), METRIC).letter) == 0


def test_operators_within_the_tolerance_that_are_no_group() -> None:
    # near a fourfold axis the quarter turn moves a site by √2 r, the half turn by 2 r: between them only 1, 4
    # and 4⁻¹ are found, which is no group
    group = SpaceGroup.from_number(75)
    r = TOLERANCE_ANGSTROM / 1.7
    found = site_symmetries(group, [[r / 10, 0, 0.3]], np.diag([100.0, 100.0, 100.0]))
    assert found.order.tolist() == [1]
    assert found.multiplicity.tolist() == [4]


COORDINATES = st.sampled_from([0, 1 / 8, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 0.2, 0.0031, -0.0031])


@given(
    number=st.integers(1, 230),
    points=st.lists(st.tuples(*[COORDINATES] * 3), max_size=8),
    tolerance=st.sampled_from([1e-4, 0.01, 0.05, 0.3, 0.8]),
)
@settings(max_examples=150, deadline=None)
def test_multiplicity_times_order_whatever_the_tolerance(
    number: int, points: list[tuple[float, float, float]], tolerance: float
) -> None:
    group = SpaceGroup.from_number(number)
    found = site_symmetries(group, np.array(points).reshape(-1, 3), np.diag([36.0, 36.0, 49.0]), tolerance)
    known = {(p.letter, p.multiplicity, p.site_symmetry_order) for p in wyckoff_positions(group)}
    for i in range(len(points)):
        assert (found.letter[i], found.multiplicity[i], found.order[i]) in known
        # the snapped point is fixed by exactly `order` operators
        moved = group.rotations @ found.fract[i] + group.translations - found.fract[i]
        fixed = np.abs(moved - np.rint(moved)).max(axis=1) < 1e-6
        assert fixed.sum() == found.order[i]


def test_many_entries_in_one_call_are_the_entries_one_by_one() -> None:
    rng = np.random.default_rng(5)
    groups = [SpaceGroup.from_number(n) for n in (14, 225, 14, 2, 166)]
    sizes = [7, 0, 3, 5, 9]
    offsets = np.cumsum([0, *sizes])
    fract = rng.integers(0, 9, (offsets[-1], 3)) / 8.0
    metrics = np.array([np.diag([36.0 + i, 49, 64]) for i in range(5)])
    together = site_symmetries_of_entries(groups, offsets, fract, metrics)
    for i, group in enumerate(groups):
        rows = slice(offsets[i], offsets[i + 1])
        alone = site_symmetries(group, fract[rows], metrics[i])
        for a, b in zip(alone, together, strict=True):
            np.testing.assert_array_equal(a, b[rows])
    assert (together.order > 1).sum() > 5
    bounds = np.stack([offsets[:-1], offsets[1:]], axis=1)[::-2]  # some of them, in another order
    some = site_symmetries_of_entries(groups[::-2], bounds, fract, metrics[::-2])
    chosen = np.concatenate([np.arange(first, last) for first, last in bounds])
    for a, b in zip(some, together, strict=True):
        np.testing.assert_array_equal(a[chosen], b[chosen])
    assert not np.delete(some.multiplicity, chosen).any()


def test_published_sites_of_quartz_and_spinel() -> None:
    # quartz P3₂21 (Levien, Prewitt & Weidner 1980, origin of ITA): Si 3a, O 6c; spinel: Mg 8a, Al 16d, O 32e
    quartz = site_symmetries(
        SpaceGroup.from_hm("P 32 2 1"),
        [[0.4697, 0, 0.6667], [0.4133, 0.2672, 0.7855]],
        UnitCell(4.916, 4.916, 5.4054, 90, 90, 120).metric_tensor,
    )
    assert quartz.multiplicity.tolist() == [3, 6]
    spinel = site_symmetries(
        SpaceGroup.from_hm("F d -3 m:2"),
        [[0.125, 0.125, 0.125], [0.5, 0.5, 0.5], [0.2624, 0.2624, 0.2624]],
        UnitCell(8.08, 8.08, 8.08).metric_tensor,
    )
    assert [f"{m}{w}" for m, w in zip(spinel.multiplicity, spinel.letter, strict=True)] == [
        "8a",
        "16d",
        "32e",
    ]


def _amcsd() -> list[tuple[SpaceGroup, np.ndarray, np.ndarray]]:
    """Every 12th entry of the AMCSD: group, metric, coordinates."""
    try:
        path = distribution("larixite").locate_file("larixite/amcsd_cif1.db")
    except PackageNotFoundError:
        pytest.skip("needs larixite, which `make setup` installs")
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        operators = dict(connection.execute("SELECT id, symmetry_xyz FROM spacegroups"))
        rows = connection.execute(
            "SELECT spacegroup_id, a, b, c, alpha, beta, gamma, atoms_x, atoms_y, atoms_z FROM cif "
            "WHERE id % 12 = 0 AND length(atoms_x) > 4"
        ).fetchall()
    found = []
    for group_id, *cell, x, y, z in rows:
        resolution = resolve_space_group(tuple(json.loads(operators[group_id])))
        columns = [np.frombuffer(base64.b64decode(v), "<i4") / 4e6 for v in (x, y, z)]
        if isinstance(resolution, Resolution) and len({len(c) for c in columns}) == 1:
            fract = np.stack(columns, axis=1)
            metric = UnitCell(*map(float, cell)).metric_tensor
            found.append((resolution.group, metric, fract[(np.abs(fract) < 1.9).all(axis=1)]))
    return found


def test_the_tolerance_lies_in_the_gap_between_rounding_and_splitting() -> None:
    entries = _amcsd()
    distances = []
    for group, metric, fract in entries:
        moved = group.rotations[1:] @ fract[:, None, :, None]
        d = moved[..., 0] + group.translations[1:] - fract[:, None]
        d -= np.rint(d)
        distances.append(np.sqrt(np.einsum("mni,ij,mnj->mn", d, metric, d).clip(0)).ravel())
    all_distances = np.concatenate(distances)
    counts, _ = np.histogram(all_distances, [0, 0.02, 0.04, 0.06, 0.1, 0.3])
    rounding, *gap, _, split = counts
    assert len(entries) > 500
    assert rounding > 10_000
    assert split > 20
    assert sum(gap) < split / 3


def test_the_amcsd_agrees_with_gemmi() -> None:
    """Orders of real sites, from gemmi's operators one by one."""
    n_special = 0
    for group, metric, fract in _amcsd()[::4]:
        found = site_symmetries(group, fract, metric)
        operators = [gemmi.Op(t) for t in group.operators]
        for site, order in zip(fract.tolist(), found.order.tolist(), strict=True):
            images = np.array([op.apply_to_xyz(site) for op in operators]) - site
            images -= np.rint(images)
            near = np.einsum("ni,ij,nj->n", images, metric, images) < TOLERANCE_ANGSTROM**2
            assert near.sum() == order
            n_special += order > 1
    assert n_special > 300
