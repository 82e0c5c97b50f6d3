"""Symmetry operators in the kernels' fixed-point arithmetic."""

from __future__ import annotations

import numpy as np

from xtalpriors.arrays import I64
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.generator.specification.kernel_inputs import SymmetryTable

__all__ = ["operator_order", "symmetry_table"]


def operator_order(group: SpaceGroup) -> I64:
    """Order of the operators in the kernels: the identity, the other pure translations, then the rest."""
    pure = np.all(group.rotations == np.eye(3, dtype=int), axis=(1, 2))
    return np.asarray(np.argsort(~pure, kind="stable"), np.int64)


def symmetry_table(group: SpaceGroup) -> SymmetryTable:
    """Operators with translations in units of 2^-32 of an axis."""
    order = operator_order(group)
    pure = np.all(group.rotations == np.eye(3, dtype=int), axis=(1, 2))
    translations = np.round(group.translations[order] * 2.0**32).astype(np.int64).astype(np.int32)
    translations = np.ascontiguousarray(translations.T)
    rotations = np.ascontiguousarray(group.rotations[order].reshape(group.order, 9).T, dtype=np.int32)
    return SymmetryTable(rotations, translations, int(pure.sum()))
