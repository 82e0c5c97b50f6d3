"""Fits the pair correlations of all pairs of elements of a subset."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa

from xtalpriors.arrays import F64
from xtalpriors.crystal.cells.pairs import PairCounts, pair_counts
from xtalpriors.crystal.chemistry.elements import COVALENT_RADIUS_ANGSTROM, SYMBOLS, block, is_metal
from xtalpriors.mining.subsets.distances import structure_batches
from xtalpriors.priors.distributions.distribution import Empirical
from xtalpriors.priors.distributions.scalar import ScalarPrior
from xtalpriors.priors.fitting.context import Unavailable
from xtalpriors.priors.fitting.observations import MIN_ALONE, MIN_POOLED
from xtalpriors.priors.fitting.subset_table import unreadable
from xtalpriors.priors.kinds.bonds import Bonds, PairOfElements

__all__ = ["effective_clusters", "fit", "kind_of", "leaning_ratio"]

N_BINS = 144
RATIO_MAX = 2.7
BOND_MAX = 1.25
CUTOFF_ANGSTROM = 4.0
PRIOR_PAIRS = 2.0
"""Expected neighbours in a bin below which its g leans on that of the kinds."""
LEAST_G = 1e-5
LENGTHS = tuple(round(0.05 * i, 2) for i in range(21))
"""Levels of the quantiles of a bond length."""
_BONDS = {"first": pl.Int64, "second": pl.Int64, "cluster": pl.String, "amount": pl.Float64}
_PAIR = ["first", "second"]
_RADII = np.array([np.nan if r is None else r for r in COVALENT_RADIUS_ANGSTROM])
_OWN_KIND = {"H": "H", "C": "C", "N": "N", "O": "O", "F": "F"}
_KINDS = {
    "halogen": ("Cl", "Br", "I", "At"),
    "chalcogen": ("S", "Se", "Te", "Po"),
    "tetrahedral": ("B", "Si", "P", "Ge", "As"),
    "light-metal": ("Li", "Be", "Mg", "Al"),
}


def kind_of(element: str) -> str:
    """Kind of an element by its chemistry: its own, or one that it shares."""
    if element in _OWN_KIND:
        return _OWN_KIND[element]
    for name, members in _KINDS.items():
        if element in members:
            return name
    if block(element) == "s" and is_metal(element):
        return "alkaline"
    if block(element) in ("d", "f"):
        return f"{block(element)}-metal"
    return "p-metal" if is_metal(element) else "other"


class _Sums(NamedTuple):
    """Pair counts of some structures over all elements, the clusters that hold each pair, and their bonds."""

    pairs: PairCounts
    clusters: dict[tuple[int, int], set[str]]
    bonds: pl.DataFrame
    """`first`, `second` (atomic numbers, ascending), `cluster`, `amount`."""


def _sums(subset: Path) -> _Sums:
    """Pair counts by atomic number, every cluster with one vote."""
    radii = np.nan_to_num(_RADII, nan=0.0)
    n = len(radii)
    total = PairCounts(np.zeros((n, n, N_BINS)), np.zeros((n, n, N_BINS)), np.zeros(n))
    clusters: dict[tuple[int, int], set[str]] = {}
    bonds = [pl.DataFrame(schema=_BONDS)]
    for arrays, entries in structure_batches(subset):
        code = np.where(np.isfinite(_RADII[arrays.atomic_number]), arrays.atomic_number, 0).astype(np.int64)
        present = np.unique(code)
        found, bonded = pair_counts(
            arrays, entries["weight"].to_numpy(), np.searchsorted(present, code), radii[present],
            n_bins=N_BINS, ratio_max=RATIO_MAX, bond_max=BOND_MAX, cutoff_angstrom=CUTOFF_ANGSTROM,
        )  # fmt: skip
        names = entries["cluster_id"].to_numpy(zero_copy_only=False)[bonded.structure].astype(str)
        values = (present[bonded.first], present[bonded.second], names, bonded.amount)
        bonds.append(pl.DataFrame(dict(zip(_BONDS, values, strict=True)), schema=_BONDS))
        at = np.ix_(present, present)
        total.counts[at] += found.counts
        total.expected[at] += found.expected
        total.atoms[present] += found.atoms
        for s, cluster in enumerate(entries["cluster_id"].to_pylist()):
            here = np.unique(code[arrays.offsets[s] : arrays.offsets[s + 1]]).tolist()
            for i, a in enumerate(here):
                for b in here[i:]:
                    clusters.setdefault((a, b), set()).add(str(cluster))
    return _Sums(total, clusters, pl.concat(bonds))


def fit(subset: Path, parent: Path | None) -> Bonds:
    """Pair correlations; pairs in fewer than 50 clusters are those of the parent's structures."""
    try:
        own = _sums(subset)
        larger = _sums(parent) if parent is not None else None
    except (OSError, pa.ArrowException, KeyError) as error:
        raise unreadable(subset, error) from error
    if not any(y and z for y, z in own.clusters):
        raise Unavailable("no structure has atoms of a known covalent radius")
    sums, behind, clusters, bonds = _with_parent(own, larger)
    effective = effective_clusters(bonds)
    elements = [int(z) for z in np.flatnonzero(sums.atoms[1:] > 0) + 1]
    names = sorted({kind_of(SYMBOLS[z]) for z in elements})
    row = {z: names.index(kind_of(SYMBOLS[z])) for z in elements}
    by_kind, g_of_kinds = _of_kinds(sums, row, names)
    pairs = {}
    for (y, z), seen in clusters.items():
        if not (y and z) or len(seen) < MIN_ALONE:
            continue
        first, second = sorted((y, z), key=SYMBOLS.__getitem__)
        g = leaning_ratio(
            sums.counts[first, second], sums.expected[first, second], g_of_kinds[row[first], row[second]]
        )
        atoms = np.array([behind[first, second], behind[second, first]])
        name = f"{SYMBOLS[first]} & {SYMBOLS[second]}"
        n_bonded = effective.get((min(y, z), max(y, z)), 0.0)
        pairs[name] = _pair(g, sums.counts[first, second], atoms, len(seen), n_bonded)
    return Bonds(
        convention="symmetry images included, occupancy weighted, atoms that exclude one another left out; "
        "each cluster has one vote; covalent radii of Cordero et al. 2008 (doi 10.1039/b801115j)",
        ratio_max=RATIO_MAX,
        bond_max=BOND_MAX,
        cutoff_angstrom=CUTOFF_ANGSTROM,
        kinds={name: tuple(SYMBOLS[z] for z in elements if names[row[z]] == name) for name in names},
        pairs=pairs,
        pooled=_pooled_pairs(by_kind, g_of_kinds, names, clusters, effective_clusters(_kinds_of(bonds))),
    )


