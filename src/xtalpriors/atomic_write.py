"""Files that appear under their name whole or not at all."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

from xtalpriors.errors import UsageError, XtalpriorsError

__all__ = ["keep_apart", "replacing", "write_text"]


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A hidden file beside `path` to be written; it takes the place of `path` when the block ends well.

    A reader sees the former file or the whole of the new one. The folder is made.

    Raises
    ------
    XtalpriorsError
        For an OSError in the block, or where the file cannot be put in its place; the former is untouched.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        part.replace(path)
    except OSError as error:
        raise XtalpriorsError(
            f"{path} cannot be written: {error.strerror or error}. Is its folder writable, and the disk not "
            "full?"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text as UTF-8 with `\\n` at the ends of lines; as `replacing`."""
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def keep_apart(inputs: Iterable[Path], outputs: Iterable[Path]) -> None:
    """Raise UsageError if a file to be written is one of those that are read, or two of them are one."""
    taken = {Path(path).resolve() for path in inputs}
    for path in map(Path, outputs):
        if path.resolve() in taken:
            raise UsageError(f"{path} would be replaced by the output. Give the output another name.")
        taken.add(path.resolve())
