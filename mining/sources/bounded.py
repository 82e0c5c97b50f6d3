"""Bounded reading of untrusted bytes: regular files only, never more than a limit, also when compressed."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import stat
import zlib
from pathlib import Path
from typing import IO

from xtalpriors.mining.sources import MAX_TEXT_BYTES, UnreadableError

__all__ = ["is_cif_name", "read_file", "read_stream"]

_BROKEN = (EOFError, zlib.error, lzma.LZMAError)


def is_cif_name(name: str) -> bool:
    """A visible file `*.cif` or `*.cif.gz`, in any case; `.name.cif` is an unfinished download."""
    return not name.startswith(".") and name.lower().endswith((".cif", ".cif.gz"))


def read_file(path: str | Path, limit: int = MAX_TEXT_BYTES) -> bytes:
    """Bytes of a regular file, decompressed if its name ends in `.gz`.

    Raises
    ------
    UnreadableError
        Not a regular file (a named pipe would wait for ever), larger than `limit`, or damaged.
    OSError
        As the system says.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with io.FileIO(descriptor) as stream:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableError("not-a-file", "a pipe, socket, device or folder, not a regular file")
        return read_stream(stream, str(path), status.st_size, limit)


def read_stream(stream: IO[bytes], name: str, size: int, limit: int = MAX_TEXT_BYTES) -> bytes:
    """Bytes of an open stream of `size` stored bytes, decompressed if `name` ends in `.gz`.

    `size` is only a claim (of an archive's header): the limit holds for what is really read.

    Raises
    ------
    UnreadableError
        Larger than `limit`, or damaged.
    """
    if size > limit:
        raise UnreadableError("too-large", f"{size} bytes, more than the limit of {limit}")
    try:
        if name.lower().endswith(".gz"):
            with gzip.GzipFile(fileobj=stream) as unpacked:
                data = _read_all(unpacked, limit, 4 * size)
        else:
            data = _read_all(stream, limit, size)
    except _BROKEN as error:
        raise UnreadableError("damaged", f"the compressed data are damaged: {error}") from error
    except gzip.BadGzipFile as error:
        raise UnreadableError("damaged", f"not a gzip file: {error}") from error
    if len(data) > limit:
        raise UnreadableError("too-large", f"more than {limit} bytes when decompressed")
    return data


def _read_all(stream: IO[bytes] | gzip.GzipFile, limit: int, guess: int) -> bytes:
    """Up to `limit` + 1 bytes; the usual file, of the size it says, in one read."""
    first = stream.read(min(guess, limit) + 1)
    rest = stream.read(1) if first else b""
    if not rest:
        return first
    buffer = io.BytesIO()
    buffer.write(first + rest)
    while buffer.tell() <= limit and (block := stream.read(min(2**20, limit + 1 - buffer.tell()))):
        buffer.write(block)
    return buffer.getvalue()
