"""Fits of whole tables: hand counts, clusters as one vote, pooling, and input with nothing to fit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from xtalpriors.errors import UsageError
from xtalpriors.priors.distributions.distribution import Exponential, LogNormal, ZeroInflatedBeta
from xtalpriors.priors.fitting import cell_volume, packing
from xtalpriors.priors.fitting.context import Context, Unavailable, context_of
from xtalpriors.priors.fitting.conventions import within_bounds
from xtalpriors.priors.fitting.fit import _fit_all, fit_table
from xtalpriors.priors.fitting.subset_table import Coded, SubsetTable

Make = Callable[..., SubsetTable]


def monoclinic(table_of: Make, n: int, rng: np.random.Generator, **more: Any) -> SubsetTable:
    """n structures of no. 14 drawn from known distributions."""
    lengths = np.sort(rng.uniform(4, 10, (n, 3)), axis=1)
    skew = stats.truncexpon(0.7 * 4, scale=1 / 4).rvs(n, random_state=rng)
    letters = ["a" if rng.random() < 0.2 else "" for _ in range(n)]
    strings = {
        "crystal_system": ["monoclinic"] * n,
        "sg_hm": ["P 1 21/c 1"] * n,
        "special_letters": letters,
        "hydrogen_origin": ["sites"] * n,
    }
    columns = {
        "a_angstrom": lengths[:, 0],
        "b_angstrom": lengths[:, 1],
        "c_angstrom": lengths[:, 2],
        "alpha_degree": 90.0,
        "beta_degree": 90 + np.degrees(np.arctan(skew)) * rng.choice([-1, 1], n),
        "gamma_degree": 90.0,
        "volume_angstrom3": rng.lognormal(6.04, 0.394, n),
        "sg_number": 14,
        "n_special_positions": [len(text.split()) for text in letters],
        "h_fraction": np.where(rng.random(n) < 0.3, 0.0, rng.beta(8, 10, n)),
        "volume_per_non_h_atom_angstrom3": rng.normal(15, 2, n),
        "n_atoms_non_h_cell": rng.integers(20, 60, n),
        "u_iso_mean_angstrom2": rng.lognormal(-3.2, 0.4, n),
        "u_iso_n": 8,
    }
    return table_of(n, strings=strings, **(columns | more))


def test_known_parameters_lie_within_a_few_errors(table_of: Make) -> None:
    bundle = fit_table(monoclinic(table_of, 3000, np.random.default_rng(5)), bootstrap=200)
    priors = bundle.priors
    assert priors.cell_volume and priors.monoclinic_angle and priors.hydrogen and priors.special_positions
    checks = []
    volume = priors.cell_volume.parametric
    assert isinstance(volume, LogNormal)
    checks += [(volume.mu, 6.04), (volume.sigma, 0.394)]
    skew = priors.monoclinic_angle.declared.skew.parametric
    assert isinstance(skew, Exponential)
    checks += [(skew.rate, 4.0)]
    hydrogen = priors.hydrogen.parametric
    assert isinstance(hydrogen, ZeroInflatedBeta)
    checks += [(hydrogen.p_zero, 0.3), (hydrogen.a, 8.0), (hydrogen.b, 10.0)]
    probability = priors.special_positions.groups[14].wyckoff_sets[0].probability
    assert probability is not None
    checks += [(probability, 0.05)]  # one letter of four in a fifth of the structures
    for estimate, truth in checks:
        assert estimate.half_width is not None
        assert abs(estimate.value - truth) < 2 * estimate.half_width  # four standard errors
    share = priors.cell_volume.share_160_1000
    assert share is not None
    assert share.low is not None and share.high is not None
    assert share.low < 0.979 < share.high


def test_sets_of_p21c_pool_the_four_inversion_centres(table_of: Make) -> None:
    """By hand: of 60 structures 12 occupy one centre and 3 two: p = 18/240, and 45/12/3 of 60 hold 0/1/2."""
    letters = ["a", "b", "c", "d"] * 3 + ["a d"] * 3 + [""] * 45
    table = monoclinic(
        table_of, 60, np.random.default_rng(0), n_special_positions=[len(t.split()) for t in letters]
    )
    strings = {**table.entry_strings, "special_letters": Coded.of([*letters])}
    bundle = fit_table(replace(table, entry_strings=strings), bootstrap=200)
    assert bundle.priors.special_positions is not None
    group = bundle.priors.special_positions.groups[14]
    assert [s.letters for s in group.wyckoff_sets] == [("a", "b", "c", "d")]
    assert group.wyckoff_sets[0].multiplicity == 2
    assert group.wyckoff_sets[0].probability is not None
    assert group.wyckoff_sets[0].probability.value == pytest.approx(18 / 240)
    assert group.number_occupied.values == pytest.approx([0.75, 0.2, 0.05])
    assert group.joint is not None
    assert group.joint.share("abcd×1") == pytest.approx(0.2)
    assert group.wyckoff_sets[0].expected == pytest.approx(4 * 18 / 240)
    observed, orbits = group.patterns()
    assert dict(zip(orbits[:, 0].tolist(), observed, strict=True)) == pytest.approx(
        {0: 0.75, 1: 0.2, 2: 0.05}
    )


def test_positions_with_freedom_have_counts(table_of: Make) -> None:
    """Pnma (no. 62): 4a and 4b are points of one set, 4c is a mirror plane that holds any number of atoms."""
    letters = ["a c c c", "b c", "c c", ""] * 15
    strings = {
        "crystal_system": ["orthorhombic"] * 60,
        "sg_hm": ["P n m a"] * 60,
        "special_letters": letters,
        "hydrogen_origin": [None] * 60,
    }
    table = table_of(60, strings=strings, sg_number=62, n_special_positions=[4, 2, 2, 0] * 15)
    bundle = fit_table(table, bootstrap=200)
    assert bundle.priors.special_positions is not None
    points, plane = bundle.priors.special_positions.groups[62].wyckoff_sets
    assert (points.letters, points.degrees_of_freedom) == (("a", "b"), 0)
    assert points.probability is not None and plane.count is not None
    assert points.probability.value == pytest.approx(0.25)
    assert (plane.letters, plane.degrees_of_freedom) == (("c",), 2)
    assert plane.count.values == pytest.approx([0.25, 0.25, 0.25, 0.25])
    # what the table did not hold is null, with a reason, and the rest is there
    assert bundle.priors.hydrogen is None
    assert bundle.unavailable["hydrogen"] == "no structure has a value"
    assert bundle.priors.elements is None
    assert "sites" in bundle.unavailable["elements"]
    assert bundle.unavailable["monoclinic_angle"] == "the subset holds no monoclinic structure"


def test_a_cluster_has_one_vote(table_of: Make) -> None:
    """By hand: 30 structures at 100 Å³, one cluster each, and 300 redeterminations of one at 1000 Å³."""
    volumes = [100.0 + i for i in range(30)] + [1000.0] * 300
    clusters = [f"c{i}" for i in range(30)] + ["quartz"] * 300
    bundle = fit_table(table_of(330, clusters=clusters, volume_angstrom3=volumes), bootstrap=200)
    prior = bundle.priors.cell_volume
    assert prior is not None and isinstance(prior.parametric, LogNormal)
    logs = np.log([*(100.0 + i for i in range(30)), 1000.0])
    assert prior.parametric.mu.value == pytest.approx(logs.mean(), rel=1e-7)
    assert prior.parametric.sigma.value == pytest.approx(logs.std(), rel=1e-7)
    assert (prior.n, prior.n_clusters) == (330, 31)


def test_a_missing_value_gives_its_vote_to_the_rest_of_its_cluster(table_of: Make) -> None:
    volumes = [100.0 + i for i in range(30)] + [1000.0] + [np.nan] * 299
    clusters = [f"c{i}" for i in range(30)] + ["quartz"] * 300
    bundle = fit_table(table_of(330, clusters=clusters, volume_angstrom3=volumes), bootstrap=200)
    prior = bundle.priors.cell_volume
    assert prior is not None and prior.mean is not None
    assert prior.mean.value == pytest.approx((sum(100.0 + i for i in range(30)) + 1000) / 31, rel=1e-7)


def test_elements_are_counted_by_site_and_by_occupancy(table_of: Make) -> None:
    """By hand: each of 40 structures has two C and one half-occupied O, and one Cu in special position."""
    sites = {
        "entry": np.repeat(np.arange(40), 4),
        "element": ["C", "C", "O", "Cu"] * 40,
        "occupancy": [1.0, 1.0, 0.5, 1.0] * 40,
        "is_special": [0, 0, 0, 1] * 40,
    }
    elements = fit_table(table_of(40, sites=sites, sg_number=2), bootstrap=200).priors.elements
    assert elements is not None and elements.special is not None and elements.general.by_occupancy is not None
    assert elements.general.n_sites == 120
    assert elements.general.per_site.share("C") == pytest.approx(2 / 3)
    assert elements.general.by_occupancy.share("C") == pytest.approx(0.8)
    assert elements.general.share_cno.value == pytest.approx(1.0)
    assert elements.special.per_site.labels == ("Cu",)
    assert elements.special.share_cno.value == 0.0
    assert elements.special.share_cno.high == pytest.approx(1 - 0.025 ** (1 / 40))  # 0 of 40: Clopper–Pearson
    assert set(elements.special.per_site.sample(50, rng=np.random.default_rng(0))) == {"Cu"}


def test_deviations_are_from_the_mean_of_the_own_structure(table_of: Make) -> None:
    """By hand: sites at mean ± 0.002 in structures of very different means; overall U is left out."""
    rng = np.random.default_rng(2)
    means = rng.lognormal(-3, 0.5, 60)
    u = np.concatenate([[m - 0.002, m + 0.002] for m in means] + [[m, m] for m in means[:30]])
    sites = {
        "entry": np.repeat(np.arange(90), 2),
        "element": ["C", "O"] * 90,
        "u_iso_angstrom2": u,
        "u_is_evidence": np.ones(180, bool),
    }
    table = table_of(
        90,
        sites=sites,
        sg_number=2,
        u_iso_n=2,
        u_iso_mean_angstrom2=np.concatenate([means, means[:30]]),
        temperature_kelvin=[100.0] * 60 + [np.nan] * 30,
    )
    bundle = fit_table(table, bootstrap=200)
    prior = bundle.priors.displacement
    assert prior is not None and prior.deviation.parametric is not None
    assert prior.deviation.n == 120
    assert prior.deviation.parametric.family == "truncated-normal"
    assert dict(prior.deviation.parametric)["sd"].value == pytest.approx(0.002, rel=1e-7)
    assert prior.deviation.mean is not None and prior.deviation.mean.value == 0.0
    assert set(prior.by_temperature) == {"below-130-K", "unknown"}
    assert prior.by_temperature["below-130-K"].n == 60
    assert "no structure" in bundle.unavailable["displacement.by_temperature.250-330-K"]
    assert prior.by_element["C"].ratio.value < 1 < prior.by_element["O"].ratio.value


@pytest.mark.parametrize(
    ("bound", "inside"),
    [
        ({"length_min_angstrom": 4.0}, [True, True, True, False]),
        ({"length_max_angstrom": 10.0}, [True, True, False, True]),
        ({"length_below_angstrom": 10.0}, [True, False, False, True]),
        ({"longest_above_angstrom": 10.0}, [False, False, True, False]),
    ],
)
def test_bounds_on_the_lengths_at_their_ends(bound: dict[str, float], inside: list[bool]) -> None:
    """Cells 4–9, 4–10, 4–11 and 3–9 Å: limits include their ends, `below` and `above` do not."""
    lengths = np.array([[9, 4, 5], [4, 10, 5], [4, 5, 11], [3, 9, 5]], float)
    assert within_bounds(bound, lengths).tolist() == inside


def test_a_small_subset_is_pooled_and_says_so(table_of: Make) -> None:
    """By hand: 10 own clusters weigh 10/50 = 0.2; clusters that both hold count once, as own."""
    rng = np.random.default_rng(1)
    own_logs, parent_logs = rng.normal(5, 0.2, 10), rng.normal(7, 0.2, 90)
    own = table_of(10, name="small", volume_angstrom3=np.exp(own_logs))
    ids = [f"small-{i:06d}" for i in range(10)] + [f"large-{i}" for i in range(90)]
    parent = table_of(
        100, name="large", clusters=ids, volume_angstrom3=np.exp(np.concatenate([own_logs, parent_logs]))
    )
    prior = fit_table(own, parent=parent, bootstrap=200).priors.cell_volume
    assert prior is not None and prior.shrinkage is not None and isinstance(prior.parametric, LogNormal)
    assert prior.shrinkage.model_dump() == {"parent": "large", "n_own": 10, "n_parent": 90, "weight_own": 0.2}
    assert prior.parametric.mu.value == pytest.approx(
        0.2 * own_logs.mean() + 0.8 * parent_logs.mean(), rel=1e-7
    )
    assert (prior.n, prior.n_clusters) == (10, 10)
    alone = fit_table(own, bootstrap=200)
    assert alone.priors.cell_volume is None
    assert "only 10 clusters with a value; 20 are needed" in alone.unavailable["cell_volume"]


def test_the_parent_lends_only_cells_within_the_subsets_bounds(table_of: Make) -> None:
    def cells(n: int, length: float, name: str, **more: Any) -> SubsetTable:
        axes = {f"{axis}_angstrom": length for axis in "abc"}
        return table_of(n, name=name, volume_angstrom3=length**3 * np.linspace(0.99, 1.01, n), **axes, **more)

    own = cells(10, 8.0, "own", definition={"length_max_angstrom": 10.0})
    small, large = cells(40, 9.0, "a"), cells(40, 20.0, "b")
    parent = table_of(
        80,
        name="parent",
        clusters=[f"p{i}" for i in range(80)],
        **{
            c: np.concatenate([small.number(c), large.number(c)])
            for c in ("a_angstrom", "b_angstrom", "c_angstrom", "volume_angstrom3")
        },
    )
    prior = fit_table(own, parent=parent, bootstrap=200).priors.cell_volume
    assert prior is not None and prior.shrinkage is not None and prior.empirical is not None
    assert prior.shrinkage.n_parent == 40
    assert float(prior.empirical.quantile(1.0)) < 1000
    assert "every length ≤ 10 Å" in prior.convention


@pytest.mark.parametrize("volumes", [[500.0] * 60, [np.nan] * 60, [500.0]])
def test_degenerate_values_cost_only_themselves(table_of: Make, volumes: list[float]) -> None:
    n = len(volumes)
    table = table_of(n, volume_angstrom3=volumes, sg_number=14, d_min_angstrom=np.linspace(0.7, 1, n))
    bundle = fit_table(table, bootstrap=200)
    if volumes == [500.0] * 60:
        assert bundle.priors.cell_volume is not None
        assert bundle.priors.cell_volume.parametric is None
        assert bundle.priors.cell_volume.empirical is not None
        assert "all values are equal" in bundle.unavailable["cell_volume.parametric"]
        assert bundle.priors.diffraction is not None
    else:
        assert bundle.priors.cell_volume is None
        assert bundle.unavailable["cell_volume"]
    assert bundle.priors.space_groups is not None
    assert bundle.priors.space_groups.numbers.share("14") == 1.0


def test_same_input_same_digest_whatever_the_order(table_of: Make) -> None:
    table = monoclinic(table_of, 300, np.random.default_rng(8))
    first, again = (fit_table(table, bootstrap=100, seed=4) for _ in range(2))
    assert first == again
    assert first.priors_digest != fit_table(table, bootstrap=100, seed=5).priors_digest
    order = np.random.default_rng(0).permutation(300)
    shuffled = replace(
        table,
        cluster=table.cluster[order],
        entry_numbers={k: v[order] for k, v in table.entry_numbers.items()},
        entry_strings={k: replace(v, codes=v.codes[order]) for k, v in table.entry_strings.items()},
    )
    assert fit_table(shuffled, bootstrap=100, seed=4).priors_digest == first.priors_digest


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"bootstrap": 3}, "bootstrap = 3"),
        ({"ratio_max": 1.0}, "ratio_max = 1"),
        ({"beta_max_degree": 90}, "90"),
    ],
)
def test_parameters_out_of_range_are_refused(table_of: Make, option: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        fit_table(table_of(3), **option)


def test_a_prior_is_fitted_to_plain_columns() -> None:
    rng = np.random.default_rng(0)
    volumes = rng.lognormal(6.0, 0.4, 500)
    prior = cell_volume.fit(context_of(volume_angstrom3=volumes, bootstrap=200))
    assert isinstance(prior.parametric, LogNormal)
    assert prior.parametric.mu.value == pytest.approx(np.log(volumes).mean())
    again = packing.fit(context_of(volume_per_non_h_atom_angstrom3=rng.normal(15, 2, 500), bootstrap=200))
    assert again.parametric is not None
    assert again.atoms_per_cell is None
    with pytest.raises(Unavailable, match="no structure has a value"):
        cell_volume.fit(context_of(volume_angstrom3=[np.nan] * 30))
    with pytest.raises(UsageError, match="different lengths"):
        context_of(volume_angstrom3=[1.0], h_fraction=[1.0, 2.0])


def test_an_interrupt_ends_the_other_thread_after_the_prior_at_hand(table_of: Make) -> None:
    begun: list[str] = []
    interrupted = threading.Event()

    def elements(_: Context) -> None:
        begun.append("elements")
        interrupted.wait(10)
        time.sleep(0.2)

    def packing(_: Context) -> None:
        interrupted.set()
        raise KeyboardInterrupt

    context = Context(table_of(30), None, None, 0, 100)
    fits = {"packing": packing, "elements": elements, "cell": lambda _: begun.append("cell")}
    with pytest.raises(KeyboardInterrupt):
        _fit_all(context, fits, lambda n=1: None)
    assert begun == ["elements"]
