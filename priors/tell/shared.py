"""Structures that two bundles share, from the lists of entries that belong to them.

A released bundle has the list of its database beside it; of a bundle of the pipeline
(`priors/fitted/CORPUS/`) it is made from the database of that corpus, if it still has the structures that
the bundle was fitted to.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from xtalpriors.mining.subsets.counts import count_subset
from xtalpriors.mining.subsets.definition import SubsetDefinition
from xtalpriors.mining.subsets.snapshot import changes_between, read_snapshot, subsets_of, take_snapshot
from xtalpriors.paths import CorpusPaths
from xtalpriors.priors.bundle import PriorBundle, load_bundle
from xtalpriors.priors.tell.release import ENTRIES

__all__ = ["Overlap", "overlap"]


class Overlap(NamedTuple):
    """Share of the structures that two bundles have in common, and why nothing is known of it, if so.

    `unknown` is a clause without a full stop; empty where the share is known.
    """

    shared: float
    unknown: str = ""


def overlap(before: PriorBundle, after: PriorBundle) -> Overlap:
    """The structures that two bundles share (Dice coefficient), as the report of an update counts them.

    Raises
    ------
    XtalpriorsError
        A list of entries or a database beside a bundle is damaged.
    """
    lists = []
    for bundle in (before, after):
        entries = _entries(bundle)
        if entries is None:
            return Overlap(0.0, f"no list of the entries belongs to {bundle.file or bundle.name}")
        lists.append(entries)
    name, parent = after.name, after.created_from.parent
    if before.name != name:
        return Overlap(0.0, f"they are of two subsets, {before.name} and {name}")
    (digest, old), (_, new) = lists
    changes = changes_between(digest, old, new, subsets_of(new))
    unknown = changes.unknown(name, parent)
    if unknown is not None:
        return Overlap(
            0.0, f"the lists of entries do not say what is in {unknown}, from which {name} borrows"
        )
    return Overlap(changes.shared(name, parent))


def _entries(bundle: PriorBundle) -> tuple[str, pa.Table] | None:
    """The list of entries of the database that a bundle was fitted to; null where there is none."""
    if bundle.file is None:
        return None
    path = Path(bundle.file).resolve()
    if (path.parent / ENTRIES).is_file():
        return read_snapshot(path.parent / ENTRIES)
    places = CorpusPaths(path.parent.name)
    if len(path.parents) < 4 or path.parents[3] / places.bundle(path.stem) != path:
        return None
    database, made = path.parents[3] / places.database, bundle.created_from
    if made.subset is None or not database.is_file():
        return None
    definition = SubsetDefinition.model_validate(made.subset)
    if count_subset(database, definition).digest != made.subset_digest:
        return None
    definitions = [definition]
    if made.parent is not None and (parent := path.with_name(f"{made.parent}.json")).is_file():
        subset = load_bundle(parent).created_from.subset
        definitions += [] if subset is None else [SubsetDefinition.model_validate(subset)]
    return take_snapshot(database, definitions)
