"""How fast files become rows of a database, beside gemmi, pymatgen and PyCifRW on the same files.

    python benchmarks/mining.py                          # minerals of the installed larixite package
    python benchmarks/mining.py --corpus DIR --files N   # any tree of CIFs, a COD mirror for example

All times are CPU times of this process (one core), the contestants take turns, and the medians of the
rounds are compared. "Whole path" is bytes in memory to committed rows in a DuckDB file. Files with
reflections are the small ones with reflection lists appended, in sizes as in the COD: half as
`_shelx_hkl_file`, half as a `_refln_` loop. The whole COD has more of them than the mixture of three small
files to one has: its files are 204 kB on average, and four fifths of the bytes are reflections.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from contestants import (
    Items,
    compare,
    gemmi_read,
    gemmi_structures,
    pycifrw_blocks,
    pymatgen_structures,
    reader_only,
    small_files,
    whole_path,
    with_reflections,
)

COD_FILES, COD_BYTES = 535_041, 109e9


def extrapolate(measured: Sequence[tuple[Items, float]]) -> None:
    """Least-squares t = α·files + β·bytes, and what it makes of the whole COD."""
    rows = np.array([[len(items), sum(len(d) for _, d in items)] for items, _ in measured], dtype=float)
    seconds = np.array([t for _, t in measured])
    scale = seconds[:, None]  # relative errors count alike
    (alpha, beta), *_ = np.linalg.lstsq(rows / scale, np.ones(len(seconds)), rcond=None)
    total = alpha * COD_FILES + beta * COD_BYTES
    print(
        f"\nt = α·files + β·bytes with α = {alpha * 1e6:.1f} µs, 1/β = {1e-6 / beta:.0f} MB/s; the COD "
        f"({COD_FILES:,} files, {COD_BYTES / 1e9:.0f} GB): {total / 60:.1f} min on one core, "
        f"{total / 120:.1f} min on two, "
        "reading from disk not counted"
    )


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, help="tree of CIFs; default: the minerals of larixite")
    parser.add_argument("--files", type=int, default=1500, help="number of small files (default 1500)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of the fast contestants (default 5)")
    parser.add_argument(
        "--slow-files", type=int, default=30, help="files for pymatgen and PyCifRW (default 30)"
    )
    arguments = parser.parse_args()
    small = small_files(arguments.corpus, arguments.files)
    heavy = with_reflections(small, max(20, arguments.files // 10), np.random.default_rng(20260101))
    everything = 10**9
    with tempfile.TemporaryDirectory() as name:
        connection = duckdb.connect(str(Path(name) / "benchmark.duckdb"), config={"threads": 1})

        def ours(items: Items) -> int:
            return whole_path(items, connection)

        ours(small)
        ours(heavy)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        fast: list[tuple[str, Callable[[Items], int], int]] = [
            ("whole path, into DuckDB", ours, everything),
            ("reader, into Arrow", reader_only, everything),
            ("gemmi cif.read", gemmi_read, everything),
            ("gemmi cif.read + SmallStructure", gemmi_structures, everything),
        ]
        slow: list[tuple[str, Callable[[Items], int], int]] = [
            ("pymatgen structures", pymatgen_structures, arguments.slow_files),
            ("PyCifRW", pycifrw_blocks, arguments.slow_files),
        ]
        few = compare("Small files", small, fast + slow, arguments.rounds)
        many = compare("Files with reflections", heavy, fast, arguments.rounds)
        mixed = small[: 3 * len(heavy)] + heavy
        third = compare("A quarter with reflections", mixed, [fast[0], fast[3]], arguments.rounds)
    path = "whole path, into DuckDB"
    print("\nThe whole path against the others (above 1 it is faster):")
    structures = "gemmi cif.read + SmallStructure"
    for other in (structures, "pymatgen structures", "PyCifRW"):
        print(f"  {other + ', small files':62s}{few[other] / few[path]:8.2f}")
    print(f"  {structures + ', a quarter with reflections':62s}{third[structures] / third[path]:8.2f}")
    print(f"  {'gemmi cif.read, files with reflections':62s}{many['gemmi cif.read'] / many[path]:8.2f}")
    sets: list[tuple[Items, Any]] = [(small, few), (heavy, many), (mixed, third)]
    extrapolate([(items, found[path] * len(items)) for items, found in sets])
    print(
        f"Peak memory of this process before the other libraries came in: {peak:.0f} MB "
        "(files held in memory included)"
    )


if __name__ == "__main__":
    main()
