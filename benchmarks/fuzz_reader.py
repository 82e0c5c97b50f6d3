"""Does the reader survive files that nobody wrote? Real files, mutated by their structure, by the 100,000.

    python benchmarks/fuzz_reader.py                                 # 100,000 mutations of minerals
    python benchmarks/fuzz_reader.py --corpus DIR --corpus DIR       # and of your own files
    python benchmarks/fuzz_reader.py --seed 7 --first 4200 --last 4201 --keep DIR   # one input again, kept

A child process reads; the parent watches. What it counts as a fault: the child dies, an exception leaves
the reader, an input takes more than ten seconds, a file ends with neither an entry nor a rejection, a table
breaks its schema, or an entry is impossible (no volume, multiplicity × order unlike the order of the group).
After a fault the inputs of its batch are read one by one, so that each fault names its number, from which
`mutations.mutated` makes the same bytes again. The exit status is 1 after any fault.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from mutations import mutated

from xtalpriors.mining import parse_source

Files = list[bytes]
BATCH = 50
LIMIT_SECONDS = 10.0
START_SECONDS = 600.0
SMALL_BYTES = 10_000
EVERY_MINERAL = 9


def real_files(corpora: list[Path]) -> Files:
    """AMCSD entries, and the small files of the folders, in the order of their names."""
    minerals = parse_source("amcsd")
    files = [minerals.read(f.file_id) for f in list(minerals.files())[::EVERY_MINERAL]]
    for folder in corpora:
        paths = sorted(p for p in folder.rglob("*") if p.is_file() and p.stat().st_size <= SMALL_BYTES)
        files += [p.read_bytes() for p in paths if p.suffix.lower() not in (".tsv", ".json", ".md")]
    return files


def check(items: list[tuple[str, bytes]]) -> Counter[str]:
    """Read a batch; ValueError for a table that is not as it must be."""
    from xtalpriors.mining.cif import extract
    from xtalpriors.mining.work.task import SCHEMAS

    found = extract("fuzz", None, "original", items)
    for table, schema in zip((found.entries, found.sites, found.rejections), SCHEMAS, strict=False):
        table.select(schema.names).cast(schema).validate(full=True)
    entries, rejections = found.entries.to_pylist(), found.rejections.to_pylist()
    accounted = {row["file_id"] for row in (*entries, *rejections)}
    lost = [name for name, _ in items if name not in accounted]
    if lost:
        raise ValueError(f"unaccounted: {lost}")
    order = {e["entry_id"]: e["n_operators"] for e in entries}
    if len(order) < len(entries) or any(not e["volume_angstrom3"] > 0 for e in entries):
        raise ValueError("entries without a volume, or two of one name")
    sites = found.sites.select(["entry_id", "multiplicity", "site_symmetry_order"]).to_pylist()
    if any(
        s["multiplicity"] and s["multiplicity"] * s["site_symmetry_order"] != order[s["entry_id"]]
        for s in sites
    ):
        raise ValueError("multiplicity × order is not the order of the group")
    counted = Counter(entries=len(entries), sites=len(sites), rejections=len(rejections))
    counted.update(f"reader {e['reader']}" for e in entries)
    counted.update(f"{r['stage']}/{r['code']}" for r in rejections)
    return counted


def child(connection: Connection[Any, Any], corpora: list[Path], seed: int) -> None:
    """Serve ranges of inputs until the parent closes the connection."""
    files = real_files(corpora)
    connection.send(len(files))
    while True:
        try:
            first, last = connection.recv()
        except EOFError:
            return
        try:
            counted = check([(f"{n}.cif", mutated(files, seed, n)) for n in range(first, last)])
        except Exception as error:  # noqa: BLE001  # whatever it is, it is what is looked for
            connection.send(("failed", f"{type(error).__name__}: {error}"[:400]))
        else:
            connection.send(("read", counted))


class Reader:
    """A child process, started again whenever it has died or had to be stopped."""

    def __init__(self, corpora: list[Path], seed: int) -> None:
        self._arguments = (corpora, seed)
        self._process: multiprocessing.process.BaseProcess | None = None
        self.n_files = 0

    def read(self, first: int, last: int, seconds: float) -> tuple[str, Any]:
        """`read` with counts, or `failed`, `crash` or `hang` with what is known."""
        if self._process is None:
            self._start()
        assert self._process is not None
        try:
            self._connection.send((first, last))
            if not self._connection.poll(seconds):
                self.stop()
                return "hang", f"no answer within {seconds:g} s"
            answer: tuple[str, Any] = self._connection.recv()
            return answer
        except (EOFError, ConnectionError):
            self._process.join()
            code = self._process.exitcode
            self.stop()
            return "crash", f"exit status {code}"

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, other = context.Pipe()
        self._process = context.Process(target=child, args=(other, *self._arguments), daemon=True)
        self._process.start()
        other.close()
        if not self._connection.poll(START_SECONDS):
            raise RuntimeError("the reader does not start")
        self.n_files = self._connection.recv()
        for first in range(0, 8 * BATCH, BATCH):  # compiles, which is no input's time
            self._connection.send((first, first + BATCH))
            self._connection.poll(START_SECONDS)
            self._connection.recv()

    def stop(self) -> None:
        """End the child."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._connection.close()
            self._process = None


