"""Runs of `xtalpriors mine` that are killed at random moments: the next run ends with the same database.

    python benchmarks/killed.py --corpus DIR --runs 50
    python benchmarks/killed.py --corpus DIR --runs 50 --files 400 --update

Each run begins with no database (with `--update`: with one of half of the files, some of them changed
since), is killed with SIGKILL after a time drawn at random, up to five times in a row, and then let finish.
Every row of every table and the digest are compared with those of a run that was left in peace. Counted are
the kills that hit a run under way, and those after which DuckDB had a log to replay.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb

TABLES = {
    "entry": "*",
    "site": "*",
    "rejection": "*",
    "file": "* EXCLUDE (mtime_ns, ctime_ns)",
    "cluster": "*",
}


def contents(database: Path) -> dict[str, tuple[Any, ...]]:
    """Number of rows and a hash of all of them, by table; the digest of the database."""
    with duckdb.connect(str(database), read_only=True) as connection:
        found = {
            table: connection.execute(
                f"SELECT count(*), bit_xor(hash(t)) FROM (SELECT {columns} FROM {table}) AS t"
            ).fetchall()[0]
            for table, columns in TABLES.items()
        }
        found["digest"] = connection.execute(
            "SELECT value FROM meta WHERE key = 'digest_of_outcomes'"
        ).fetchall()[0]
        found["pending"] = connection.execute("SELECT count(*) FROM pending").fetchall()[0]
    return found


def start(tree: Path, database: Path) -> subprocess.Popen[bytes]:
    """The command, as a process of its own."""
    command = [sys.executable, "-m", "xtalpriors", "mine", "--source", f"cod:{tree}", "--workers", "1"]
    return subprocess.Popen(
        [*command, "--database", str(database)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def finish(tree: Path, database: Path) -> float:
    """A run that is left in peace; its seconds."""
    begun = time.monotonic()
    with start(tree, database) as process:
        _, error = process.communicate()
    if process.returncode:
        raise SystemExit(f"mine ended with status {process.returncode}: {error.decode()}")
    return time.monotonic() - begun


def kill_at(tree: Path, database: Path, seconds: float) -> bool:
    """Kill a run after so long; whether it was still under way."""
    with start(tree, database) as process:
        time.sleep(seconds)
        was_running = process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.communicate()
    return was_running


def main() -> None:
    """Kill, finish, compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, required=True, help="tree of CIFs")
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--files", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--update", action="store_true", help="begin with a database of half of the files")
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        tree, former = work / "tree", work / "former.duckdb"
        tree.mkdir()
        files = sorted(arguments.corpus.rglob("*.cif"))[: arguments.files]
        for file in files[:: 2 if arguments.update else 1]:
            shutil.copyfile(file, tree / file.name)
        if arguments.update:
            finish(tree, former)
            for file in files[1::2]:
                shutil.copyfile(file, tree / file.name)
            for file in files[::20]:
                with (tree / file.name).open("a", encoding="utf-8") as text:
                    text.write("\n# changed\n")
        whole, database = work / "whole.duckdb", work / "killed.duckdb"
        if arguments.update:
            shutil.copyfile(former, whole)
        seconds = finish(tree, whole)
        expected = contents(whole)
        same = kills = with_log = 0
        for done in range(1, arguments.runs + 1):
            for path in work.glob("killed.duckdb*"):
                path.unlink() if path.is_file() else shutil.rmtree(path)
            if arguments.update:
                shutil.copyfile(former, database)
            for _ in range(rng.randint(1, 5)):
                kills += kill_at(tree, database, rng.uniform(0.0, 1.1 * seconds))
                with_log += database.with_name(database.name + ".wal").exists()
            finish(tree, database)
            same += contents(database) == expected
            print(f"\r{same} of {done} runs, {kills} kills", end="", file=sys.stderr, flush=True)
        print(
            f"{same} of {arguments.runs} runs ended with the same database after {kills} kills, {with_log} "
            f"of which left a log to replay; a whole run takes {seconds:.1f} s and gives "
            f"{expected['entry'][0]:,} entries"
        )
        if same < arguments.runs:
            raise SystemExit("a killed run changed the database")


if __name__ == "__main__":
    main()
