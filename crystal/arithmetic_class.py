"""Point groups as integer matrices on a primitive lattice, and the integer changes of basis between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import numpy as np
import numpy.typing as npt

from xtalpriors.crystal.basis import ChangeOfBasis
from xtalpriors.crystal.integer import hermite_normal_form, smith_normal_form
from xtalpriors.crystal.niggli_kernel import reduce_metrics
from xtalpriors.crystal.triplets import DENOMINATOR, IDENTITY, Operator

__all__ = ["PrimitiveGroup", "Rotation", "Vector", "basis_changes", "point_group_signature"]

Rotation = tuple[int, ...]
Vector = tuple[Fraction, Fraction, Fraction]

SEARCH_RANGE = 2
"""Factors tried for each basis vector of the solutions; small ones do, as the lattices are reduced first."""


@dataclass(frozen=True, slots=True)
class PrimitiveGroup:
    """A space group on a primitive lattice.

    Attributes
    ----------
    rotations
        Translation of each rotation of the point group, in primitive axes.
    change
        Coordinates from the conventional to the primitive axes.
    """

    rotations: dict[Rotation, Vector]
    change: ChangeOfBasis

    @classmethod
    def from_operators(
        cls, operators: Iterable[Operator], change: ChangeOfBasis | None = None
    ) -> PrimitiveGroup | None:
        """From operators of a conventional cell; None where a rotation does not keep the lattice."""
        members = sorted(operators)
        if change is None:
            change = _to_primitive([t for r, t in members if r == IDENTITY[0]])
        back = change.inverse()
        rotations: dict[Rotation, Vector] = {}
        for r, t in members:
            moved = change.after(_as_change(r, t)).after(back)
            entries = [x for row in moved.rows for x in row]
            if any(x.denominator != 1 for x in entries):
                return None
            rotations[tuple(int(x) for x in entries)] = moved.shift
        return cls(rotations, change)

    def moved(self, linear: ChangeOfBasis) -> PrimitiveGroup:
        """On other axes of the same lattice (`linear` is unimodular)."""
        back = linear.inverse()
        rotations = {}
        for r, t in self.rotations.items():
            operator = ChangeOfBasis(_rows(r), t)
            moved = linear.after(operator).after(back)
            rotations[tuple(int(x) for row in moved.rows for x in row)] = moved.shift
        return PrimitiveGroup(rotations, linear.after(self.change))

    def reduced(self) -> PrimitiveGroup:
        """On axes that are short in a metric that the group itself leaves as it is: Σ RᵀR."""
        matrices = [np.array(r, dtype=np.float64).reshape(3, 3) for r in self.rotations]
        metric = sum((m.T @ m for m in matrices), np.zeros((3, 3)))[None]
        basis = np.eye(3)[None]
        reduce_metrics(metric, basis)
        return self.moved(ChangeOfBasis.from_matrix(np.linalg.inv(basis[0])))

    def generators(self) -> list[Rotation]:
        """A few rotations that generate the point group."""
        return _generators(list(self.rotations))


def point_group_signature(rotations: Iterable[Rotation]) -> tuple[tuple[int, int, int], ...]:
    """How many rotations of each determinant and trace: tells the 32 crystal classes apart."""
    counts = Counter((_determinant(r), r[0] + r[4] + r[8]) for r in set(rotations))
    return tuple(sorted((d, t, n) for (d, t), n in counts.items()))


def basis_changes(given: Collection[Rotation], wanted: Collection[Rotation]) -> Iterator[ChangeOfBasis]:
    """Unimodular U (determinant +1) with U R U⁻¹ in `wanted` for every R in `given`, the plainest first.

    Solves U h = g U for generators g of `wanted` and every choice of images h of the same kind in `given`.
    """
    generators = _generators(list(wanted))
    kinds: dict[tuple[int, int], list[Rotation]] = {}
    for r in sorted(given):
        kinds.setdefault((_determinant(r), r[0] + r[4] + r[8]), []).append(r)
    if all(r in (IDENTITY[0], _INVERSION) for r in wanted):
        yield ChangeOfBasis.from_matrix(np.eye(3))
        return
    target = set(wanted)
    found = set()
    choices = [kinds.get((_determinant(g), g[0] + g[4] + g[8]), []) for g in generators]
    for images in product(*choices):
        for u in _intertwiners(generators, images):
            inverse = np.rint(np.linalg.inv(u)).astype(np.int64)
            moved = {tuple((u @ np.array(r).reshape(3, 3) @ inverse).ravel().tolist()) for r in given}
            if moved == target:
                found.add(tuple(u.ravel().tolist()))
    for entries in sorted(found, key=lambda e: (sum(map(abs, e)), e)):
        yield ChangeOfBasis(_rows(entries), (Fraction(0), Fraction(0), Fraction(0)))


def _intertwiners(
    generators: Sequence[Rotation], images: Sequence[Rotation]
) -> Iterator[npt.NDArray[np.int64]]:
    """Matrices U of small factors with determinant 1 and U h = g U for each pair."""
    equations: list[list[int]] = []
    for g, h in zip(generators, images, strict=True):
        for i in range(3):
            for j in range(3):
                row = [0] * 9
                for k in range(3):
                    row[3 * i + k] += h[3 * k + j]
                    row[3 * k + j] -= g[3 * i + k]
                equations.append(row)
    _, diagonal, v, _ = smith_normal_form(equations)
    free = [k for k in range(9) if k >= len(diagonal) or not diagonal[k]]
    if not free:
        return
    basis = np.array([[v[i][k] for i in range(9)] for k in free])
    span = range(-SEARCH_RANGE, SEARCH_RANGE + 1)
    factors = np.array(list(product(span, repeat=len(free))))
    candidates = (factors @ basis).reshape(-1, 3, 3)
    determinants = np.rint(np.linalg.det(candidates.astype(np.float64)))
    yield from candidates[determinants == 1]


def _generators(rotations: list[Rotation]) -> list[Rotation]:
    """Rotations, those of high order first, until the group is complete."""
    chosen: list[Rotation] = []
    generated = {IDENTITY[0]}
    for r in sorted(rotations, key=lambda r: (-_order(r), r)):
        if r not in generated:
            chosen.append(r)
            generated = _generate(chosen)
    return chosen


def _generate(generators: Sequence[Rotation]) -> set[Rotation]:
    group = {IDENTITY[0]}
    pending = [IDENTITY[0]]
    while pending:
        element = pending.pop()
        for g in generators:
            member = _multiply(element, g)
            if member not in group and len(group) <= 48:
                group.add(member)
                pending.append(member)
    return group


def _order(r: Rotation) -> int:
    power, order = r, 1
    while power != IDENTITY[0] and order < 7:
        power, order = _multiply(power, r), order + 1
    return order


def _multiply(a: Rotation, b: Rotation) -> Rotation:
    return tuple(sum(a[3 * i + k] * b[3 * k + j] for k in range(3)) for i in range(3) for j in range(3))


def _determinant(r: Rotation) -> int:
    return (
        r[0] * (r[4] * r[8] - r[5] * r[7])
        - r[1] * (r[3] * r[8] - r[5] * r[6])
        + r[2] * (r[3] * r[7] - r[4] * r[6])
    )


_INVERSION = (-1, 0, 0, 0, -1, 0, 0, 0, -1)


def _rows(entries: Sequence[int]) -> tuple[Vector, Vector, Vector]:
    a, b, c, d, e, f, g, h, i = (Fraction(x) for x in entries)
    return (a, b, c), (d, e, f), (g, h, i)


def _as_change(r: Rotation, t: tuple[int, int, int]) -> ChangeOfBasis:
    x, y, z = (Fraction(v, DENOMINATOR) for v in t)
    return ChangeOfBasis(_rows(r), (x, y, z))


def _to_primitive(shifts: Sequence[tuple[int, int, int]]) -> ChangeOfBasis:
    """Coordinates on a primitive basis of the lattice of the axes and the pure translations."""
    axes = [[DENOMINATOR if i == j else 0 for j in range(3)] for i in range(3)]
    lattice, _ = hermite_normal_form([*axes, *(list(t) for t in shifts)])
    columns = [[Fraction(lattice[k][i], DENOMINATOR) for k in range(3)] for i in range(3)]
    zero = Fraction(0)
    return ChangeOfBasis(tuple(tuple(row) for row in columns), (zero, zero, zero)).inverse()  # type: ignore[arg-type]
