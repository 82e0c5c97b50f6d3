"""What varies from run to run, in a file beside the bundle: commit, package versions, date, timings."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from xtalpriors.atomic import write_text
from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.priors.canonical import canonical_json

__all__ = ["provenance_path", "write_provenance"]

PACKAGES = ("xtalpriors", "gemmi", "duckdb", "pyarrow", "numpy", "scipy", "pydantic")


def provenance_path(bundle: Path) -> Path:
    """`NAME.json` has `NAME.provenance.json`."""
    return bundle.with_name(bundle.name.removesuffix(".json") + ".provenance.json")


def write_provenance(output: Path, bundle: PriorBundle, seconds: dict[str, float]) -> Path:
    """Write commit, versions, date and CPU seconds of each prior beside a bundle."""
    path = provenance_path(output)
    content = {
        "bundle": output.name,
        "priors_digest": bundle.priors_digest,
        "commit": _commit(),
        "packages": {name: _version(name) for name in PACKAGES},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu_seconds": {name: round(value, 3) for name, value in seconds.items()},
    }
    write_text(path, canonical_json(content, indent=1) + "\n")
    return path


def _commit() -> str | None:
    """Commit of the code, `-dirty` after it where files differ; null outside this project's repository."""
    here = Path(__file__).resolve().parent
    top = _git(here, "rev-parse", "--show-toplevel")
    project = Path(top) / "pyproject.toml" if top else here / "pyproject.toml"
    # an environment may lie inside the repository of something else
    if not project.is_file() or 'name = "xtalpriors"' not in project.read_text(encoding="utf-8"):
        return None
    return _git(here, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")


def _git(folder: Path, *arguments: str) -> str | None:
    """What git answers; null where it is not there or has no answer."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
