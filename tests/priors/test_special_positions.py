"""Repeated letters of special positions, by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from xtalpriors.priors.fitting.fit import fit_table
from xtalpriors.priors.fitting.subset_table import SubsetTable


def test_a_point_listed_twice_is_occupied_once_and_a_plane_holds_each_atom(
    table_of: Callable[..., SubsetTable],
) -> None:
    """Pnma: 4a is a point, which a file that lists its equivalents names twice; 4c is a mirror plane."""
    letters = ["a a c c", "a a", "c", ""] * 15
    strings: dict[str, Any] = {
        "crystal_system": ["orthorhombic"] * 60,
        "sg_hm": ["P n m a"] * 60,
        "special_letters": letters,
        "hydrogen_origin": [None] * 60,
    }
    counts = [len(text.split()) for text in letters]
    table = table_of(60, strings=strings, sg_number=62, n_special_positions=counts)
    priors = fit_table(table, bootstrap=200).priors
    assert priors.special_positions is not None
    group = priors.special_positions.groups[62]
    points, plane = group.wyckoff_sets
    assert points.probability is not None and plane.count is not None
    assert points.probability.value == pytest.approx(0.25)  # one of two letters in half of the structures
    assert plane.count.values == pytest.approx([0.5, 0.25, 0.25])
    assert group.number_occupied.values == pytest.approx([0.25, 0.5, 0.0, 0.25])  # 0, 1 and 3 orbits