def _of_kinds(sums: PairCounts, row: dict[int, int], names: list[str]) -> tuple[PairCounts, F64]:
    """Sums by kind of element, and their g, which leans on that of all non-hydrogen atoms."""
    member = np.zeros((len(names), len(sums.atoms)))
    for z, k in row.items():
        member[k, z] = 1.0
    counts, expected = (
        np.einsum("ka,abn,lb->kln", member, x, member, optimize=True) for x in (sums.counts, sums.expected)
    )
    heavy = np.ix_(*[[k for k, name in enumerate(names) if name != "H"]] * 2)
    common = (counts[heavy].sum((0, 1)) + 1e-9) / (expected[heavy].sum((0, 1)) + 1e-9)
    return PairCounts(counts, expected, member @ sums.atoms), leaning_ratio(counts, expected, common)


def leaning_ratio(counts: F64, expected: F64, leaning: F64) -> F64:
    """g in each bin (…, bins), which leans on another g where few pairs are expected.

    Below the shortest distance seen all bins are one: that none of them holds a pair is known much better
    than that a single bin holds none.
    """
    below = np.cumsum(counts, axis=-1) == 0
    together = np.where(below, expected, 0.0).sum(axis=-1, keepdims=True)
    behind = np.where(below, together, expected)
    return np.asarray((counts + PRIOR_PAIRS * leaning) / (behind + PRIOR_PAIRS), float)


def _pooled_pairs(
    by_kind: PairCounts,
    g: F64,
    names: list[str],
    clusters: dict[tuple[int, int], set[str]],
    effective: dict[tuple[str, str], float],
) -> dict[str, PairOfElements]:
    """Every two kinds."""
    seen: dict[frozenset[str], set[str]] = {}
    for (y, z), some in clusters.items():
        if y and z:
            seen.setdefault(frozenset((kind_of(SYMBOLS[y]), kind_of(SYMBOLS[z]))), set()).update(some)
    return {
        f"{a} & {b}": _pair(
            g[i, j],
            by_kind.counts[i, j],
            by_kind.atoms[[i, j]],
            len(seen.get(frozenset((a, b)), ())),
            effective.get((a, b), 0.0),
        )
        for i, a in enumerate(names)
        for j, b in enumerate(names[i:], i)
    }


