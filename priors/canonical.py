"""One way to write JSON: sorted keys, floats at 8 significant digits, written to a file in one step."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

__all__ = ["SIGNIFICANT_DIGITS", "canonical_json", "digest", "rounded", "write_atomically"]

SIGNIFICANT_DIGITS = 8


def rounded(value: Any) -> Any:
    """The same JSON value with every float at 8 significant digits (−0.0 becomes 0.0)."""
    if isinstance(value, float):
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}") + 0.0
    if isinstance(value, dict):
        return {str(k): rounded(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(v) for v in value]
    return value


def canonical_json(value: Any, *, indent: int | None = None) -> str:
    """JSON text with sorted keys; the same value gives the same text."""
    separators = (",", ":") if indent is None else (",", ": ")
    return json.dumps(
        rounded(value),
        sort_keys=True,
        indent=indent,
        separators=separators,
        ensure_ascii=False,
        allow_nan=False,
    )


def digest(value: Any) -> str:
    """BLAKE2b-128 of the canonical JSON, hexadecimal."""
    return hashlib.blake2b(canonical_json(value).encode(), digest_size=16).hexdigest()


def write_atomically(path: Path, text: str) -> None:
    """Write a text file so that a reader sees the former content or the whole of the new one.

    Raises
    ------
    OSError
        The folder cannot be written or the disk is full; the former file is untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        umask = os.umask(0)
        os.umask(umask)
        Path(name).chmod(0o666 & ~umask)  # mkstemp makes it private
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
