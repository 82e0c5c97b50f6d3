"""Priors → values → CIFs → the reader → fits: 95 % of the intervals hold the priors they came from."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from scipy import stats

from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining import SubsetDefinition, write_subset
from xtalpriors.mining.cif import extract
from xtalpriors.mining.run import mine
from xtalpriors.mining.sources.parse import parse_source
from xtalpriors.priors.bundle import PriorBundle, load_bundle
from xtalpriors.priors.distributions.distribution import (
    Categorical,
    Estimate,
    Exponential,
    LogNormal,
    TruncatedNormal,
    ZeroInflatedBeta,
    fixed,
)
from xtalpriors.priors.fitting.fit import fit_subset, fit_table
from xtalpriors.priors.fitting.subset_table import table_of

pytestmark = pytest.mark.slow

CENTRES = ((0, 0, 0), (0.5, 0, 0), (0, 0, 0.5), (0.5, 0, 0.5))
"""Inversion centres of P 1 21/c 1 and P 1 21/n 1 alike."""
N_GENERAL = 5
SETTINGS = {
    "P 1 21/c 1": ("x,y,z", "-x,-y,-z", "-x,y+1/2,-z+1/2", "x,-y+1/2,z+1/2"),
    "P 1 21/n 1": ("x,y,z", "-x,-y,-z", "-x+1/2,y+1/2,-z+1/2", "x+1/2,-y+1/2,z+1/2"),
}


def shares(**values: float) -> Categorical:
    return Categorical(labels=tuple(values), shares=tuple(map(fixed, values.values())))


TRUE_VOLUME = LogNormal(mu=fixed(6.8), sigma=fixed(0.3))
TRUE_RATIOS = [Exponential(rate=fixed(rate), low=1.0, high=1.8) for rate in (3.0, 5.0)]
TRUE_SKEW = Exponential(rate=fixed(4.0), low=0.0, high=float(np.tan(np.radians(35))))
# without carbon and nitrogen, which have hydrogen in such random places even where none is stated
TRUE_GENERAL, TRUE_SPECIAL = shares(Si=0.7, O=0.2, P=0.1), shares(Cu=0.5, O=0.3, Fe=0.2)
TRUE_OCCUPATION = 0.15
TRUE_HYDROGEN = ZeroInflatedBeta(p_zero=fixed(0.2), a=fixed(9), b=fixed(11))
TRUE_MEAN_U = LogNormal(mu=fixed(-3.0), sigma=fixed(0.3))
TRUE_DEVIATION = TruncatedNormal(mean=fixed(0.0), sd=fixed(0.002), low=None, high=None)


def cell(volume: float, ratios: NDArray[np.float64], beta: float, rng: np.random.Generator) -> list[float]:
    """Lengths of the ratios in random order and β, of exactly the volume."""
    relative = np.array([1.0, ratios[0], ratios[0] * ratios[1]])
    sine = np.sin(np.radians(beta))
    lengths = rng.permutation(relative * (volume / (relative.prod() * sine)) ** (1 / 3))
    return [*lengths, 90.0, beta, 90.0]


def draw_cifs(n: int, rng: np.random.Generator) -> list[str]:
    """n CIFs of no. 14 whose every value was drawn from the priors above."""
    volume = TRUE_VOLUME.sample(n, rng=rng)
    ratios = np.column_stack([ratio.sample(n, rng=rng) for ratio in TRUE_RATIOS])
    beta = 90.0 + np.degrees(np.arctan(TRUE_SKEW.sample(n, rng=rng)))
    occupied = rng.binomial(len(CENTRES), TRUE_OCCUPATION, n)
    fraction = TRUE_HYDROGEN.sample(n, rng=rng)
    mean_u = TRUE_MEAN_U.sample(n, rng=rng)
    texts = []
    for i in range(n):
        where = [rng.uniform(0.1, 0.4, 3) for _ in range(N_GENERAL)]  # well away from the centres
        where += [np.array(CENTRES[k]) for k in rng.permutation(4)[: occupied[i]]]
        elements = [
            *TRUE_GENERAL.sample(N_GENERAL, rng=rng),
            *TRUE_SPECIAL.sample(int(occupied[i]), rng=rng),
        ]
        deviation = TRUE_DEVIATION.sample(len(elements), rng=rng)
        u = mean_u[i] + deviation - deviation.mean()
        setting = ("P 1 21/c 1", "P 1 21/n 1")[int(rng.integers(2))]
        texts.append(
            cif(f"s{i}", setting, cell(volume[i], ratios[i], beta[i], rng), where, elements, u, fraction[i])
        )
    return texts


def cif(
    name: str,
    setting: str,
    parameters: list[float],
    where: list[NDArray[np.float64]],
    elements: list[str],
    u: NDArray[np.float64],
    h_fraction: float,
) -> str:
    """CIF text; hydrogen is in the formula only (half a cell: general sites twice, special ones once)."""
    counts: dict[str, float] = {}
    for k, element in enumerate(elements):
        counts[element] = counts.get(element, 0) + (2 if k < N_GENERAL else 1)
    if h_fraction > 0:
        counts["H"] = sum(counts.values()) * h_fraction / (1 - h_fraction)
    formula = " ".join(f"{e}{counts[e]:.8g}" for e in sorted(counts))
    tags = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    lines = [f"data_{name}", f"_chemical_formula_sum '{formula}'", "_cell_formula_units_Z 2"]
    lines += [f"_cell_{tag} {value:.9f}" for tag, value in zip(tags, parameters, strict=True)]
    lines += [f"_space_group_name_H-M_alt '{setting}'", "loop_", "_space_group_symop_operation_xyz"]
    lines += [f"'{operator}'" for operator in SETTINGS[setting]]
    lines += ["loop_", "_atom_site_label", "_atom_site_type_symbol"]
    lines += ["_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_fract_z", "_atom_site_U_iso_or_equiv"]
    for k, (position, element) in enumerate(zip(where, elements, strict=True)):
        xyz = " ".join(f"{x:.6f}" for x in position)
        lines.append(f"{element}{k} {element} {xyz} {u[k]:.9f}")
    return "\n".join(lines) + "\n"


def fit_texts(texts: list[str], name: str) -> PriorBundle:
    """Read the CIFs as the miner does and fit them; every text must be an entry."""
    items = [(f"{i}.cif", text.encode()) for i, text in enumerate(texts)]
    found = extract("loop", None, "original", items)
    assert (found.entries.num_rows, found.rejections.num_rows) == (len(texts), 0)
    entries = found.entries.append_column("cluster_id", found.entries["entry_id"])
    return fit_table(table_of(entries, found.sites, name=name), bootstrap=400)


def estimates(bundle: PriorBundle) -> dict[str, tuple[Estimate, float]]:
    """Fitted parameters and the truth of each."""
    p = bundle.priors
    assert p.cell_volume and p.axis_ratio and p.monoclinic_angle and p.elements and p.elements.special
    assert p.special_positions and p.hydrogen and p.displacement
    assert p.axis_ratio.middle_over_shortest and p.axis_ratio.longest_over_middle
    volume, hydrogen, mean = p.cell_volume.parametric, p.hydrogen.parametric, p.displacement.mean.parametric
    first, second = (
        q.parametric for q in (p.axis_ratio.middle_over_shortest, p.axis_ratio.longest_over_middle)
    )
    skew, deviation = p.monoclinic_angle.declared.skew.parametric, p.displacement.deviation.parametric
    probability = p.special_positions.group(14).wyckoff_sets[0].probability
    assert isinstance(volume, LogNormal) and isinstance(hydrogen, ZeroInflatedBeta)
    assert (
        isinstance(first, Exponential) and isinstance(second, Exponential) and isinstance(skew, Exponential)
    )
    assert isinstance(deviation, TruncatedNormal) and probability is not None
    found = {
        "volume.mu": (volume.mu, 6.8),
        "volume.sigma": (volume.sigma, 0.3),
        "ratio.first": (first.rate, 3.0),
        "ratio.second": (second.rate, 5.0),
        "skew": (skew.rate, 4.0),
        "special.p": (probability, 0.15),
        "hydrogen.zero": (hydrogen.p_zero, 0.2),
        "hydrogen.a": (hydrogen.a, 9.0),
        "hydrogen.b": (hydrogen.b, 11.0),
        "special.none": (p.special_positions.group(14).number_occupied.probabilities[0], 0.85**4),
    }
    for name, table, element, truth in (
        ("general.Si", p.elements.general, "Si", 0.7),
        ("general.P", p.elements.general, "P", 0.1),
        ("special.Cu", p.elements.special, "Cu", 0.5),
    ):
        found[name] = (table.per_site.shares[table.per_site.labels.index(element)], truth)
    if isinstance(mean, LogNormal):  # or gamma, where that predicts better: their parameters differ
        found |= {"u.mu": (mean.mu, -3.0), "u.sigma": (mean.sigma, 0.3)}
    return found


def test_intervals_hold_the_priors_that_the_cifs_were_drawn_from() -> None:
    """Nominal coverage over seeds, each parameter and all together, within binomial bounds of 1 in 10⁴."""
    seeds = 30
    inside: dict[str, list[bool]] = {}
    for seed in range(seeds):
        bundle = fit_texts(draw_cifs(150, np.random.default_rng([2, seed])), f"seed-{seed}")
        for name, (estimate, truth) in estimates(bundle).items():
            assert estimate.low is not None and estimate.high is not None
            inside.setdefault(name, []).append(estimate.low <= truth <= estimate.high)
    assert len(inside) == 15
    for name, values in inside.items():
        assert sum(values) >= stats.binom(len(values), 0.95).ppf(1e-4), (name, np.mean(values))
    # the parameters of one fit are nearly independent; half the count allows for those that are not
    everything = [v for values in inside.values() for v in values]
    low, high = stats.binom(len(everything) // 2, 0.95).ppf([1e-4, 1 - 1e-4]) / (len(everything) // 2)
    assert low <= np.mean(everything) <= high


def test_the_whole_path_from_a_folder_of_cifs_to_a_bundle(tmp_path: Path) -> None:
    """CIFs on disk, mined into DuckDB, a subset written, fitted twice: same bytes, the same priors."""
    tree = tmp_path / "tree"
    tree.mkdir()
    for i, text in enumerate(draw_cifs(120, np.random.default_rng(7))):
        (tree / f"{i:04d}.cif").write_text(text)
    database = tmp_path / "crystals.duckdb"
    mine([parse_source(f"cod:{tree}")], None, database, digest=None, workers=1)
    definition = SubsetDefinition(name="loop", length_min_angstrom=3, length_max_angstrom=50, filters=())
    subset = tmp_path / "loop.parquet"
    report = write_subset(database, definition, subset)
    assert report.n_entries == 120
    output = tmp_path / "fitted" / "loop.json"
    bundle = fit_subset(subset, output, seed=3, bootstrap=200)
    first = {f.name: f.read_bytes() for f in output.parent.iterdir() if f.is_file()}
    assert load_bundle(output) == fit_subset(subset, output, seed=3, bootstrap=200) == bundle
    second = {f.name: f.read_bytes() for f in output.parent.iterdir() if f.is_file()}
    assert first.keys() == second.keys() == {"loop.json", "loop.metrics.json", "loop.provenance.json"}
    assert first["loop.json"] == second["loop.json"]
    assert {f.name for f in (output.parent / "loop.plots").iterdir()} >= {
        "volume.csv",
        "elements_general.csv",
    }
    provenance = json.loads(first["loop.provenance.json"])
    assert provenance["priors_digest"] == bundle.priors_digest
    assert provenance["packages"]["numpy"] == np.__version__
    assert set(provenance["cpu_seconds"]) == set(type(bundle.priors).model_fields)
    made = bundle.created_from
    assert (made.seed, made.bootstrap, made.weighting) == (3, 200, "cluster")
    assert made.subset_digest and made.extractor_version and made.subset is not None
    assert made.subset["name"] == "loop"
    assert made.structures == 120 >= (made.clusters or 0) > 0
    for name, (estimate, truth) in estimates(bundle).items():
        assert estimate.half_width is not None
        assert abs(estimate.value - truth) <= 2.5 * estimate.half_width, name  # five standard errors
    best = fit_subset(subset, output, seed=3, bootstrap=200, best_of_cluster=True)
    assert best.created_from.weighting == "best-of-cluster"
    assert best.priors.distances is not None
    np.testing.assert_allclose(best.priors.distances.distance.cdf([0.0, 6.0]), [0, 1])


def test_files_that_are_no_subset_are_named(tmp_path: Path) -> None:
    with pytest.raises(XtalpriorsError, match=r"none\.parquet"):
        fit_subset(tmp_path / "none.parquet", tmp_path / "x.json")
    other = tmp_path / "other.parquet"
    pa.parquet.write_table(pa.table({"a": [1]}), other)
    with pytest.raises(XtalpriorsError, match=r"other\.parquet"):
        fit_subset(other, tmp_path / "x.json")
    assert not (tmp_path / "x.json").exists()


def test_an_empty_subset_gives_a_bundle_that_says_so(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "one.cif").write_text(draw_cifs(1, np.random.default_rng(0))[0])
    database = tmp_path / "crystals.duckdb"
    mine([parse_source(f"cod:{tree}")], None, database, digest=None, workers=1)
    subset = tmp_path / "empty.parquet"
    write_subset(database, SubsetDefinition(name="empty", space_group_numbers=(230,)), subset)
    bundle = fit_subset(subset, tmp_path / "empty.json")
    assert all(getattr(bundle.priors, name) is None for name in type(bundle.priors).model_fields)
    assert "holds no structure" in bundle.unavailable["cell_volume"]
    assert load_bundle(tmp_path / "empty.json") == bundle
