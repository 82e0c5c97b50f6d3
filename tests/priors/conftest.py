from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from xtalpriors.priors.fitting.subset_table import Coded, SubsetTable

ENTRY_NUMBERS = (
    *(f"{axis}_angstrom" for axis in "abc"),
    *(f"{angle}_degree" for angle in ("alpha", "beta", "gamma")),
    *(f"niggli_{angle}_degree" for angle in ("alpha", "beta", "gamma")),
    "least_oblique_beta_degree",
    "volume_angstrom3",
    "sg_number",
    "n_operators",
    "n_atoms_non_h_cell",
    "h_fraction",
    "volume_per_non_h_atom_angstrom3",
    "n_special_positions",
    "u_iso_mean_angstrom2",
    "u_iso_sd_angstrom2",
    "u_iso_n",
    "temperature_kelvin",
    "d_min_angstrom",
    "completeness",
)
ENTRY_STRINGS = ("sg_hm", "crystal_system", "hydrogen_origin", "special_letters")


def build_table(
    n: int,
    *,
    name: str = "synthetic",
    clusters: list[str] | None = None,
    strings: dict[str, list[str | None]] | None = None,
    sites: dict[str, Any] | None = None,
    definition: dict[str, Any] | None = None,
    **numbers: Any,
) -> SubsetTable:
    """Table of n structures: columns not given are null everywhere."""
    unknown = (numbers.keys() - set(ENTRY_NUMBERS)) | ((strings or {}).keys() - set(ENTRY_STRINGS))
    assert not unknown, f"no such columns: {unknown}"
    named, cluster = np.unique(clusters or [f"{name}-{i:06d}" for i in range(n)], return_inverse=True)
    ids = pa.array(named, pa.string())
    columns = {
        c: np.broadcast_to(np.asarray(numbers.get(c, np.nan), float), (n,)).copy() for c in ENTRY_NUMBERS
    }
    texts = {c: Coded.of((strings or {}).get(c, [None] * n)) for c in ENTRY_STRINGS}
    if sites is None:
        return SubsetTable(name, n, cluster, ids, columns, texts, definition=definition or {})
    m = len(sites["entry"])
    return SubsetTable(
        name,
        n,
        cluster,
        ids,
        columns,
        texts,
        site_entry=np.asarray(sites["entry"], np.int64),
        site_numbers={
            "occupancy": np.asarray(sites.get("occupancy", np.ones(m)), float),
            "is_special": np.asarray(sites.get("is_special", np.zeros(m)), float),
            "u_iso_angstrom2": np.asarray(sites.get("u_iso_angstrom2", np.full(m, np.nan)), float),
        },
        site_strings={"element": Coded.of(list(sites["element"]))},
        site_flags={"u_is_evidence": np.asarray(sites.get("u_is_evidence", np.zeros(m)), bool)},
        definition=definition or {},
    )


@pytest.fixture(scope="session")
def table_of() -> Callable[..., SubsetTable]:
    return build_table
