"""A library of rigid molecules: held in flat arrays, read from and written to Parquet.

Coordinates are whole numbers of 0.001 Å, so that a file says the same on every machine. A library is known
by the digest of its content: structures depend on that, not on where the file lies.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from xtalpriors.arrays import F64, I16, I64, U8
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.outputs import FileKind, content_of, is_not
from xtalpriors.write_tables import parquet_with, write_parquet

__all__ = [
    "LIBRARY",
    "SHIPPED",
    "UNITS_PER_ANGSTROM",
    "Conformer",
    "Library",
    "library_of",
    "read_library",
    "shard_made_by",
    "write_shard",
]

UNITS_PER_ANGSTROM: Final = 1000
SHIPPED: Final = Path(__file__).with_name("molecules.parquet")
"""The library that ships with the package."""

_KEY = b"xtalpriors-molecules"
_FORMAT: Final = 1
_MOST_ATOMS: Final = 250
_COLUMNS: Final = ("smiles", "volume_angstrom3", "element", "x", "y", "z")
_MAKE_ONE: Final = "A new one is made by `xtalpriors molecules --count 10000 --output FOLDER`"
LIBRARY = FileKind("a library of molecules", parquet_with(_KEY, "format", *_COLUMNS))


class Conformer(NamedTuple):
    """One rigid molecule.

    Attributes
    ----------
    smiles
        Canonical SMILES.
    element
        Atomic numbers, uint8 (n,).
    xyz
        Cartesian coordinates about the mean of the atoms in 0.001 Å, int16 (n, 3).
    volume_angstrom3
        Volume within the van der Waals surface.
    """

    smiles: str
    element: U8
    xyz: I16
    volume_angstrom3: float


@dataclass(frozen=True, slots=True, eq=False)
class Library:
    """Molecules in ascending order of their volume.

    Attributes
    ----------
    smiles
        Of each molecule (n,).
    offsets
        The atoms of molecule k are rows `offsets[k]` … `offsets[k + 1] − 1`, int64 (n + 1,).
    element
        Atomic numbers, uint8 (m,).
    xyz
        Cartesian coordinates in Å about the mean of the atoms, float64 (m, 3).
    volume
        Volume within the van der Waals surface in Å³, float64 (n,).
    n_heavy
        Non-hydrogen atoms, int64 (n,).
    """

    smiles: tuple[str, ...]
    offsets: I64
    element: U8
    xyz: F64
    volume: F64
    n_heavy: I64

    def __len__(self) -> int:
        return len(self.smiles)

    @classmethod
    def of(cls, conformers: Iterable[Conformer]) -> Library:
        """A library of conformers: in another order the same library, and what is there twice counts once."""

        def heavy(one: Conformer) -> int:
            """Number of non-hydrogen atoms."""
            return int(np.count_nonzero(one.element != 1))

        different = {(c.volume_angstrom3, c.smiles, c.xyz.tobytes()): c for c in conformers}
        ordered = [c for _, c in sorted(different.items(), key=lambda item: item[0])]
        sizes = [len(c.element) for c in ordered]
        return cls(
            tuple(c.smiles for c in ordered),
            np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
            np.concatenate([np.empty(0, np.uint8), *(c.element for c in ordered)]),
            np.concatenate([np.empty((0, 3)), *(c.xyz / UNITS_PER_ANGSTROM for c in ordered)]),
            np.array([c.volume_angstrom3 for c in ordered]),
            np.array([heavy(c) for c in ordered], np.int64),
        )

    @property
    def digest(self) -> str:
        """BLAKE2b-128 of what structures depend on: elements, coordinates and volumes."""
        whole = hashlib.blake2b(digest_size=16)
        for values in (self.offsets, self.element, self.xyz, self.volume):
            whole.update(np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<")).tobytes())
        return whole.hexdigest()


def library_of(path: Path | None) -> Library:
    """The library at a path, or the shipped one; read once in a process."""
    place = SHIPPED if path is None else Path(path)
    try:
        stamp = max((f.stat().st_mtime_ns for f in _files(place) if f.exists()), default=0)
    except OSError as error:
        raise XtalpriorsError(f"{place} cannot be read ({error.strerror}).") from error
    return _read(place, stamp)


@lru_cache(maxsize=4)
def _read(place: Path, stamp: int) -> Library:
    """`stamp` tells a file from what was in its place before."""
    return read_library(place)


def _files(path: Path) -> list[Path]:
    return sorted(path.glob("molecules-*.parquet")) if path.is_dir() else [path]


def read_library(path: Path) -> Library:
    """Read a library: one file, or a folder of shards.

    Raises
    ------
    UsageError
        There is nothing, or no molecule in it.
    XtalpriorsError
        A file is damaged or holds something else.
    """
    conformers = [c for file in _files(path) for c in _read_shard(file)]
    if not conformers:
        what = "is a folder without files molecules-*.parquet" if path.is_dir() else "has no molecules"
        raise UsageError(f"{path} {what}. {_MAKE_ONE}.")
    return Library.of(conformers)


def shard_made_by(path: Path) -> tuple[dict[str, Any], int] | None:
    """How a file came to be, as `write_shard` was told, and its number of molecules; None: not readable."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_metadata(path)
    except (OSError, pa.ArrowException):
        return None
    said: dict[str, Any] = json.loads((metadata.metadata or {}).get(_KEY, b"{}"))
    return said, metadata.num_rows


