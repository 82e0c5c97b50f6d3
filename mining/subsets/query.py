"""The SQL behind a subset: who is in it, which step drops whom, and the rows in their order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import duckdb
import pyarrow as pa

from xtalpriors.mining.database.schema import CLUSTER, ENTRY, SITE
from xtalpriors.mining.database.store import fetch_row
from xtalpriors.mining.database.views import BEST_FIRST
from xtalpriors.mining.subsets.definition import SubsetDefinition
from xtalpriors.mining.subsets.filters import BEST_OF_CLUSTER
from xtalpriors.mining.subsets.waterfall import Step, corpus_steps

__all__ = [
    "MEMBER_COLUMNS",
    "count_by_convention",
    "count_dropped_alone",
    "count_members",
    "dropped",
    "leave_out",
    "member_rows",
    "select_members",
    "site_rows",
]

MEMBER_COLUMNS = (*ENTRY, *CLUSTER[1:])
"""Columns of a subset's entries: those of `entry`, then of `cluster`, counted within the subset."""

_BATCH = 65_536


def select_members(connection: duckdb.DuckDBPyConnection, definition: SubsetDefinition) -> list[Step]:
    """Fill the temporary table `kept` with members and their clusters; count what each step leaves."""
    conditions = [("space group", definition.group_sql()), ("cell lengths", definition.bounds_sql())]
    conditions += definition.filter_sql()
    counts = ", ".join(
        f"count(*) FILTER (WHERE {' AND '.join(f'({sql})' for _, sql in conditions[: i + 1])})"
        for i in range(len(conditions))
    )
    row = fetch_row(connection, f"SELECT {counts} FROM entry")
    steps = corpus_steps(connection)
    steps += [Step(name, int(n)) for (name, _), n in zip(conditions, row, strict=True)]
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE kept AS SELECT entry_id, cluster_id
            FROM entry JOIN cluster USING (entry_id)
            WHERE {" AND ".join(f"({sql})" for _, sql in conditions)}"""
    )
    if definition.one_per_cluster:
        connection.execute(
            f"""CREATE OR REPLACE TEMP TABLE kept AS
                SELECT entry_id, cluster_id FROM entry JOIN kept USING (entry_id)
                QUALIFY row_number() OVER (PARTITION BY cluster_id ORDER BY {BEST_FIRST}) = 1"""
        )
        steps.append(Step(BEST_OF_CLUSTER, count_members(connection).n_entries))
    return steps


def leave_out(connection: duckdb.DuckDBPyConnection, entry_ids: Iterable[str]) -> None:
    """Take entries out of what `select_members` chose."""
    connection.executemany("DELETE FROM kept WHERE entry_id = ?", [(name,) for name in entry_ids])


def member_rows(connection: duckdb.DuckDBPyConnection) -> pa.RecordBatchReader:
    """Rows of the members, sorted by `entry_id`; each cluster's weights sum to one within the subset."""
    columns = ", ".join(f'entry."{c.name}"' for c in ENTRY)
    return connection.sql(
        f"""WITH ranked AS (
                SELECT entry_id, cluster_id,
                       CAST(count(*) OVER (PARTITION BY cluster_id) AS INTEGER) AS cluster_size,
                       row_number() OVER (PARTITION BY cluster_id ORDER BY {BEST_FIRST}) = 1 AS is_best
                FROM entry JOIN kept USING (entry_id)
            )
            SELECT {columns}, cluster_id, cluster_size, 1.0::DOUBLE / cluster_size AS weight, is_best
            FROM entry JOIN ranked USING (entry_id) ORDER BY entry.entry_id"""
    ).to_arrow_reader(_BATCH)


def site_rows(connection: duckdb.DuckDBPyConnection) -> pa.RecordBatchReader:
    """Rows of their sites, sorted by `entry_id` and `site_index`."""
    columns = ", ".join(f'site."{c.name}"' for c in SITE)
    return connection.sql(
        f"SELECT {columns} FROM site JOIN kept USING (entry_id) ORDER BY site.entry_id, site.site_index"
    ).to_arrow_reader(_BATCH)


class Members(NamedTuple):
    """Numbers of a subset."""

    n_entries: int
    n_sites: int
    n_clusters: int


def count_members(connection: duckdb.DuckDBPyConnection) -> Members:
    """Numbers of what `select_members` chose."""
    row = fetch_row(
        connection,
        "SELECT (SELECT count(*) FROM kept), (SELECT count(*) FROM site JOIN kept USING (entry_id)), "
        "(SELECT count(DISTINCT cluster_id) FROM kept)",
    )
    return Members(*(int(n) for n in row))


def dropped(connection: duckdb.DuckDBPyConnection, definition: SubsetDefinition) -> pa.Table:
    """Entries within the groups and lengths that a filter drops, with the first filter that does so."""
    cases = " ".join(f"WHEN NOT ({sql}) THEN '{name}'" for name, sql in definition.filter_sql())
    return connection.sql(
        f"""SELECT entry_id, CASE {cases} WHEN true THEN '{BEST_OF_CLUSTER}' END AS filter
            FROM entry ANTI JOIN kept USING (entry_id)
            WHERE {definition.group_sql()} AND {definition.bounds_sql()} ORDER BY entry_id"""
    ).to_arrow_table()


def count_dropped_alone(
    connection: duckdb.DuckDBPyConnection, definition: SubsetDefinition
) -> dict[str, int]:
    """Entries within groups and lengths that each filter would drop if it were the only one."""
    filters = definition.filter_sql()
    if not filters:
        return {}
    counts = ", ".join(f"count(*) FILTER (WHERE NOT ({sql}))" for _, sql in filters)
    row = fetch_row(
        connection, f"SELECT {counts} FROM entry WHERE {definition.group_sql()} AND {definition.bounds_sql()}"
    )
    return {name: int(n) for (name, _), n in zip(filters, row, strict=True)}


def count_by_convention(
    connection: duckdb.DuckDBPyConnection, definition: SubsetDefinition
) -> dict[str, int]:
    """Entries before `best_of_cluster`, with the bounds on either cell; other groups than no. 14 have one."""
    passed = " AND ".join([definition.group_sql(), *(f"({sql})" for _, sql in definition.filter_sql())])
    declared = definition.bounds_sql("declared")
    least = f"CASE WHEN sg_number = 14 THEN {definition.bounds_sql('least_oblique')} ELSE {declared} END"
    row = fetch_row(
        connection,
        f"SELECT count(*) FILTER (WHERE {declared}), count(*) FILTER (WHERE {least}) "
        f"FROM entry WHERE {passed}",
    )
    return {"declared": int(row[0]), "least_oblique": int(row[1])}
