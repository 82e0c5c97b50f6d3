"""Can generated structures be told from those of a database? The gap of each strategy, and a classifier.

For every statistic of the report: its distance to the database, beside the mean distance of two random halves
of the database (by clusters). Elements are compared with those of the database's own structures, also where
the bundle's prior is pooled with a larger subset. Then a classifier two-sample test (Lopez-Paz & Oquab 2017,
arXiv:1610.06545): gradient boosting on some forty numbers a structure, cross-validated by cluster; an AUC of
0.5 is indistinguishable, 1 is separable. The five numbers whose permutation costs most are named. Last the
share of the oxides and halides (without carbon) whose charges balance in common oxidation states, one for
each element, any mean of them for metals. Needs scikit-learn and pymatgen.

    python benchmarks/gap.py --subset SUBSET.parquet --bundle BUNDLE.json [--number 14] [--count 2000]
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from xtalpriors.crystal.cells.distances import StructureArrays, distance_histograms
from xtalpriors.crystal.chemistry.elements import ATOMIC_NUMBER, SYMBOLS, is_metal
from xtalpriors.generator import Generator, configure
from xtalpriors.mining.subsets.distances import structure_arrays
from xtalpriors.mining.subsets.files import sites_path
from xtalpriors.priors import load_bundle
from xtalpriors.reports.generated_data import arrays_of_batch, measure
from xtalpriors.reports.measures import SCALARS, entry_samples
from xtalpriors.reports.sections.gap import gap_frame
from xtalpriors.reports.statistics import kolmogorov_distance, total_variation, votes
from xtalpriors.reports.subset_data import SubsetData

STRATEGIES = {
    "lognormal-molecules": {"cell": "volume-lognormal", "filling": "molecules"},
    "lognormal-random": {"cell": "volume-lognormal", "filling": "random"},
    "fitted-molecules": {"cell": "fitted", "filling": "molecules", "special_pattern": "joint"},
    "fitted": {"cell": "fitted", "filling": "fitted", "special_pattern": "joint"},
}
RATIO_EDGES = (0.6, 0.8, 0.9, 0.95, 1.0, 1.05, 1.1, 1.2, 1.3, 1.4, 1.5)
DISTANCE_EDGES = (0.5, 1.2, 1.6, 2.0, 2.4, 2.8, 3.2, 3.6, 4.0, 5.0, 6.0)
ELEMENTS = ("C", "N", "O", "S", "Si")
OFTEN_UNKNOWN = ("hydrogen fraction", "mean U", "spread of U")
HALVES = 40
ANIONS = {ATOMIC_NUMBER[x] for x in ("O", "F", "Cl", "Br", "I")}
METALS = np.array([z for z in range(1, len(SYMBOLS)) if is_metal(SYMBOLS[z])])


def descriptors(arrays: StructureArrays, u_iso: np.ndarray, order: np.ndarray) -> pd.DataFrame:
    """About forty numbers of each structure: cell, contents, displacement, distances."""
    rows = []
    for s in range(len(arrays)):
        first, last = int(arrays.offsets[s]), int(arrays.offsets[s + 1])
        rows.append(_descriptors(arrays, s, first, last, u_iso[first:last], int(order[s])))
    return pd.DataFrame(rows)


def _descriptors(
    arrays: StructureArrays, s: int, first: int, last: int, u: np.ndarray, order: int
) -> dict[str, float]:
    cell, z = arrays.cells[s], arrays.atomic_number[first:last]
    atoms = arrays.multiplicity[first:last] * arrays.occupancy[first:last]
    heavy, special = z > 1, arrays.multiplicity[first:last] < order
    cosines = np.cos(np.radians(cell[3:]))
    volume = float(cell[:3].prod() * np.sqrt(max(1 - (cosines**2).sum() + 2 * cosines.prod(), 1e-9)))
    n, ordered = float(atoms[heavy].sum()), np.sort(cell[:3])
    known = u[heavy & (u > 0)]
    found: dict[str, float] = {
        "volume": volume,
        **dict(zip(("a", "b", "c"), cell[:3].tolist(), strict=True)),
        "shortest": ordered[0], "middle": ordered[1], "longest": ordered[2],
        "a2/a1": ordered[1] / ordered[0], "a3/a2": ordered[2] / ordered[1],
        "beta": 90 + float(np.abs(cell[3:] - 90).max()),
        "volume per atom": volume / max(n, 1e-9),
        "atoms of the asymmetric unit": n / order,
        "hydrogen fraction": float(atoms[~heavy].sum() / max(atoms.sum(), 1e-9)),
        "elements": float(len(np.unique(z[heavy]))),
        "special positions": float((special & heavy).sum()),
        "mean Z": float(z[heavy] @ atoms[heavy] / max(n, 1e-9)),
        "metals": float(atoms[np.isin(z, METALS)].sum() / max(n, 1e-9)),
        **{f"share of {x}": float(atoms[z == ATOMIC_NUMBER[x]].sum() / max(n, 1e-9)) for x in ELEMENTS},
        "mean U": float(known.mean()) if len(known) else np.nan,
        "spread of U": float(known.std() / known.mean()) if len(known) > 1 else np.nan,
    }  # fmt: skip
    one = StructureArrays(
        arrays.cells[s : s + 1], np.array([0, last - first]), arrays.fract[first:last], z,
        arrays.occupancy[first:last], arrays.multiplicity[first:last], arrays.radius_angstrom[first:last],
        arrays.group_of[s : s + 1], arrays.group_offsets, arrays.rotations, arrays.translations,
    )  # fmt: skip
    near = distance_histograms(one)
    for name, edges, density, at in (
        ("d/R", near.ratio_edges, near.bond_ratio, RATIO_EDGES),
        ("d", near.edges_angstrom, near.non_hydrogen, DISTANCE_EDGES),
    ):
        cumulative = np.concatenate([[0.0], np.cumsum(density * np.diff(edges))])
        shares = np.diff(np.interp(at, edges, cumulative))
        found |= {f"{name} {a:g}–{b:g}": x for a, b, x in zip(at[:-1], at[1:], shares, strict=True)}
    return found


def real_structures(subset: Path, number: int | None) -> tuple[pd.DataFrame, pd.DataFrame, StructureArrays]:
    """Rows of the subset with sites, their descriptors, and the structures."""
    entries, sites = pq.read_table(subset), pq.read_table(sites_path(subset))
    if number is not None:
        entries = entries.filter(pa.compute.equal(entries["sg_number"], number))
    arrays, rows = structure_arrays(entries, sites)
    frame = entries.take(rows).to_pandas()
    listed = sites.to_pandas()
    listed = listed[listed["element"].isin(list(ATOMIC_NUMBER))].dropna(
        subset=["x", "y", "z", "multiplicity", "occupancy"]
    )
    place = {name: k for k, name in enumerate(frame["entry_id"])}
    listed = listed[listed["entry_id"].isin(place)]
    listed = listed.assign(row=listed["entry_id"].map(place)).sort_values(["row", "site_index"])
    u = listed["u_iso_angstrom2"].where(listed["u_is_evidence"]).fillna(0.0).to_numpy()
    assert len(u) == arrays.offsets[-1], "U is of the sites of the structures, in their order"
    found = descriptors(arrays, u, frame["n_operators"].to_numpy())
    # of hydrogen and of mixed sites the entry knows more than the list of sites
    known = frame["hydrogen_origin"].notna()
    found["hydrogen fraction"] = frame["h_fraction"].where(known).to_numpy(dtype=float)
    found["special positions"] = frame["n_special_positions"].to_numpy(dtype=float)
    return frame, found, arrays


def auc_of(
    real: pd.DataFrame, clusters: np.ndarray, made: pd.DataFrame
) -> tuple[float, list[tuple[str, float]]]:
    """Cross-validated AUC, and the descriptors whose permutation lowers it most."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedGroupKFold

    rng = np.random.default_rng(0)
    made = made.copy()
    # unknown as often as in the database, and together: else what is missing would tell the two apart
    unknown = real[list(OFTEN_UNKNOWN)].isna().to_numpy()
    unknown = unknown[rng.choice(len(real), len(made), p=votes(clusters) / votes(clusters).sum())]
    made[list(OFTEN_UNKNOWN)] = made[list(OFTEN_UNKNOWN)].mask(unknown)
    x = pd.concat([real, made], ignore_index=True)
    y = np.r_[np.zeros(len(real)), np.ones(len(made))]
    names = np.unique(clusters, return_inverse=True)[1]
    groups = np.r_[names, names.max() + 1 + np.arange(len(made))]
    weight = np.r_[votes(clusters), np.full(len(made), len(np.unique(clusters)) / len(made))]
    score = np.zeros(len(y))
    lost = {name: np.zeros(len(y)) for name in x}
    for train, test in StratifiedGroupKFold(5, shuffle=True, random_state=0).split(x, y, groups):
        model = HistGradientBoostingClassifier(
            max_iter=100, learning_rate=0.05, max_leaf_nodes=8, random_state=0
        )
        model.fit(x.iloc[train], y[train], sample_weight=weight[train])
        score[test] = model.predict_proba(x.iloc[test])[:, 1]
        for name in x:
            mixed = x.iloc[test].copy()
            mixed[name] = rng.permutation(mixed[name].to_numpy())
            lost[name][test] = model.predict_proba(mixed)[:, 1]
    auc = float(roc_auc_score(y, score, sample_weight=weight))
    drops = {name: auc - float(roc_auc_score(y, v, sample_weight=weight)) for name, v in lost.items()}
    return auc, sorted(drops.items(), key=lambda item: -item[1])[:5]


