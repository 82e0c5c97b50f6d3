"""A tree of files in the COD's sizes: mined, mined again, listed, selected, reproduced, updated; and the fit.

    python benchmarks/replica.py --corpus DIR                                  # 100,000 files, 13 GB
    python benchmarks/replica.py --corpus DIR --files 10000 50000 100000 # is it linear?
    python benchmarks/replica.py --corpus DIR --files 535041 --lists 0   # the COD's number of files, 4 GB
    python benchmarks/replica.py --corpus DIR --files 2000 --folder DIR        # kept
    python benchmarks/replica.py --corpus DIR --files 4000 --structures 20000 1250000 # the fit alone

The files are those of the corpus, over and over, each with cell lengths of its own; four in ten (or as many
as `--lists` says) get a reflection list as in the COD, where four fifths of the bytes are reflections. Each
step is a command: its wall time, the CPU time of all its processes, and the largest sum of their memory
(pages that they share counted for each). With several sizes, how CPU time grows, and what it and the wall
time make of the whole COD. Files just written are in the page cache, as far as they fit into memory: no disk
is measured. (200,000 files are 27 GB.)

`dvc repro` runs the whole pipeline of the repository on a project in which nothing has changed; its database
and the subset all-50 are those of the tree, and small files stand in for the outputs whose size does not
depend on it. Its own time is what it takes beyond `xtalpriors mine`, which looks at every file.

With `--structures`, the structures of a small tree are written over and over as a subset of that size, and
the priors are fitted to it. Else gemmi reads a sample of the same files in the same run, and the files of the
corpus that have no reflections, for the ratio per core.
"""

from __future__ import annotations

import argparse
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import yaml
from contestants import Items, compare, gemmi_structures, reader_only, small_files, whole_path
from measured import Measured, run
from replica_tree import replicate_subset, update, write_tree
from update import ROOT, copy_code

from xtalpriors.arrays import F64
from xtalpriors.mining.subsets.files import sites_path

COD_FILES = 535_041
SHARE_WITH_REFLECTIONS = 0.4
REFLECTIONS = re.compile(rb"(?i)^_refln[_.]|^_shelx_hkl_file|^_iucr_refine_reflections", re.MULTILINE)


