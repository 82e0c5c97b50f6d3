"""Nonsense in the columns costs priors, never the bundle: 60 random tables of hostile values."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from xtalpriors.priors.bundle import PriorBundle, load_bundle, save_bundle
from xtalpriors.priors.fitting.fit import fit_table
from xtalpriors.priors.fitting.subset_table import SubsetTable
from xtalpriors.priors.tell.compare import compare
from xtalpriors.priors.tell.metrics import write_tables
from xtalpriors.priors.tell.show import show_bundle

Make = Callable[..., SubsetTable]
SIZES = (1, 2, 5, 21, 30, 60, 120)
COLUMNS = (
    *(f"{axis}_angstrom" for axis in "abc"),
    *(f"{prefix}{angle}_degree" for prefix in ("", "niggli_") for angle in ("alpha", "beta", "gamma")),
    "least_oblique_beta_degree",
    "volume_angstrom3",
    "n_atoms_non_h_cell",
    "h_fraction",
    "volume_per_non_h_atom_angstrom3",
    "n_special_positions",
    "u_iso_mean_angstrom2",
    "u_iso_n",
    "temperature_kelvin",
    "d_min_angstrom",
    "completeness",
)


def hostile(rng: np.random.Generator, n: int) -> np.ndarray:
    """A column that is null, constant, negative, two-valued, with an outlier of 10³⁰⁰, or sound."""
    outlier = np.full(n, 2.0)
    outlier[-1:] = 1e300
    kinds = (
        np.full(n, np.nan),
        np.zeros(n),
        np.full(n, 5.0),
        rng.normal(0, 1, n),
        rng.lognormal(3, 3, n),
        rng.choice([0.0, 1.0], n),
        outlier,
        rng.uniform(0, 1, n),
    )
    x = kinds[rng.integers(len(kinds))]
    if rng.random() < 0.3:
        x[rng.random(n) < 0.5] = np.nan
    if rng.random() < 0.1:
        x[:1] = np.inf
    return x


def hostile_table(table_of: Make, rng: np.random.Generator, name: str) -> SubsetTable:
    n = int(rng.choice(SIZES))
    sites: dict[str, Any] | None = None
    if rng.random() < 0.8:
        m = int(rng.integers(0, 5 * n))
        u = np.abs(hostile(rng, m))
        sites = {
            "entry": np.sort(rng.integers(0, n, m)),
            "element": rng.choice(["C", "O", "Cu"], m).tolist() if rng.random() < 0.9 else [None] * m,
            "occupancy": hostile(rng, m),
            "is_special": rng.choice([0, 1, np.nan], m),
            "u_iso_angstrom2": u,
            "u_is_evidence": np.isfinite(u) & (u > 0) & (u <= 0.5),
        }
    return table_of(
        n,
        name=name,
        clusters=[f"{name if rng.random() < 0.5 else 'both'}{i // 2}" for i in range(n)],
        strings={
            "crystal_system": rng.choice(["triclinic", "monoclinic"], n).tolist(),
            "special_letters": rng.choice(["", "a", "a b", "c c", "A a h"], n).tolist(),
            "hydrogen_origin": rng.choice(["sites", None], n).tolist(),
        },
        sites=sites,
        definition={"length_max_angstrom": 10.0} if rng.random() < 0.3 else {},
        sg_number=rng.choice([1, 2, 14, 47, 62, 225], n),
        **{column: hostile(rng, n) for column in COLUMNS},
    )


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_hostile_tables_give_bundles_with_reasons(table_of: Make, tmp_path: Path) -> None:
    made: list[PriorBundle] = []
    n_null = n_there = 0
    for seed in range(60):
        rng = np.random.default_rng([6, seed])
        own = hostile_table(table_of, rng, "own")
        parent = hostile_table(table_of, rng, "parent") if rng.random() < 0.5 else None
        bundle = fit_table(own, parent=parent, bootstrap=100)
        save_bundle(bundle, tmp_path / "x.json")
        assert load_bundle(tmp_path / "x.json") == bundle
        write_tables(bundle, tmp_path / "x.json")
        show_bundle(bundle)
        for name in type(bundle.priors).model_fields:
            if getattr(bundle.priors, name) is not None:
                n_there += 1
            elif name not in ("distances", "bonds", "coordination"):
                n_null += 1
                assert bundle.unavailable[name], (seed, name)
        made.append(bundle)
    assert n_null > 50
    assert n_there > 50
    for before, after in pairwise(made[:20]):
        compare(before, after)
