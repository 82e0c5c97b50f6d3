"""The American Mineralogist Crystal Structure Database as a source: the SQLite file of `larixite`.

The package is found by its list of files and never imported (its own requirements are heavy). Each row
becomes a CIF text, so that the one reader reads it like any other file.
Reference: Downs & Hall-Wallace 2003, Am. Mineral. 88, 247 (the database); 9,275 entries in larixite 2026.1.0.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import metadata
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from urllib.parse import quote

from xtalpriors.errors import UsageError
from xtalpriors.mining.sources import SourceFile
from xtalpriors.mining.sources.amcsd_text import AmcsdRow, render_cif

__all__ = ["AmcsdSource", "larixite_database"]

_INSTALL = "pip install --no-deps larixite==2026.1.0"
_REMEDY = f"`{_INSTALL}` brings the file that the source `amcsd` reads by itself."

_QUERY = """
SELECT cif.id, coalesce(minerals.name, ''), coalesce(spacegroups.hm_notation, ''),
       coalesce(spacegroups.symmetry_xyz, '[]'), publications.journalname,
       publications.volume, publications.year, publications.page_first,
       publications.page_last,
       cif.publication_id,
       cif.formula, cif.compound, cif.pub_title, cif.formula_title,
       cif.a, cif.b, cif.c, cif.alpha, cif.beta, cif.gamma, cif.cell_volume, cif.crystal_density,
       cif.atoms_sites, cif.atoms_x, cif.atoms_y, cif.atoms_z, cif.atoms_occupancy, cif.atoms_u_iso,
       cif.atoms_aniso_label, cif.atoms_aniso_u11, cif.atoms_aniso_u22, cif.atoms_aniso_u33,
       cif.atoms_aniso_u12, cif.atoms_aniso_u13, cif.atoms_aniso_u23
FROM cif LEFT JOIN minerals ON minerals.id = cif.mineral_id
         LEFT JOIN spacegroups ON spacegroups.id = cif.spacegroup_id
         LEFT JOIN publications ON publications.id = cif.publication_id
"""


@lru_cache(maxsize=1)
def larixite_database() -> Path:
    """The SQLite file inside the installed package `larixite`, which is not imported.

    Raises
    ------
    UsageError
        The package is not installed, or holds no such file.
    """
    try:
        files = metadata.files("larixite") or []
    except metadata.PackageNotFoundError:
        files = []
    for file in sorted(files, key=str):
        if file.match("larixite/amcsd*.db") and (path := Path(str(file.locate()))).is_file():
            return path
    raise UsageError(
        "The source `amcsd` reads the American Mineralogist database from the package `larixite`, which is "
        f"not installed here. Install it with `{_INSTALL}`, or name an SQLite file as `amcsd:FILE`."
    )


@dataclass(frozen=True)
class AmcsdSource:
    """Entries of an AMCSD SQLite file; `file_id` is the AMCSD number, `0000003.cif`.

    Cheap and picklable: the file is opened read-only at the first use in each process.

    Parameters
    ----------
    path
        The SQLite file; None takes the one of the installed package `larixite`.
    name
        Name of the source in the tables.

    Raises
    ------
    UsageError
        The file is not there, is not an AMCSD database, or `larixite` is not installed.
    """

    path: Path | None = None
    name: str = "amcsd"
    kind: str = field(default="amcsd", init=False)
    database: str | None = field(default="AMCSD", init=False)
    text_origin: str = field(default="rebuilt", init=False)

    def files(self) -> Iterator[SourceFile]:
        """Every entry in the order of its number; the times are those of the SQLite file."""
        path = self._file()
        status = path.stat()
        for row in _rows(path):
            size = len(_rendered(row))
            yield SourceFile(_file_id(row.id), size, status.st_mtime_ns, status.st_ctime_ns)

    def read(self, file_id: str) -> bytes:
        """CIF text of one entry.

        Raises
        ------
        OSError
            The database has no such entry, or its columns cannot be decoded.
        """
        path = self._file()
        number = file_id.removesuffix(".cif")
        row = next(_rows(path, int(number)), None) if number.isdecimal() else None
        if row is None:
            raise FileNotFoundError(f"{path} has no entry {file_id}")
        text = _rendered(row)
        if not text:
            raise OSError(f"entry {file_id} of {path} cannot be decoded")
        return text

    def _file(self) -> Path:
        path = self.path or larixite_database()
        if not path.is_file():
            raise UsageError(f"The source `amcsd:{path}` names a file that is not there. {_REMEDY}")
        return path


def _file_id(number: int) -> str:
    return f"{number:07d}.cif"


def _rendered(row: AmcsdRow) -> bytes:
    """The text, or nothing where the columns are damaged: the entry is listed, and rejected when read."""
    try:
        return render_cif(row)
    except (ValueError, TypeError):
        return b""


def _rows(path: Path, number: int | None = None) -> Iterator[AmcsdRow]:
    where, arguments = (" WHERE cif.id = ?", (number,)) if number is not None else ("", ())
    try:
        connection = _connection(path, os.getpid())
        authors = _authors(path, os.getpid())
        for r in connection.execute(f"{_QUERY}{where} ORDER BY cif.id", arguments):
            yield AmcsdRow._make([*r[:9], authors.get(r[9], ()), *r[10:14], r[14:20], *r[20:29], r[29:35]])
    except sqlite3.DatabaseError as error:
        raise UsageError(
            f"{path} is not an AMCSD database as `larixite` ships it ({error}). {_REMEDY}"
        ) from error


@lru_cache(maxsize=4)
def _connection(path: Path, process: int) -> sqlite3.Connection:
    """Connection of this process: SQLite's may not be carried through a fork."""
    return sqlite3.connect(
        f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1", uri=True, check_same_thread=False
    )


@lru_cache(maxsize=4)
def _authors(path: Path, process: int) -> dict[int, tuple[str, ...]]:
    """Authors by publication, in the order given: the database has no index to find them one by one."""
    query = """SELECT publication_id, name FROM publication_authors JOIN authors ON authors.id = author_id
               ORDER BY publication_id, publication_authors.rowid"""
    grouped = groupby(_connection(path, process).execute(query), key=itemgetter(0))
    return {publication: tuple(name for _, name in rows) for publication, rows in grouped}
