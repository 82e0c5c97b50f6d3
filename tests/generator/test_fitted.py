"""Cells and amounts of contents of the joint prior: kernels, reference, any group, bundles without it."""

from __future__ import annotations

import numpy as np
import pytest
from fitted_cells import CORRELATION, cell_bundle
from scipy import stats

from xtalpriors.crystal.cells.cell import cell_volumes
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.generator.config import configure
from xtalpriors.generator.generate import Generator, generate
from xtalpriors.generator.kernels.cell import cells
from xtalpriors.generator.kernels.random import new_stream
from xtalpriors.generator.reference.cells import draw_fitted_cell
from xtalpriors.generator.reference.reference import Reference
from xtalpriors.priors.bundle import make_bundle, published_bundle


def _cells(n: int, **options: object) -> np.ndarray:
    generator = Generator(cell_bundle(), configure(cell="fitted", **options), 3)
    return cells(generator.specification.spec.cell, new_stream(7), 0, n)


@pytest.mark.parametrize(
    "group",
    [
        "P 1 21/c 1",
        "P 1 1 21/b",
        "P -1",
        "P b c a",
        "I 4/m",
        "P 63/m m c",
        "R -3 c:H",
        "R -3 c:R",
        "F m -3 m",
    ],
)
def test_kernels_and_reference_draw_the_same_cells(group: str) -> None:
    fast = _cells(20_000, space_group=group)
    reference = Reference(cell_bundle(), configure(cell="fitted", space_group=group))
    rng = np.random.default_rng(11)
    slow = np.array([draw_fitted_cell(reference.rules.cell, rng)[0].parameters for _ in range(800)])
    for k in range(6):
        if np.ptp(fast[:, k]) == 0:
            assert np.allclose(slow[:, k], fast[0, k], atol=1e-9)
        else:
            assert stats.ks_2samp(fast[:, k], slow[:, k]).pvalue > 1e-4, k
    assert stats.ks_2samp(cell_volumes(fast), cell_volumes(slow)).pvalue > 1e-4


def test_one_lattice_in_both_axes_of_a_rhombohedral_group() -> None:
    """The same random numbers give one crystal: a third of the volume, α from c/a (Int. Tables A, 5.1)."""
    hexagonal, primitive = _cells(500, space_group="R -3 c:H"), _cells(500, space_group="R -3 c:R")
    a, c = hexagonal[:, 0], hexagonal[:, 2]
    assert np.allclose(primitive[:, 0], np.sqrt(3 * a**2 + c**2) / 3)
    assert np.allclose(np.sin(np.radians(primitive[:, 3]) / 2), 1.5 / np.sqrt(3 + (c / a) ** 2))
    assert np.allclose(cell_volumes(hexagonal), 3 * cell_volumes(primitive))


def test_ratios_and_sizes_of_monoclinic_cells_are_correlated_as_measured() -> None:
    drawn = _cells(20_000)
    ordered = np.sort(drawn[:, :3], axis=1)
    rank = stats.spearmanr(ordered[:, 2], ordered[:, 2] / ordered[:, 1]).statistic
    assert rank == pytest.approx(6 / np.pi * np.arcsin(CORRELATION / 2), abs=0.07)
    shortest_is_b = (drawn[:, 1] == ordered[:, 0]).mean()
    assert shortest_is_b == pytest.approx(0.5, abs=0.06)


def test_volume_per_atom_and_hydrogen_come_out_as_drawn() -> None:
    """U(12; 20) Å³ per atom, mean 16: eqs 18 and 19 would round the number of atoms down, V per atom up."""
    config = configure(cell="fitted", filling="random", min_distance_angstrom=0.1)
    batch = generate(cell_bundle(), config, 1, 0, 20_000)
    heavy = np.bincount(batch.structure_of_atom, batch.element > 1, len(batch)) * 4
    assert (batch.volume.sum() / heavy.sum()) == pytest.approx(16 * 0.976, rel=0.03)  # 1/E(1/v), not E(v)
    light = 1 - heavy / (batch.n_atoms * 4)
    assert (light == 0).mean() == pytest.approx(0.4, abs=0.06)
    assert light[light > 0].mean() == pytest.approx(0.45, abs=0.03)


def test_options_on_hydrogen_hold_for_what_is_drawn_with_the_cell() -> None:
    """Equal atoms have none, as in the paper, and of the others none has more than is allowed."""
    equal = generate(cell_bundle(), configure(cell="fitted", filling="equal-atoms"), 1, 0, 200)
    assert (equal.element > 1).all()
    config = configure(cell="fitted", filling="random", hydrogen_fraction_max=0.4, min_distance_angstrom=0.1)
    batch = generate(cell_bundle(), config, 1, 0, 2000)
    heavy = np.bincount(batch.structure_of_atom, batch.element > 1, len(batch))
    light = np.bincount(batch.structure_of_atom, batch.element == 1, len(batch))
    assert (light <= heavy * 0.4 / 0.6 + 1).all()  # a remainder is rounded at random
    assert (light > heavy * 0.35 / 0.65).any()


def test_a_larger_group_than_any_seen_has_a_larger_cell() -> None:
    """The prior knows cubic groups of 24 operators: with 192 the volume is eight times as large."""
    small, large = _cells(2000, space_group="P 4 3 2"), _cells(2000, space_group="F m -3 m")
    assert np.median(large[:, 0]) == pytest.approx(2 * np.median(small[:, 0]), rel=1e-9)


def test_the_new_prior_changes_no_structure_of_the_paper() -> None:
    config = configure()
    assert cell_bundle().priors_digest != published_bundle().priors_digest
    assert generate(cell_bundle(), config, 1, 0, 100).equals(generate(published_bundle(), config, 1, 0, 100))


def test_a_bundle_without_the_prior_or_the_family_says_so() -> None:
    with pytest.raises(XtalpriorsError, match=r"no prior 'cell'.*another strategy"):
        Generator(published_bundle(), configure(cell="fitted"), 1)
    bundle = cell_bundle()
    known = bundle.priors.cell
    assert known is not None
    families = {k: v for k, v in known.families.items() if k != "cubic"}
    priors = bundle.priors.model_copy(update={"cell": known.model_copy(update={"families": families})})
    reasons = {"cell.families.cubic": "only 5 clusters have a value"}
    fewer = make_bundle("fewer", bundle.created_from, priors, unavailable=reasons)
    with pytest.raises(XtalpriorsError, match=r"no cubic cells for .*only 5 clusters.*volume-lognormal"):
        Generator(fewer, configure(cell="fitted", space_group="F m -3 m"), 1)
    with pytest.raises(UsageError, match=r"no cell can be drawn.*do not meet"):
        Generator(bundle, configure(cell="fitted", length_max_angstrom=4.4, length_min_angstrom=4.0), 1)
