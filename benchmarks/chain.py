"""What the README's chain of commands costs on a folder of CIFs: CPU seconds of a process and its children.

    python benchmarks/chain.py DIR

The lines are the README's own. The kernels are compiled first, by mining one file.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

from startup import cpu_seconds

README = Path(__file__).parents[1] / "README.md"


def chain() -> list[str]:
    """Command lines of the README: the summary, and the block that is marked as a chain."""
    text = README.read_text(encoding="utf-8")
    block = re.search(r"<!-- chain: .*?```sh\n(.*?)```", text, re.DOTALL)
    summary = re.search(r"^xtalpriors summary .*$", text, re.MULTILINE)
    assert block is not None
    assert summary is not None
    return [summary[0], *block[1].strip().splitlines()]


def main() -> None:
    """Run the chain in a temporary folder, where `my-cifs` is the folder given."""
    cifs = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "my-cifs").symlink_to(cifs)
        (folder / "one").mkdir()
        one = next(path for path in sorted(cifs.rglob("*.cif")) if path.is_file())
        (folder / "one" / one.name).write_bytes(one.read_bytes())
        cpu_seconds(["mine", "--source", "one", "--database", "one.duckdb"], folder)
        print(f"{sum(len(files) for _, _, files in os.walk(cifs)):,} files in {cifs.name}")
        for line in chain():
            seconds = cpu_seconds(line.split()[1:], folder)
            print(f"{' '.join(line.split()[1:3]):30} {seconds:6.1f} s", flush=True)


if __name__ == "__main__":
    main()
