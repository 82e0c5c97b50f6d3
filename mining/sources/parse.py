"""The source that a command line or `params.yaml` names: a path, or `cod:DIR`, `amcsd` and so on."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from xtalpriors.errors import UsageError
from xtalpriors.mining.sources import Source

__all__ = ["parse_source"]


def parse_source(text: str) -> Source:
    """Source that a command line or `params.yaml` names.

    Parameters
    ----------
    text
        `cod:DIR`, `amcsd`, `amcsd:FILE`, `archive:FILE`, `csd`, or `csd:FILE`. A path alone is `cod:DIR`
        where a folder is, `archive:FILE` where a file is. With `NAME=` in front (`mine=DIR`) the tables
        call it NAME: needed where two sources would have the same name.

    Raises
    ------
    UsageError
        Unknown scheme, a folder or file that is not there, an unknown sort of archive, or a package that
        the source needs and that is not installed.
    """
    match = re.fullmatch(
        r"(?:(?P<name>[A-Za-z0-9._-]+)=)?(?P<scheme>[A-Za-z]+)(?::(?P<rest>.*))?", text, re.S
    )
    if match is not None and (maker := _MAKERS.get(match["scheme"].lower())):
        return maker(match["rest"] or None, match["name"])
    if path := _existing(text):
        return _of_path(path, None)
    named = re.fullmatch(r"(?P<name>[A-Za-z0-9._-]+)=(?P<path>.+)", text, re.S)
    if named and (path := _existing(named["path"])):
        return _of_path(path, named["name"])
    raise UsageError(
        f"There is no file or folder '{text}', and no source of that name. A source is a folder of CIFs or "
        "an archive, by its path; or `cod:DIR` (a COD mirror or any tree of CIFs), `archive:FILE` (.zip, "
        ".tar, .tar.*, or one multi-block .cif), `amcsd` or `amcsd:FILE` (minerals, from the larixite "
        "package), and `csd` (the licensed ccdc package). `NAME=` in front names it."
    )


def _existing(text: str) -> Path | None:
    """The path that a text names, if something is there."""
    try:
        path = Path(text).expanduser()
        return path if text and path.exists() else None
    except (OSError, RuntimeError, ValueError):  # a name that no path can have
        return None


def _of_path(path: Path, name: str | None) -> Source:
    """A folder as a tree of CIFs, a file as an archive."""
    return _tree(str(path), name) if path.is_dir() else _archive(str(path), name)


def _tree(rest: str | None, name: str | None) -> Source:
    from xtalpriors.mining.sources.tree import TreeSource

    if rest is None:
        raise UsageError("`cod` needs a folder: `cod:DIR`, a COD mirror or any tree of CIFs.")
    root = Path(rest).expanduser()
    if not root.exists():
        raise UsageError(f"The folder of source `cod:{rest}` is not there: check its spelling or mount it.")
    if not root.is_dir():
        raise UsageError(f"`cod:{rest}` is a file, not a folder. `archive:{rest}` reads archives and CIFs.")
    return TreeSource(root.resolve(), name or "cod")


def _amcsd(rest: str | None, name: str | None) -> Source:
    from xtalpriors.mining.sources.amcsd import AmcsdSource, larixite_database

    path = Path(rest).expanduser() if rest else larixite_database()
    if not path.is_file():
        raise UsageError(f"The file of source `amcsd:{rest}` is not there; `amcsd` alone finds larixite's.")
    return AmcsdSource(path.resolve() if rest else None, name or "amcsd")


def _archive(rest: str | None, name: str | None) -> Source:
    from xtalpriors.mining.sources.archives import open_archive

    if rest is None:
        raise UsageError("`archive` needs a file: `archive:FILE` (.zip, .tar.*, or one multi-block .cif).")
    return open_archive(Path(rest).expanduser(), name)


def _csd(rest: str | None, name: str | None) -> Source:
    from xtalpriors.mining.sources.csd import CsdSource, require_ccdc

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
