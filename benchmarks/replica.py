"""A tree of files in the COD's sizes, mined from nothing, mined again, and mined after an update.

    python benchmarks/replica.py --corpus DIR                           # 100,000 files, 13 GB, removed after
    python benchmarks/replica.py --corpus DIR --files 2000 --folder DIR # kept

The files are those of the corpus, over and over, each with cell lengths of its own; four in ten get a
reflection list as in the COD, where four fifths of the bytes are reflections. Times are wall times of the
command `xtalpriors mine`, CPU times those of all its processes; the memory is the largest sum of theirs
(pages that they share counted for each). Files just written are in the page cache: no disk is measured.
A sample of the same files is read by gemmi in the same run, for the ratio per core.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import duckdb
import numpy as np
from contestants import Items, compare, gemmi_structures, small_files, whole_path, with_reflections

SHARE_WITH_REFLECTIONS = 0.4
LENGTH = re.compile(rb"(?m)^(_cell_length_[abc]\s+)([0-9.]+)")


def variant(data: bytes, factor: float) -> bytes:
    """The file with its cell lengths scaled, so that no two copies are redeterminations of each other."""
    return LENGTH.sub(lambda m: m[1] + f"{float(m[2]) * factor:.4f}".encode(), data)


def write_tree(folder: Path, small: Items, n: int) -> tuple[int, int]:
    """Write n files in the folders of a COD mirror; bytes in all, and bytes of reflection lists."""
    rng = np.random.default_rng(20260101)
    lists = [
        data[len(small[i][1]) :]
        for i, (_, data) in enumerate(with_reflections(small, min(400, len(small)), rng))
    ]
    total = reflections = 0
    for i in range(n):
        copy, which = divmod(i, len(small))
        data = variant(small[which][1], 1.0 + 0.013 * copy)
        if rng.random() < SHARE_WITH_REFLECTIONS:
            more = lists[int(rng.integers(len(lists)))]
            data, reflections = data + more, reflections + len(more)
        total += len(data)
        path = folder / f"{i // 10**6 + 1}" / f"{i // 10**4 % 100:02d}" / f"{i // 100 % 100:02d}"
        path.mkdir(parents=True, exist_ok=True)
        (path / f"{10**6 + i:07d}.cif").write_bytes(data)
    return total, reflections


class Memory(threading.Thread):
    """Watches the resident memory of a process and all its children."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.peak, self.running = pid, 0, True

    def run(self) -> None:
        """Look five times a second."""
        while self.running:
            self.peak = max(self.peak, sum(map(self._resident, self._family())))
            time.sleep(0.2)

    def _family(self) -> list[int]:
        family, new = [self.pid], [self.pid]
        while new:
            new = [child for pid in new for child in self._children(pid)]
            family += new
        return family

    @staticmethod
    def _children(pid: int) -> list[int]:
        try:
            lists = [f.read_text() for f in Path(f"/proc/{pid}/task").glob("*/children")]
        except OSError:
            return []
        return [int(child) for text in lists for child in text.split()]

    @staticmethod
    def _resident(pid: int) -> int:
        try:
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        except (OSError, IndexError):
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE")


def mine(title: str, folder: Path, database: Path, workers: int | None) -> float:
    """Run the command; wall seconds."""
    command = [sys.executable, "-m", "xtalpriors", "mine", "--source", f"cod:{folder}"]
    command += ["--database", str(database)] + (["--workers", str(workers)] if workers else [])
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        memory = Memory(process.pid)
        memory.start()
        output, _ = process.communicate()
        memory.running = False
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise SystemExit(f"xtalpriors mine ended with status {process.returncode}: {output}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{title:28s}{wall:8.1f} s wall{cpu:9.1f} s CPU{memory.peak / 2**20:8.0f} MiB   {output.strip()}")
    return wall


def main() -> None:
    """Write the replica and mine it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, required=True, help="tree of CIFs to copy from")
    parser.add_argument("--folder", type=Path, help="where to work; default: a temporary folder")
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--workers", type=int, help="default: one a core")
    arguments = parser.parse_args()
    small = small_files(arguments.corpus, 10**6)
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.folder or Path(temporary)
        tree, database = work / "tree", work / "replica.duckdb"
        total, reflections = write_tree(tree, small, arguments.files)
        print(
            f"{arguments.files:,} files, {total / 1e9:.1f} GB, mean {total / arguments.files / 1e3:.0f} kB, "
            f"{100 * reflections / total:.0f} % of the bytes in reflection lists"
        )
        wall = mine("from nothing", tree, database, arguments.workers)
        print(f"{'':28s}{arguments.files / wall:8.0f} files/s, {total / wall / 1e6:.0f} MB/s")
        mine("nothing changed", tree, database, arguments.workers)
        paths = sorted(tree.rglob("*.cif"))
        for path in paths[:: max(1, len(paths) // 200)][:200]:
            path.write_bytes(variant(path.read_bytes(), 1.0007))
        mine("200 files changed", tree, database, arguments.workers)
        sample = [(path.name, path.read_bytes()) for path in paths[:: max(1, len(paths) // 1000)]]
        connection = duckdb.connect(str(work / "sample.duckdb"), config={"threads": 1})
        contestants = [
            ("whole path, into DuckDB", lambda items: whole_path(items, connection), 10**9),
            ("gemmi cif.read + SmallStructure", gemmi_structures, 10**9),
        ]
        times = compare("A sample of the same files, CPU time of one core", sample, contestants, 5)
        ours, theirs = times.values()
        print(f"  the whole path is {theirs / ours:.2f} times as fast")


if __name__ == "__main__":
    main()
