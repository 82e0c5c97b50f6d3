"""Which code runs: its commit, and the versions of the packages below it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["code_commit", "versions"]


def code_commit(folder: Path | None = None) -> tuple[str | None, bool | None]:
    """Commit of the code, and whether it was changed since; null outside this project's repository.

    An environment may lie inside the repository of something else, so the repository counts only if it tracks
    this very file.
    """
    where = folder or Path(__file__).resolve().parent
    commit = _git(where, "rev-parse", "HEAD")
    tracked = _git(where, "ls-files", "--error-unmatch", Path(__file__).name)
    status = _git(
        where, "status", "--porcelain", "--untracked-files=no", "--", ":/*.py", ":(top,exclude)tests"
    )
    if commit is None or tracked is None or status is None:
        return None, None
    return commit, bool(status)


def versions(packages: Iterable[str]) -> dict[str, str | None]:
    """Installed version of each package; null where it is not installed."""
    return {name: _version(name) for name in packages}


def _git(folder: Path, *arguments: str) -> str | None:
    """What git answers; null where it is not there or fails."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
