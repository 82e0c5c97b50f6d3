"""Where CIFs come from: each source lists its files with a cheap fingerprint, and gives the text of one.

This module is the protocol `Source`. `parse` makes the source that a text such as `cod:DIR` names: `tree`
(folders), `archives` (zip, tar, one CIF), `amcsd` (with `amcsd_text` and `amcsd_labels`) or `csd`. `bounded`
reads files up to a limit, `fingerprint` hashes them, `manifest` lists all files with their hashes.

What a source reads is untrusted input: reading is
bounded, links cannot loop, and only regular files are opened. A `file_id` is text that Parquet and DuckDB
can hold; where a name on disk is not UTF-8, its odd bytes are written `\\xff` (and a backslash `\\\\`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from xtalpriors.errors import UsageError

__all__ = [
    "MAX_TEXT_BYTES",
    "FingerprintedSource",
    "Source",
    "SourceFile",
    "UnreadableError",
    "check_names",
]

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


@runtime_checkable
class FingerprintedSource(Source, Protocol):
    """A source that makes its texts, and can tell whether one would be the same without making it."""

    def fingerprint(self, file_id: str) -> str:
        """Hash of all that the text of a file is made from, as hexadecimal digits.

        Raises `OSError` where there is no such file.
        """


def check_names(sources: Sequence[Source]) -> None:
    """Check that there is a source and that no two share a name, since their rows could not be told apart.

    Raises
    ------
    UsageError
        The list is empty, or two sources have the same name.
    """
    names = [source.name for source in sources]
    if not names:
        raise UsageError("No source given: name at least one, e.g. `--source cod:DIR` or `--source amcsd`.")
    for name in names:
        if names.count(name) > 1:
            raise UsageError(
                f"Two sources are called '{name}'. Give one of them another name, e.g. `{name}-2=cod:DIR`."
            )