def _read_shard(path: Path) -> list[Conformer]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.exists():
        raise UsageError(
            f"There is no library of molecules at {path}. {_MAKE_ONE}, or leave packed_library out, for the "
            "library that ships with the package."
        )
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        if content_of(path) != "a Parquet file":
            raise XtalpriorsError(is_not(path, "a library of molecules", "molecules")) from error
        raise _damaged(path, str(error)) from error
    said = json.loads((table.schema.metadata or {}).get(_KEY, b"{}"))
    if said.get("format") != _FORMAT or set(table.schema.names) != set(_COLUMNS):
        raise XtalpriorsError(
            f"{path} is a Parquet file, and not a library of molecules that this version of xtalpriors "
            f"reads. {_MAKE_ONE}."
        )
    return [_checked(path, row) for row in table.to_pylist()]


def _checked(path: Path, row: dict[str, Any]) -> Conformer:
    """A row as a conformer; a file may come from anywhere."""
    n = len(row["element"] or ())
    sizes = {len(row[name] or ()) for name in ("element", "x", "y", "z")}
    if not 0 < n <= _MOST_ATOMS or len(sizes) > 1 or not 0.0 < (row["volume_angstrom3"] or 0.0) < 1e5:
        raise _damaged(path, f"the molecule {row['smiles']!r} has no atoms, too many, or no volume")
    element = np.array(row["element"], np.uint8)
    if element.min() < 1 or element.max() > 118 or (element == 1).all():
        raise _damaged(path, f"the molecule {row['smiles']!r} has no non-hydrogen atom, or one of no element")
    xyz = np.column_stack([row["x"], row["y"], row["z"]]).astype(np.int16)
    return Conformer(str(row["smiles"]), element, xyz, float(row["volume_angstrom3"]))


def _damaged(path: Path, problem: str) -> XtalpriorsError:
    """Error of a library that was cut short or changed; what helps depends on where it came from."""
    remedy = (
        "Install xtalpriors again" if path == SHIPPED else f"Copy it again from where it came. {_MAKE_ONE}"
    )
    return XtalpriorsError(f"{path} is damaged: {problem}. {remedy}.")


def write_shard(path: Path, conformers: Sequence[Conformer], made_by: dict[str, Any]) -> None:
    """Write molecules to one file, in the place of nothing or of another library.

    `made_by` says how they came to be (RDKit's version, seed, counts) and is kept in the file's metadata.
    """
    import pyarrow as pa

    schema = pa.schema(
        [
            pa.field("smiles", pa.string(), nullable=False),
            pa.field("volume_angstrom3", pa.float64(), nullable=False),
            pa.field("element", pa.list_(pa.uint8()), nullable=False),
            *(pa.field(name, pa.list_(pa.int16()), nullable=False) for name in "xyz"),
        ]
    )
    columns = [
        [c.smiles for c in conformers],
        [c.volume_angstrom3 for c in conformers],
        [c.element.tolist() for c in conformers],
        *([c.xyz[:, k].tolist() for c in conformers] for k in range(3)),
    ]
    arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    said = json.dumps({"format": _FORMAT, **made_by}, sort_keys=True, ensure_ascii=False)
    write_parquet(pa.Table.from_arrays(arrays, schema=schema), schema, path, {_KEY: said.encode()}, LIBRARY)
