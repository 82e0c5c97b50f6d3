"""Point groups as integer matrices on a primitive lattice, and the integer changes of basis between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from xtalpriors.arrays import I64
from xtalpriors.crystal.cells.determinant import determinant
from xtalpriors.crystal.cells.niggli_kernel import reduce_metrics
from xtalpriors.crystal.symmetry.integer import lattice_basis, smith_normal_form
from xtalpriors.crystal.symmetry.triplets import DENOMINATOR, IDENTITY, Operator

__all__ = ["PrimitiveGroup", "Rotation", "Shift", "basis_changes", "point_group_signature"]

Rotation = tuple[int, ...]
Shift = tuple[int, int, int]

SEARCH_RANGE = 2
"""Factors tried for each basis vector of the solutions; small ones do, as the lattices are reduced first."""

_INVERSION = (-1, 0, 0, 0, -1, 0, 0, 0, -1)


@dataclass(frozen=True, slots=True)
class PrimitiveGroup:
    """A space group on a primitive lattice.

    Attributes
    ----------
    shifts
        Translation of each rotation of the point group on the primitive axes, in 1/`DENOMINATOR`.
    to_primitive
        T (3, 3), integers: x_primitive = T x_conventional.
    """

    shifts: dict[Rotation, Shift]
    to_primitive: I64

    @classmethod
    def from_operators(cls, operators: Iterable[Operator]) -> PrimitiveGroup | None:
        """From operators of a conventional cell; None where a rotation does not keep the lattice."""
        members = sorted(operators)
        columns = lattice_basis((t for r, t in members if r == IDENTITY[0]), DENOMINATOR)
        inverse = np.linalg.inv(columns)
        matrix = np.rint(inverse).astype(np.int64)
        rotations = np.array([r for r, _ in members], dtype=np.float64).reshape(-1, 3, 3)
        moved = inverse @ rotations @ columns
        if np.abs(moved - np.rint(moved)).max() > 1e-6:
            return None
        translations = np.array([t for _, t in members], dtype=np.int64)
        return cls(_table(np.rint(moved).astype(np.int64), translations @ matrix.T), matrix)

    def moved(self, linear: I64) -> PrimitiveGroup:
        """On other axes of the same lattice (`linear` is unimodular): x′ = U x."""
        rotations = np.array(list(self.shifts), dtype=np.int64).reshape(-1, 3, 3)
        translations = np.array(list(self.shifts.values()), dtype=np.int64)
        table = _table(linear @ rotations @ _inverse(linear), translations @ linear.T)
        return PrimitiveGroup(table, linear @ self.to_primitive)

    def reduced(self) -> PrimitiveGroup:
        """On axes that are short in a metric that the group itself leaves as it is: Σ RᵀR."""
        matrices = np.array(list(self.shifts), dtype=np.float64).reshape(-1, 3, 3)
        metric = np.einsum("nji,njk->ik", matrices, matrices)[None]
        basis = np.eye(3)[None]
        reduce_metrics(metric, basis)
        return self.moved(_inverse(np.rint(basis[0]).astype(np.int64)))

    def generators(self) -> list[Rotation]:
        """A few rotations that generate the point group."""
        return _generators(self.shifts)


def _table(rotations: I64, translations: I64) -> dict[Rotation, Shift]:
    shifts = (translations % DENOMINATOR).tolist()
    keys = rotations.reshape(-1, 9).tolist()
    return {tuple(r): (t[0], t[1], t[2]) for r, t in zip(keys, shifts, strict=True)}


def _inverse(unimodular: I64) -> I64:
    return np.rint(np.linalg.inv(unimodular)).astype(np.int64)


def point_group_signature(rotations: Iterable[Rotation]) -> tuple[tuple[int, int, int], ...]:
    """How many rotations of each determinant and trace: tells the 32 crystal classes apart."""
    counts = Counter(_kind(r) for r in set(rotations))
    return tuple(sorted((d, t, n) for (d, t), n in counts.items()))


def basis_changes(given: Collection[Rotation], wanted: Collection[Rotation]) -> Iterator[I64]:
    """Unimodular U (determinant +1) with U R U⁻¹ in `wanted` for every R in `given`, the plainest first.

    Solves U h = g U for generators g of `wanted` and every choice of images h of the same kind in `given`.
    The two groups have the same order, so what holds for the generators holds for all.
    """
    if all(r in (IDENTITY[0], _INVERSION) for r in wanted):
        yield np.eye(3, dtype=np.int64)
        return
    generators = _generators(wanted)
    kinds: dict[tuple[int, int], list[Rotation]] = {}
    for r in sorted(given):
        kinds.setdefault(_kind(r), []).append(r)
    found: set[Rotation] = set()
    for images in product(*(kinds.get(_kind(g), []) for g in generators)):
        if _same_products(generators, images):
            found.update(tuple(u.ravel().tolist()) for u in _intertwiners(generators, images))
    for entries in sorted(found, key=lambda e: (sum(map(abs, e)), e)):
        yield np.array(entries, dtype=np.int64).reshape(3, 3)


def _same_products(generators: Sequence[Rotation], images: Sequence[Rotation]) -> bool:
    """Products of two generators are of the same kind as those of their images, as they must be."""
    return all(
        _kind(_multiply(generators[i], generators[j])) == _kind(_multiply(images[i], images[j]))
        for i in range(len(generators))
        for j in range(i)
    )


def _intertwiners(generators: Sequence[Rotation], images: Sequence[Rotation]) -> I64:
    """Matrices U (n, 3, 3) of small factors with determinant 1 and U h = g U for each pair."""
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
        return np.empty((0, 3, 3), dtype=np.int64)
    basis = np.array([[v[i][k] for i in range(9)] for k in free])
    factors = np.array(list(product(range(-SEARCH_RANGE, SEARCH_RANGE + 1), repeat=len(free))))
    candidates = (factors @ basis).reshape(-1, 3, 3)
    determinants = np.rint(np.linalg.det(candidates.astype(np.float64)))
    chosen: I64 = candidates[determinants == 1]
    return chosen


def _generators(rotations: Iterable[Rotation]) -> list[Rotation]:
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
    a0, a1, a2, a3, a4, a5, a6, a7, a8 = a
    b0, b1, b2, b3, b4, b5, b6, b7, b8 = b
    return (
        a0 * b0 + a1 * b3 + a2 * b6, a0 * b1 + a1 * b4 + a2 * b7, a0 * b2 + a1 * b5 + a2 * b8,
        a3 * b0 + a4 * b3 + a5 * b6, a3 * b1 + a4 * b4 + a5 * b7, a3 * b2 + a4 * b5 + a5 * b8,
        a6 * b0 + a7 * b3 + a8 * b6, a6 * b1 + a7 * b4 + a8 * b7, a6 * b2 + a7 * b5 + a8 * b8,
    )  # fmt: skip


def _kind(r: Rotation) -> tuple[int, int]:
    """Determinant and trace: the type of rotation."""
    return determinant(r[0:3], r[3:6], r[6:9]), r[0] + r[4] + r[8]
