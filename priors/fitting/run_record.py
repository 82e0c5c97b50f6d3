"""The record of a fit: what varies from run to run (commit, versions, date, timings), beside the bundle.

It stays out of the bundle, so that the same subset gives the same bundle byte for byte, and out of git.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from xtalpriors.atomic import write_text
from xtalpriors.canonical import canonical_json
from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.provenance import code_commit, versions

__all__ = ["provenance_path", "write_provenance"]

PACKAGES = ("xtalpriors", "gemmi", "duckdb", "pyarrow", "numpy", "scipy", "pydantic")


def provenance_path(bundle: Path) -> Path:
    """`NAME.json` has `NAME.provenance.json`."""
    return bundle.with_name(bundle.name.removesuffix(".json") + ".provenance.json")


def write_provenance(output: Path, bundle: PriorBundle, seconds: dict[str, float]) -> Path:
    """Write commit, versions, date and CPU seconds of each prior beside a bundle."""
    path = provenance_path(output)
    commit, changed = code_commit()
    content = {
        "bundle": output.name,
        "priors_digest": bundle.priors_digest,
        "commit": commit,
        "code_changed": changed,
        "packages": versions(PACKAGES),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu_seconds": {name: round(value, 3) for name, value in seconds.items()},
    }
    write_text(path, canonical_json(content, indent=1) + "\n")
    return path
