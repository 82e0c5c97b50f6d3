"""The American Mineralogist Crystal Structure Database as a source: the SQLite file of `larixite`.

The package is found by its list of files and never imported (its own requirements are heavy). Each row
becomes a CIF text, so that the one reader reads it like any other file.
Reference: Downs & Hall-Wallace 2003, Am. Mineral. 88, 247 (the database); 9,275 entries in larixite 2026.1.0.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import metadata
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any
from urllib.parse import quote

from xtalpriors.errors import UsageError
from xtalpriors.mining.sources import SourceFile
from xtalpriors.mining.sources.amcsd_text import RENDERER_VERSION, AmcsdRow, render_cif
from xtalpriors.mining.sources.fingerprint import content_hash

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

_TEXTS = re.findall(r"cif\.((?!id|publication_id)\w+)", _QUERY.partition("FROM cif")[0])
_SIZES = f"SELECT id, {' + '.join(f'ifnull(length({name}), 0)' for name in _TEXTS)} FROM cif ORDER BY id"


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
        """Every entry in the order of its number, with the characters of its row as its size.

        The times are those of the SQLite file.
        """
        path = self._file()
        status = path.stat()
        for number, size in _execute(path, _SIZES):
            yield SourceFile(_file_id(number), size, status.st_mtime_ns, status.st_ctime_ns)

    def fingerprint(self, file_id: str) -> str:
        """Hash of an entry's row and of the version of the renderer.

        Raises
        ------
        OSError
            The database has no such entry.
        """
        row = self._row(file_id)
        return content_hash(json.dumps([RENDERER_VERSION, *row], ensure_ascii=False).encode())

    def read(self, file_id: str) -> bytes:
        """CIF text of one entry.

        Raises
        ------
        OSError
            The database has no such entry, or its columns cannot be decoded.
        """
        try:
            return render_cif(self._row(file_id))
        except (ValueError, TypeError) as error:
            raise OSError(f"entry {file_id} of {self._file()} cannot be decoded") from error

    def _row(self, file_id: str) -> AmcsdRow:
        path = self._file()
        number = file_id.removesuffix(".cif")
        row = _row(path, os.getpid(), int(number)) if number.isdecimal() else None
        if row is None:
            raise FileNotFoundError(f"{path} has no entry {file_id}")
        return row

    def _file(self) -> Path:
        path = self.path or larixite_database()
        if not path.is_file():
            raise UsageError(f"The source `amcsd:{path}` names a file that is not there. {_REMEDY}")
        return path


def _file_id(number: int) -> str:
    return f"{number:07d}.cif"


@lru_cache(maxsize=2)
def _row(path: Path, process: int, number: int) -> AmcsdRow | None:
    """Row of one entry, kept for the moment between its fingerprint and its text."""
    r = next(_execute(path, f"{_QUERY} WHERE cif.id = ?", number), None)
    if r is None:
        return None
    authors = _authors(path, process).get(r[9], ())
    return AmcsdRow._make([*r[:9], authors, *r[10:14], r[14:20], *r[20:29], r[29:35]])


def _execute(path: Path, query: str, *arguments: int) -> Iterator[tuple[Any, ...]]:
    try:
        yield from _connection(path, os.getpid()).execute(query, arguments)
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
