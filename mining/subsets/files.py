"""The two files of a subset as their readers see them: where the sites lie, and what the metadata says.

Apart from `write`, so that a reader of a subset does not wait for DuckDB.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from xtalpriors.errors import XtalpriorsError
from xtalpriors.outputs import FileKind, is_not
from xtalpriors.write_tables import parquet_with

__all__ = ["METADATA_KEY", "SITES", "SUBSET", "read_metadata", "sites_path"]

METADATA_KEY = b"xtalpriors"
"""Key of the Parquet metadata under which `write_subset` says what it wrote, as JSON."""
SUBSET = FileKind("a subset", parquet_with(METADATA_KEY, "definition", "entry_id", "cluster_id"))
SITES = FileKind("the sites of a subset", parquet_with(METADATA_KEY, "definition", "entry_id", "site_index"))


def sites_path(subset: Path) -> Path:
    """File of the sites beside that of the entries: `all-10.parquet` has `all-10.sites.parquet`."""
    return subset.with_name(subset.name.removesuffix(".parquet") + ".sites.parquet")


def read_metadata(subset: Path) -> dict[str, Any]:
    """What `write_subset` wrote about a subset.

    Returns
    -------
    dict
        `definition`, `corpus`, `subset_digest` (see `counts`), `extractor_version`, `schema_version`,
        `n_entries`, `n_sites`, `n_clusters`, `pool_to`, `refused` (list of {entry_id, reason}).

    Raises
    ------
    XtalpriorsError
        The file is missing, is no Parquet file, or none that `write_subset` wrote.
    """
    try:
        schema = pq.read_schema(subset)
        found = json.loads((schema.metadata or {})[METADATA_KEY])
        if "definition" not in found:
            raise KeyError("definition")
    except FileNotFoundError as error:
        raise XtalpriorsError(f"There is no subset {subset}. Write it with `xtalpriors subset`.") from error
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise XtalpriorsError(is_not(subset, "a subset", "subset")) from error
    if "site_index" in schema.names and "cluster_id" not in schema.names:
        raise XtalpriorsError(
            f"{subset} holds the sites of a subset: give the file beside it, "
            f"{subset.name.replace('.sites', '')}."
        )
    assert isinstance(found, dict)
    return found
