"""From files to structures: how many were there, how many came through, and why the others did not.

Whatever a parser loses biases the priors, so every run counts each step and keeps the lists by reason.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import duckdb

from xtalpriors.mining.database.store import fetch_row, reading

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Step", "corpus_steps", "waterfall"]


class Step(NamedTuple):
    """What is left after a step."""

    step: str
    n: int


_UNREADABLE = "block IS NULL AND stage IN ('read', 'parse', 'crash', 'memory')"

_COUNTS = f"""
SELECT (SELECT count(*) FROM file),
       (SELECT count(*) FROM file
        WHERE (source, file_id) NOT IN (SELECT (source, file_id) FROM rejection WHERE {_UNREADABLE})),
       (SELECT count(*) FROM file
        WHERE (source, file_id) NOT IN (SELECT (source, file_id) FROM rejection WHERE block IS NULL)),
       (SELECT count(*) FROM entry) + (SELECT count(*) FROM rejection WHERE block IS NOT NULL),
       (SELECT count(*) FROM entry)
"""

_STEPS = ("files", "readable files", "files about a structure", "blocks", "structures")

_REASONS = f"""
SELECT CASE WHEN {_UNREADABLE} THEN 'readable files' WHEN block IS NULL THEN 'files about a structure'
            ELSE 'structures' END AS step,
       stage || ': ' || code AS reason, count(*) AS n
FROM rejection GROUP BY ALL ORDER BY step, n DESC, reason
"""


def corpus_steps(connection: duckdb.DuckDBPyConnection) -> list[Step]:
    """Files, those that could be read, those with a structure, blocks that claim one, structures.

    A block is one that became an entry, or was rejected by itself; blocks without a structure
    (`data_global`, reflection lists) are neither.
    """
    row = fetch_row(connection, _COUNTS)
    return [Step(name, int(n)) for name, n in zip(_STEPS, row, strict=True)]


def waterfall(database: Path) -> pl.DataFrame:
    """The waterfall of a database, as reports print it.

    Parameters
    ----------
    database
        The DuckDB file.

    Returns
    -------
    polars.DataFrame
        Columns `step` (`files`, `readable files`, `files about a structure`, `blocks`, `structures`,
        `structures with coordinates`), `n` (left after the step), `lost` (in it), `reason` and `reason_n`:
        one row a step with null reason, then one for each reason of a loss there (`stage: code`), the most
        frequent first.
        The lists behind the reasons are table `rejection`.
    """
    import polars as pl

    with reading(database) as connection:
        steps = corpus_steps(connection)
        with_sites = fetch_row(connection, "SELECT count(*) FROM entry WHERE n_sites > 0")
        steps.append(Step("structures with coordinates", int(with_sites[0])))
        reasons = connection.execute(_REASONS).fetchall()
    rows: list[tuple[str, int, int | None, str | None, int | None]] = []
    before: int | None = None
    for step in steps:
        grows = step.step == "blocks"
        rows.append((step.step, step.n, None if before is None or grows else before - step.n, None, None))
        rows += [(step.step, step.n, None, reason, int(n)) for at, reason, n in reasons if at == step.step]
        before = step.n
    schema = {"step": pl.String, "n": pl.Int64, "lost": pl.Int64, "reason": pl.String, "reason_n": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")
