"""What a subset is of a database: its digest and its counts, without its rows.

The digest of a subset names its definition, the versions of tables and reader, and every structure in it by
the content of its file and its cluster. It is the same as long as no structure of the subset changes,
whatever else does in the database: by it a bundle of priors, or the scores of a network, are known to be of
this database.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

import duckdb

from xtalpriors.mining.database.digest import Digest, read_digest
from xtalpriors.mining.database.store import reading
from xtalpriors.mining.subsets.definition import SubsetDefinition
from xtalpriors.mining.subsets.query import count_by_convention, select_members
from xtalpriors.mining.subsets.waterfall import Step

__all__ = ["SubsetCounts", "count_subset", "subset_digest"]


class SubsetCounts(NamedTuple):
    """Digest of a subset, what each step from the files on left, and entries by convention of the cell."""

    digest: str
    waterfall: tuple[Step, ...]
    n_by_convention: dict[str, int]


def count_subset(database: Path, definition: SubsetDefinition) -> SubsetCounts:
    """Digest and counts of a subset, as `write_subset` would write it now.

    Raises
    ------
    XtalpriorsError
        The database is missing, of another version or unfinished.
    """
    with reading(database) as connection:
        of_database = read_digest(connection, Path(database))
        steps = select_members(connection, definition)
        return SubsetCounts(
            subset_digest(connection, definition, of_database),
            tuple(steps),
            count_by_convention(connection, definition),
        )


def subset_digest(
    connection: duckdb.DuckDBPyConnection, definition: SubsetDefinition, of_database: Digest
) -> str:
    """Digest of the members that `select_members` chose: BLAKE2b-128, hexadecimal."""
    head = [
        definition.model_dump(mode="json"),
        of_database["schema_version"],
        of_database["extractor_version"],
    ]
    digest = hashlib.blake2b(json.dumps(head, sort_keys=True).encode(), digest_size=16)
    result = connection.execute(
        "SELECT entry_id, content_hash, cluster_id FROM entry JOIN kept USING (entry_id) ORDER BY entry_id"
    )
    while rows := result.fetchmany(10_000):
        for row in rows:
            digest.update(b"\n" + json.dumps(row).encode())
    return digest.hexdigest()
