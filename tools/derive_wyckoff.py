"""Derive the table of Wyckoff positions of the 230 space groups from their operators.

`python tools/derive_wyckoff.py` writes `crystal/wyckoff/wyckoff.tsv`. Positions,
multiplicities, orders of the site symmetry and the sets equivalent under origin shifts follow from the
operators of gemmi's reference settings alone: every position is an orbit of intersections of the fixed
points, lines and planes of the operators. Only the *letters* are a convention of International Tables A that
no rule gives; they are taken, position by position, from cctbx's table (a test dependency, run in a process
of its own because cctbx and gemmi do not live together), and tests compare them with moyopy's.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from xtalpriors.crystal.symmetry.basis import ChangeOfBasis
from xtalpriors.crystal.symmetry.integer import congruence_solutions
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.crystal.symmetry.triplets import DENOMINATOR, IDENTITY, Operator, parse_triplet
from xtalpriors.crystal.wyckoff.subspaces import (
    Subspace,
    fixed_subspaces,
    image,
    intersections,
    parametrize,
    subspace_of,
)

TABLE = Path(__file__).resolve().parents[1] / "crystal" / "wyckoff" / "wyckoff.tsv"

__all__ = ["Position", "derive_positions", "main", "shift_classes"]


class Position(NamedTuple):
    """A Wyckoff position as derived: its orbit of subspaces, and the order of the site symmetry group."""

    orbit: frozenset[Subspace]
    order: int
    representative: Subspace


def derive_positions(operators: Sequence[Operator]) -> list[Position]:
    """Wyckoff positions of a group, the general one last, by falling order of the site symmetry."""
    fixed = sorted({s for op in operators if op != IDENTITY for s in fixed_subspaces(op)})
    whole = Subspace((), ())
    seen: set[Subspace] = set()
    positions: list[Position] = []
    pending = [whole, *fixed]
    while pending:
        candidate = pending.pop()
        if candidate in seen:
            continue
        orbit = frozenset(image(candidate, op) for op in operators)
        seen |= orbit
        order = sum(_is_fixed(candidate, op) for op in operators)
        positions.append(Position(orbit, order, min(orbit, key=_plainness)))
        if candidate.rows and candidate.degrees_of_freedom:
            for other in fixed:
                pending += [s for s in intersections(candidate, other) if s not in seen]
    return sorted(positions, key=lambda p: (-p.order, _plainness(p.representative)))


def _is_fixed(subspace: Subspace, operator: Operator) -> bool:
    """The operator maps each point of the subspace onto itself modulo the lattice."""
    affine = parametrize(subspace)
    r, t = operator
    for d in affine.directions:
        if any(sum(r[3 * i + k] * d[k] for k in range(3)) != d[i] for i in range(3)):
            return False
    p = affine.point
    moved = [
        sum((r[3 * i + k] * p[k] for k in range(3)), Fraction(t[i], DENOMINATOR)) - p[i] for i in range(3)
    ]
    return all(x.denominator == 1 for x in moved)


def _plainness(subspace: Subspace) -> tuple[object, ...]:
    """Sorts the images of a position so that (x, x, 0) comes before (-x, x+1/2, 3/4)."""
    affine = parametrize(subspace)
    entries = [x for d in affine.directions for x in d]
    large = sum(abs(x) > 1 for x in entries)
    negative = sum(x < 0 for x in entries)
    mixed = sum(1 for i in range(3) if affine.point[i] and any(d[i] for d in affine.directions))
    return (large + negative + mixed, sum(affine.point), affine.point[::-1], affine.directions)


def triplet_of(subspace: Subspace) -> str:
    """Representative of a subspace as a triplet in its free coordinates, such as `x,x,1/4`."""
    affine = parametrize(subspace)
    columns = [[0, 0, 0], [0, 0, 0], [0, 0, 0]]
    for direction in affine.directions:
        pivot = next(
            i
            for i in range(3)
            if direction[i] == 1 and all(d[i] == 0 for d in affine.directions if d is not direction)
        )
        columns[pivot] = list(direction)
    rows = tuple(tuple(Fraction(columns[j][i]) for j in range(3)) for i in range(3))
    return ChangeOfBasis(rows, affine.point).triplet  # type: ignore[arg-type]


def shift_classes(operators: Sequence[Operator], positions: Sequence[Position]) -> list[int]:
    """Class of each position under the origin shifts that leave the group as it is.

    Those shifts s solve (R − I) s ≡ 0 modulo the lattice, centring included, for every operator: the
    translations of the Euclidean normalizer (ITA vol. A, 3.5). Continuous shifts (polar groups) join nothing:
    they move a position along itself.
    """
    centring = [t for r, t in operators if r == IDENTITY[0]]
    shifts = _normalizer_shifts(operators, centring)
    moves: list[Operator] = [(IDENTITY[0], s) for s in shifts]
    classes = list(range(len(positions)))
    for i, position in enumerate(positions):
        for move in moves:
            moved = image(position.representative, move)
            j = next((k for k, other in enumerate(positions) if moved in other.orbit), None)
            if j is not None and classes[j] != classes[i]:
                low, high = sorted((classes[i], classes[j]))
                classes = [low if c == high else c for c in classes]
    return classes


def _normalizer_shifts(
    operators: Sequence[Operator], centring: Sequence[tuple[int, int, int]]
) -> list[tuple[int, int, int]]:
    """Discrete shifts of the normalizer modulo the lattice of the axes."""
    found = {(0, 0, 0)}
    rotations = sorted({r for r, _ in operators} - {IDENTITY[0]})
    spaces = [Subspace((), ())]
    for r in rotations:
        matrix = [[r[3 * i + j] - int(i == j) for j in range(3)] for i in range(3)]
        solutions = []
        for vector in centring:
            right = [Fraction(x, DENOMINATOR) for x in vector]
            solutions += [subspace_from(rows, c) for rows, c in congruence_solutions(matrix, right)]
        spaces = sorted({part for s in spaces for t in solutions for part in intersections(s, t)})
    for space in spaces:
        point = parametrize(space).point
        scaled = [x * DENOMINATOR for x in point]
        if all(x.denominator == 1 for x in scaled):
            found.add((int(scaled[0]), int(scaled[1]), int(scaled[2])))
    return sorted(found)


def subspace_from(rows: Sequence[Sequence[int]], right: Sequence[Fraction]) -> Subspace:
    """A subspace from any of its systems of equations."""
    return intersections(Subspace((), ()), Subspace(tuple(map(tuple, rows)), tuple(right)))[0]


_LETTER_CORRECTIONS = {(224, "i"): "j", (224, "j"): "i"}
"""cctbx exchanges 24i and 24j of Pn-3m against the Bilbao Crystallographic Server, pyxtal and moyopy, which
give 24i as 1/2,y,y+1/2 and 24j as 1/2,y,-y (origin choice 2). The other 1,729 positions agree."""

_CCTBX = """
import json
from cctbx import sgtbx
answer = {}
for number in range(1, 231):
    group = sgtbx.space_group_info(number=number)
    table = group.wyckoff_table()
    change = group.change_of_basis_op_to_reference_setting()
    assert change.is_identity_op(), number
    rows = []
    for i in range(table.size()):
        p = table.position(i)
        rows.append([p.letter(), p.multiplicity(), str(p.special_op())])
    answer[number] = {"positions": rows}