def faults(reader: Reader, first: int, last: int) -> Iterator[tuple[int, str, str]]:
    """Number, kind and detail of each fault in a range, its inputs read one by one."""
    for number in range(first, last):
        kind, detail = reader.read(number, number + 1, LIMIT_SECONDS)
        if kind == "hang":  # once more: the machine may have been busy
            kind, detail = reader.read(number, number + 1, LIMIT_SECONDS)
        if kind != "read":
            yield number, kind, detail


def main() -> int:
    """Read the inputs and print what came of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--corpus", type=Path, action="append", default=[], help="folder of CIFs, may be given again"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--first", type=int, default=0, help="number of the first input: goes on where a run ended"
    )
    parser.add_argument("--last", type=int, default=100_000, help="one past the last")
    parser.add_argument("--keep", type=Path, help="folder for the inputs with faults (of one input: always)")
    arguments = parser.parse_args()
    reader, total, bad, start = Reader(arguments.corpus, arguments.seed), Counter[str](), [], time.monotonic()
    for first in range(arguments.first, arguments.last, BATCH):
        last = min(first + BATCH, arguments.last)
        kind, counted = reader.read(first, last, LIMIT_SECONDS)
        if kind == "read":
            total.update(counted)
        else:
            found = list(faults(reader, first, last))
            bad += found
            for number, what, detail in found:
                print(f"seed {arguments.seed} input {number}: {what}: {detail}", flush=True)
            if not found and kind == "failed":  # only together
                bad.append((first, kind, counted))
                print(f"seed {arguments.seed} inputs {first} to {last - 1} together: {counted}", flush=True)
        if (last // BATCH) % 100 == 0:
            print(f"{last} inputs, {len(bad)} faults, {time.monotonic() - start:.0f} s", flush=True)
    if arguments.keep:
        keep(arguments, [n for n, _, _ in bad] or [arguments.first] * (arguments.last - arguments.first == 1))
    reader.stop()
    summary = {
        "seed": arguments.seed,
        "inputs": arguments.last - arguments.first,
        "first": arguments.first,
        "files": reader.n_files,
        "faults": len(bad),
        "seconds": round(time.monotonic() - start),
        "outcomes": dict(total.most_common()),
    }
    print(json.dumps(summary, indent=1))
    return 1 if bad else 0


def keep(arguments: argparse.Namespace, numbers: list[int]) -> None:
    """Write inputs as files."""
    files = real_files(arguments.corpus)
    arguments.keep.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        path = arguments.keep / f"seed{arguments.seed}-{number}.cif"
        path.write_bytes(mutated(files, arguments.seed, number))


if __name__ == "__main__":
    sys.exit(main())
