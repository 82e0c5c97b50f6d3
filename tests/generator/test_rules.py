"""Whole structures: the distance rules by brute force, special positions, contents, displacement."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from xtalpriors.generator.config import configure
from xtalpriors.generator.counters import GENERAL
from xtalpriors.generator.generate import generate
from xtalpriors.generator.reference.check import check_rules
from xtalpriors.priors.bundle import make_bundle, published_bundle
from xtalpriors.priors.distributions.distribution import LogNormal, TruncatedNormal
from xtalpriors.priors.distributions.estimate import fixed

N = 20_000
SMALL_CELLS = {
    "cell": "axes-uniform",
    "length_max_angstrom": 5.5,
    "skew": "uniform",
    "scale_with_order": False,
}


@pytest.mark.parametrize(
    "options",
    [
        {"filling": "random"},
        {"filling": "random", "special_positions": True, "special_probability": 0.5},
        {"filling": "molecules"},
        {"filling": "equal-atoms"},
        {"filling": "molecules", **SMALL_CELLS},  # second and third images are needed
        {"filling": "molecules", "space_group": "P -1", "skew_b_against_c": True, **SMALL_CELLS},
        {"filling": "random", "min_distance_angstrom": 2.6, **SMALL_CELLS},
    ],
    ids=str,
)
def test_no_distance_breaks_the_rules(options: dict[str, object]) -> None:
    config = configure(**options)
    batch = generate(published_bundle(), config, 1, 0, N)
    found = check_rules(batch, config)
    assert found.n_structures == N
    assert (found.violations, found.special_violations, found.wrong_orbits, found.unbonded) == (0, 0, 0, 0)
    assert found.n_distances > 2 * N  # there was something to violate
    if options["filling"] != "molecules":
        limit = config.min_distance_angstrom
        assert limit <= found.smallest < 1.01 * limit
    per_atom = batch.volume / np.bincount(
        batch.structure_of_atom, (batch.element > 1) * batch.multiplicity, len(batch)
    )
    assert per_atom.min() > 5.0
    assert per_atom.max() < 45.0


@pytest.mark.parametrize("filling", ["random", "molecules"])
def test_the_check_finds_a_moved_atom(filling: str) -> None:
    config = configure(filling=filling)
    batch = generate(published_bundle(), config, 1, 0, 500)
    fract = batch.fract.copy()
    first = batch.offsets[:-1][batch.n_atoms > 1]
    fract[first + 1] = fract[first] + 0.05  # less than half an ångström away
    found = check_rules(replace(batch, fract=fract), config)
    assert found.violations + found.special_violations >= len(first)


def test_occupied_special_positions_follow_the_binomial() -> None:
    batch = generate(published_bundle(), configure(), 5, 0, 200_000)
    counts = np.bincount(batch.n_special, minlength=5)
    expected = stats.binom(4, 0.05).pmf(np.arange(5)) * len(batch)
    grouped = np.array([counts[0], counts[1], counts[2:].sum()])
    wanted = np.array([expected[0], expected[1], expected[2:].sum()])
    # the paper's 81.4, 17.2 and 1.4 %
    assert np.round(100 * wanted / len(batch), 1) == pytest.approx([81.5, 17.1, 1.4], abs=0.06)
    assert stats.chisquare(grouped, wanted).pvalue > 1e-3
    by_position = np.bincount(batch.site[batch.site != GENERAL], minlength=4)
    assert stats.chisquare(by_position).pvalue > 1e-3
    assert set(batch.multiplicity[batch.site != GENERAL]) == {2}
    assert batch.totals["dropped_special"] == 0


def test_special_atoms_come_from_the_special_table() -> None:
    bundle = published_bundle()
    batch = generate(bundle, configure(), 5, 0, 60_000)
    special = batch.site != GENERAL
    cno = np.isin(batch.element, (6, 7, 8))
    assert cno[special].mean() == pytest.approx(0.49, abs=0.012)
    # changed elements favour small atoms after 20 failures, so the general share may rise above 89 %
    assert cno[~special & (batch.element > 1)].mean() == pytest.approx(0.89, abs=0.03)
    random = generate(bundle, configure(filling="random"), 5, 0, 60_000)
    assert np.isin(random.element, (6, 7, 8))[random.element > 1].mean() == pytest.approx(0.89, abs=0.005)
    assert (random.site == GENERAL).all()  # the paper's random sets have no special positions


def test_numbers_of_atoms_are_equations_18_and_19_floors_included() -> None:
    """Closed loop (2): V per atom moves from 14.5 to 15.9 Å³ and x_H from 0.45 to 0.42."""
    batch = generate(published_bundle(), configure(filling="random"), 9, 0, 100_000)
    wanted, hydrogens = batch.counter("n_target"), batch.counter("n_hydrogen_target")
    assert (batch.volume / (4 * wanted)).mean() == pytest.approx(15.9, abs=0.05)
    assert (hydrogens / (wanted + hydrogens)).mean() == pytest.approx(0.42, abs=0.005)
    # and against the floors themselves, computed here from the priors
    rng = np.random.default_rng(3)
    v, v_atom, x_h = batch.volume, rng.uniform(7, 22, len(batch)), rng.uniform(0.3, 0.6, len(batch))
    n = np.floor(v / (4 * v_atom))
    n_h = np.floor(n * x_h / (1 - x_h))
    assert stats.ks_2samp(wanted, n).pvalue > 1e-3
    assert stats.ks_2samp(hydrogens, n_h).pvalue > 1e-3
    placed = batch.n_atoms + batch.counter("dropped") + batch.counter("dropped_hydrogen")
    assert np.array_equal(placed, wanted + hydrogens)


def test_u_iso_is_a_mean_and_deviations_and_never_below_its_limit() -> None:
    batch = generate(published_bundle(), configure(), 2, 0, 20_000)
    assert batch.u_iso.min() >= 0.005 - 1e-7
    assert batch.u_iso.max() <= 0.105 + 1e-7
    mean = np.bincount(batch.structure_of_atom, batch.u_iso) / batch.n_atoms
    assert np.abs(batch.u_iso - mean[batch.structure_of_atom]).max() < 0.01
    assert stats.kstest(mean, stats.uniform(0.01, 0.09).cdf).statistic < 0.02
    wide = published_bundle().priors
    displacement = wide.displacement.model_copy(
        update={
            "mean": wide.displacement.mean.model_copy(
                update={"parametric": LogNormal(mu=fixed(np.log(0.01)), sigma=fixed(1.0))}
            ),
            "deviation": wide.displacement.deviation.model_copy(
                update={"parametric": TruncatedNormal(mean=fixed(0.0), sd=fixed(0.02), low=-0.1, high=0.1)}
            ),
        }
    )
    bundle = make_bundle(
        "wide", published_bundle().created_from, wide.model_copy(update={"displacement": displacement})
    )
    batch = generate(bundle, configure(), 2, 0, 20_000)
    assert batch.u_iso.min() >= 0.001 - 1e-9
    assert (batch.u_iso < 0.002).any()  # there was something to cut


def test_equal_atoms_are_carbon_without_hydrogen() -> None:
    batch = generate(published_bundle(), configure(filling="equal-atoms"), 1, 0, 500)
    assert set(batch.element) == {6}
    assert batch.totals["n_hydrogen_target"] == 0


def test_hydrogens_come_after_the_skeleton() -> None:
    batch = generate(published_bundle(), configure(), 1, 0, 300)
    for structure in batch:
        hydrogen = structure.element == 1
        assert not np.any(np.diff(hydrogen.astype(int)) < 0)
