"""Cost of the crystallography that the reader does for each file, beside gemmi and moyopy on the same input.

Run as `python benchmarks/crystal.py`. CPU time, both sides interleaved in one process, median of 7 rounds.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import gemmi
import moyopy
import numpy as np

from xtalpriors.crystal import (
    SpaceGroup,
    UnitCell,
    cell_volumes,
    least_oblique_p21c,
    niggli_reduce,
    orthogonalization_matrices,
    resolve_space_group,
    site_symmetries,
    site_symmetries_of_entries,
)

ROUNDS = 7


def interleaved(*sides: tuple[str, int, Callable[[], object]]) -> None:
    """Print the median CPU time of each side, in µs per item (`n` items a call)."""
    times: dict[str, list[float]] = {name: [] for name, _, _ in sides}
    for _, _, call in sides:
        call()
    for _ in range(ROUNDS):
        for name, n, call in sides:
            start = time.process_time()
            call()
            times[name].append((time.process_time() - start) / n * 1e6)
    for name, _, _ in sides:
        print(f"  {name:58s} {statistics.median(times[name]):9.2f} µs")


def random_cells(n: int) -> np.ndarray:
    """Cells whose axes can meet."""
    rng = np.random.default_rng(0)
    cells = np.c_[rng.uniform(4, 25, (2 * n, 3)), rng.uniform(60, 120, (2 * n, 3))]
    return cells[np.isfinite(cell_volumes(cells))][:n]


def niggli() -> None:
    """Reduction of 4,000 triclinic cells."""
    cells = random_cells(4000)
    bases = orthogonalization_matrices(cells).transpose(0, 2, 1).tolist()
    objects = [gemmi.UnitCell(*c) for c in cells]

    def by_gemmi() -> None:
        for cell in objects:
            vector = gemmi.GruberVector(cell, "P", True)
            vector.niggli_reduce()
            vector.get_cell()

    print(f"Niggli reduction with change of basis, a cell ({len(cells)} cells)")
    interleaved(
        ("niggli_reduce, all cells in one call", len(cells), lambda: niggli_reduce(cells)),
        ("gemmi GruberVector", len(cells), by_gemmi),
        ("moyopy niggli_reduce", len(cells), lambda: [moyopy.niggli_reduce(b) for b in bases]),
    )


def sites() -> None:
    """Site symmetry of 20 sites in P2₁/c, two of them special."""
    group = SpaceGroup.from_number(14)
    fract = np.random.default_rng(1).random((20, 3))
    fract[:2] = [[0, 0, 0], [0.5, 0, 0.5]]
    metric = UnitCell(9, 8, 7, 90, 100, 90).metric_tensor
    structure = gemmi.SmallStructure()
    structure.cell, structure.spacegroup_hm = gemmi.UnitCell(9, 8, 7, 90, 100, 90), "P 1 21/c 1"
    structure.setup_cell_images()
    cell = structure.cell
    places = [gemmi.Fractional(*x) for x in fract]
    many = np.tile(fract, (500, 1))
    offsets, metrics, groups = np.arange(0, 10001, 20), np.repeat(metric[None], 500, axis=0), [group] * 500
    one, batch = 200, 500

    def one_by_one() -> None:
        for _ in range(one):
            site_symmetries(group, fract, metric)

    def by_gemmi() -> None:
        for _ in range(one):
            for place in places:
                cell.is_special_position(place, 0.05)

    print("Site symmetry, a structure of 20 sites in P21/c")
    interleaved(
        ("site_symmetries: multiplicity, order, letter, coordinates", one, one_by_one),
        ("site_symmetries_of_entries, 500 structures in one call", batch,
         lambda: site_symmetries_of_entries(groups, offsets, many, metrics)),
        ("gemmi is_special_position: order alone", one, by_gemmi),
    )  # fmt: skip


def symmetry() -> None:
    """Space group of a file already met, and the least-oblique cell."""
    group = SpaceGroup.from_hm("P 1 21/n 1")
    cell = UnitCell(9, 7.2, 6.5, 90, 105, 90)
    n = 2000

    def repeat(call: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            for _ in range(n):
                call()

        return run

    triplets = list(group.operators)

    def by_gemmi() -> object:
        return gemmi.find_spacegroup_by_ops(gemmi.GroupOps([gemmi.Op(t) for t in triplets]))

    print("Space group, a file")
    interleaved(
        ("resolve_space_group, met before", n,
         repeat(lambda: resolve_space_group(group.operators, None, "P 1 21/n 1", "14", (90.0, 105.0, 90.0)))),
        ("gemmi find_spacegroup_by_ops", n, repeat(by_gemmi)),
        ("least_oblique_p21c", n, repeat(lambda: least_oblique_p21c(group, cell))),
    )  # fmt: skip


def main() -> None:
    """Print every table."""
    niggli()
    sites()
    symmetry()


if __name__ == "__main__":
    main()
