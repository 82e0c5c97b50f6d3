"""A bundle as it was in a revision of a git repository: `v1.2:priors/fitted/cod/all-50.json`."""

from __future__ import annotations

import subprocess
from pathlib import Path

from xtalpriors.errors import UsageError
from xtalpriors.priors.bundle import PriorBundle, bundle_file, load_bundle, parse_bundle

__all__ = ["bundle_of_revision", "find_bundle"]


def find_bundle(given: str) -> PriorBundle:
    """A bundle by its file, by the name of a published one, or as `REVISION:FILE`, in git's own spelling.

    Raises
    ------
    XtalpriorsError
        There is no such file, name, revision, or file in that revision; or it is no bundle.
    """
    revision, colon, path = given.partition(":")
    if colon and revision and path and not bundle_file(given).exists():
        return bundle_of_revision(revision, Path(path))
    if not given.endswith(".json") and not bundle_file(given).exists():
        raise UsageError(
            f"There is no bundle '{given}'. A bundle is given by its file, by the name of a published one, "
            f"or as it was in a git revision, by REVISION:FILE ({given}:FILE, if '{given}' is a revision)."
        )
    return load_bundle(given)


def bundle_of_revision(revision: str, path: Path) -> PriorBundle:
    """The bundle that a file of a git repository was in a revision (a tag, a branch, `HEAD~3`, a commit).

    Raises
    ------
    UsageError
        Git is not installed, `path` lies in no repository, or there is no such revision or file in it.
    XtalpriorsError
        What it was then is no bundle that this version reads.
    """
    folder = next((p for p in path.resolve().parents if p.is_dir()), Path("/"))
    top = Path(_git(folder, "rev-parse", "--show-toplevel", what=f"{path} is in no git repository").strip())
    commit = _git(
        folder,
        "rev-parse",
        "--verify",
        "--end-of-options",
        f"{revision}^{{commit}}",
        what=f"The repository {top} has no revision '{revision}'",
    ).strip()
    inside = path.resolve().relative_to(top.resolve()).as_posix()
    what = f"The revision {revision} has no file {inside}"
    content = _git(folder, "cat-file", "blob", f"{commit}:{inside}", what=what)
    return parse_bundle(content.encode("utf-8", "surrogateescape"), Path(f"{revision}:{path}"))


def _git(folder: Path, *arguments: str, what: str) -> str:
    """What git answers in a folder; an error in words where it is not there or refuses."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    except FileNotFoundError as error:
        raise UsageError("A revision needs the program git, which is not installed here.") from error
    except subprocess.SubprocessError as error:
        raise UsageError(
            f"{what}. A bundle of a revision is given as REVISION:FILE, as in "
            "HEAD~1:priors/fitted/cod/all-50.json."
        ) from error
    return done.stdout.decode("utf-8", "surrogateescape")
