from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from xtalpriors.priors.fitting.subset_table import NUMBERS, STRINGS, Coded, SubsetTable


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
    unknown = (numbers.keys() - set(NUMBERS)) | ((strings or {}).keys() - set(STRINGS))
    assert not unknown, f"no such columns: {unknown}"
    named, cluster = np.unique(clusters or [f"{name}-{i:06d}" for i in range(n)], return_inverse=True)
    ids = pa.array(named, pa.string())
    columns = {c: np.broadcast_to(np.asarray(numbers.get(c, np.nan), float), (n,)).copy() for c in NUMBERS}
    texts = {c: Coded.of((strings or {}).get(c, [None] * n)) for c in STRINGS}
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
