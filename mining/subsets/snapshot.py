"""What a database held at a time, in a few bytes an entry: to say later what entered, left and changed.

A snapshot has for each entry the first 64 bits of its file's content hash, the marks of its database, and
of its structure the elements, the space group and the volume: enough to see that an id now stands for
another structure. The whole COD takes about 20 bytes an entry. Of entries of the CSD, which is licensed,
nothing of the structure is kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining.database.digest import read_digest
from xtalpriors.mining.database.store import reading
from xtalpriors.mining.subsets.definition import SubsetDefinition
from xtalpriors.mining.subsets.query import select_members
from xtalpriors.outputs import FileKind, is_not
from xtalpriors.write_tables import parquet_with, write_parquet

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "MARKS",
    "SNAPSHOT",
    "Changes",
    "SubsetChange",
    "changes_between",
    "changes_since",
    "read_snapshot",
    "subsets_of",
    "take_snapshot",
    "write_snapshot",
]

_KEY: Final = b"xtalpriors-snapshot"
SNAPSHOT = FileKind("a snapshot of a database", parquet_with(_KEY, "digest", "entry_id", "content"))

_SCHEMA: Final = pa.schema(
    [
        pa.field("entry_id", pa.string(), nullable=False),
        pa.field("content", pa.uint64(), nullable=False),
        pa.field("status", pa.string(), nullable=False),
        pa.field("elements", pa.string()),
        pa.field("sg_number", pa.int16()),
        pa.field("volume_angstrom3", pa.float32()),
        pa.field("subsets", pa.string(), nullable=False),
    ]
)
MARKS: Final = (
    ("is_retracted", "retracted"),
    ("has_errors", "errors"),
    ("has_warnings", "warnings"),
    ("is_duplicate", "duplicate"),
    ("is_suboptimal", "suboptimal"),
    ("is_theoretical", "theoretical"),
    ("on_hold_until IS NOT NULL", "on hold"),
)
"""Condition on an entry, and the mark that it is."""
_STATUS = ", ".join(f"CASE WHEN {condition} THEN '{name}' END" for condition, name in MARKS)
_ROWS = f"""
    SELECT entry_id, coalesce(try_cast('0x' || left(content_hash, 16) AS UBIGINT), 0) AS content,
           concat_ws(', ', {_STATUS}) AS status, CASE WHEN is_open THEN elements END AS elements,
           CASE WHEN is_open THEN sg_number::SMALLINT END AS sg_number,
           CASE WHEN is_open THEN volume_angstrom3::FLOAT END AS volume_angstrom3,
           coalesce(subsets, '') AS subsets
    FROM (SELECT *, "database" IS DISTINCT FROM 'CSD' AS is_open FROM entry)
    LEFT JOIN (SELECT entry_id, string_agg(name, ' ' ORDER BY name) AS subsets FROM member GROUP BY entry_id)
        USING (entry_id)
    ORDER BY entry_id
"""
_REASONS = r"""
    SELECT source || ':' || replace(file_id, '#', '\x23') AS file, min(stage || ': ' || code) AS reason
    FROM rejection GROUP BY ALL