def effective_clusters(bonds: pl.DataFrame) -> dict[tuple[Any, Any], float]:
    """Number of clusters that the bonds of a pair are as good as: (Σ b)² / Σ b² over b bonds of a cluster.

    Bonds of one structure are much alike, and a cluster with most of the bonds decides alone (Kish 1965,
    Survey Sampling, on unequal weights).
    """
    of_cluster = bonds.group_by(*_PAIR, "cluster", maintain_order=True).agg(pl.col("amount").sum())
    squared = pl.col("amount").sum() ** 2 / (pl.col("amount") ** 2).sum()
    found = of_cluster.group_by(*_PAIR, maintain_order=True).agg(squared.alias("n"))
    return {(first, second): n for first, second, n in found.iter_rows()}


def _kinds_of(bonds: pl.DataFrame) -> pl.DataFrame:
    """The same bonds by kind of element, the two in the order of the alphabet."""
    kinds = {z: kind_of(symbol) for z, symbol in enumerate(SYMBOLS) if z}
    named = [pl.col(name).replace_strict(kinds, return_dtype=pl.String) for name in _PAIR]
    bonds = bonds.filter(pl.col("first") > 0)  # 0 is an atom without a radius
    ends = bonds.select(pl.min_horizontal(*named).alias("first"), pl.max_horizontal(*named).alias("second"))
    return ends.hstack(bonds.select("cluster", "amount"))


def _with_parent(
    own: _Sums, parent: _Sums | None
) -> tuple[PairCounts, F64, dict[tuple[int, int], set[str]], pl.DataFrame]:
    """Sums, atoms (z, z) of the first element behind each pair, clusters, and bonds.

    For pairs in fewer than 50 clusters the parent's structures take the place of the subset's.
    """
    counts, expected, atoms = (x.copy() for x in own.pairs)
    behind = np.repeat(atoms[:, None], len(atoms), axis=1)
    clusters = dict(own.clusters)
    taken: list[tuple[int, int]] = []
    for (y, z), seen in (parent.clusters if parent is not None else {}).items():
        if parent is None or len(own.clusters.get((y, z), ())) >= MIN_POOLED:
            continue
        for a, b in {(y, z), (z, y)}:
            counts[a, b], expected[a, b] = parent.pairs.counts[a, b], parent.pairs.expected[a, b]
            behind[a, b] = parent.pairs.atoms[a]
        clusters[y, z] = seen
        taken.append((y, z))
        atoms[[y, z]] = np.maximum(atoms[[y, z]], parent.pairs.atoms[[y, z]])
    bonds = own.bonds
    if parent is not None:
        theirs = pl.DataFrame(taken, schema={name: _BONDS[name] for name in _PAIR}, orient="row")
        kept = bonds.join(theirs, on=_PAIR, how="anti", maintain_order="left")
        bonds = pl.concat([kept, parent.bonds.join(theirs, on=_PAIR, how="semi", maintain_order="left")])
    return PairCounts(counts, expected, atoms), behind, clusters, bonds


def _pair(g: F64, counts: F64, atoms: F64, n_clusters: int, n_bonded: float) -> PairOfElements:
    """The model of one pair: ln g, mean numbers of neighbours, and quantiles of the bond length."""
    edges = np.sqrt(np.linspace(0.0, RATIO_MAX**2, N_BINS + 1))
    near = np.flatnonzero(edges[1:] <= BOND_MAX)
    bonded = counts[near]
    total = float(bonded.sum())
    first, second = (round(total / max(float(n), 1e-9), 3) for n in atoms)
    length = None
    if total > 0.01 * float(atoms.min()) and total > 0:
        levels = np.concatenate([[0.0], np.cumsum(bonded) / total])
        keep = np.concatenate([[True], np.diff(levels) > 0])
        values = np.interp(LENGTHS, levels[keep], edges[: len(near) + 1][keep])
        values[0] = edges[max(int(np.flatnonzero(bonded > 0)[0]), 0)]
        table = Empirical(
            probabilities=LENGTHS, values=tuple(np.round(np.maximum.accumulate(values), 4).tolist())
        )
        length = ScalarPrior(
            n_clusters=max(1, round(n_bonded)),
            unit="1",
            convention="d / (R_A + R_B) of neighbours; as many clusters as their bonds are as good as",
            empirical=table,
        )
    return PairOfElements(
        n_clusters=n_clusters,
        log_g=tuple(np.round(np.log(np.maximum(g, LEAST_G)), 2).tolist()),
        coordination=(first, second),
        length=length,
    )
