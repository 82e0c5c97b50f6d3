"""A tree of files in the COD's sizes: mined, mined again, listed, selected, fitted, updated.

    python benchmarks/replica.py --corpus DIR                                  # 100,000 files, 13 GB
    python benchmarks/replica.py --corpus DIR --files 10000 50000 100000 200000 # is it linear?
    python benchmarks/replica.py --corpus DIR --files 2000 --folder DIR        # kept
    python benchmarks/replica.py --corpus DIR --files 4000 --structures 1250000 # the fit alone

The files are those of the corpus, over and over, each with cell lengths of its own; four in ten get a
reflection list as in the COD, where four fifths of the bytes are reflections. Each step is a command of
`xtalpriors`: its wall time, the CPU time of all its processes, and the largest sum of their memory (pages
that they share counted for each). With several sizes, how CPU time grows and what that makes of the whole
COD. Files just written are in the page cache: no disk is measured. With `--structures`, the structures of a
small tree are written over and over as a subset of that size, and the priors are fitted to it.
A sample of the same files is read by gemmi in the same run, for the ratio per core.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from contestants import Items, compare, gemmi_structures, small_files, whole_path, with_reflections

from xtalpriors.mining.subsets.files import sites_path

COD_FILES = 535_041
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


class Measured(NamedTuple):
    """What a command took."""

    wall: float
    cpu: float
    peak_bytes: int


def run(title: str, *arguments: str) -> Measured:
    """Run a command of `xtalpriors` and print what it took."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [sys.executable, "-m", "xtalpriors", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        memory = Memory(process.pid)
        memory.start()
        output, _ = process.communicate()
        memory.running = False
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise SystemExit(f"xtalpriors {arguments[0]} ended with status {process.returncode}: {output}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    said = output.strip().partition("\n")[0]
    print(
        f"  {title:24s}{wall:8.1f} s wall{cpu:9.1f} s CPU{memory.peak / 2**20:7.0f} MiB   {said}", flush=True
    )
    return Measured(wall, cpu, memory.peak)


def update(tree: Path) -> None:
    """Change 200 files and delete 50, spread over the tree."""
    paths = sorted(tree.rglob("*.cif"))
    for path in paths[:: max(1, len(paths) // 200)][:200]:
        path.write_bytes(variant(path.read_bytes(), 1.0007))
    for path in paths[1 :: max(2, len(paths) // 50)][:50]:
        path.unlink()


def replicate_subset(subset: Path, n: int) -> None:
    """Write the rows of a subset over and over under other names until it has n structures."""
    entries = pq.read_table(subset)
    for path in (subset, sites_path(subset)):
        rows = pq.read_table(path)
        ids = [name for name in ("entry_id", "cluster_id") if name in rows.column_names]
        part = path.with_name("part.parquet")
        with pq.ParquetWriter(part, rows.schema, compression="zstd") as writer:
            for copy in range(-(-n // entries.num_rows)):
                names = entries["entry_id"].slice(0, n - copy * entries.num_rows)
                table = rows.filter(pc.is_in(rows["entry_id"], names)) if len(names) < len(entries) else rows
                for name in ids:
                    place = table.schema.get_field_index(name)
                    other = pc.binary_join_element_wise(f"{copy:06d}", table[name], ":")
                    table = table.set_column(place, table.schema.field(place), other)
                writer.write_table(table)
        part.replace(path)


def fit_large(work: Path, small: Items, n: int, structures: int) -> None:
    """Fit the priors to so many structures, made of those of a tree of n files."""
    database, subset = work / "replica.duckdb", work / "all-50.parquet"
    write_tree(work / "tree", small, n)
    run("mine", "mine", "--source", f"cod:{work / 'tree'}", "--database", str(database))
    run("subset all-50", "subset", "--database", str(database), "--name", "all-50", "--output", str(subset))
    replicate_subset(subset, structures)
    counts = [pq.read_metadata(path).num_rows for path in (subset, sites_path(subset))]
    print("A subset of {:,} structures and {:,} sites:".format(*counts))
    run("fit all-50", "fit", "--subset", str(subset), "--output", str(work / "all-50.json"))


def measure(work: Path, small: Items, n: int, workers: int | None) -> tuple[int, dict[str, Measured]]:
    """All steps on a tree of n files; its bytes, and what each step took."""
    tree, database, manifest = work / "tree", work / "replica.duckdb", work / "manifest.parquet"
    total, reflections = write_tree(tree, small, n)
    print(
        f"{n:,} files, {total / 1e9:.2f} GB, mean {total / n / 1e3:.0f} kB, "
        f"{100 * reflections / total:.0f} % of the bytes in reflection lists"
    )
    listing = ("manifest", "--source", f"cod:{tree}", "--output", str(manifest))
    mine = ("mine", "--source", f"cod:{tree}", "--database", str(database))
    mine += ("--workers", str(workers)) if workers else ()
    subset, bundle = str(work / "all-50.parquet"), str(work / "all-50.json")
    found = {
        "mine": run("mine, from nothing", *mine),
        "nothing changed": run("nothing changed", *mine),
        "manifest": run("manifest, all hashed", *listing),
        "subset": run(
            "subset all-50", "subset", "--database", str(database), "--name", "all-50", "--output", subset
        ),
        "fit": run("fit all-50", "fit", "--subset", subset, "--output", bundle),
    }
    update(tree)
    found["update"] = run("200 changed, 50 deleted", *mine)
    return total, found


def extrapolate(sizes: Sequence[tuple[int, int, dict[str, Measured]]]) -> None:
    """How each step grows, and what it makes of the whole COD: CPU seconds = constant + slope · files.

    The bytes a file are those of the COD's sizes up to about 130 kB on average; its 204 kB cost what
    `benchmarks/mining.py` measures a byte at, which is added to `mine` and `manifest`.
    """
    files = np.array([n for n, _, _ in sizes], float)
    print(f"\nCPU time by size, and for {COD_FILES:,} files:")
    for step in sizes[0][2]:
        cpu = np.array([found[step].cpu for _, _, found in sizes])
        peak = [found[step].peak_bytes / 2**20 for _, _, found in sizes]
        if len(files) == 1:
            slope, constant = cpu[0] / files[0], 0.0
        else:
            slope, constant = np.polyfit(files, cpu, 1, w=1 / cpu)
        growth = (
            "" if len(files) < 2 else f"  grows as files^{np.polyfit(np.log(files), np.log(cpu), 1)[0]:.2f}"
        )
        print(
            f"  {step:18s}{'  '.join(f'{t:8.1f}' for t in cpu)} s{growth}  → "
            f"{constant + slope * COD_FILES:7.0f} s; memory {' '.join(f'{m:.0f}' for m in peak)} MiB"
        )


def main() -> None:
    """Write the replica and mine it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, required=True, help="tree of CIFs to copy from")
    parser.add_argument("--folder", type=Path, help="where to work; default: a temporary folder")
    parser.add_argument(
        "--files", type=int, nargs="+", default=[100_000], help="sizes of the tree, one or more"
    )
    parser.add_argument("--workers", type=int, help="default: one a core")
    parser.add_argument("--structures", type=int, help="fit to so many structures, and do nothing else")
    arguments = parser.parse_args()
    small = small_files(arguments.corpus, 10**6)
    sizes = []
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.folder or Path(temporary)
        if arguments.structures:
            fit_large(work, small, arguments.files[0], arguments.structures)
            return
        for n in sorted(arguments.files):
            folder = work / str(n)
            sizes.append((n, *measure(folder, small, n, arguments.workers)))
            paths = sorted((folder / "tree").rglob("*.cif"))
            sample = [(path.name, path.read_bytes()) for path in paths[:: max(1, len(paths) // 1000)]]
            if arguments.folder is None:
                shutil.rmtree(folder)
        extrapolate(sizes)
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
