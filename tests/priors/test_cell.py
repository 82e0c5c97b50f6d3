"""The joint prior of cells: what it recovers, and cells that are described on other axes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from fitted_cells import CORRELATION, ORDERS, cell_context
from scipy import stats

from xtalpriors.priors.fitting.as_measured import cell
from xtalpriors.priors.fitting.as_measured.copula import held_out, score_correlation
from xtalpriors.priors.fitting.context import Context, Unavailable, context_of
from xtalpriors.priors.fitting.fit import fit_table
from xtalpriors.priors.fitting.subset_table import SubsetTable
from xtalpriors.priors.kinds.cell import FAMILIES, Cell


@pytest.fixture(scope="module")
def fitted() -> Cell:
    return cell.fit(cell_context())


def test_correlations_orders_and_marginals_are_recovered(fitted: Cell) -> None:
    assert tuple(fitted.families) == FAMILIES
    mono = fitted.families["monoclinic"]
    found = mono.correlations["longest & ratio_longest"]
    assert found.low is not None and found.high is not None
    assert found.low < CORRELATION < found.high and found.high - found.low < 0.2
    assert abs(mono.correlations["longest & volume_per_atom"].value) < 0.15
    assert mono.axis_order is not None
    shares = dict(zip(mono.axis_order.labels, mono.axis_order.probabilities, strict=True))
    assert shares == pytest.approx(ORDERS, abs=0.08)
    assert fitted.families["cubic"].axis_order is None


def test_draws_have_the_measured_marginals_and_correlations(fitted: Cell) -> None:
    drawn = fitted.families["monoclinic"].sample(20_000, rng=np.random.default_rng(3))
    rank = stats.spearmanr(drawn["longest"], drawn["ratio_longest"]).statistic
    # Spearman's ρ of a Gaussian copula (Kruskal 1958, doi 10.1080/01621459.1958.10501481)
    assert rank == pytest.approx(6 / np.pi * np.arcsin(CORRELATION / 2), abs=0.07)
    assert stats.kstest(drawn["volume_per_atom"], stats.uniform(12, 8).cdf).statistic < 0.07
    assert (drawn["hydrogen_fraction"] == 0).mean() == pytest.approx(0.4, abs=0.07)


def test_draws_are_as_near_to_new_cells_as_cells_are_to_one_another(fitted: Cell) -> None:
    for family in ("monoclinic", "orthorhombic", "tetragonal"):
        score = fitted.families[family].held_out
        assert score is not None
        assert abs(score.distance - score.distance_of_database) < 0.02


def test_draws_of_a_wrong_shape_are_told_from_new_cells() -> None:
    """Two variables on a circle: no copula of normal scores has that, and the distance says so."""
    turn = np.random.default_rng(1).uniform(0, 2 * np.pi, 1000)
    x = np.column_stack([np.cos(turn), np.sin(turn)])
    score = held_out(x, np.ones(1000), np.arange(1000), rng=np.random.default_rng(2))
    assert score is not None
    assert score.distance > 0.012 > 0.008 > abs(score.distance_of_database)


def test_score_correlation_is_that_of_normal_variables() -> None:
    z = np.random.default_rng(0).multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], 50_000)
    found = score_correlation(np.exp(z[:, 0]), z[:, 1] ** 3, np.ones(50_000))
    assert found == pytest.approx(0.5, abs=0.015)


def _one_family(system: str, rows: list[tuple[float, ...]], n_operators: list[int]) -> Context:
    names = [f"{a}_angstrom" for a in "abc"] + [f"{x}_degree" for x in ("alpha", "beta", "gamma")]
    columns = dict(zip(names, np.array(rows).T, strict=True))
    return context_of(strings={"crystal_system": [system] * len(rows)}, n_operators=n_operators, **columns)


def test_rhombohedral_axes_are_the_hexagonal_cell() -> None:
    """Calcite: a 4.9896, c 17.0610 Å (COD 9016706) is a 6.3750 Å, α 46.08° in rhombohedral axes."""
    hexagonal = [(4.9896, 4.9896, 17.0610, 90, 90, 120)] * 20
    rhombohedral = [(6.3750, 6.3750, 6.3750, 46.08, 46.08, 46.08)] * 20
    context = _one_family("trigonal", hexagonal + rhombohedral, [36] * 20 + [12] * 20)
    found = cell.fit(context).families["hexagonal"]
    for name, value in (("ratio_unique", 17.0610 / 4.9896), ("longest", None)):
        table = found.variables[name].empirical
        assert table is not None
        low, high = table.values[0], table.values[-1]
        assert high / low == pytest.approx(1, abs=2e-3)
        assert value is None or low == pytest.approx(value, rel=2e-3)
    assert (found.order_min, found.order_max) == (36, 36)


def test_the_unique_axis_of_a_monoclinic_cell_is_called_b() -> None:
    b_unique = (5.0, 7.0, 9.0, 90.0, 100.0, 90.0)
    c_unique = (9.0, 5.0, 7.0, 90.0, 90.0, 80.0)  # the same lattice, axes turned cyclically, γ acute
    context = _one_family("monoclinic", [b_unique, c_unique] * 15, [4] * 30)
    found = cell.fit(context).families["monoclinic"]
    assert found.axis_order is not None and found.axis_order.labels == ("a<b<c",)
    cosine = found.variables["cosine"].empirical
    assert cosine is not None
    assert cosine.values[0] == pytest.approx(cosine.values[-1]) == pytest.approx(np.sin(np.radians(10)))


def test_lengths_grow_with_the_order_of_the_group() -> None:
    """Cubic cells of 5·order^0.2 Å."""
    orders = np.tile([12, 24, 48, 96, 192], 8)
    rows = [(5 * n**0.2,) * 3 + (90.0,) * 3 for n in orders]
    found = cell.fit(_one_family("cubic", rows, orders.tolist())).families["cubic"]
    assert found.order_exponent == pytest.approx(0.2, abs=1e-3)
    assert (found.order_min, found.order_max) == (12, 192)
    table = found.variables["longest"].empirical
    assert table is not None and table.values[0] == pytest.approx(5.0, rel=2e-3)


def test_a_small_family_is_pooled_with_the_cells_of_the_parent_within_bounds(
    table_of: Callable[..., SubsetTable],
) -> None:
    """30 own clusters and 60 of the parent's 120, whose lengths the subset allows, with their elements."""

    def table(name: str, n: int, shift: float, definition: dict[str, object]) -> SubsetTable:
        rng = np.random.default_rng(n)
        lengths = np.column_stack([rng.uniform(*ends, n) for ends in ((4, 5), (5.2, 6.5), (6.7, 9))])
        lengths[n // 2 :] += shift
        angles = rng.uniform(75, 105, (n, 3))
        elements = np.where(np.arange(n)[:, None] % 2, ["Si", "O"], ["Ca", "O"])
        return table_of(
            n,
            name=name,
            strings={"crystal_system": ["triclinic"] * n, "hydrogen_origin": ["none"] * n},
            sites={"entry": np.repeat(np.arange(n), 2), "element": elements.ravel().tolist()},
            definition=definition,
            n_operators=2,
            h_fraction=0.0,
            volume_per_non_h_atom_angstrom3=np.where(np.arange(n) % 2, 20.0, 12.0) + rng.normal(0, 0.5, n),
            **dict(zip(("a_angstrom", "b_angstrom", "c_angstrom"), lengths.T, strict=True)),
            **dict(zip(("alpha_degree", "beta_degree", "gamma_degree"), angles.T, strict=True)),
        )

    own = table("own", 30, 0.0, {"length_min_angstrom": 3, "length_max_angstrom": 10})
    bundle = fit_table(own, parent=table("parent", 120, 20.0, {}), bootstrap=100)
    assert "cell.families.triclinic" not in bundle.unavailable and bundle.priors.cell is not None
    found = bundle.priors.cell.families["triclinic"]
    pooled = found.variables["composition"].shrinkage
    assert pooled is not None and (pooled.n_own, pooled.n_parent) == (30, 60)
    longest = found.variables["longest"].empirical
    assert longest is not None and longest.values[-1] < 10 / 2**found.order_exponent
    assert found.correlations["composition & volume_per_atom"].value > 0.6


def test_the_sites_of_chosen_structures_go_along(table_of: Callable[..., SubsetTable]) -> None:
    table = table_of(3, sites={"entry": [0, 0, 1, 2, 2], "element": ["C", "O", "Si", "Fe", "S"]})
    chosen = table.where(np.array([True, False, True]))
    assert chosen.n_entries == 2 and chosen.site_entry is not None
    assert chosen.site_entry.tolist() == [0, 0, 1, 1]
    elements = chosen.site_strings["element"]
    assert [elements.labels[code] for code in elements.codes] == ["C", "O", "Fe", "S"]
    assert chosen.site_numbers["occupancy"].shape == (4,)


def test_five_structures_give_no_cell_and_the_reason() -> None:
    context = _one_family("cubic", [(5.0, 5.0, 5.0, 90.0, 90.0, 90.0)] * 5, [24] * 5)
    with pytest.raises(Unavailable, match="no crystal family has enough structures"):
        cell.fit(context)
    assert "only 5 clusters" in context.unavailable["cell.families.cubic"]
