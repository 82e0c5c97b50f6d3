"""Files and rows in the COD's sizes, made of those of a corpus, for `replica.py`."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from contestants import Items, with_reflections

from xtalpriors.mining.subsets.files import sites_path

__all__ = ["replicate_subset", "update", "write_tree"]

STEP, STEPS = 1.032, 9
"""Copies differ by powers of this in a length: more than redeterminations of one structure do (3 %)."""
LENGTH = re.compile(rb"(?m)^(_cell_length_[abc]\s+)([0-9.]+)")
CODE = re.compile(rb"(?m)^(_cod_database_code\s+)\S+")
"""Each copy gets a number of its own, as in the COD: files of one number are one deposition."""


def variant(data: bytes, *factors: float) -> bytes:
    """The file with its cell lengths times the factors: equal lengths share one, so that symmetry stays."""
    lengths = list(dict.fromkeys(found[2] for found in LENGTH.finditer(data)))
    factor = dict(zip(lengths, factors, strict=False))
    return LENGTH.sub(lambda m: m[1] + f"{float(m[2]) * factor.get(m[2], 1.0):.4f}".encode(), data)


def copy_of(data: bytes, copy: int) -> bytes:
    """A copy of a file: another shape of the cell, of the same volume where it has three lengths."""
    first, second = (STEP ** ((copy // k + STEPS // 2) % STEPS - STEPS // 2) for k in (1, STEPS))
    return variant(data, first, second, 1.0 / (first * second))


def write_tree(folder: Path, small: Items, n: int, share: float) -> tuple[int, int]:
    """Write n files in the folders of a COD mirror; bytes in all, and bytes of reflection lists.

    `share` is that of the files with such a list.
    """
    rng = np.random.default_rng(20260101)
    lists = [
        data[len(small[i][1]) :]
        for i, (_, data) in enumerate(with_reflections(small, min(400, len(small)), rng))
    ]
    total = reflections = 0
    for i in range(n):
        copy, which = divmod(i, len(small))
        data = copy_of(small[which][1], copy) + f"\n# copy {copy}\n".encode()
        data = CODE.sub(rb"\g<1>%07d" % (10**6 + i), data)
        if rng.random() < share:
            more = lists[int(rng.integers(len(lists)))]
            data, reflections = data + more, reflections + len(more)
        total += len(data)
        path = folder / f"{i // 10**6 + 1}" / f"{i // 10**4 % 100:02d}" / f"{i // 100 % 100:02d}"
        path.mkdir(parents=True, exist_ok=True)
        (path / f"{10**6 + i:07d}.cif").write_bytes(data)
    return total, reflections


def update(tree: Path) -> None:
    """Change 200 files and delete 50, spread over the tree."""
    paths = sorted(tree.rglob("*.cif"))
    for path in paths[:: max(1, len(paths) // 200)][:200]:
        path.write_bytes(variant(path.read_bytes(), 1.0007, 1.0007, 1.0007))
    for path in paths[1 :: max(2, len(paths) // 50)][:50]:
        path.unlink()


def replicate_subset(subset: Path, n: int) -> None:
    """Write the rows of a subset over and over under other names until it has n structures."""
    entries = pq.read_table(subset)
    for path in (subset, sites_path(subset)):
        rows = pq.read_table(path)
        ids = [name for name in ("entry_id", "cluster_id") if name in rows.column_names]
        part = path.with_name("part.parquet")
        with pq.ParquetWriter(part, rows.schema, compression="zstd") as writer:
            for copy in range(-(-n // entries.num_rows)):
                names = entries["entry_id"].slice(0, n - copy * entries.num_rows)
                table = rows.filter(pc.is_in(rows["entry_id"], names)) if len(names) < len(entries) else rows
                for name in ids:
                    place = table.schema.get_field_index(name)
                    other = pc.binary_join_element_wise(f"{copy:06d}", table[name], ":")
                    table = table.set_column(place, table.schema.field(place), other)
                writer.write_table(table)
        part.replace(path)
