"""All 230 groups: structures that are not empty, dense enough, keep the rules, and have the right orbits."""

from __future__ import annotations

import numpy as np
import pytest

from xtalpriors.generator.config import configure
from xtalpriors.generator.counters import GENERAL
from xtalpriors.generator.generate import generate
from xtalpriors.generator.output.convert import unit_cell_contents
from xtalpriors.generator.reference.check import check_rules
from xtalpriors.generator.reference.reference import Reference
from xtalpriors.priors.bundle import published_bundle


@pytest.mark.slow
def test_a_hundred_structures_of_each_of_the_230_groups() -> None:
    bundle, n_special = published_bundle(), 0
    for number in range(1, 231):
        config = configure(space_group=str(number), filling="molecules")
        batch = generate(bundle, config, 1, 0, 100)
        found = check_rules(batch, config)
        assert batch.group.number == number
        assert found.n_structures == 100, number
        assert found.violations == found.special_violations == found.wrong_orbits == found.unbonded == 0, (
            number
        )
        assert found.n_distances > 100, number
        heavy = np.bincount(batch.structure_of_atom, (batch.element > 1) * batch.multiplicity, 100)
        per_atom = batch.volume / heavy
        assert per_atom.min() > 4.0, number
        assert per_atom.max() < 60.0, number
        n_special += int((batch.site != GENERAL).sum())
    assert n_special > 2000


@pytest.mark.parametrize("symbol", ["F m -3 m", "R -3 m:R", "I 41/a m d:1", "P 21/n", "A 1 1 2/a", "P m m 2"])
def test_special_positions_with_and_without_freedom(symbol: str) -> None:
    config = configure(space_group=symbol, filling="random", special_positions=True, special_probability=0.3)
    batch = generate(published_bundle(), config, 4, 0, 200)
    found = check_rules(batch, config)
    assert found.violations == found.special_violations == found.wrong_orbits == 0
    special = batch.site != GENERAL
    assert special.any()
    for structure in list(batch)[:20]:  # orbits written out have the multiplicity that the batch says
        _, points, which = unit_cell_contents(structure)
        assert np.array_equal(np.bincount(which), structure.multiplicity)
        assert points.min() >= 0.0


def test_without_scaling_high_symmetry_leaves_cells_empty_and_counts_it() -> None:
    options = {"scale_with_order": False, "special_positions": False, "min_placed_share": 0.0}
    config = configure(space_group="P 4/m m m", filling="random", **options)
    batch = generate(published_bundle(), config, 1, 0, 4000)
    rng = np.random.default_rng(1)
    volumes = rng.lognormal(6.04, 0.394, 400_000)
    volumes = volumes[(volumes > 64) & (volumes < 1000)]
    expected = float((volumes < 16 * rng.uniform(7, 22, len(volumes))).mean())
    assert expected == pytest.approx(0.10, abs=0.01)  # the design: P(N′ = 0) at order 16
    first_was_empty = float((batch.counter("redraws") > 0).mean())
    # a lone atom that finds no room between the mirror planes leaves the cell empty too
    assert first_was_empty > expected
    reference, redrawn = Reference(published_bundle(), config), 0
    for _ in range(400):
        reference.structure(rng)
        redrawn += reference.counters["redraws"] > 0
    assert redrawn / 400 == pytest.approx(first_was_empty, abs=4 * np.sqrt(0.25 * 0.75 / 400))
    assert batch.n_atoms.min() > 0
