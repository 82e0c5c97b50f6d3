"""Completing a list of operators to a group, and saying why a list of operators is not a group."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from xtalpriors.arrays import I64
from xtalpriors.crystal.cells.determinant import determinant
from xtalpriors.crystal.symmetry.triplets import DENOMINATOR, IDENTITY, Operator, compose, format_triplet

__all__ = ["MAX_ORDER", "NotAGroupError", "check_group", "close_group"]

MAX_ORDER = 192
"""Order of the largest space group of a conventional cell (F centred m-3m)."""

_LARGEST_ENTRY = 15
"""Largest entry of a rotation told apart in `_is_closed`; those of listed settings are −1, 0 or 1."""


class NotAGroupError(ValueError):
    """Raised for operators that do not form a space group; `code` says why."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def close_group(operators: Iterable[Operator], limit: int = MAX_ORDER) -> frozenset[Operator] | None:
    """Smallest group modulo lattice translations with these operators; None where it exceeds `limit`."""
    generators: list[Operator] = []
    group = {IDENTITY}
    for operator in sorted(operators):
        if operator in group:
            continue
        generators.append(operator)
        pending = [operator, *group]
        group.add(operator)
        while pending:
            element = pending.pop()
            for generator in generators:
                member = compose(element, generator)
                if member not in group:
                    group.add(member)
                    pending.append(member)
                    if len(group) > limit:
                        return None
    return frozenset(group)


def check_group(operators: frozenset[Operator]) -> None:
    """Raise NotAGroupError unless the operators are a group of at most 192 modulo the lattice."""
    if len(operators) > MAX_ORDER:
        raise NotAGroupError("too-many", f"{len(operators)} operators, but no group has over {MAX_ORDER}")
    if IDENTITY not in operators:
        raise NotAGroupError("no-identity", "the identity x,y,z is not among the operators")
    for operator in sorted(operators):
        r = operator[0]
        if abs(determinant(r[0:3], r[3:6], r[6:9])) != 1:
            raise NotAGroupError("not-invertible", f"{format_triplet(operator)} is no symmetry operator")
    if not _is_closed(operators):
        raise NotAGroupError("not-closed", f"the {len(operators)} operators are not closed under composition")


def _is_closed(operators: frozenset[Operator]) -> bool:
    """All products of two operators are operators (in arrays: 192 of them have 36,864 products)."""
    members = sorted(operators)
    r = np.array([op[0] for op in members], dtype=np.int64).reshape(-1, 3, 3)
    t = np.array([op[1] for op in members], dtype=np.int64)
    if np.abs(r).max() > _LARGEST_ENTRY:
        return False
    products = np.einsum("aij,bjk->abik", r, r).reshape(-1, 9)
    shifts = ((np.einsum("aij,bj->abi", r, t) + t[:, None]) % DENOMINATOR).reshape(-1, 3)
    known, wanted = _rotation_keys(r.reshape(-1, 9)), _rotation_keys(products)
    kinds = np.unique(known)
    place = np.minimum(np.searchsorted(kinds, wanted), len(kinds) - 1)
    if (kinds[place] != wanted).any():
        return False
    units = DENOMINATOR ** np.arange(4, dtype=np.int64)
    full = np.searchsorted(kinds, known) * units[3] + t @ units[:3]
    return bool(np.isin(place * units[3] + shifts @ units[:3], full).all())


def _rotation_keys(rotations: I64) -> I64:
    """One number for each rotation (n, 9); −1 where an entry is too large for a member."""
    inside = np.abs(rotations).max(axis=1) <= _LARGEST_ENTRY
    powers = (2 * _LARGEST_ENTRY + 1) ** np.arange(9, dtype=np.int64)
    keys: I64 = np.where(inside, (rotations + _LARGEST_ENTRY) @ powers, -1)
    return keys
