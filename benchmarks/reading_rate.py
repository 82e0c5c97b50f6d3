"""What reading costs beside another revision of this repository, in CPU seconds, both sides in one run.

    python benchmarks/reading_rate.py FOLDER REVISION            # amcsd: the minerals of larixite
    python benchmarks/reading_rate.py FOLDER REVISION --plain    # only the files that are read without a note

A process of each revision reads the files from bytes into Arrow tables, the two in turn. Printed are the
least time of each, the ratio of these, and the median ratio of the pairs, which other programs on the machine
disturb less.
"""

from __future__ import annotations

import argparse
import os
import pickle
import statistics
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from reading_changes import files

ROOT = Path(__file__).resolve().parent.parent
BATCH = 512
CHILD = f"""
import pickle, sys, time
from xtalpriors.mining.cif import extract
items = pickle.load(open(sys.argv[1], "rb"))
for line in sys.stdin:
    start = time.process_time()
    for i in range(0, len(items), {BATCH}):
        extract("x", None, "original", items[i:i + {BATCH}])
    print(time.process_time() - start, flush=True)
"""


def exported(revision: str, folder: Path) -> Path:
    """The files of a revision, in a folder of their own."""
    archive, checkout = folder / "revision.tar", folder / "revision"
    subprocess.run(["git", "-C", str(ROOT), "archive", "-o", str(archive), revision], check=True)
    with tarfile.open(archive) as opened:
        opened.extractall(checkout, filter="data")
    return checkout


def package(checkout: Path, folder: Path) -> Path:
    """A folder to import the package of a checkout from: links, for its parts lie apart in a checkout."""
    project = tomllib.loads((checkout / "pyproject.toml").read_text("utf-8"))
    places = project["tool"]["setuptools"]["package-dir"]
    whole = folder / "xtalpriors"
    whole.mkdir(parents=True)
    for path in (checkout / places.pop("xtalpriors")).iterdir():
        (whole / path.name).symlink_to(path)
    for name, place in places.items():
        (whole / name.removeprefix("xtalpriors.")).symlink_to(checkout / place)
    return folder


def without_notes(items: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """The files of which every block is an entry that the installed reader has nothing to say of."""
    from xtalpriors.mining.cif import extract

    noted: set[str] = set()
    for i in range(0, len(items), BATCH):
        tables = extract("x", None, "original", items[i : i + BATCH])
        noted.update(row["file_id"] for row in tables.entries.to_pylist() if row["notes"])
        noted.update(tables.rejections["file_id"].to_pylist())
    return [item for item in items if item[0] not in noted]


def reader(folder: Path, items: Path) -> subprocess.Popen[str]:
    """A process that reads all files for each line it gets, and answers with the CPU seconds."""
    command = [sys.executable, "-c", CHILD, str(items)]
    env = os.environ | {"PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)


def seconds(process: Any) -> float:
    """CPU seconds of one pass of a reader."""
    process.stdin.write("\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def main() -> None:
    """Compare the rates and print them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder")
    parser.add_argument("revision")
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--plain", action="store_true", help="only the files that are read without a note")
    args = parser.parse_args()
    items = list(files(args.folder))
    items = without_notes(items) if args.plain else items
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "items").write_bytes(pickle.dumps(items))
        packages = (
            package(exported(args.revision, folder), folder / "before"),
            package(ROOT, folder / "after"),
        )
        before, after = (reader(path, folder / "items") for path in packages)
        for process in (before, after):
            seconds(process)  # the first pass compiles
        pairs = []
        for i in range(args.pairs):
            first, second = (before, after) if i % 2 else (after, before)
            taken = {first: seconds(first), second: seconds(second)}
            pairs.append((taken[before], taken[after]))
        for process in (before, after):
            process.communicate()
    least = [min(times) for times in zip(*pairs, strict=True)]
    ratio = statistics.median(b / a for a, b in pairs)
    print(
        f"{len(items)} files: {least[0]:.3f} s at {args.revision}, {least[1]:.3f} s here, "
        f"ratio {least[1] / least[0]:.3f}, median of {args.pairs} pairs {ratio:.3f}"
    )


if __name__ == "__main__":
    main()