def balanced_share(arrays: StructureArrays, weight: np.ndarray) -> float:
    """Share of the oxides and halides without carbon whose charges balance."""
    salts, balanced = 0.0, 0.0
    for s in range(len(arrays)):
        at = slice(int(arrays.offsets[s]), int(arrays.offsets[s + 1]))
        amount = arrays.multiplicity[at] * arrays.occupancy[at]
        z = arrays.atomic_number[at]
        atoms = {int(k): float(amount[z == k].sum()) for k in np.unique(z)}
        if ATOMIC_NUMBER["C"] in atoms or not ANIONS & set(atoms):
            continue
        salts += weight[s]
        balanced += weight[s] * _balances(atoms)
    return balanced / salts if salts else float("nan")


def _balances(atoms: dict[int, float]) -> bool:
    """Whether some common oxidation states of the elements make a neutral cell."""
    from pymatgen.core import Element

    low, high = np.zeros(1), np.zeros(1)  # ends of the charges that can be reached
    for z, n in atoms.items():
        states = np.array(Element(SYMBOLS[z]).common_oxidation_states or (0,), float)
        if z in METALS:
            low, high = low + n * states.min(), high + n * states.max()
        else:
            low, high = ((x[:, None] + n * states).ravel() for x in (low, high))
    return bool(((low < 0.01) & (high > -0.01)).any())


