"""What the report reads from the database itself: counts, losses, rejections, redeterminations, classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import pandas as pd

from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining.database.digest import read_digest
from xtalpriors.mining.database.store import reading
from xtalpriors.reports.contradictions import count_contradicting, read_contradictions

__all__ = ["CLASSES", "Corpus", "read_corpus"]

CLASSES: Final = ("organic", "metal-organic", "inorganic")


@dataclass(frozen=True, slots=True)
class Corpus:
    """The database in numbers.

    Attributes
    ----------
    digest
        Digest of its content.
    n_files, n_entries, n_rejections, n_clusters
        Files read, structures, rejected files and blocks, clusters of redeterminations.
    files_with_entry
        Files that gave at least one structure.
    sources
        Files, entries and rejections by source.
    classes
        Share of the entries by class, of those whose class is known; empty without any.
    rejections
        Rows `stage`, `code`, `n`, `example`.
    cluster_sizes
        Rows `cluster_size`, `clusters`.
    contradictions, n_contradicting
        Rows `kind`, `n`, `example`, `one`, `other`, and the entries that have any.
    extractor_version
        Version of the reading code.
    """

    digest: str
    n_files: int
    n_entries: int
    n_rejections: int
    n_clusters: int
    files_with_entry: int
    sources: dict[str, dict[str, int]]
    classes: dict[str, float]
    rejections: pd.DataFrame
    cluster_sizes: pd.DataFrame
    contradictions: pd.DataFrame
    n_contradicting: int
    extractor_version: str | None


def read_corpus(path: Path) -> Corpus:
    """Read the counts of a mined database, which is opened read-only.

    Raises
    ------
    XtalpriorsError
        The database is missing, of another schema version, open elsewhere, or holds no entry.
    """
    with reading(path) as connection:
        return _read(connection, path)


def _read(connection: duckdb.DuckDBPyConnection, path: Path) -> Corpus:
    digest = read_digest(connection, path)
    rows = digest["tables"]
    if not rows["entry"]:
        raise XtalpriorsError(
            f"The database {path} holds no structure ({rows['rejection']:,} rejections), so there is nothing "
            "to report. Is the source the right one? `xtalpriors mine --help` tells how to name it."
        )
    classes = dict(
        _all(connection, 'SELECT "class", count(*) FROM entry WHERE "class" IS NOT NULL GROUP BY 1')
    )
    known = sum(classes.values())
    rejections = _all(
        connection,
        "SELECT stage, code, count(*), min(source || ':' || file_id) FROM rejection GROUP BY 1, 2 ORDER "
        "BY 1, 2",
    )
    sizes = _all(
        connection,
        "SELECT cluster_size, count(*) FROM cluster WHERE entry_id = cluster_id GROUP BY 1 ORDER BY 1",
    )
    [(with_entry,)] = _all(connection, "SELECT count(*) FROM (SELECT DISTINCT source, file_id FROM entry)")
    return Corpus(
        digest=digest["digest"],
        n_files=rows["file"],
        n_entries=rows["entry"],
        n_rejections=rows["rejection"],
        n_clusters=sum(int(n) for _, n in sizes),
        files_with_entry=int(with_entry),
        sources=digest["sources"],
        classes={name: classes.get(name, 0) / known for name in CLASSES} if known else {},
        rejections=pd.DataFrame(rejections, columns=["stage", "code", "n", "example"]),
        cluster_sizes=pd.DataFrame(sizes, columns=["cluster_size", "clusters"]).astype("int64"),
        contradictions=read_contradictions(connection),
        n_contradicting=count_contradicting(connection),
        extractor_version=digest["extractor_version"],
    )


def _all(connection: duckdb.DuckDBPyConnection, query: str) -> Sequence[Any]:
    return connection.execute(query).fetchall()
