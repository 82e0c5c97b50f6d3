"""Permissible origins against ITA's tables, and what a shift does to F."""

from __future__ import annotations

from dataclasses import replace

import gemmi
import numpy as np
import pytest
from crystals import random_crystals

from xtalpriors.crystal.scattering import IndexBox, structure_factors
from xtalpriors.crystal.symmetry.origins import origin_phase_shifts, permissible_origins
from xtalpriors.crystal.symmetry.space_group import SpaceGroup

HALVES = {(x, y, z) for x in (0, 0.5) for y in (0, 0.5) for z in (0, 0.5)}
THIRDS = {(0, 0), (1 / 3, 2 / 3), (2 / 3, 1 / 3)}

# ITA vol. A, table 3.5.2.3 ff., column "additional generators, translations", and Giacovazzo, Fundamentals of
# Crystallography, tables 5.5-5.8: shifts modulo the lattice, and the polar directions
TABLE = [
    ("P 1", {(0, 0, 0)}, [(1, 0, 0), (0, 1, 0), (0, 0, 1)]),
    ("P -1", HALVES, []),
    ("P 1 21/c 1", HALVES, []),
    ("P 1 21/n 1", HALVES, []),
    ("P 1 21 1", {(0, 0, 0), (0.5, 0, 0), (0, 0, 0.5), (0.5, 0, 0.5)}, [(0, 1, 0)]),
    ("P 1 c 1", {(0, 0, 0), (0, 0.5, 0)}, [(1, 0, 0), (0, 0, 1)]),
    ("P 21 21 21", HALVES, []),
    ("P n m a", HALVES, []),
    ("P m n 21", {(0, 0, 0), (0.5, 0, 0), (0, 0.5, 0), (0.5, 0.5, 0)}, [(0, 0, 1)]),
    ("P 4/m", {(0, 0, 0), (0, 0, 0.5), (0.5, 0.5, 0), (0.5, 0.5, 0.5)}, []),
    ("P 4", {(0, 0, 0), (0.5, 0.5, 0)}, [(0, 0, 1)]),
    ("P 3", {(x, y, 0) for x, y in THIRDS}, [(0, 0, 1)]),
    ("P 3 1 2", {(x, y, z) for x, y in THIRDS for z in (0, 0.5)}, []),
    ("P 3 2 1", {(0, 0, 0), (0, 0, 0.5)}, []),
    ("P -3", {(0, 0, 0), (0, 0, 0.5)}, []),
    ("P 6/m", {(0, 0, 0), (0, 0, 0.5)}, []),
    ("P 6", {(0, 0, 0)}, [(0, 0, 1)]),
    ("R 3:R", {(0, 0, 0)}, [(1, 1, 1)]),
    ("R 3:H", {(0, 0, 0)}, [(0, 0, 1)]),
    ("P 2 3", {(0, 0, 0), (0.5, 0.5, 0.5)}, []),
    ("P m -3 m", {(0, 0, 0), (0.5, 0.5, 0.5)}, []),
    ("I m -3 m", {(0, 0, 0)}, []),
]
COUNTS = {
    "C 1 2/c 1": 4, "C 1 2/m 1": 4, "C m c m": 4, "I b a m": 4, "F d d d:2": 2, "F m m m": 2, "I -4": 4,
    "I 41/a:2": 2, "I -4 3 m": 1, "F -4 3 m": 4, "F d -3 m:2": 2, "F d -3 m:1": 2, "F m -3 m": 2,
    "I a -3 d": 1, "R -3:H": 2, "R -3:R": 2, "R -3 m:R": 2, "P -4": 4, "P -6": 6, "P 63/m m c": 2,
    "F 2 3": 4, "P n -3 m:2": 2,
}  # fmt: skip


def as_set(shifts: np.ndarray) -> set[tuple[float, ...]]:
    return {tuple(np.round(s, 6)) for s in shifts}


@pytest.mark.parametrize(("symbol", "shifts", "directions"), TABLE, ids=[row[0] for row in TABLE])
def test_origins_of_the_tables(
    symbol: str, shifts: set[tuple[float, ...]], directions: list[tuple[int, ...]]
) -> None:
    found = permissible_origins(SpaceGroup.from_hm(symbol))
    assert as_set(found.shifts) == {tuple(np.round(s, 6)) for s in shifts}
    assert {tuple(d) for d in found.directions.tolist()} == set(directions)
    assert np.all(found.shifts[0] == 0)


@pytest.mark.parametrize(("symbol", "count"), COUNTS.items())
def test_counts_of_origins_in_centred_and_cubic_groups(symbol: str, count: int) -> None:
    assert len(permissible_origins(SpaceGroup.from_hm(symbol)).shifts) == count


def test_every_shift_leaves_every_operator_as_it_is_in_all_groups() -> None:
    polar = 0
    for number in range(1, 231):
        group = SpaceGroup.from_number(number)
        found = permissible_origins(group)
        operators = {op.triplet() for op in gemmi.GroupOps([gemmi.Op(t) for t in group.operators])}
        for shift in [*found.shifts, *(0.37 * found.directions)]:
            moved = group.translations + (group.rotations - np.eye(3)) @ shift
            steps = np.rint(moved * gemmi.Op.DEN)
            assert np.abs(steps - moved * gemmi.Op.DEN).max() < 1e-6
            ops = [gemmi.Op(t) for t in group.operators]
            for op, tran in zip(ops, steps.astype(int).tolist(), strict=True):
                op.tran = tran
            assert {op.wrap().triplet() for op in ops} == operators
        polar += len(found.directions) > 0
    # the polar groups: of the ten polar crystal classes 1, 2, m, mm2, 3, 3m, 4, 4mm, 6, 6mm
    assert polar == 68


@pytest.mark.parametrize(
    "symbol", ["P 1 21/c 1", "P 21 21 21", "C 1 c 1", "I -4 2 d", "P 3 1 2", "R 3:R", "F -4 3 m"]
)
def test_a_shift_moves_phases_and_leaves_amplitudes(symbol: str) -> None:
    group = SpaceGroup.from_hm(symbol)
    crystals = random_crystals(group, 1, seed=6)
    box = IndexBox(-3, 3, -3, 3, -3, 3)
    hkl = box.miller_indices
    f = structure_factors(group, crystals, box, 1.2).ravel()
    found = permissible_origins(group)
    shifts = np.concatenate([found.shifts, 0.5 * found.directions]) if len(found.directions) else found.shifts
    assert len(shifts) > 1 and np.count_nonzero(np.abs(f) > 1) > 20
    turns = origin_phase_shifts(hkl, shifts)
    for shift, turn in zip(shifts, turns, strict=True):
        moved = structure_factors(group, replace(crystals, fract=crystals.fract - shift), box, 1.2).ravel()
        assert np.abs(moved - f * np.exp(-1j * turn)).max() < 1e-5 * np.abs(f).max()
    # the shifts are all different: no two move every reflection that is there alike
    seen = turns[:, np.abs(f) > 1e-3]
    assert len({tuple(np.round(t, 4)) for t in seen}) == len(shifts)


def test_phase_shifts_are_whole_half_turns_in_p21c() -> None:
    shifts = permissible_origins(SpaceGroup.from_hm("P 1 21/c 1")).shifts
    turns = origin_phase_shifts([[1, 0, 0], [1, 1, 1], [2, 4, 6], [-3, 2, 5]], shifts)
    assert set(np.unique(turns)) == {0.0, np.pi}
    assert np.all(turns[:, 2] == 0)
