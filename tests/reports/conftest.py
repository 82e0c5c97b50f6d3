"""A small database of made-up P2₁/c and P-1 structures, whose statistics are known in advance."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from xtalpriors.mining import DEFAULT_SUBSETS, write_subset
from xtalpriors.mining.database.digest import set_digest
from xtalpriors.mining.database.schema import CLUSTER, ENTRY, FILE, REJECTION, SITE, Column, arrow_schema
from xtalpriors.mining.database.store import open_database
from xtalpriors.priors.fitting.fit import fit_subset
from xtalpriors.reports.build import build_report

P21C = "x,y,z;-x,-y,-z;-x,y+1/2,-z+1/2;x,-y+1/2,z+1/2"


def _default(column: Column) -> object:
    if column.nullable:
        return None
    return {pa.bool_(): False, pa.string(): "", pa.float64(): 0.0}.get(column.type, 0)


def _table(columns: tuple[Column, ...], rows: list[dict[str, object]]) -> pa.Table:
    filled = [{c.name: row.get(c.name, _default(c)) for c in columns} for row in rows]
    return pa.Table.from_pylist(filled, schema=arrow_schema(columns))


def _entry(i: int, rng: np.random.Generator) -> dict[str, object]:
    volume = float(np.clip(rng.lognormal(6.2, 0.3), 100, 900))
    a, b = np.cbrt(volume) * rng.uniform(0.8, 1.0, 2)
    beta = 90 + float(np.degrees(np.arctan(min(rng.exponential(0.2), 0.6))))
    cosine = np.sin(np.radians(beta))
    monoclinic = i % 4 > 0
    return {
        "entry_id": f"made:{i:05d}#x", "source": "made", "file_id": f"{i:05d}", "block": "x",
        "content_hash": f"{i:032x}", "text_origin": "original", "reader": "gemmi",
        "a_angstrom": float(a), "b_angstrom": float(b), "c_angstrom": volume / float(a * b * cosine),
        "alpha_degree": 90.0, "beta_degree": beta, "gamma_degree": 90.0, "volume_angstrom3": volume,
        "least_oblique_a_angstrom": float(a), "least_oblique_b_angstrom": float(b),
        "least_oblique_c_angstrom": volume / float(a * b * cosine), "least_oblique_beta_degree": beta,
        "sg_number": 14 if monoclinic else 2,
        "sg_hm": ("P 1 21/c 1" if i % 3 else "P 1 21/n 1") if monoclinic else "P -1",
        "sg_source": "operators", "sg_agreement": "agree",
        "operators": P21C if monoclinic else "x,y,z;-x,-y,-z",
        "n_operators": 4 if monoclinic else 2, "crystal_system": "monoclinic" if monoclinic else "triclinic",
        "laue_class": "2/m" if monoclinic else "-1", "centrosymmetric": True,
        "composition_agreement": "agree",
        "n_sites": 3, "n_sites_non_h": 2, "class": "inorganic" if i % 5 else "organic",
        "h_fraction": None if i % 7 == 0 else (0.0 if i % 2 else 0.4),
        "hydrogen_origin": None if i % 7 == 0 else "sites",
        "volume_per_non_h_atom_angstrom3": float(rng.normal(15, 2)), "n_special_positions": i % 3,
        "u_iso_mean_angstrom2": float(rng.lognormal(-4, 0.3)), "u_iso_sd_angstrom2": 0.003, "u_iso_n": 2,
        "d_min_angstrom": 0.77, "completeness": 0.99,
    }  # fmt: skip


def _sites(entry: dict[str, object]) -> list[dict[str, object]]:
    common = {"entry_id": entry["entry_id"], "occupancy": 1.0, "is_special": False, "multiplicity": 4}
    common |= {
        "site_symmetry_order": 1,
        "wyckoff_letter": "e",
        "u_iso_angstrom2": 0.02,
        "u_is_evidence": True,
    }
    special = common | {
        "is_special": True,
        "multiplicity": 2,
        "site_symmetry_order": 2,
        "wyckoff_letter": "a",
    }
    return [
        common | {"site_index": 0, "label": "C1", "element": "C", "x": 0.1, "y": 0.2, "z": 0.3},
        special | {"site_index": 1, "label": "Fe1", "element": "Fe", "x": 0.0, "y": 0.0, "z": 0.0},
        common | {"site_index": 2, "label": "H1", "element": "H", "x": 0.2, "y": 0.2, "z": 0.3},
    ]


@pytest.fixture(scope="session")
def make_database() -> Callable[[Path, int], Path]:
    """Function that writes a database of `n` structures; every tenth is the twin of the one before."""

    def make(path: Path, n: int, seed: int = 1) -> Path:
        rng = np.random.default_rng(seed)
        entries = [_entry(i, rng) for i in range(n)]
        heads = [i - 1 if i % 10 == 9 else i for i in range(n)]
        clusters = [
            {"entry_id": e["entry_id"], "cluster_id": entries[h]["entry_id"], "cluster_size": heads.count(h),
             "weight": 1 / heads.count(h), "is_best": h == i}
            for i, (e, h) in enumerate(zip(entries, heads, strict=True))
        ]  # fmt: skip
        rejections = [
            {"source": "made", "file_id": f"bad-{i}", "stage": "parse" if i else "cell", "code": "no-cell",
             "detail": "?"}
            for i in range(3)
        ]  # fmt: skip
        files = [{"source": "made", "file_id": f"{i:05d}"} for i in range(n)]
        tables = {
            "entry": _table(ENTRY, entries), "cluster": _table(CLUSTER, clusters),
            "site": _table(SITE, [site for e in entries for site in _sites(e)]),
            "rejection": _table(REJECTION, rejections), "file": _table(FILE, files),
        }  # fmt: skip
        with open_database(path, read_only=False) as connection:
            for name, table in tables.items():
                connection.register("incoming", table)
                connection.execute(f"INSERT INTO {name} SELECT * FROM incoming")
                connection.unregister("incoming")
            set_digest(connection)
        return path

    return make


@pytest.fixture(scope="session")
def report(database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the report of that database, without bundles."""
    return build_report(database, [], tmp_path_factory.mktemp("report") / "made").parent


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory, make_database: Callable[[Path, int], Path]) -> Path:
    """A database of 200 structures in a folder `madeup`."""
    return make_database(tmp_path_factory.mktemp("madeup") / "crystals.duckdb", 200)


@pytest.fixture(scope="session")
def fit_database() -> Callable[[Path], tuple[Path, list[Path], list[Path]]]:
    """Function that selects the paper's two subsets of a database and fits them."""

    def fit(database: Path) -> tuple[Path, list[Path], list[Path]]:
        subsets = [database.parent / f"{name}.parquet" for name in ("all-50", "p21c-10")]
        bundles = [path.with_suffix(".json") for path in subsets]
        for subset, bundle in zip(subsets, bundles, strict=True):
            write_subset(database, DEFAULT_SUBSETS[subset.stem], subset)
            fit_subset(subset, bundle, seed=1, bootstrap=100)
        return database, bundles, subsets

    return fit


@pytest.fixture(scope="session")
def fitted(
    database: Path, fit_database: Callable[[Path], tuple[Path, list[Path], list[Path]]]
) -> tuple[Path, list[Path], list[Path]]:
    """The database with its bundles and subsets."""
    return fit_database(database)
