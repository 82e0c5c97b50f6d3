"""From crystal databases to subsets: CIF files are read into a DuckDB file, and structures chosen from it.

`mine([parse_source("cod:DIR")], None, database)` brings a database up to date with its sources,
`open_database` opens it for SQL, and `write_subset` writes the structures that a `SubsetDefinition` asks for.
`extract` reads bytes of CIF files into rows without any database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xtalpriors.lazy import offer

if TYPE_CHECKING:
    from xtalpriors.mining.cif import Extracted as Extracted
    from xtalpriors.mining.cif import extract as extract
    from xtalpriors.mining.database.digest import digest_file as digest_file
    from xtalpriors.mining.database.digest import read_digest as read_digest
    from xtalpriors.mining.database.schema import EXTRACTOR_VERSION as EXTRACTOR_VERSION
    from xtalpriors.mining.database.store import open_database as open_database
    from xtalpriors.mining.mirror.mirrors import incomplete_mirrors as incomplete_mirrors
    from xtalpriors.mining.mirror.mirrors import mirrors_of as mirrors_of
    from xtalpriors.mining.mirror.sync import SyncReport as SyncReport
    from xtalpriors.mining.mirror.sync import sync_mirror as sync_mirror
    from xtalpriors.mining.mirror.transfer import MirrorLimits as MirrorLimits
    from xtalpriors.mining.run import MineReport as MineReport
    from xtalpriors.mining.run import MiningInterruptedError as MiningInterruptedError
    from xtalpriors.mining.run import mine as mine
    from xtalpriors.mining.sources import Source as Source
    from xtalpriors.mining.sources.manifest import update_manifest as update_manifest
    from xtalpriors.mining.sources.parse import parse_source as parse_source
    from xtalpriors.mining.subsets.definition import DEFAULT_SUBSETS as DEFAULT_SUBSETS
    from xtalpriors.mining.subsets.definition import SubsetDefinition as SubsetDefinition
    from xtalpriors.mining.subsets.distances import interatomic_distances as interatomic_distances
    from xtalpriors.mining.subsets.distances import structure_arrays as structure_arrays
    from xtalpriors.mining.subsets.files import read_metadata as read_metadata
    from xtalpriors.mining.subsets.filters import FILTERS as FILTERS
    from xtalpriors.mining.subsets.waterfall import waterfall as waterfall
    from xtalpriors.mining.subsets.write import SubsetReport as SubsetReport
    from xtalpriors.mining.subsets.write import dropped_entries as dropped_entries
    from xtalpriors.mining.subsets.write import write_subset as write_subset
    from xtalpriors.mining.work.dask import DaskExecutor as DaskExecutor

__getattr__, __all__ = offer(
    __name__,
    {
        "cif": ["Extracted", "extract"],
        "database.digest": ["digest_file", "read_digest"],
        "database.schema": ["EXTRACTOR_VERSION"],
        "database.store": ["open_database"],
        "mirror.mirrors": ["incomplete_mirrors", "mirrors_of"],
        "mirror.sync": ["SyncReport", "sync_mirror"],
        "mirror.transfer": ["MirrorLimits"],
        "run": ["MineReport", "MiningInterruptedError", "mine"],
        "sources": ["Source"],
        "sources.manifest": ["update_manifest"],
        "sources.parse": ["parse_source"],
        "subsets.definition": ["DEFAULT_SUBSETS", "SubsetDefinition"],
        "subsets.distances": ["interatomic_distances", "structure_arrays"],
        "subsets.filters": ["FILTERS"],
        "subsets.waterfall": ["waterfall"],
        "subsets.files": ["read_metadata"],
        "subsets.write": ["SubsetReport", "dropped_entries", "write_subset"],
        "work.dask": ["DaskExecutor"],
    },
)
