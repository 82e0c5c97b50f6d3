"""Files that appear under their name whole or not at all, and never in the place of somebody else's file."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path

from xtalpriors.errors import XtalpriorsError
from xtalpriors.outputs import FileKind, check_output

__all__ = ["replacing", "write_text"]


@contextlib.contextmanager
def replacing(path: Path, kind: FileKind) -> Iterator[Path]:
    """A hidden file beside `path` to be written; it takes the place of `path` when the block ends well.

    A reader sees the former file or the whole of the new one. The folder is made. Where `path` is a link, the
    file that it points to is replaced.

    Parameters
    ----------
    path
        File to write.
    kind
        What it will be: only a file of this kind is replaced.

    Raises
    ------
    UsageError
        Something else is there (see `outputs.check_output`), before the block or when it ends.
    XtalpriorsError
        For an OSError in the block, or where the file cannot be put in its place; the former is untouched.
    """
    part: Path | None = None
    try:
        place = check_output(path, kind)
        part = place.with_name(f".{place.name}.{secrets.token_hex(4)}.part")
        place.parent.mkdir(parents=True, exist_ok=True)
        yield part
        part.replace(check_output(path, kind))
    except OSError as error:
        raise XtalpriorsError(
            f"{path} cannot be written: {error.strerror or error}. Is its folder writable, and the disk not "
            "full?"
        ) from error
    finally:
        if part is not None:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)


def write_text(path: Path, text: str, kind: FileKind) -> None:
    """Write a text as UTF-8 with `\\n` at the ends of lines; as `replacing`."""
    with replacing(path, kind) as part:
        part.write_text(text, encoding="utf-8", newline="\n")
