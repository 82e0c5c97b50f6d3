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
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import gemmi
import numpy as np
import pyarrow as pa

from xtalpriors.mining.cif import extract
from xtalpriors.mining.sources import parse_source

Items = list[tuple[str, bytes]]
COD_FILES, COD_BYTES = 535_041, 109e9
BATCH = 512
SMALL_BYTES = 128 * 1024


def small_files(corpus: Path | None, n: int) -> Items:
    """Up to n files of at most 128 kB, spread evenly over the corpus."""
    source = parse_source(f"cod:{corpus}" if corpus else "amcsd")
    listed = [f for f in source.files() if f.size_bytes is None or f.size_bytes <= SMALL_BYTES]
    listed = listed[:: max(1, len(listed) // n)][:n]
    return [(f.file_id, source.read(f.file_id)) for f in listed]


def with_reflections(items: Items, n: int, rng: np.random.Generator) -> Items:
    """n of the files with a reflection list each, log-normal in size: median 150 kB, at most 2 MB."""
    out = []
    for i, (name, data) in enumerate(items[:n]):
        lines = int(min(np.exp(rng.normal(np.log(5000), 1.0)), 66_000))
        hkl = rng.integers(-30, 31, (lines, 3))
        intensity = rng.exponential(100.0, lines)
        if i % 2:
            rows = "".join(
                f"{h:4d}{k:4d}{l:4d}{v:8.2f}{v / 20:8.2f}   1\n"
                for (h, k, l), v in zip(hkl, intensity, strict=True)
            )
            text = f"\n_shelx_hkl_file\n;\n{rows};\n"
        else:
            names = ["index_h", "index_k", "index_l", "F_squared_meas", "F_squared_sigma", "observed_status"]
            tags = "".join(f"_refln_{name}\n" for name in names)
            rows = "".join(
                f"{h:4d}{k:4d}{l:4d} {v:11.2f} {v / 20:10.2f} o\n"
                for (h, k, l), v in zip(hkl, intensity, strict=True)
            )
            text = f"\nloop_\n{tags}{rows}\n"
        out.append((name, data + text.encode()))
    return out


def whole_path(items: Items, connection: duckdb.DuckDBPyConnection) -> int:
    """Bytes to rows on disk in a DuckDB file (committed and checkpointed); the number of structures."""
    parts = [
        extract("benchmark", None, "original", items[i : i + BATCH]) for i in range(0, len(items), BATCH)
    ]
    connection.execute("BEGIN")
    for name, tables in zip(("entry", "site", "rejection"), zip(*parts, strict=True), strict=True):
        connection.register("arriving", pa.concat_tables(tables))
        connection.execute(f"CREATE OR REPLACE TABLE {name} AS FROM arriving")
        connection.unregister("arriving")
    connection.execute("COMMIT")
    connection.execute("CHECKPOINT")
    return sum(p.entries.num_rows for p in parts)


def reader_only(items: Items) -> int:
    """Bytes to Arrow tables."""
    parts = [
        extract("benchmark", None, "original", items[i : i + BATCH]) for i in range(0, len(items), BATCH)
    ]
    return sum(p.entries.num_rows for p in parts)


def gemmi_read(items: Items) -> int:
    """`gemmi.cif.read_string` alone."""
    n = 0
    for _, data in items:
        try:
            n += len(gemmi.cif.read_string(data))
        except (ValueError, RuntimeError):
            continue
    return n


def gemmi_structures(items: Items) -> int:
    """`gemmi.cif.read_string` and a `SmallStructure` of each block."""
    n = 0
    for _, data in items:
        try:
            for block in gemmi.cif.read_string(data):
                n += bool(gemmi.make_small_structure_from_block(block).sites)
        except (ValueError, RuntimeError, UnicodeDecodeError):
            continue
    return n


def pymatgen_structures(items: Items) -> int:
    """pymatgen's structures."""
    from pymatgen.io.cif import CifParser

    n = 0
    warnings.simplefilter("ignore")
    for _, data in items:
        try:
            n += len(
                CifParser.from_str(data.decode("latin-1"), occupancy_tolerance=10).parse_structures(
                    primitive=False
                )
            )
        except Exception:  # noqa: BLE001 - whatever it raises, its time counts
            continue
    return n


class _Readable:
    def __init__(self, data: bytes) -> None:
        self._text = data.decode("latin-1")

    def read(self) -> str:
        return self._text

    def close(self) -> None:
        pass


def pycifrw_blocks(items: Items) -> int:
    """PyCifRW's parse alone."""
    import CifFile

    n = 0
    for _, data in items:
        try:
            n += len(CifFile.ReadCif(_Readable(data), grammar="1.1").keys())
        except Exception:  # noqa: BLE001 - whatever it raises, its time counts
            continue
    return n


def compare(
    title: str, items: Items, contestants: Sequence[tuple[str, Callable[[Items], int], int]], rounds: int
) -> dict[str, float]:
    """Print a table of the contestants; seconds per file of each, over the files it was given."""
    size = sum(len(d) for _, d in items)
    print(f"\n{title}: {len(items)} files, {size / 1e6:.1f} MB, mean {size / len(items) / 1e3:.1f} kB")
    times: dict[str, list[float]] = {name: [] for name, _, _ in contestants}
    counts: dict[str, int] = {}
    shares = {name: items[:: max(1, len(items) // most)][:most] for name, _, most in contestants}
    for name, work, most in contestants:
        if most >= len(items):
            work(shares[name])  # compiled code is loaded, imports are done
    for turn in range(rounds):
        for name, work, most in contestants:
            if turn > 0 and most < len(items):
                continue
            before = time.process_time()
            counts[name] = work(shares[name])
            times[name].append(time.process_time() - before)
    per_file = {}
    print(f"  {'':34s}{'µs/file':>10s}{'files/s':>10s}{'struct./s':>11s}{'MB/s':>9s}{'files':>8s}")
    for name, _, _ in contestants:
        files = shares[name]
        seconds = statistics.median(times[name])
        per_file[name] = seconds / len(files)
        share = sum(len(d) for _, d in files)
        print(
            f"  {name:34s}{per_file[name] * 1e6:10.1f}{1 / per_file[name]:10.0f}"
            f"{counts[name] / seconds:11.0f}"
            f"{share / seconds / 1e6:9.1f}{len(files):8d}"
        )
    return per_file


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
