"""Site symmetry of atoms: multiplicity, order of the site symmetry group, Wyckoff letter, exact coordinates.

What files declare as multiplicity is usually the order; here both come from the operators, and
multiplicity × order = order of the group always.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import F64, I16, I64
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.crystal.wyckoff.site_symmetry_kernel import find_site_symmetries
from xtalpriors.crystal.wyckoff.table import WyckoffPosition, wyckoff_positions

__all__ = ["TOLERANCE_ANGSTROM", "SiteSymmetries", "site_symmetries", "site_symmetries_of_entries"]


TOLERANCE_ANGSTROM = 0.05
"""A site is on an operator's fixed set when the operator moves it by less than this.

Published coordinates leave a gap there: rounding moves a site by up to 0.015 Å, sites split about a special
position lie 0.1 Å and more from their image (AMCSD and COD: tests/crystal/test_site_symmetry.py counts them).
"""


class SiteSymmetries(NamedTuple):
    """Site symmetry of m sites.

    Attributes
    ----------
    multiplicity
        (m,) int16, points per cell; 0 where a coordinate or the cell is NaN.
    order
        (m,) int16, order of the site symmetry group; 0 as above.
    letter
        (m,) one-character strings, the Wyckoff letter; empty as above.
    fract
        (m, 3) coordinates, those of special sites moved onto the fixed set of their site symmetry group; they
        stay beside the atom given (not wrapped into the cell).
    """

    multiplicity: I16
    order: I16
    letter: npt.NDArray[np.str_]
    fract: F64


def site_symmetries(
    group: SpaceGroup,
    fract: npt.ArrayLike,
    metric: npt.ArrayLike,
    tolerance_angstrom: float = TOLERANCE_ANGSTROM,
) -> SiteSymmetries:
    """Site symmetries of the sites of one structure.

    Parameters
    ----------
    group
        The space group, in the setting of the coordinates.
    fract
        (m, 3) fractional coordinates; NaN is allowed and gives 0 and empty marks.
    metric
        (3, 3) metric tensor in Å².
    tolerance_angstrom
        Largest distance between a site and its image by an operator of its site symmetry group. Where the
        operators found do not form a group, the tolerance is lowered for that site until they do.
    """
    sites = np.ascontiguousarray(fract, dtype=np.float64).reshape(-1, 3)
    bounds = np.array([[0, len(sites)]])
    metrics = np.asarray(metric, dtype=np.float64).reshape(1, 3, 3)
    return _run(np.array([_TABLES.index(group)]), bounds, sites, metrics, tolerance_angstrom)


def site_symmetries_of_entries(
    groups: Sequence[SpaceGroup],
    offsets: npt.ArrayLike,
    fract: npt.ArrayLike,
    metrics: npt.ArrayLike,
    tolerance_angstrom: float = TOLERANCE_ANGSTROM,
) -> SiteSymmetries:
    """Site symmetries of many structures in one call.

    Parameters
    ----------
    groups
        n space groups.
    offsets
        (n + 1,): structure i has the sites offsets[i] to offsets[i + 1]. Or (n, 2), where the sites of each
        begin and end, if they do not lie one after the other: what is in no structure is marked as NaN is.
    fract
        (m, 3) coordinates of all structures.
    metrics
        (n, 3, 3) metric tensors in Å².
    tolerance_angstrom
        As in `site_symmetries`.
    """
    index = np.array([_TABLES.index(group) for group in groups], dtype=np.int64)
    sites = np.ascontiguousarray(fract, dtype=np.float64).reshape(-1, 3)
    tensors = np.ascontiguousarray(metrics, dtype=np.float64).reshape(-1, 3, 3)
    bounds = np.asarray(offsets, dtype=np.int64)
    if bounds.ndim == 1:
        bounds = np.stack([bounds[:-1], bounds[1:]], axis=1)
    return _run(index, bounds, sites, tensors, tolerance_angstrom)


def _run(index: I64, bounds: I64, fract: F64, metrics: F64, tolerance: float) -> SiteSymmetries:
    n = len(fract)
    multiplicity, order = np.zeros(n, dtype=np.int16), np.zeros(n, dtype=np.int16)
    code, snapped = np.zeros(n, dtype=np.int32), fract.copy()
    find_site_symmetries(
        index, bounds, fract, metrics, tolerance, *_TABLES.arrays(), multiplicity, order, code, snapped
    )
    return SiteSymmetries(multiplicity, order, code.view("<U1"), snapped)


class _Tables:
    """Operators and Wyckoff subspaces of the groups met so far, laid end to end for the kernel."""

    def __init__(self) -> None:
        self._indices: dict[SpaceGroup, int] = {}
        self._parts: list[tuple[npt.NDArray[np.generic], ...]] = []
        self._arrays: tuple[npt.NDArray[np.generic], ...] | None = None

    def index(self, group: SpaceGroup) -> int:
        """Place of a group in the tables."""
        found = self._indices.get(group)
        if found is None:
            self._parts.append(_group_tables(group))
            self._arrays = None
            found = self._indices[group] = len(self._parts) - 1
        return found

    def arrays(self) -> tuple[npt.NDArray[np.generic], ...]:
        """The arguments of the kernel from `op_start` to `sub_right`."""
        if self._arrays is None:
            columns = list(zip(*self._parts, strict=True))
            op_start = np.cumsum([0, *(len(x) for x in columns[0])])
            sub_start = np.cumsum([0, *(len(x) for x in columns[2])])
            joined = [np.concatenate(column) for column in columns]
            self._arrays = (op_start, *joined[:2], sub_start, *joined[2:])
        return self._arrays


def _group_tables(group: SpaceGroup) -> tuple[npt.NDArray[np.generic], ...]:
    """Rotations, translations, and the subspaces: multiplicity, letter code, rank, rows, right-hand sides."""
    rotations = group.rotations.astype(np.float64)
    inverses = np.rint(np.linalg.inv(rotations))
    parts = [_orbit(position, inverses, group.translations) for position in wyckoff_positions(group)]
    subspaces = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return (rotations, group.translations, *subspaces)


def _orbit(
    position: WyckoffPosition, inverses: F64, translations: F64
) -> tuple[npt.NDArray[np.generic], ...]:
    """Equations N R⁻¹ x ≡ c + N R⁻¹ t of the images of a position; the general one has one, empty."""
    rank = 3 - position.degrees_of_freedom
    n = len(inverses) if rank else 1
    rows, right = np.zeros((n, 3, 3)), np.zeros((n, 3))
    if rank:
        base = np.array(position.subspace.rows, dtype=np.float64)
        rows[:, :rank] = base @ inverses
        right[:, :rank] = np.array([float(c) for c in position.subspace.right])
        right[:, :rank] += np.einsum("nij,nj->ni", rows[:, :rank], translations)
        right -= np.floor(right + 1e-9)
        keep = _distinct(rows, right)
        rows, right, n = rows[keep], right[keep], len(keep)
    return (
        np.full(n, position.multiplicity, dtype=np.int32),
        np.full(n, ord(position.letter), dtype=np.int32),
        np.full(n, rank, dtype=np.int32),
        rows,
        right,
    )


def _distinct(rows: F64, right: F64) -> npt.NDArray[np.intp]:
    """Indices of the images whose equations are not repeated word for word."""
    words = np.concatenate([rows.reshape(len(rows), 9), np.round(right, 6)], axis=1)
    _, keep = np.unique(words, axis=0, return_index=True)
    return np.sort(keep)


_TABLES = _Tables()
