"""Readers of CIFs that `mining.py` and `replica.py` time, and the table they print."""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb
import gemmi
import numpy as np
import pyarrow as pa

from xtalpriors.mining import extract, parse_source

Items = list[tuple[str, bytes]]
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