def set_up(work: Path, tree: Path) -> None:
    """The pipeline of the repository in a folder of its own, with the tree as its corpus `cod`."""
    work.mkdir(parents=True)
    copy_code(work)
    shutil.copyfile(ROOT / "dvc.yaml", work / "dvc.yaml")
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["corpora"] = {"cod": {"sources": [f"cod:{tree}"]}}
    params["mine"]["hash_new"] = False
    params["plots"]["corpus"] = "cod"
    (work / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")


def reproduce(work: Path) -> Measured:
    """`dvc repro` with nothing changed: the time beyond that of `xtalpriors mine`."""
    from dvc.repo import Repo

    run("dvc init", "init", "--no-scm", "--quiet", program="dvc", folder=work)
    with Repo(str(work)) as repository:
        for path in (Path(output.fs_path) for output in repository.index.outs):
            if not path.exists():
                file = path if path.suffix else path / "stand-in"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text("{}\n", encoding="utf-8")
    run("dvc commit", "commit", "--force", "--quiet", program="dvc", folder=work)
    run("dvc repro, first", "repro", "--quiet", program="dvc", folder=work)
    looked = run("mine, nothing changed", "mine", "--corpus", "cod", folder=work)
    whole = run("dvc repro", "repro", "--quiet", program="dvc", folder=work)
    own = Measured(whole.wall - looked.wall, whole.cpu - looked.cpu, whole.peak_bytes)
    print(f"  {'dvc repro, its own time':26s}{own.wall:8.1f} s wall{own.cpu:9.1f} s CPU", flush=True)
    return own


def measure(work: Path, small: Items, n: int, share: float) -> tuple[int, dict[str, Measured]]:
    """All steps on a tree of n files; its bytes, and what each step took."""
    tree, project = work / "tree", work / "project"
    total, reflections = write_tree(tree, small, n, share)
    print(
        f"{n:,} files, {total / 1e9:.2f} GB, mean {total / n / 1e3:.0f} kB, "
        f"{100 * reflections / total:.0f} % of the bytes in reflection lists"
    )
    set_up(project, tree)
    mine, listed = ("mine", "--corpus", "cod"), str(work / "manifest.parquet")
    found = {
        "mine": run("mine, from nothing", *mine, folder=project),
        "nothing changed": run("mine, nothing changed", *mine, folder=project),
        "manifest": run("manifest, all hashed", "manifest", "--source", f"cod:{tree}", "--output", listed),
        "subset": run("subset all-50", "subset", "--corpus", "cod", "--name", "all-50", folder=project),
        "dvc repro, own": reproduce(project),
    }
    update(tree)
    found["update"] = run("200 changed, 50 deleted", *mine, folder=project)
    return total, found


def fit_large(work: Path, small: Items, n: int, sizes: Sequence[int]) -> None:
    """Fit the priors to so many structures, made of those of a tree of n files.

    The tree itself is fitted first, by which the kernels are compiled, once on a machine.
    """
    database, subset = work / "replica.duckdb", work / "all-50.parquet"
    write_tree(work / "tree", small, n, SHARE_WITH_REFLECTIONS)
    run("mine", "mine", "--source", f"cod:{work / 'tree'}", "--database", str(database))
    select = ("subset", "--database", str(database), "--name", "all-50", "--output", str(subset))
    fit = ("fit", "--subset", str(subset), "--output", str(work / "all-50.json"))
    run("subset all-50", *select)
    run("fit all-50 of the tree", *fit)
    for structures in sizes:
        run("subset all-50", *select)
        replicate_subset(subset, structures)
        counts = [pq.read_metadata(path).num_rows for path in (subset, sites_path(subset))]
        print("A subset of {:,} structures and {:,} sites:".format(*counts))
        run("fit all-50", *fit)


def extrapolate(sizes: Sequence[tuple[int, int, dict[str, Measured]]]) -> None:
    """How each step grows, and what it makes of the whole COD: seconds = constant + slope · files.

    The bytes a file are those of the COD's sizes up to about 130 kB on average; its 204 kB cost what
    `benchmarks/mining.py` measures a byte at, which is added to `mine` and `manifest`.
    """
    files = np.array([n for n, _, _ in sizes], float)
    print(f"\nCPU time by size, and CPU and wall time for {COD_FILES:,} files:")
    for step in sizes[0][2]:
        cpu, wall = (np.array([found[step][i] for _, _, found in sizes]) for i in (1, 0))
        peak = [found[step].peak_bytes / 2**20 for _, _, found in sizes]
        growth = (
            "" if len(files) < 2 else f"  grows as files^{np.polyfit(np.log(files), np.log(cpu), 1)[0]:.2f}"
        )
        print(
            f"  {step:18s}{'  '.join(f'{t:8.1f}' for t in cpu)} s{growth}  → "
            f"{_at_cod(files, cpu):6.0f} s CPU, {_at_cod(files, wall):6.0f} s wall; "
            f"memory {' '.join(f'{m:.0f}' for m in peak)} MiB"
        )


def _at_cod(files: F64, seconds: F64) -> float:
    """Seconds for the whole COD by a straight line through the sizes, or from the origin to the only one."""
    if len(files) == 1:
        return float(seconds[0] / files[0] * COD_FILES)
    slope, constant = np.polyfit(files, seconds, 1, w=1 / seconds)
    return float(constant + slope * COD_FILES)


def beside_gemmi(title: str, files: Items, connection: duckdb.DuckDBPyConnection) -> None:
    """Print what a file takes on one core into the database, and what gemmi's two steps take."""
    contestants = [
        ("whole path, into DuckDB", lambda items: whole_path(items, connection), 10**9),
        ("reader, into Arrow", reader_only, 10**9),
        ("gemmi cif.read + SmallStructure", gemmi_structures, 10**9),
    ]
    ours, _, theirs = compare(f"{title}, CPU time of one core", files, contestants, 5).values()
    print(f"  the whole path is {theirs / ours:.2f} times as fast")


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
    parser.add_argument(
        "--lists",
        type=float,
        metavar="SHARE",
        default=SHARE_WITH_REFLECTIONS,
        help="share of the files that get a reflection list",
    )
    parser.add_argument("--structures", type=int, nargs="+", help="fit to so many, and do nothing else")
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
            sizes.append((n, *measure(folder, small, n, arguments.lists)))
            paths = sorted((folder / "tree").rglob("*.cif"))
            sample = [(path.name, path.read_bytes()) for path in paths[:: max(1, len(paths) // 1000)]]
            if arguments.folder is None:
                shutil.rmtree(folder)
            extrapolate(sizes)
        connection = duckdb.connect(str(work / "sample.duckdb"), config={"threads": 1})
        beside_gemmi("A sample of the same files", sample, connection)
        plain = [(name, data) for name, data in small if not REFLECTIONS.search(data)]
        beside_gemmi("Files of the corpus without reflections", plain, connection)


if __name__ == "__main__":
    main()
