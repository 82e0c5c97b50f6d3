"""Number of a space group in a setting that gemmi's table lacks, and the way to the reference setting.

Most such settings are a listed one with another origin, so those are tried first (`_shifted_setting`). For
the rest (centred cells of odd shape, axes in any direction) an integer change of basis is sought to the point
group of each reference setting of the same class (`arithmetic_class`), and then an origin. Nothing is assumed
of the metric: the operators alone decide.

moyopy finds the same numbers but other changes of basis, so it does not take the place of this code: for Pnma
with its axes turned around and its origin moved by 1/4, 1/4, 0 (an entry of the AMCSD) moyopy's origin
exchanges the Wyckoff letters a and b; for no. 14 in a centred cell its axes have another β.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import product

import gemmi
import numpy as np

from xtalpriors.arrays import I64
from xtalpriors.crystal.symmetry.arithmetic_class import (
    PrimitiveGroup,
    Rotation,
    basis_changes,
    point_group_signature,
)
from xtalpriors.crystal.symmetry.basis import ChangeOfBasis
from xtalpriors.crystal.symmetry.integer import Matrix, smith_normal_form
from xtalpriors.crystal.symmetry.triplets import DENOMINATOR, IDENTITY, Operator, parse_triplet

__all__ = ["identify", "search_by_class"]

Signature = tuple[tuple[int, int, int], ...]
Vector = tuple[Fraction, Fraction, Fraction]


def identify(operators: frozenset[Operator]) -> tuple[int, ChangeOfBasis] | None:
    """Number of a group, and the change of coordinates to the reference setting of that number.

    None where the operators, though closed, are not those of a space group: their rotations belong to no
    crystal class.
    """
    return _shifted_setting(operators) or search_by_class(operators)


@dataclass(frozen=True, slots=True)
class _Target:
    """A group whose origin others are to be brought to.

    The equations for a shift s, t + (I − R) s ≡ t_target modulo the lattice for generators R, differ only in
    their right-hand sides from group to group: the Smith form of the left is made once.
    """

    number: int
    group: PrimitiveGroup
    generators: list[Rotation]
    left: Matrix
    diagonal: list[int]
    right: Matrix

    @classmethod
    def of(cls, number: int, group: PrimitiveGroup) -> _Target:
        """A target with the equations for a shift already solved on the left."""
        generators = group.generators()
        rows = [[int(i == j) - r[3 * i + j] for j in range(3)] for r in generators for i in range(3)]
        left, diagonal, right, _ = smith_normal_form(rows or [[0, 0, 0]])
        return cls(number, group, generators, left, diagonal, right)

    def shift_from(self, given: PrimitiveGroup, linear: I64) -> Vector | None:
        """Shift s with x_target = U x_given + s on the primitive axes; None where no shift will do.

        Of several the plainest is taken, seen on the conventional axes of the target.
        """
        differences: list[int] = []
        inverse = np.rint(np.linalg.inv(linear)).astype(np.int64)
        for r in self.generators:
            source = inverse @ np.array(r).reshape(3, 3) @ linear
            shift = given.shifts.get(tuple(source.ravel().tolist()))
            if shift is None:
                return None
            moved = (linear @ np.array(shift)).tolist()
            differences += [t - m for t, m in zip(self.group.shifts[r], moved, strict=True)]
        differences = differences or [0]
        image = [sum(a * b for a, b in zip(row, differences, strict=True)) for row in self.left]
        solved = [i for i, d in enumerate(self.diagonal) if d]
        if any(image[i] % DENOMINATOR for i in range(len(image)) if i not in solved):
            return None
        cell = DENOMINATOR
        choices = [
            [Fraction(image[i] + k * cell, self.diagonal[i] * cell) for k in range(self.diagonal[i])]
            for i in solved
        ]
        points = []
        for values in product(*choices):
            x, y, z = (
                sum((self.right[i][k] * v for k, v in zip(solved, values, strict=True)), Fraction(0)) % 1
                for i in range(3)
            )
            points.append((x, y, z))
        return min(points, key=lambda p: _plainness(p, self.group))


def _plainness(point: Vector, group: PrimitiveGroup) -> tuple[float, ...]:
    """Sorts shifts so that those along few axes and of small denominators come first."""
    seen = np.linalg.solve(group.to_primitive, [float(v) for v in point])
    fractions = [Fraction(float(v)).limit_denominator(DENOMINATOR) for v in seen]
    return (sum(v != 0 for v in fractions), sum(v.denominator for v in fractions), *map(float, fractions))


def _change(given: PrimitiveGroup, linear: I64, shift: Vector, target: PrimitiveGroup) -> ChangeOfBasis:
    """Change between conventional axes whose primitive coordinates are related by U x + s."""
    zero = Fraction(0)
    on_primitive = ChangeOfBasis(ChangeOfBasis.from_matrix(linear).rows, shift)
    to_given = ChangeOfBasis(ChangeOfBasis.from_matrix(given.to_primitive).rows, (zero, zero, zero))
    to_target = ChangeOfBasis(ChangeOfBasis.from_matrix(target.to_primitive).rows, (zero, zero, zero))
    return to_target.inverse().after(on_primitive).after(to_given)


def _shifted_setting(operators: frozenset[Operator]) -> tuple[int, ChangeOfBasis] | None:
    """A listed setting with the same rotations and centring, but another origin."""
    given = PrimitiveGroup.from_operators(operators)
    if given is None:
        return None
    identity = np.eye(3, dtype=np.int64)
    for target, basisop in _settings_by_axes().get(_axes_key(operators), []):
        shift = target.shift_from(given, identity)
        if shift is not None:
            reference = ChangeOfBasis.from_triplet(basisop).inverse()
            return target.number, reference.after(_change(given, identity, shift, target.group))
    return None


def _axes_key(operators: frozenset[Operator]) -> object:
    centring = frozenset(t for r, t in operators if r == IDENTITY[0])
    return frozenset(r for r, _ in operators), centring


@lru_cache(maxsize=1)
def _settings_by_axes() -> dict[object, list[tuple[_Target, str]]]:
    """Listed settings, with their change from the reference setting, by their rotations and centring."""
    table: dict[object, list[tuple[_Target, str]]] = {}
    for setting in gemmi.spacegroup_table():
        operators = _operators_of(setting)
        group = PrimitiveGroup.from_operators(operators)
        if group is not None:
            entry = (_Target.of(setting.number, group), setting.basisop.triplet())
            table.setdefault(_axes_key(operators), []).append(entry)
    return table


def _operators_of(setting: gemmi.SpaceGroup) -> frozenset[Operator]:
    return frozenset(parse_triplet(op.triplet()) for op in setting.operations())


def search_by_class(operators: frozenset[Operator]) -> tuple[int, ChangeOfBasis] | None:
    """`identify` by the search over the reference settings of the same crystal class alone."""
    primitive = PrimitiveGroup.from_operators(operators)
    if primitive is None:
        return None
    given = primitive.reduced()
    tried: dict[frozenset[Rotation], list[I64]] = {}
    for target in _references(point_group_signature(given.shifts)):
        key = frozenset(target.group.shifts)
        if key not in tried:
            tried[key] = list(basis_changes(given.shifts, target.group.shifts))
        for linear in tried[key]:
            shift = target.shift_from(given, linear)
            if shift is not None:
                return target.number, _change(given, linear, shift, target.group)
    return None


def _references(signature: Signature) -> Iterator[_Target]:
    for number in _numbers_by_signature().get(signature, ()):
        yield _reference(number)


@lru_cache(maxsize=256)
def _reference(number: int) -> _Target:
    group = PrimitiveGroup.from_operators(_operators_of(gemmi.get_spacegroup_reference_setting(number)))
    if group is None:
        raise AssertionError(f"reference setting {number} does not keep its own lattice")
    return _Target.of(number, group.reduced())


@lru_cache(maxsize=1)
def _numbers_by_signature() -> dict[Signature, list[int]]:
    table: dict[Signature, list[int]] = {}
    for number in range(1, 231):
        operators = _operators_of(gemmi.get_spacegroup_reference_setting(number))
        table.setdefault(point_group_signature(r for r, _ in operators), []).append(number)
    return table