"""
_SAME_VOLUME = 0.05
"""Relative difference in volume up to which two contents of an id are one structure."""


class SubsetChange(NamedTuple):
    """Entries of a subset before and now; `changed` are in both with another content of their file."""

    before: int
    entered: int
    left: int
    changed: int
    now: int

    @property
    def shared(self) -> float:
        """Entries with the same content on both sides, as a share of the mean number in one (Dice)."""
        total = self.before + self.now
        return 2 * (self.before - self.left - self.changed) / total if total else 0.0


class Changes(NamedTuple):
    """What became of the entries of a snapshot.

    Attributes
    ----------
    digest
        Of the database that the snapshot is of.
    entries
        A row for each entry that is new, gone or not the same, sorted by `entry_id`: `entry_id` (of one
        that left: what it was), `entry_id_before` (where its block is called otherwise now), `change`
        (`entered`, `left`, `structure`, `status`, `content`), `status_before`, `status_now`, `reason` (why
        the file of an entry that left was rejected; null where it is gone), and of its subsets, elements,
        space group and volume (Å³) what they were and are (`subsets_before`, `subsets_now`, …).
    subsets
        Counts of each subset that the snapshot and the question have in common.
    """

    digest: str
    entries: pl.DataFrame
    subsets: dict[str, SubsetChange]

    def shared(self, subset: str, parent: str | None = None) -> float:
        """Share of the structures that a subset has kept; or of its parent, if that is less."""
        names = {subset, parent or subset}
        return min(self.subsets[name].shared if name in self.subsets else 0.0 for name in names)

    def unknown(self, subset: str, parent: str | None = None) -> str | None:
        """The subset, or its parent, if nothing is known of it, so that none of `shared` is; else null."""
        return next((name for name in (subset, parent or subset) if name not in self.subsets), None)


def write_snapshot(database: Path, definitions: Iterable[SubsetDefinition], output: Path) -> pa.Table:
    """Write the snapshot of a finished database, with the subsets that each entry is in, and return its rows.

    Raises
    ------
    XtalpriorsError
        The database is missing or unfinished, or the file cannot be written.
    UsageError
        A file of another kind is where the output goes.
    """
    digest, table = take_snapshot(database, definitions)
    write_parquet(table, _SCHEMA, output, {_KEY: json.dumps({"digest": digest}).encode()}, SNAPSHOT)
    return table


def read_snapshot(path: Path) -> tuple[str, pa.Table]:
    """Digest of the database, and the rows of its snapshot.

    Raises
    ------
    XtalpriorsError
        The file is missing or no snapshot.
    """
    try:
        table = pq.read_table(path)
        digest = json.loads((table.schema.metadata or {})[_KEY])["digest"]
    except FileNotFoundError as error:
        raise XtalpriorsError(f"There is no snapshot {path}.") from error
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise XtalpriorsError(is_not(path, "a snapshot of a database", "priors release")) from error
    return str(digest), table


def subsets_of(snapshot: pa.Table) -> set[str]:
    """Names of the subsets that the entries of a snapshot are in."""
    return set(" ".join(snapshot["subsets"].unique().to_pylist()).split())


def changes_since(
    path: Path, database: Path, definitions: Iterable[SubsetDefinition], now: pa.Table | None = None
) -> Changes:
    """What entered, left and changed in a database since a snapshot.

    Parameters
    ----------
    now
        The rows of the database's own snapshot, if they are at hand.

    Raises
    ------
    XtalpriorsError
        The snapshot or the database cannot be read.
    """
    digest, before = read_snapshot(path)
    definitions = list(definitions)
    if now is None:
        _, now = take_snapshot(database, definitions)
    with reading(database) as connection:
        reasons = connection.sql(_REASONS).to_arrow_table()
    return changes_between(digest, before, now, [d.name for d in definitions], reasons)


def changes_between(
    digest: str, before: pa.Table, now: pa.Table, subsets: Iterable[str], reasons: pa.Table | None = None
) -> Changes:
    """What entered, left and changed between the rows of two snapshots.

    Parameters
    ----------
    digest
        Of the database that the first one is of.
    subsets
        Names of the subsets to count, of which those that the first snapshot knows are.
    reasons
        Files and why they were rejected; null: not known.
    """
    import polars as pl

    if reasons is None:
        reasons = pa.table({"file": pa.array([], pa.string()), "reason": pa.array([], pa.string())})
    old, new, why = (pl.from_arrow(table) for table in (before, now, reasons))
    assert isinstance(old, pl.DataFrame) and isinstance(new, pl.DataFrame) and isinstance(why, pl.DataFrame)
    both = _paired(old, new)
    volume, volume_now = pl.col("volume_angstrom3"), pl.col("volume_angstrom3_now")
    is_other = (
        pl.col("elements").ne_missing(pl.col("elements_now"))
        | pl.col("sg_number").ne_missing(pl.col("sg_number_now"))
        | ((volume - volume_now).abs() > _SAME_VOLUME * volume).fill_null(False)
    )
    changed = both.with_columns(
        change=pl.when(pl.col("content").is_null())
        .then(pl.lit("entered"))
        .when(pl.col("content_now").is_null())
        .then(pl.lit("left"))
        .when((pl.col("content") != pl.col("content_now")) & is_other)
        .then(pl.lit("structure"))
        .when(pl.col("status") != pl.col("status_now"))
        .then(pl.lit("status"))
        .when(pl.col("content") != pl.col("content_now"))
        .then(pl.lit("content"))
    )
    rows = (
        changed.filter(pl.col("change").is_not_null())
        .with_columns(file=pl.col("entry_id").str.split("#").list.first())
        .join(why, on="file", how="left")
        .select(
            "entry_id",
            "entry_id_before",
            "change",
            pl.col("status").alias("status_before"),
            "status_now",
            pl.when(pl.col("change") == "left").then("reason").alias("reason"),
            *(
                column
                for name in ("subsets", "elements", "sg_number", "volume_angstrom3")
                for column in (pl.col(name).alias(f"{name}_before"), pl.col(f"{name}_now"))
            ),
        )
        .sort("entry_id")
    )
    known = subsets_of(before)
    return Changes(digest, rows, {name: _count(changed, name) for name in subsets if name in known})


def _paired(old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """Each entry before beside the one it is now, by its id, or by its file if its block was renamed.

    Of a file whose blocks were renamed the first that is without a partner before goes with the first now.
    """
    import polars as pl

    def alone(entries: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
        """Entries that are not among the others, with their file and their place in it."""
        rest = entries.join(others, on="entry_id", how="anti").sort("entry_id")
        file = pl.col("entry_id").str.split("#").list.first()
        return rest.with_columns(file=file, place=pl.int_range(pl.len()).over(file))

    was, stands = alone(old, new), alone(new, old)
    same = old.join(new, on="entry_id", how="inner", suffix="_now")
    same = same.with_columns(entry_id_before=pl.lit(None, pl.String))
    other = was.join(stands, on=["file", "place"], how="full", suffix="_now", coalesce=True)
    renamed = pl.col("entry_id").is_not_null() & pl.col("entry_id_now").is_not_null()
    other = other.with_columns(
        entry_id=pl.coalesce("entry_id_now", "entry_id"),
        entry_id_before=pl.when(renamed).then("entry_id"),
    )
    return pl.concat([same, other.select(same.columns)])


def take_snapshot(database: Path, definitions: Iterable[SubsetDefinition]) -> tuple[str, pa.Table]:
    """Digest of a finished database, and the rows of its snapshot with the subsets that each entry is in."""
    with reading(database) as connection:
        digest = read_digest(connection, Path(database))["digest"]
        connection.execute("CREATE TEMP TABLE member (entry_id VARCHAR, name VARCHAR)")
        for definition in definitions:
            select_members(connection, definition)
            connection.execute("INSERT INTO member SELECT entry_id, ? FROM kept", [definition.name])
        return digest, connection.sql(_ROWS).to_arrow_table()


def _count(changed: pl.DataFrame, name: str) -> SubsetChange:
    import polars as pl

    def is_in(column: str) -> pl.Expr:
        """Whether a column of names of subsets, separated by blanks, has this one."""
        return pl.col(column).fill_null("").str.split(" ").list.contains(name)

    was, stands = is_in("subsets"), is_in("subsets_now")
    row = changed.select(
        was.sum().alias("before"),
        (~was & stands).sum().alias("entered"),
        (was & ~stands).sum().alias("left"),
        (was & stands & (pl.col("content") != pl.col("content_now")).fill_null(False)).sum().alias("changed"),
        stands.sum().alias("now"),
    ).row(0)
    return SubsetChange(*map(int, row))
