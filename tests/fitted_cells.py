"""Cells of every crystal family with known statistics, and a bundle fitted to them, for several tests."""

from __future__ import annotations

from functools import cache

import numpy as np

from xtalpriors.priors.bundle import PriorBundle, make_bundle, published_bundle
from xtalpriors.priors.fitting.as_measured import cell
from xtalpriors.priors.fitting.context import Context, context_of

CORRELATION = -0.6
"""Of the normal scores of the longest length and a₃/a₂ of the monoclinic cells."""
SPREADS = 0.1, 0.5
"""Ends of the spread of U_iso in a structure, over its mean."""
ORDERS = {"b<a<c": 0.5, "a<b<c": 0.3, "c<b<a": 0.2}
FAMILIES = ("triclinic", "monoclinic", "orthorhombic", "tetragonal", "trigonal", "cubic")


def cell_columns(n: int, seed: int = 5) -> dict[str, np.ndarray]:
    """Columns of n cells of each family; longest lengths 4.5–9.5 Å, orders of groups 2, 4, 8, 8, 3 and 24.

    The lengths of the monoclinic cells have the orders of `ORDERS`; V per atom is 12–20 Å³ and correlates
    with nothing.
    """
    rng = np.random.default_rng(seed)
    z = rng.multivariate_normal([0, 0], [[1, CORRELATION], [CORRELATION, 1]], n)
    rows: list[list[float]] = []
    for family in FAMILIES:
        for k in range(n):
            longest, ratio = 7.0 + 0.8 * np.clip(z[k, 0], -3, 3), 1.02 + 0.05 * np.exp(0.5 * z[k, 1])
            lengths = {"c": longest, "b": longest / ratio, "a": longest / ratio / rng.uniform(1.01, 1.2)}
            angles = [90.0, 90.0, 90.0]
            if family == "triclinic":
                angles = (90.0 + rng.uniform(-15, 15, 3)).tolist()
            elif family == "monoclinic":
                angles[1] = 90.0 + rng.uniform(1, 25)
                order = rng.choice(list(ORDERS), p=list(ORDERS.values())).split("<")
                lengths = dict(zip(order, sorted(lengths.values()), strict=True))
            elif family in ("tetragonal", "trigonal"):
                lengths["a"] = lengths["b"]
                angles[2] = 90.0 if family == "tetragonal" else 120.0
            elif family == "cubic":
                lengths = dict.fromkeys("abc", longest)
            rows.append([*(lengths[axis] for axis in "abc"), *angles])
    values = np.array(rows)
    names = [f"{a}_angstrom" for a in "abc"] + [f"{x}_degree" for x in ("alpha", "beta", "gamma")]
    columns = dict(zip(names, values.T, strict=True))
    cosines = np.cos(np.radians(values[:, 3:]))
    shape = np.sqrt(1 - (cosines**2).sum(axis=1) + 2 * cosines.prod(axis=1))
    columns["volume_angstrom3"] = values[:, :3].prod(axis=1) * shape
    columns["n_operators"] = np.repeat([2.0, 4.0, 8.0, 8.0, 3.0, 24.0], n)
    columns["volume_per_non_h_atom_angstrom3"] = rng.uniform(12, 20, len(values))
    columns["h_fraction"] = np.where(rng.random(len(values)) < 0.4, 0.0, rng.uniform(0.3, 0.6, len(values)))
    columns["u_iso_mean_angstrom2"] = rng.uniform(0.01, 0.05, len(values))
    columns["u_iso_n"] = np.full(len(values), 5.0)
    columns["u_iso_sd_angstrom2"] = columns["u_iso_mean_angstrom2"] * rng.uniform(*SPREADS, len(values))
    return columns


def cell_context(n: int = 400) -> Context:
    """Context of `cell_columns`."""
    systems = np.repeat(FAMILIES, n).tolist()
    strings = {"crystal_system": systems, "hydrogen_origin": ["sites"] * len(systems)}
    return context_of(strings=strings, bootstrap=200, seed=1, **cell_columns(n))


@cache
def cell_bundle() -> PriorBundle:
    """The published bundle with the prior `cell` of `cell_context`."""
    published = published_bundle()
    priors = published.priors.model_copy(update={"cell": cell.fit(cell_context())})
    return make_bundle("cells", published.created_from, priors)
