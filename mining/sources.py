"""Where CIFs come from: each source lists its files with a cheap fingerprint, and gives the text of one.

Everything after that is one path, whatever the source. What a source reads is untrusted input: reading is
bounded, links cannot loop, and only regular files are opened. A `file_id` is text that Parquet and DuckDB
can hold; where a name on disk is not UTF-8, its odd bytes are written `\\xff` (and a backslash `\\\\`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from xtalpriors.errors import UsageError

__all__ = ["MAX_TEXT_BYTES", "Source", "SourceFile", "UnreadableError", "check_names", "parse_source"]

MAX_TEXT_BYTES = 256 * 2**20
"""Largest text that is read, also after decompression; the largest CIFs of the COD are near 100 MB."""


class SourceFile(NamedTuple):
    """One file of a source and its fingerprint, as cheap as the source can give it.

    `size_bytes` is what is stored (0 where it is not known before reading); the times are null where the
    source has none. For a member of an archive `ctime_ns` is the archive's.
    """

    file_id: str
    size_bytes: int
    mtime_ns: int | None = None
    ctime_ns: int | None = None


class UnreadableError(OSError):
    """The bytes of one file cannot be had; `code` is the code of its rejection (stage `read`)."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class Source(Protocol):
    """A collection of CIFs. Picklable and cheap: it opens what it needs in the process that reads."""

    @property
    def name(self) -> str:
        """Name in the tables; two sources of one database have different ones."""

    @property
    def kind(self) -> str:
        """Scheme that made it: `cod`, `amcsd`, `archive`, `csd`."""

    @property
    def database(self) -> str | None:
        """Database that its entries belong to when a file names none."""

    @property
    def text_origin(self) -> str:
        """`original`, or `rebuilt` where the text is rendered from a database's columns."""

    def files(self) -> Iterator[SourceFile]:
        """Every file, each once; sorted by `file_id`, except that an archive may keep its own order."""

    def read(self, file_id: str) -> bytes:
        """Bytes of one file, decompressed. Raises `OSError` (`UnreadableError` where a code is known)."""


def parse_source(text: str) -> Source:
    """Source that a command line or `params.yaml` names.

    Parameters
    ----------
    text
        `cod:DIR`, `amcsd`, `amcsd:FILE`, `archive:FILE`, `csd`, or `csd:FILE`. With `NAME=` in front
        (`mine=cod:DIR`) the tables call it NAME: needed where two sources would have the same name.

    Raises
    ------
    UsageError
        Unknown scheme, a folder or file that is not there, an unknown sort of archive, or a package that
        the source needs and that is not installed.
    """
    match = re.fullmatch(
        r"(?:(?P<name>[A-Za-z0-9._-]+)=)?(?P<scheme>[A-Za-z]+)(?::(?P<rest>.*))?", text, re.S
    )
    scheme = match["scheme"].lower() if match else None
    if match is None or scheme not in _MAKERS:
        raise UsageError(
            f"Unknown source '{text}'. Known are: `cod:DIR` (a COD mirror or any tree of CIFs), `amcsd` or "
            "`amcsd:FILE` (minerals, from the larixite package), `archive:FILE` (.zip, .tar, .tar.*, or "
            "one multi-block .cif), and `csd` (the licensed ccdc package). `NAME=` in front names it."
        )
    return _MAKERS[scheme](match["rest"] or None, match["name"])


def check_names(sources: Sequence[Source]) -> None:
    """Refuse no source at all, and two sources of one name: their rows could not be told apart.

    Raises
    ------
    UsageError
    """
    names = [source.name for source in sources]
    if not names:
        raise UsageError("No source given: name at least one, e.g. `--source cod:DIR` or `--source amcsd`.")
    for name in names:
        if names.count(name) > 1:
            raise UsageError(
                f"Two sources are called '{name}'. Give one of them another name, e.g. `{name}-2=cod:DIR`."
            )


def _tree(rest: str | None, name: str | None) -> Source:
    from xtalpriors.mining.tree import TreeSource

    if rest is None:
        raise UsageError("`cod` needs a folder: `cod:DIR`, a COD mirror or any tree of CIFs.")
    root = Path(rest).expanduser()
    if not root.exists():
        raise UsageError(f"The folder of source `cod:{rest}` is not there: check its spelling or mount it.")
    if not root.is_dir():
        raise UsageError(f"`cod:{rest}` is a file, not a folder. `archive:{rest}` reads archives and CIFs.")
    return TreeSource(root.resolve(), name or "cod")


def _amcsd(rest: str | None, name: str | None) -> Source:
    from xtalpriors.mining.amcsd import AmcsdSource, larixite_database

    path = Path(rest).expanduser() if rest else larixite_database()
    if not path.is_file():
        raise UsageError(f"The file of source `amcsd:{rest}` is not there; `amcsd` alone finds larixite's.")
    return AmcsdSource(path.resolve() if rest else None, name or "amcsd")


def _archive(rest: str | None, name: str | None) -> Source:
    from xtalpriors.mining.archives import open_archive

    if rest is None:
        raise UsageError("`archive` needs a file: `archive:FILE` (.zip, .tar.*, or one multi-block .cif).")
    return open_archive(Path(rest).expanduser(), name)


def _csd(rest: str | None, name: str | None) -> Source:
    from xtalpriors.mining.csd import CsdSource, require_ccdc

    require_ccdc()
    if rest is not None and not Path(rest).expanduser().is_file():
        raise UsageError(f"The database file of source `csd:{rest}` is not there; `csd` alone reads the CSD.")
    return CsdSource(str(Path(rest).expanduser().resolve()) if rest else "CSD", name or "csd")


_MAKERS: dict[str, Callable[[str | None, str | None], Source]] = {
    "cod": _tree,
    "amcsd": _amcsd,
    "archive": _archive,
    "csd": _csd,
}
