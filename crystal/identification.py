"""Number of a space group in a setting that gemmi's table does not list.

Most such settings are a listed one with another origin, so those are tried first (`_shifted_setting`). For
the rest (centred cells of odd shape, axes in any direction) an integer change of basis is sought to the point
group of each reference setting of the same class (`arithmetic_class`), and then an origin. Nothing is assumed
of the metric: the operators alone decide.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache

import gemmi

from xtalpriors.crystal.arithmetic_class import (
    PrimitiveGroup,
    Rotation,
    Vector,
    basis_changes,
    point_group_signature,
)
from xtalpriors.crystal.basis import ChangeOfBasis
from xtalpriors.crystal.integer import congruence_solutions
from xtalpriors.crystal.subspaces import Subspace, intersections, parametrize
from xtalpriors.crystal.triplets import IDENTITY, Operator, parse_triplet

__all__ = ["identify", "origin_shift"]

Signature = tuple[tuple[int, int, int], ...]
_ZERO = (Fraction(0), Fraction(0), Fraction(0))


def identify(operators: frozenset[Operator]) -> tuple[int, ChangeOfBasis] | None:
    """Number of a group, and the change of coordinates to the reference setting of that number.

    None where no space group has these operators: closed as they are, no crystal class has their rotations.
    """
    return _shifted_setting(operators) or _by_arithmetic_class(operators)


def _shifted_setting(operators: frozenset[Operator]) -> tuple[int, ChangeOfBasis] | None:
    """A listed setting with the same rotations and centring, but another origin."""
    settings = _settings_by_axes().get(_axes_key(operators), [])
    given = PrimitiveGroup.from_operators(operators) if settings else None
    for setting in settings:
        listed = PrimitiveGroup.from_operators(_operators_of(setting))
        if given is None or listed is None:
            continue
        shift = origin_shift(given, listed)
        if shift is not None:
            reference = ChangeOfBasis.from_triplet(setting.basisop.inverse().triplet())
            return int(setting.number), reference.after(_conventional(given, listed, shift))
    return None


def _conventional(given: PrimitiveGroup, wanted: PrimitiveGroup, shift: Vector) -> ChangeOfBasis:
    """Change between the conventional axes of two groups that are a shift apart on their primitive axes."""
    identity = given.change.after(given.change.inverse())
    return wanted.change.inverse().after(ChangeOfBasis(identity.rows, shift)).after(given.change)


def _axes_key(operators: frozenset[Operator]) -> tuple[frozenset[Rotation], frozenset[tuple[int, int, int]]]:
    centring = frozenset(t for r, t in operators if r == IDENTITY[0])
    return frozenset(r for r, _ in operators), centring


@lru_cache(maxsize=1)
def _settings_by_axes() -> dict[object, list[gemmi.SpaceGroup]]:
    """Listed settings by their rotations and centring."""
    table: dict[object, list[gemmi.SpaceGroup]] = {}
    for setting in gemmi.spacegroup_table():
        table.setdefault(_axes_key(_operators_of(setting)), []).append(setting)
    return table


def _operators_of(setting: gemmi.SpaceGroup) -> frozenset[Operator]:
    return frozenset(parse_triplet(op.triplet()) for op in setting.operations())


def _by_arithmetic_class(operators: frozenset[Operator]) -> tuple[int, ChangeOfBasis] | None:
    """Search over the reference settings of the same crystal class."""
    primitive = PrimitiveGroup.from_operators(operators)
    if primitive is None:
        return None
    given = primitive.reduced()
    tried: dict[frozenset[Rotation], list[PrimitiveGroup]] = {}
    for number, reference in _references(point_group_signature(given.rotations)):
        key = frozenset(reference.rotations)
        if key not in tried:
            changes = basis_changes(given.rotations, reference.rotations)
            tried[key] = [given.moved(linear) for linear in changes]
        for turned in tried[key]:
            shift = origin_shift(turned, reference)
            if shift is not None:
                return number, _conventional(turned, reference, shift)
    return None


def _references(signature: Signature) -> Iterator[tuple[int, PrimitiveGroup]]:
    for number in _numbers_by_signature().get(signature, ()):
        setting = gemmi.get_spacegroup_reference_setting(number)
        primitive = PrimitiveGroup.from_operators(_operators_of(setting))
        if primitive is not None:
            yield number, primitive.reduced()


@lru_cache(maxsize=1)
def _numbers_by_signature() -> dict[Signature, list[int]]:
    table: dict[Signature, list[int]] = {}
    for number in range(1, 231):
        operators = _operators_of(gemmi.get_spacegroup_reference_setting(number))
        table.setdefault(point_group_signature(r for r, _ in operators), []).append(number)
    return table


def origin_shift(given: PrimitiveGroup, wanted: PrimitiveGroup) -> Vector | None:
    """Shift s with x_wanted = x_given + s, in the primitive axes that two groups share; None without one.

    t + (I − R) s ≡ t_wanted modulo the lattice, for generators R. Of several solutions the plainest is taken.
    """
    if given.rotations.keys() != wanted.rotations.keys():
        return None
    rows: list[list[int]] = []
    right: list[Fraction] = []
    for r in given.generators():
        t, target = given.rotations[r], wanted.rotations[r]
        for i in range(3):
            rows.append([int(i == j) - r[3 * i + j] for j in range(3)])
            right.append(target[i] - t[i])
    if not rows:
        return _ZERO
    points: list[Vector] = []
    for n, c in congruence_solutions(rows, right):
        system = Subspace(tuple(tuple(row) for row in n), tuple(c))
        points.append(parametrize(intersections(Subspace((), ()), system)[0]).point)
    return min(points, key=lambda p: _plainness(p, wanted)) if points else None


def _plainness(point: Vector, group: PrimitiveGroup) -> tuple[object, ...]:
    """Sorts shifts so that those along few axes with small denominators come first."""
    shift = ChangeOfBasis(group.change.inverse().rows, _ZERO)
    x, y, z = (sum((a * b for a, b in zip(row, point, strict=True)), Fraction(0)) for row in shift.rows)
    return sum(v != 0 for v in (x, y, z)), sum(v.denominator for v in (x, y, z)), (x, y, z)
