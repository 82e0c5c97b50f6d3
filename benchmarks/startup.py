"""What small commands cost: CPU seconds of the process and its children, median of three.

    python benchmarks/startup.py

The inputs are made in a temporary folder from the minerals of the larixite package. The first round, which
compiles kernels where they are not in the cache yet, is not counted.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from xtalpriors.mining import parse_source

ROUNDS = 3
FIT = "fit --subset p21c-10.parquet --output fitted.json"
GENERATE = "generate --bundle fitted.json --count 10 --output made.parquet"
COMMANDS = {  # command line, and the file that is removed before it so that there is something to do
    "--version": ("--version", None),
    "mine, one file": ("mine --source cod:one --database one.duckdb", "one.duckdb"),
    "mine, AMCSD": ("mine --source amcsd --database amcsd.duckdb", "amcsd.duckdb"),
    "mine, AMCSD, nothing changed": ("mine --source amcsd --database amcsd.duckdb", None),
    "subset of AMCSD": ("subset --database amcsd.duckdb --name p21c-10 --output p21c-10.parquet", None),
    "fit of its structures": (FIT, None),
    "generate --count 10": (GENERATE, "made.parquet"),
    "generate --count 10, fitted": (f"{GENERATE} --cell fitted --filling fitted", "made.parquet"),
}


def cpu_seconds(arguments: list[str], folder: Path) -> float:
    """User and system time of one command line with all of its processes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "xtalpriors", *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Time every command."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = parse_source("amcsd")
        (folder / "one").mkdir()
        (folder / "one" / "first.cif").write_bytes(source.read(next(iter(source.files())).file_id))
        for what, (command, product) in COMMANDS.items():
            times = []
            for _ in range(1 + ROUNDS):
                if product is not None:
                    (folder / product).unlink(missing_ok=True)
                times.append(cpu_seconds(command.split(), folder))
            print(f"{what:30} {statistics.median(times[1:]):6.2f} s (first {times[0]:.2f})", flush=True)


if __name__ == "__main__":
    main()
