"""What `xtalpriors generate` costs from end to end: structures, table, and Parquet as it was and as it is.

Each side writes the same structures to a file, in turns, in every round; CPU time of one process, median of
the rounds, µs a structure. "As it was": every column with a dictionary, shards joined by writing them again.

    python benchmarks/writing.py [--structures 20000] [--rounds 5]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

from xtalpriors.generator import Generator, configure, generate_to, read_parquet
from xtalpriors.generator.output.parquet import to_table
from xtalpriors.priors import published_bundle


def former(generator: Generator, n: int, folder: Path) -> Path:
    """A shard with dictionaries, read and written once more."""
    shard, output = folder / "shard.parquet", folder / "former.parquet"
    batches = generator.batches(0, n)
    first = to_table(next(batches))
    with pq.ParquetWriter(shard, first.schema, compression="zstd") as writer:
        writer.write_table(first)
        for batch in batches:
            writer.write_table(to_table(batch))
    file = pq.ParquetFile(shard)
    with pq.ParquetWriter(output, first.schema, compression="zstd") as writer:
        for k in range(file.num_row_groups):
            writer.write_table(file.read_row_group(k))
    return output


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--structures", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    n, bundle, config = options.structures, published_bundle(), configure()
    generator = Generator(bundle, config, 1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        output = folder / "now.parquet"

        def now() -> Path:
            generate_to(output, bundle, config, seed=1, count=n, workers=1, overwrite=True)
            return output

        sides: dict[str, Callable[[], object]] = {
            "structures alone": lambda: list(generator.batches(0, n)),
            "to a file, as it was": lambda: former(generator, n, folder),
            "to a file, as it is": now,
        }
        same = read_parquet(former(generator, n, folder)).equals(read_parquet(now()))
        times: dict[str, list[float]] = {side: [] for side in sides}
        for _ in range(options.rounds):
            for side, task in sides.items():
                start = time.process_time()
                task()
                times[side].append(1e6 * (time.process_time() - start) / n)
        medians = {side: statistics.median(values) for side, values in times.items()}
        for side, value in medians.items():
            print(f"{side:22s} {value:7.2f} µs/structure")
        alone = medians.pop("structures alone")
        was, is_now = (value - alone for value in medians.values())
        sizes = [(folder / f"{stem}.parquet").stat().st_size / n for stem in ("former", "now")]
        print(f"writing: {was:.2f} → {is_now:.2f} µs/structure, {was / is_now:.1f} times as fast")
        print(f"file: {sizes[0]:.0f} → {sizes[1]:.0f} bytes/structure; the same rows: {same}")


if __name__ == "__main__":
    main()