print(json.dumps(answer))
"""


def letters_from_cctbx(timeout_seconds: float = 300.0) -> dict[int, list[tuple[str, int, str]]]:
    """Letters, multiplicities and special-position operators of cctbx's table, run in another process."""
    run = subprocess.run(
        [sys.executable, "-c", _CCTBX], capture_output=True, text=True, timeout=timeout_seconds, check=True
    )
    return {
        int(number): [
            (_LETTER_CORRECTIONS.get((int(number), letter), letter), multiplicity, special)
            for letter, multiplicity, special in entry["positions"]
        ]
        for number, entry in json.loads(run.stdout).items()
    }


def _special_subspace(special_operator: str) -> Subspace:
    """The points that a special-position operator projects on."""
    operator = ChangeOfBasis.from_triplet(special_operator)
    columns = [tuple(operator.rows[i][j] for i in range(3)) for j in range(3)]
    independent: list[tuple[Fraction, ...]] = []
    for column in columns:
        if any(column) and _independent([*independent, column]):
            independent.append(column)
    return subspace_of(independent, operator.shift)


def _independent(vectors: Sequence[Sequence[Fraction]]) -> bool:
    """The vectors (at most three) are linearly independent."""
    rows = [list(v) for v in vectors]
    rank = 0
    for j in range(3):
        pivot = next((i for i in range(rank, len(rows)) if rows[i][j]), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        for i in range(rank + 1, len(rows)):
            factor = rows[i][j] / rows[rank][j]
            rows[i] = [x - factor * y for x, y in zip(rows[i], rows[rank], strict=True)]
        rank += 1
    return rank == len(rows)


def table_lines(number: int, letters: Sequence[tuple[str, int, str]]) -> list[str]:
    """Lines of the table for one group, by letter; ValueError where the letters do not fit the positions."""
    group = SpaceGroup.from_number(number)
    operators = [parse_triplet(t) for t in group.operators]
    positions = derive_positions(operators)
    classes = shift_classes(operators, positions)
    by_position: dict[int, str] = {}
    for letter, multiplicity, special in letters:
        target = _special_subspace(special)
        match = [i for i, p in enumerate(positions) if target in p.orbit]
        if len(match) != 1 or group.order // positions[match[0]].order != multiplicity:
            raise ValueError(f"group {number}: {multiplicity}{letter} {special} is no derived position")
        by_position[match[0]] = "A" if letter == "@" else letter
    if len(by_position) != len(positions):
        raise ValueError(f"group {number}: {len(positions)} positions derived, {len(by_position)} lettered")
    order = sorted(by_position, key=lambda i: (by_position[i] == "A", by_position[i]))
    sets: dict[int, str] = {}
    for i in order:
        sets.setdefault(classes[i], by_position[i])
    return [
        f"{number}\t{by_position[i]}\t{positions[i].order}\t{sets[classes[i]]}\t"
        f"{triplet_of(positions[i].representative)}"
        for i in order
    ]


HEADER = "number\tletter\tsite_symmetry_order\tset\trepresentative"


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(prog="python tools/derive_wyckoff.py", description=main.__doc__)
    parser.add_argument(
        "--output",
        type=Path,
        default=TABLE,
    )
    output: Path = parser.parse_args(arguments).output
    letters = letters_from_cctbx()
    lines = [HEADER]
    for number in range(1, 231):
        lines += table_lines(number, letters[number])
    output.write_text("\n".join(lines) + "\n", encoding="ascii", newline="\n")


if __name__ == "__main__":
    main()
