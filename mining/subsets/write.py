"""Subsets of a database as Parquet: what the priors are fitted to and the network is tested on.

`NAME.parquet` has the columns of `entry` and `cluster`, `NAME.sites.parquet` those of `site`; both are
sorted, so the same structures give the same bytes, whatever else the database holds. Key `xtalpriors` of the
Parquet metadata says where they come from (see `files.read_metadata`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from xtalpriors.counted import counted
from xtalpriors.mining.database.digest import Digest, read_digest
from xtalpriors.mining.database.schema import SITE, arrow_schema
from xtalpriors.mining.database.store import reading
from xtalpriors.mining.subsets.counts import subset_digest
from xtalpriors.mining.subsets.definition import SubsetDefinition
from xtalpriors.mining.subsets.files import METADATA_KEY, SITES, SUBSET, sites_path
from xtalpriors.mining.subsets.query import (
    MEMBER_COLUMNS,
    count_by_convention,
    count_dropped_alone,
    count_members,
    dropped,
    leave_out,
    member_rows,
    select_members,
    site_rows,
)
from xtalpriors.mining.subsets.waterfall import Step
from xtalpriors.outputs import check_outputs
from xtalpriors.write_tables import write_parquet

if TYPE_CHECKING:
    from xtalpriors.mining.subsets.p21c import BroughtToP21c

__all__ = [
    "IN_P21C",
    "SubsetReport",
    "dropped_entries",
    "write_subset",
]

IN_P21C = "brought to P2₁/c"
"""Name of the last step of the waterfall where a subset is described in P2₁/c."""


@dataclass(frozen=True)
class SubsetReport:
    """What was written.

    Attributes
    ----------
    name
        The subset.
    n_entries, n_sites, n_clusters
        Rows of the two files, and clusters of redeterminations among the entries.
    waterfall
        What was left after each step, from files to the last filter.
    dropped_alone
        Entries within groups and lengths that each filter would drop by itself.
    n_by_convention
        Entries if the lengths were the declared cell's, and the least-oblique P2₁/c cell's.
    pool_to
        The larger subset that lends its priors, because this one is small; null when it is not.
    refused
        Entries that could not be brought to P2₁/c, each with the reason.
    """

    name: str
    n_entries: int
    n_sites: int
    n_clusters: int
    waterfall: tuple[Step, ...]
    dropped_alone: dict[str, int]
    n_by_convention: dict[str, int]
    pool_to: str | None
    refused: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        conventions = ", ".join(f"{n:,} {name.replace('_', '-')}" for name, n in self.n_by_convention.items())
        lines = [
            f"{self.name}: {counted(self.n_entries, 'entry')} ({counted(self.n_clusters, 'cluster')}), "
            f"{counted(self.n_sites, 'site')}"
        ]
        lines.append(f"  lengths by convention: {conventions}")
        lines += [f"  {step.n:>12,}  {step.step}" for step in self.waterfall]
        if not self.n_entries:
            lines.append("  empty: nothing can be fitted to it")
        elif self.pool_to:
            lines.append(f"  small: pooled towards {self.pool_to}")
        return "\n".join(lines)


def write_subset(database: Path, definition: SubsetDefinition, output: Path) -> SubsetReport:
    """Write a subset of a mined database.

    An empty subset is written too, with no rows: what follows can say which subset it was.

    Parameters
    ----------
    database
        The DuckDB file.
    definition
        The subset.
    output
        `NAME.parquet`; the sites go beside it, as `NAME.sites.parquet`.

    Raises
    ------
    XtalpriorsError
        The database is missing, of another version or unfinished, or the output cannot be written.
    UsageError
        Files of another kind are where the output goes.
    """
    output = Path(output)
    check_outputs([(output, SUBSET), (sites_path(output), SITES)], [database])
    with reading(database) as connection:
        digest = read_digest(connection, Path(database))
        waterfall = select_members(connection, definition)
        of_members = subset_digest(connection, definition, digest)
        if not definition.bring_to_p21c:
            report = _report(connection, definition, waterfall)
            metadata = _metadata(digest, of_members, definition, report)
            write_parquet(member_rows(connection), arrow_schema(MEMBER_COLUMNS), output, metadata, SUBSET)
            write_parquet(site_rows(connection), arrow_schema(SITE), sites_path(output), metadata, SITES)
            return report
        brought = _brought(connection)
        waterfall.append(Step(IN_P21C, brought.entries.num_rows))
        report = _report(connection, definition, waterfall, brought)
        metadata = _metadata(digest, of_members, definition, report)
    write_parquet(brought.entries, arrow_schema(MEMBER_COLUMNS), output, metadata, SUBSET)
    write_parquet(brought.sites, arrow_schema(SITE), sites_path(output), metadata, SITES)
    return report


def dropped_entries(database: Path, definition: SubsetDefinition) -> pa.Table:
    """Which entries within groups and lengths are not in the subset, and the first filter that drops each.

    Returns
    -------
    pyarrow.Table
        `entry_id`, `filter`, sorted by `entry_id`.
    """
    with reading(database) as connection:
        select_members(connection, definition)
        return dropped(connection, definition)


def _brought(connection: duckdb.DuckDBPyConnection) -> BroughtToP21c:
    """The members described in P2₁/c; weights are counted among the entries for which that is possible."""
    from xtalpriors.mining.subsets.p21c import bring_to_p21c

    brought = bring_to_p21c(member_rows(connection).read_all(), site_rows(connection).read_all())
    if not brought.refused:
        return brought
    leave_out(connection, [name for name, _ in brought.refused])
    rest = bring_to_p21c(member_rows(connection).read_all(), site_rows(connection).read_all())
    return rest._replace(refused=brought.refused)


def _report(
    connection: duckdb.DuckDBPyConnection,
    definition: SubsetDefinition,
    waterfall: list[Step],
    brought: BroughtToP21c | None = None,
) -> SubsetReport:
    n_entries, n_sites, n_clusters = count_members(connection)
    if brought is not None:
        n_sites = brought.sites.num_rows
    small = n_entries < definition.pool_below and definition.pool_to is not None
    return SubsetReport(
        definition.name,
        n_entries,
        n_sites,
        n_clusters,
        tuple(waterfall),
        count_dropped_alone(connection, definition),
        count_by_convention(connection, definition),
        definition.pool_to if small else None,
        brought.refused if brought is not None else (),
    )


def _metadata(
    digest: Digest, of_members: str, definition: SubsetDefinition, report: SubsetReport
) -> dict[bytes, bytes]:
    """Nothing in it changes as long as the structures do not: an update that spares a subset stops there."""
    content = {
        "definition": definition.model_dump(mode="json"),
        "corpus": "+".join(sorted(digest["sources"])),
        "subset_digest": of_members,
        "extractor_version": digest["extractor_version"],
        "schema_version": digest["schema_version"],
        "n_entries": report.n_entries,
        "n_sites": report.n_sites,
        "n_clusters": report.n_clusters,
        "pool_to": report.pool_to,
        "refused": [{"entry_id": name, "reason": reason} for name, reason in report.refused],
    }
    return {METADATA_KEY: json.dumps(content, sort_keys=True, ensure_ascii=False).encode()}
