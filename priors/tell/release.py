"""Releases: the bundles of a corpus, copied to a version of their own, with a line in a changelog.

`FOLDER/VERSION/` holds the bundles, byte for byte, and `entries.parquet`, a snapshot of the database they
were fitted to; `FOLDER/CHANGELOG.md` has a line for each version, the newest first. A version is never
changed. What is released last is what the report compares the next update with.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from xtalpriors.atomic_write import write_text
from xtalpriors.counted import counted
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.mining.subsets.counts import count_subset
from xtalpriors.mining.subsets.definition import SubsetDefinition
from xtalpriors.mining.subsets.snapshot import Changes, changes_since, write_snapshot
from xtalpriors.outputs import FileKind, check_folder, text_with
from xtalpriors.priors.bundle import PriorBundle, load_bundle
from xtalpriors.priors.tell.compare import compare
from xtalpriors.priors.tell.verdict import verdicts

__all__ = ["ENTRIES", "Release", "last_release", "release_bundles"]

ENTRIES: Final = "entries.parquet"
"""Name of the snapshot in the folder of a version."""
_CHANGELOG: Final = "CHANGELOG.md"
_HEAD: Final = "# Releases of priors\n\nA line for each version, the newest first.\n\n"
_CHANGES = FileKind("a changelog of priors", text_with("# Releases of priors"))
_VERSION = re.compile(r"[0-9][0-9A-Za-z.+-]*")


class Release(NamedTuple):
    """A version of the bundles of a corpus."""

    version: str
    folder: Path

    @property
    def entries(self) -> Path | None:
        """The snapshot of the database; null where the release has none."""
        path = self.folder / ENTRIES
        return path if path.is_file() else None

    def bundles(self) -> dict[str, PriorBundle]:
        """The bundles by the name of their subset."""
        found = [load_bundle(path) for path in sorted(self.folder.glob("*.json"))]
        return {bundle.name: bundle for bundle in found}


def last_release(folder: Path) -> Release | None:
    """The highest version in a folder of releases; null where there is none."""
    if not folder.is_dir():
        return None
    versions = [p.name for p in folder.iterdir() if p.is_dir() and _VERSION.fullmatch(p.name)]
    return Release(last, folder / last) if (last := max(versions, key=_order, default=None)) else None


def release_bundles(
    bundles: Sequence[Path], folder: Path, version: str, *, database: Path | None = None, note: str = ""
) -> Release:
    """Copy bundles to a version of their own and say so in the changelog.

    Parameters
    ----------
    bundles
        Files of fitted bundles.
    folder
        Folder of the releases of this corpus.
    version
        Name of the version, higher than the last: `2026.11`, `1.2.0`.
    database
        The database they were fitted to, of which a snapshot is kept; null keeps none, and a later report
        then cannot say which entries came and went.
    note
        Words for the changelog.

    Raises
    ------
    UsageError
        The version is there already, is not higher than the last, or is no name of one; no bundle is given,
        or two are of one subset, or one was fitted to other structures than the database has.
    XtalpriorsError
        A bundle or the database cannot be read, or the folder cannot be written.
    """
    check_folder(folder)
    former = last_release(folder)
    _check_version(version, former)
    files = [Path(path) for path in bundles]
    loaded = [load_bundle(path) for path in files]
    names = [bundle.name for bundle in loaded]
    if not names or len(set(names)) < len(names):
        twice = next((name for name in names if names.count(name) > 1), None)
        raise UsageError(
            f"Two bundles are of the subset {twice}: release one of them."
            if twice
            else "No bundle is given: a release has at least one."
        )
    if database is not None:
        for file, bundle in zip(files, loaded, strict=True):
            _check_database(file, bundle, database)
    changes = None
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".writing-", dir=folder) as name:
        part = Path(name) / version
        part.mkdir()
        for file, bundle in zip(files, loaded, strict=True):
            shutil.copyfile(file, part / f"{bundle.name}.json")
        if database is not None:
            subsets = [bundle.created_from.subset for bundle in loaded]
            definitions = [
                SubsetDefinition.model_validate(subset) for subset in subsets if subset is not None
            ]
            now = write_snapshot(database, definitions, part / ENTRIES)
            if former is not None and former.entries is not None:
                changes = changes_since(former.entries, database, definitions, now)
        line = _line(version, loaded, former, changes, note)
        part.rename(folder / version)
    _add_line(folder / _CHANGELOG, line)
    return Release(version, folder / version)


def _check_database(file: Path, bundle: PriorBundle, database: Path) -> None:
    """Refuse a database whose structures are not those that a bundle was fitted to."""
    made = bundle.created_from
    if (
        made.subset is None or made.subset_digest is None
    ):  # of a publication, or without its digest: nothing to compare
        return
    now = count_subset(database, SubsetDefinition.model_validate(made.subset))
    if now.digest != made.subset_digest:
        n, n_now = made.structures, now.waterfall[-1].n
        others = "other ones" if n == n_now else f"{n_now:,}"
        raise UsageError(
            f"{file} was fitted to {counted(n or 0, 'structure')}; {database} selects {others}. Name the "
            "database that the bundle was fitted to, or fit the bundle again."
        )


def _check_version(version: str, former: Release | None) -> None:
    if not _VERSION.fullmatch(version):
        raise UsageError(f"'{version}' is no version: it begins with a digit, as in 2026.11 or 1.2.0.")
    if former is not None and _order(version) <= _order(former.version):
        raise UsageError(
            f"The version {version} is not higher than the last release, {former.version}. A release is "
            "never changed: take a higher version."
        )


def _order(version: str) -> tuple[tuple[int, int, str], ...]:
    """Numbers in a version count as numbers: 2026.9 comes before 2026.11."""
    parts = re.findall(r"\d+|[^\d.]+", version)
    return tuple((1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts)


def _line(
    version: str, bundles: Sequence[PriorBundle], former: Release | None, changes: Changes | None, note: str
) -> str:
    """`- 2026.11 (2026-11-27): all-50 (1,204 structures); since 2026.10: all-50 packing (real). Note.`"""
    date = datetime.now(UTC).date().isoformat()
    parts = [f"- {version} ({date}): {', '.join(map(_size, bundles))}"]
    if former is not None:
        parts.append(f"since {former.version}: {_moved(former, bundles, changes)}")
    text = "; ".join(parts) + "."
    return f"{text} {' '.join(note.split())}".rstrip() + "\n"


def _size(bundle: PriorBundle) -> str:
    n = bundle.created_from.structures
    return bundle.name if n is None else f"{bundle.name} ({counted(n, 'structure')})"


def _moved(former: Release, bundles: Sequence[PriorBundle], changes: Changes | None) -> str:
    """Priors whose move is not explained by sampling, by subset."""
    try:
        earlier = former.bundles()
    except XtalpriorsError:
        return "bundles of another schema"
    moved = []
    for bundle in bundles:
        if bundle.name in earlier:
            shared = changes.shared(bundle.name, bundle.created_from.parent) if changes else 0.0
            found = verdicts(compare(earlier[bundle.name], bundle, shared=shared))
            names = [f"{v.prior} ({v.verdict})" for v in found if v.verdict != "within sampling error"]
            moved += [f"{bundle.name} {', '.join(names)}"] if names else []
    return "; ".join(moved) or "no prior moved by more than sampling error"


def _add_line(path: Path, line: str) -> None:
    """Put a line before those of earlier versions."""
    lines = ""
    if path.exists():
        text = path.read_text(encoding="utf-8")
        lines = text.removeprefix(_HEAD) if text.startswith(_HEAD) else text
    write_text(path, _HEAD + line + lines, _CHANGES)
