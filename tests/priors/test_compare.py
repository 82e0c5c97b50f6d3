"""Moves are as large as they are, and noise is told from them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from xtalpriors.priors.bundle import CreatedFrom, PriorBundle, Priors, make_bundle, published_bundle
from xtalpriors.priors.distributions.distribution import Empirical, Estimate, Uniform
from xtalpriors.priors.distributions.scalar import ScalarPrior
from xtalpriors.priors.fitting.fit import fit_table
from xtalpriors.priors.fitting.subset_table import SubsetTable
from xtalpriors.priors.kinds.cell import Cell, CellOfFamily
from xtalpriors.priors.kinds.cell_volume import CellVolume
from xtalpriors.priors.tell.compare import Move, _with_unit, compare
from xtalpriors.priors.tell.compare_text import comparison_text
from xtalpriors.priors.tell.meaning import meaning

Make = Callable[..., SubsetTable]


def population(
    table_of: Make, seed: int, n: int = 400, shift: float = 0.0, oxygen: float = 0.2
) -> PriorBundle:
    rng = np.random.default_rng(seed)
    letters = ["a" if rng.random() < 0.2 else "" for _ in range(n)]
    strings = {
        "crystal_system": ["monoclinic"] * n,
        "special_letters": letters,
        "hydrogen_origin": ["sites"] * n,
        "sg_hm": list(rng.choice(["P 1 21/c 1", "P 1 21/n 1"], n)),
    }
    sites = {
        "entry": np.repeat(np.arange(n), 5),
        "element": list(rng.choice(["C", "O"], 5 * n, p=[1 - oxygen, oxygen])),
    }
    table = table_of(
        n,
        name=f"population-{seed}",
        strings=strings,
        sites=sites,
        sg_number=14,
        n_special_positions=[len(t) for t in letters],
        volume_angstrom3=rng.lognormal(6.0 + shift, 0.4, n),
        h_fraction=rng.beta(5, 5, n),
        volume_per_non_h_atom_angstrom3=rng.normal(15, 2, n),
        beta_degree=rng.uniform(90, 120, n),
        alpha_degree=90,
        gamma_degree=90,
    )
    return fit_table(table, bootstrap=200)


@pytest.fixture(scope="module")
def reference(table_of: Make) -> PriorBundle:
    return population(table_of, 0)


def test_a_bundle_has_not_moved_from_itself(reference: PriorBundle) -> None:
    comparison = compare(reference, reference)
    assert len(comparison.moves) > 25
    assert comparison.moved == ()
    assert all(m.change == 0 for m in comparison.moves)


@pytest.mark.slow
def test_samples_of_one_population_move_as_often_as_chance_allows(table_of: Make) -> None:
    """Five independent quantities in 30 pairs at the 5 % level: 150 · 0.05 = 7.5 expected."""
    names = ("cell_volume", "hydrogen", "packing", "cell_volume.parametric.mu", "elements.general.per_site")
    exceeded = 0
    for seed in range(30):
        a, b = (population(table_of, 100 + 2 * seed + i, n=120) for i in range(2))
        moves = {m.name: m for m in compare(a, b).moves}
        exceeded += sum(moves[name].exceeds for name in names)
    low, high = stats.binom(150, 0.05).ppf([1e-4, 1 - 1e-4])
    assert low <= exceeded <= high


def test_cells_of_another_exponent_are_compared_in_the_same_group() -> None:
    """Lengths over order^0.1 and over order^0.3 that are the same lengths in a group of order 4."""

    def family(exponent: float, correlation: float) -> CellOfFamily:
        lengths = tuple(x / 4.0**exponent for x in (5.0, 7.0, 12.0))
        variables = {
            "longest": lengths,
            "composition": (0.0, 0.2 + exponent, 1.0),
            "volume_per_atom": (9.0, 12.0, 20.0),
        }
        pairs = ("composition & longest", "composition & volume_per_atom", "longest & volume_per_atom")
        return CellOfFamily(
            variables={
                name: ScalarPrior(
                    n_clusters=900, unit="1", convention="",
                    empirical=Empirical(probabilities=(0.0, 0.5, 1.0), values=values),
                )
                for name, values in variables.items()
            },
            correlations={
                pair: Estimate(value=x, low=x - 0.05, high=x + 0.05)
                for pair, x in zip(pairs, (correlation, correlation, 0.1), strict=True)
            },
            order_exponent=exponent, order_min=2, order_max=8,
            length_min_angstrom=3.0, length_max_angstrom=20.0, longest_min_angstrom=5.0,
        )  # fmt: skip

    one, other = (
        make_bundle(
            "x",
            CreatedFrom(corpus="x"),
            Priors(cell=Cell(convention="", families={"monoclinic": family(*of)})),
        )
        for of in ((0.1, 0.2), (0.3, 0.6))
    )
    moves = {m.name.removeprefix("cell.families.monoclinic."): m for m in compare(one, other).moves}
    assert set(moves) == {
        "correlations.longest & volume_per_atom", "variables.longest", "variables.volume_per_atom"
    }  # fmt: skip
    assert all(m.change == pytest.approx(0.0, abs=1e-6) for m in moves.values())
    assert moves["variables.longest"].a == pytest.approx(7.0), "Å in a group of order 4 = √(2·8)"


def test_a_move_is_measured_in_the_unit_of_the_statistic(table_of: Make, reference: PriorBundle) -> None:
    """ln V moved by 0.3: W is the difference of the means, e^6.08·(e^0.3 − 1) = 153 Å³; O from 20 to 35 %."""
    moved = population(table_of, 1, shift=0.3, oxygen=0.35)
    comparison = compare(reference, moved)
    moves = {m.name: m for m in comparison.moves}
    volume = moves["cell_volume"]
    assert volume.exceeds
    assert volume.unit == "Å³"
    assert volume.change == pytest.approx(np.exp(6.08) * (np.exp(0.3) - 1), rel=0.25)
    assert volume.low is not None and volume.high is not None and volume.noise is not None
    assert volume.low < volume.change < volume.high
    assert volume.noise < volume.change
    # The median, e^6, moves with its sign to e^6.3: by 141 Å³, and back again.
    assert volume.shift == pytest.approx(np.exp(6.3) - np.exp(6.0), rel=0.25)
    assert volume.shift_low is not None and volume.shift_low > 0 and volume.a_range is None
    back = {m.name: m for m in compare(moved, reference).moves}["cell_volume"]
    assert back.shift == pytest.approx(-volume.shift) and back.change == pytest.approx(volume.change)
    assert meaning(volume).endswith("% larger cells") and meaning(back).endswith("% smaller cells")
    mu = moves["cell_volume.parametric.mu"]
    assert mu.low is not None and mu.high is not None
    assert mu.low < 0.3 < mu.high
    elements = moves["elements.general.per_site"]
    assert elements.exceeds
    assert elements.change == pytest.approx(0.15, abs=0.04)
    assert "cell_volume" in {m.name for m in comparison.moved}
    assert not moves["packing"].exceeds
    assert moves["cell_volume.mean"].unit == "Å³"
    text = comparison_text(comparison)
    assert "cell_volume.parametric.mu" in text
    told = dict(re.findall(r"^(\w+) +(within sampling error|real|large)  ", text, re.M))
    assert (told["cell_volume"], told["hydrogen"]) == ("large", "within sampling error"), (
        "verdicts come first"
    )
    assert "compared as independent samples" in text and "real moves can look like sampling" in text
    assert json.loads(comparison.to_json())["digest_b"] == moved.priors_digest


def test_a_number_has_the_unit_of_the_distribution_that_it_is_of() -> None:
    """`packing` is in Å³ an atom; the atoms in a cell stand below it in the bundle, and are a number."""
    move = Move(name="packing.atoms_per_cell.mean", kind="number", a=136, b=146, change=10, exceeds=True)
    assert _with_unit(move, "packing", "Å³").unit is None
    for name in ("packing.mean", "packing.parametric.sd"):
        assert _with_unit(move.model_copy(update={"name": name}), "packing", "Å³").unit == "Å³"


def test_the_interval_of_a_change_adds_what_each_side_may_have_erred() -> None:
    """By hand: 10 (7…14) to 15 (12…17): 5 − √(3² + 4²) = 0 and 5 + √(2² + 3²) = 8.606."""

    def bundle(value: float, low: float, high: float) -> PriorBundle:
        volume = CellVolume(
            unit="Å³",
            convention="",
            parametric=Uniform(low=1, high=2),
            median=Estimate(value=value, low=low, high=high),
            uniform_low_angstrom3=1,
            uniform_high_angstrom3=2,
        )
        return make_bundle("x", CreatedFrom(corpus="x"), Priors(cell_volume=volume))

    moves = {m.name: m for m in compare(bundle(10, 7, 14), bundle(15, 12, 17)).moves}
    volume = moves["cell_volume"]
    assert (volume.shift, volume.shift_low, volume.shift_high) == pytest.approx((5, 0, 5 + np.sqrt(13)))
    assert volume.a_range == "U(1; 2)", "without data the prior is what is drawn"


def test_a_published_bundle_has_no_error_of_its_own(reference: PriorBundle) -> None:
    comparison = compare(published_bundle(), reference)
    assert "space_groups" in comparison.only_in_b
    assert "displacement" in comparison.only_in_a
    moves = {m.name: m for m in comparison.moves}
    mu = moves["cell_volume.parametric.mu"]
    assert mu.a == 6.04
    assert moves["packing"].a_range == "U(7; 22)" and moves["packing"].b_range is None
    assert moves["cell_volume"].a_range is None, "the log-normal of the paper is a fit to data"
    assert "U(7; 22) drawn" in comparison_text(comparison)
    assert mu.noise is not None
    p = moves["special_positions.groups.14.wyckoff_sets.abcd.probability"]
    assert p.a == 0.05
    assert p.low is not None and p.high is not None and p.low < 0 < p.high
    assert not p.exceeds
    itself = compare(published_bundle(), published_bundle())
    assert itself.moved == ()
    assert "only in the second bundle: space_groups" in comparison_text(comparison, every=True)
