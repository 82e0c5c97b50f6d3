"""A database that grew by updates is the one that the same files make at once."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from reader_cif import P21C, atoms, cell, structure
from tables import clusters, contents, entry

from xtalpriors.mining import extract
from xtalpriors.mining.database.clusters import build_clusters
from xtalpriors.mining.database.clusters_kernel import read_compositions
from xtalpriors.mining.database.digest import get_digest
from xtalpriors.mining.database.store import open_database
from xtalpriors.mining.run import MineReport, mine
from xtalpriors.mining.sources.manifest import update_manifest
from xtalpriors.mining.sources.tree import TreeSource
from xtalpriors.mining.work.task import Task, TaskResult
from xtalpriors.mining.work.worker import run_task


class Here:
    """Runs the tasks in this process, as far as it is let."""

    def __init__(self, most: int = 10**6) -> None:
        self._most = most

    def run(self, tasks: Iterator[Task], stop: Callable[[], bool]) -> Iterator[TaskResult]:
        for n, task in enumerate(tasks):
            if n == self._most:
                raise RuntimeError("pulled the plug")
            yield run_task(task, extract, lambda index: None)


def text(rng: random.Random) -> str:
    """One of a few structures, in a cell up to 4 % longer; now and then no structure at all."""
    if rng.random() < 0.1:
        return "nothing here"
    formula, x = rng.choice([("O", 0.1), ("S", 0.1), ("S", 0.2)])
    factor = 1 + 0.01 * rng.randrange(5)
    code, r1 = rng.randrange(2_000_000, 2_000_006), rng.random()
    more = f"_cod_database_code {code}\n_refine_ls_R_factor_gt {r1:.3f}\n"
    return structure(
        cell(9 * factor, 10 * factor, 11 * factor, beta=95),
        more,
        atoms(f"C1 C {x} 0.2 0.3", f"{formula}1 {formula} 0.3 {x} 0.1"),
        symmetry=P21C,
    )


def change(root: Path, rng: random.Random) -> None:
    """Write, rewrite, touch and remove some files; eight at least remain."""
    paths = sorted(root.rglob("*.cif"))
    for path in rng.sample(paths, min(len(paths), 4)):
        if rng.random() < 0.5 and len(paths) > 8:
            path.unlink()
        elif rng.random() < 0.3:
            path.touch()
        else:
            path.write_text(text(rng))
    for _ in range(rng.randrange(4)):
        path = root / f"{rng.randrange(3)}" / f"{rng.randrange(30):02d}.cif"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text(rng))


@pytest.mark.parametrize("seed", [0, 1])
def test_any_sequence_of_updates_ends_as_mining_from_nothing(tmp_path: Path, seed: int) -> None:
    """With a manifest and without, and after a run that broke off."""
    rng = random.Random(seed)
    root = tmp_path / "cod"
    for i in range(12):
        (root / f"{i % 3}").mkdir(parents=True, exist_ok=True)
        (root / f"{i % 3}" / f"{i:02d}.cif").write_text(text(rng))
    source, manifest = TreeSource(root), tmp_path / "manifest.parquet"

    def run(database: Path, listed: Path | None = None, executor: Here | None = None) -> MineReport:
        return mine([source], listed, database, workers=1, executor=executor or Here())

    run(tmp_path / "db")
    n_clusters = set()
    for turn in range(3):
        change(root, rng)
        if turn == 1:
            (root / "9.cif").write_text(text(rng))
            with pytest.raises(RuntimeError):
                run(tmp_path / "db", executor=Here(0))
        if turn % 2:
            update_manifest([source], manifest, hash_new=False)
        updated = run(tmp_path / "db", manifest if turn % 2 else None)
        fresh = run(tmp_path / f"fresh-{turn}")
        assert updated.digest == fresh.digest
        assert contents(tmp_path / "db") == contents(tmp_path / f"fresh-{turn}")
        n_clusters.add(len(set(clusters(tmp_path / "db").values())))
    assert len(n_clusters) > 1  # the changes were such that clusters changed


def test_clusters_that_stay_are_not_written_again(tmp_path: Path) -> None:
    """Their rows keep their places in the table, which is what makes an update cheap."""
    rows = [entry(f"a:{i:02d}", (5.0 + i // 2, 6.0, 7.0, 90.0, 95.0, 90.0)) for i in range(10)]
    with open_database(tmp_path / "d", read_only=False) as connection:

        def fill(some: list[dict[str, object]]) -> dict[str, int]:
            connection.execute("DELETE FROM entry")
            for row in some:
                known = {k: v for k, v in row.items() if v is not None}
                names, marks = ", ".join(f'"{k}"' for k in known), ", ".join("?" for _ in known)
                connection.execute(f"INSERT INTO entry ({names}) VALUES ({marks})", [*known.values()])
            build_clusters(connection)
            return dict(connection.execute("SELECT entry_id, rowid FROM cluster").fetchall())

        before, after = fill(rows), fill([*rows[:4], *rows[5:]])
        moved = {name for name in after if after[name] != before[name]}
        assert moved == {"a:05"}  # the other half of the pair that lost a:04
        assert set(before) - set(after) == {"a:04"}


def test_digest_of_another_definition_counts_as_none(tmp_path: Path) -> None:
    with open_database(tmp_path / "d", read_only=False) as connection:
        connection.execute("INSERT INTO meta VALUES ('content_digest', 'abc')")
        assert get_digest(connection) is None


def test_compositions_are_those_of_the_formulas() -> None:
    formulas = ["C4 H8 Cl2 O2", "Al2 O3", "H2", "H4 N2.5 O0.5", "Cl2 C4 O2"]
    offsets = [0]
    for formula in formulas:
        offsets.append(offsets[-1] + len(formula))
    starts, elements, fractions, key = read_compositions(
        np.frombuffer("".join(formulas).encode(), np.uint8), np.array(offsets)
    )
    parts = [fractions[a:b].tolist() for a, b in pairwise(starts.tolist())]
    assert parts == [[0.5, 0.25, 0.25], [0.4, 0.6], [], [2.5 / 3, 0.5 / 3], [0.5, 0.25, 0.25]]
    assert key[0] == key[4] and len(set(key.tolist())) == 4
    first, last = slice(*starts[:2]), slice(*starts[4:6])
    assert elements[first].tolist() == elements[last].tolist() == sorted(elements[first].tolist())
