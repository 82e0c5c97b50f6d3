"""A folder of output that lists its files, so that a later run replaces those and touches no others.

The list is `files.json` in the folder: name and hash of each file. A run removes a file that the list names
and the run does not write again; all other files stay. A listed file whose content was changed since, say a
figure edited for a talk, is somebody's work by now, and the run is refused until it is moved away.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.interrupts import stop_flag
from xtalpriors.outputs import check_folder, read_object

__all__ = ["FILES_LIST", "check_written_folder", "write_folder"]

FILES_LIST = "files.json"
"""Name of the list in its folder: `{"files": {NAME: HASH}}`, names with `/`, BLAKE2b-128 of the content."""
_MARK = "written by xtalpriors"

Earlier = Callable[[Path], Iterable[str]]
"""Names of the files that a version without a list wrote in a folder, where it can be told."""


def write_folder(folder: Path, files: Mapping[str, str], earlier: Earlier = lambda folder: ()) -> None:
    """Write text files into a folder, and the list of them, in the place of those of an earlier run.

    All files are written to a hidden folder first and then moved into place. If that fails, or the run is
    interrupted before, the folder is as it was.

    Parameters
    ----------
    folder
        It is made where it is not there.
    files
        Text by name; a name may have folders, `figures/volume.svg`.
    earlier
        Which files are those of an earlier version, where there is no list.

    Raises
    ------
    UsageError
        A file in the place of one to be written is not of the earlier run, or was changed since.
    XtalpriorsError
        The folder cannot be written.
    KeyboardInterrupt
        After a Ctrl-C during the moves, when they are done.
    """
    content = {name: text.encode() for name, text in files.items()}
    hashes = {name: _hash(data) for name, data in sorted(content.items())}
    content[FILES_LIST] = (json.dumps({"about": _MARK, "files": hashes}, indent=1) + "\n").encode()
    stale = check_written_folder(folder, files, earlier)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".writing-", dir=folder) as name:
            new, former = Path(name) / "new", Path(name) / "former"
            for place, data in content.items():
                (new / place).parent.mkdir(parents=True, exist_ok=True)
                (new / place).write_bytes(data)
            with stop_flag() as stopped:  # an interrupt waits until the folder is whole again
                _exchange(folder, new, former, list(content), stale)
    except OSError as error:
        raise XtalpriorsError(
            f"{folder} cannot be written: {error.strerror or error}. Free some space, or name another folder."
        ) from error
    if stopped.is_set():
        raise KeyboardInterrupt


def check_written_folder(
    folder: Path, files: Mapping[str, str], earlier: Earlier = lambda folder: ()
) -> set[str]:
    """Check that a folder may be written; returns the names of earlier files that would be removed.

    A command calls it before its work too, with the names that it knows (and empty texts).

    Raises
    ------
    UsageError
        As `write_folder`.
    """
    check_folder(folder)
    listed = _listed(folder, earlier)
    for name in sorted({*files, *listed}):
        path = folder / name
        check_folder(path.parent)
        if path.is_dir() or (path.exists() and not path.is_file()):
            raise UsageError(f"{path} is in the way: a file of that name is to be written. Move it away.")
        data = path.read_bytes() if path.exists() else b""
        if not data or data == files.get(name, "").encode():
            continue
        if name not in listed:
            raise UsageError(
                f"{path} is there already and is not of an earlier run of xtalpriors here. It is left as it "
                "is. Name another folder, or move the file away."
            )
        if listed[name] not in (None, _hash(data)):
            raise UsageError(
                f"{path} was changed after xtalpriors wrote it, and would be replaced. Move it away to keep "
                "it, or delete it; or name another folder."
            )
    return listed.keys() - files.keys()


def _listed(folder: Path, earlier: Earlier) -> dict[str, str | None]:
    """Name and hash of each file of the earlier run; the hash is None where there is no list."""
    path = folder / FILES_LIST
    if not path.exists():
        return {name: None for name in earlier(folder) if _is_inside(folder, name)}
    try:
        files = read_object(path)["files"]
        return {str(name): str(value) for name, value in files.items() if _is_inside(folder, str(name))}
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise UsageError(
            f"{path} is not the list of files that xtalpriors wrote here, and would be replaced. Move it "
            "away, or name another folder."
        ) from error


def _is_inside(folder: Path, name: str) -> bool:
    """Whether a listed name stays in the folder: a list may have been edited."""
    return not Path(name).is_absolute() and (folder / name).resolve().is_relative_to(folder.resolve())


def _exchange(folder: Path, new: Path, former: Path, names: list[str], stale: Iterable[str]) -> None:
    """Move files to `folder` and those that were there to `former`; all come back if that fails."""
    moved: list[tuple[Path, Path]] = []

    def move(source: Path, target: Path) -> None:
        """Move one file and note it, so that it can be brought back."""
        target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)
        moved.append((source, target))

    try:
        for name in [*names, *stale]:
            if (folder / name).exists():
                move(folder / name, former / name)
            if name in names:
                move(new / name, folder / name)
    except OSError:
        for source, target in reversed(moved):
            with suppress(OSError):
                target.rename(source)
        raise
    for name in stale:  # a folder that is empty now was made for these files
        with suppress(OSError):
            (folder / name).parent.rmdir()


def _hash(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