def sites_of_elements(arrays: StructureArrays, order: np.ndarray) -> dict[str, np.ndarray]:
    """Sites of each element but hydrogen, general and special, of each structure (n, z)."""
    row = np.repeat(np.arange(len(arrays)), np.diff(arrays.offsets))
    special = arrays.multiplicity < order[row]
    found = {}
    for name, where in (("general", ~special), ("special", special)):
        counts = np.zeros((len(arrays), len(SYMBOLS)))
        where = where & (arrays.atomic_number > 1)
        np.add.at(counts, (row[where], arrays.atomic_number[where]), arrays.occupancy[where])
        found[f"Elements on {name} positions"] = counts
    return found


def elements_apart(a: np.ndarray, b: np.ndarray) -> float:
    """Total variation of the shares of the elements; not known where one side has no such site."""
    return total_variation(a / a.sum(), b / b.sum()) if a.sum() > 0 and b.sum() > 0 else float("nan")


def noise_of_halves(frame: pd.DataFrame, sites: dict[str, np.ndarray]) -> dict[str, float]:
    """Mean distance of each statistic between two halves of the clusters."""
    rng, clusters = np.random.default_rng(1), frame["cluster_id"].unique()
    found: dict[str, list[float]] = {}
    for _ in range(HALVES):
        half = set(rng.permutation(clusters)[: len(clusters) // 2])
        inside = frame["cluster_id"].isin(half)
        a, b = entry_samples(frame[inside]), entry_samples(frame[~inside])
        for key, (label, _) in SCALARS.items():
            d = kolmogorov_distance(a[key].values, b[key].values, a[key].weights, b[key].weights)
            found.setdefault(label, []).append(d)
        shares = []
        for part in (frame[inside], frame[~inside]):
            counts = part["n_special_positions"].dropna().astype(int).clip(upper=2)
            mass = np.bincount(counts, votes(part.loc[counts.index, "cluster_id"]), 3)
            shares.append(mass / mass.sum())
        found.setdefault("Special positions occupied (0, 1, ≥ 2)", []).append(total_variation(*shares))
        weight = frame["weight"].to_numpy()
        for name, counts in sites.items():
            first, second = (
                (weight[part] @ counts[part]) for part in (inside.to_numpy(), ~inside.to_numpy())
            )
            found.setdefault(name, []).append(elements_apart(first, second))
    return {label: float(np.nanmean(values)) for label, values in found.items()}


def main() -> None:
    """Print the table of gaps and the classifier's scores."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--subset", type=Path, required=True)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--group", default="P 1 21/c 1", help="space group of the generated structures")
    parser.add_argument("--number", type=int, default=14, help="space-group number of the real ones")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--no-classifier", action="store_true")
    options = parser.parse_args()
    bundle = load_bundle(options.bundle)
    frame, real, arrays = real_structures(options.subset, options.number)
    frame["weight"] = votes(frame["cluster_id"])
    data = SubsetData(options.subset.stem, {}, None, (), {}, frame)
    sites = sites_of_elements(arrays, frame["n_operators"].to_numpy())
    sets, scores, elements = [], {}, {}
    for name, strategy in STRATEGIES.items():
        config: Any = configure(space_group=options.group, **strategy)
        batch = Generator(bundle, config, 1).batch(0, options.count)
        sets.append(measure(name, batch, {}))
        made_sites = sites_of_elements(arrays_of_batch(batch), np.full(len(batch), batch.group.order))
        for which, counts in sites.items():
            own = frame["weight"].to_numpy() @ counts
            elements[which, name] = elements_apart(own, made_sites[which].sum(axis=0))
        if not options.no_classifier:
            made = descriptors(arrays_of_batch(batch), batch.u_iso, np.full(len(batch), batch.group.order))
            scores[name] = auc_of(real, frame["cluster_id"].to_numpy(), made)
    table = gap_frame(data, bundle, sets).pivot_table(
        index="statistic", columns="strategy", values="distance", sort=False
    )
    for (which, name), apart in elements.items():
        table.loc[which, name] = apart
    table["two halves"] = pd.Series(noise_of_halves(frame, sites))
    print(
        f"{len(frame):,} real structures in {frame['cluster_id'].nunique():,} clusters, "
        f"{options.count:,} generated"
    )
    print(table.round(3).to_string())
    for one in sets:
        totals = one.batch.totals
        print(f"{one.name}: {totals['dropped'] / max(totals['n_target'], 1):.2%} of the atoms dropped")
    share = balanced_share(arrays, frame["weight"].to_numpy())
    print(f"charges of oxides and halides balance: database {share:.1%}")
    for one in sets:
        share = balanced_share(arrays_of_batch(one.batch), np.ones(len(one.batch)))
        print(f"  {one.name} {share:.1%}")
    for name, (auc, telling) in scores.items():
        print(f"{name}: AUC {auc:.3f}; " + ", ".join(f"{what} ({drop:.3f})" for what, drop in telling))


if __name__ == "__main__":
    main()
