"""Compiled search for the site symmetry of points, one entry after the other."""

from __future__ import annotations

import numpy as np

from xtalpriors.compilation import kernel
from xtalpriors.crystal.cells.determinant import determinant

__all__ = ["find_site_symmetries"]


EXACT = 1e-6
"""A snapped point is fixed by an operator that moves each coordinate by less than this part of the cell."""

_determinant = kernel()(determinant)


@kernel()
def _shift(rotations, translations, op, i, x0, x1, x2):  # type: ignore[no-untyped-def]
    """What an operator adds to coordinate i of a point, to the nearest lattice point."""
    d = rotations[op, i, 0] * x0 + rotations[op, i, 1] * x1 + rotations[op, i, 2] * x2 + translations[op, i]
    d -= (x0, x1, x2)[i]
    return d - np.floor(d + 0.5)  # np.rint is a call here, np.floor an instruction


@kernel()
def _is_fixed(rotations, translations, op, x0, x1, x2):  # type: ignore[no-untyped-def]
    """Whether an operator leaves a point where it is; the first coordinate nearly always tells that not."""
    for i in range(3):  # noqa: SIM110  (numba has no generators)
        if not abs(_shift(rotations, translations, op, i, x0, x1, x2)) < EXACT:
            return False
    return True


@kernel()
def _limits(metric, square, out):  # type: ignore[no-untyped-def]
    """Squares of the displacement's components above which it is surely longer than the tolerance.

    A vector d is at least |d_i| / |a*_i| long. A margin of 1 % stands for rounding; a nearly flat cell, in
    which that would not do, gets no limits.
    """
    out[0] = metric[1, 1] * metric[2, 2] - metric[1, 2] * metric[1, 2]
    out[1] = metric[0, 0] * metric[2, 2] - metric[0, 2] * metric[0, 2]
    out[2] = metric[0, 0] * metric[1, 1] - metric[0, 1] * metric[0, 1]
    det = _determinant(metric[0], metric[1], metric[2])
    is_flat = not det > 1e-4 * metric[0, 0] * metric[1, 1] * metric[2, 2]
    for i in range(3):
        out[i] = np.inf if is_flat else out[i] * (1.01 * square / det)


@kernel()
def _nearby(  # type: ignore[no-untyped-def]
    rotations, translations, first, last, x, metric, limits, square, members, squares
):
    """Operators (the identity left out) that move a point by less than the tolerance; their number."""
    x0, x1, x2 = x[0], x[1], x[2]
    count = 0
    for op in range(first + 1, last):
        d0 = _shift(rotations, translations, op, 0, x0, x1, x2)  # it nearly always rules the operator out
        if d0 * d0 > limits[0]:
            continue
        d1 = _shift(rotations, translations, op, 1, x0, x1, x2)
        if d1 * d1 > limits[1]:
            continue
        d2 = _shift(rotations, translations, op, 2, x0, x1, x2)
        q = (
            metric[0, 0] * d0 * d0
            + metric[1, 1] * d1 * d1
            + metric[2, 2] * d2 * d2
            + 2.0 * (metric[0, 1] * d0 * d1 + metric[0, 2] * d0 * d2 + metric[1, 2] * d1 * d2)
        )
        if q < square:
            members[count] = op
            squares[count] = q
            count += 1
    return count


@kernel()
def _snap(rotations, translations, first, last, x, members, squares, count, exact):  # type: ignore[no-untyped-def]
    """Move a point onto the fixed set of its operators; the order of its exact site symmetry group.

    Operators found within a tolerance need not be a group. The mean of the images is fixed by all of them if
    they are; where it is not, the operator that moves the point most is dropped, which is the same as a
    smaller tolerance.
    """
    for _ in range(400):  # each round drops an operator or ends; the bound is for points at the edge of EXACT
        if count == 0:
            break
        d0, d1, d2 = 0.0, 0.0, 0.0
        for k in range(count):
            d0 += _shift(rotations, translations, members[k], 0, x[0], x[1], x[2])
            d1 += _shift(rotations, translations, members[k], 1, x[0], x[1], x[2])
            d2 += _shift(rotations, translations, members[k], 2, x[0], x[1], x[2])
        m0, m1, m2 = d0 / (count + 1) + x[0], d1 / (count + 1) + x[1], d2 / (count + 1) + x[2]
        n_exact = 0
        n_shared = 0
        for op in range(first + 1, last):
            if _is_fixed(rotations, translations, op, m0, m1, m2):
                if n_shared < count and members[n_shared] == op:
                    n_shared += 1
                exact[n_exact] = op
                n_exact += 1
        if n_shared == count:
            x[0], x[1], x[2] = m0, m1, m2
            if n_exact == count:
                return count + 1
            for k in range(n_exact):
                members[k] = exact[k]
                squares[k] = 0.0
            count = n_exact
        else:
            worst = 0
            for k in range(1, count):
                if squares[k] > squares[worst]:
                    worst = k
            for k in range(worst, count - 1):
                members[k] = members[k + 1]
                squares[k] = squares[k + 1]
            count -= 1
    return 1


@kernel()
def _letter(x, multiplicity, first, last, sub_multiplicity, sub_code, sub_rank, sub_rows, sub_right):  # type: ignore[no-untyped-def]
    """Code of the letter whose subspaces of that multiplicity hold the point; 0 where no subspace does."""
    for s in range(first, last):
        if sub_multiplicity[s] != multiplicity:
            continue
        on = True
        for i in range(sub_rank[s]):
            value = (
                sub_rows[s, i, 0] * x[0]
                + sub_rows[s, i, 1] * x[1]
                + sub_rows[s, i, 2] * x[2]
                - sub_right[s, i]
            )
            if abs(value - np.floor(value + 0.5)) > 10.0 * EXACT:
                on = False
                break
        if on:
            return sub_code[s]
    return 0


@kernel()
def find_site_symmetries(  # type: ignore[no-untyped-def]
    group_index,
    bounds,
    fract,
    metrics,
    tolerance,
    op_start,
    rotations,
    translations,
    sub_start,
    sub_multiplicity,
    sub_code,
    sub_rank,
    sub_rows,
    sub_right,
    multiplicity,
    order,
    code,
    snapped,
):
    """Fill multiplicity, order, letter code and snapped coordinates of the sites of n entries.

    Entry e has the sites bounds[e, 0] to bounds[e, 1], the group group_index[e] and the metric metrics[e].
    The tables of the groups lie end to end: group g has the operators op_start[g] to op_start[g + 1], the
    identity first, and the Wyckoff subspaces sub_start[g] to sub_start[g + 1], the general position last. A
    subspace is {x : rows x ≡ right mod ℤ}, of which sub_rank rows are in use. The arguments are single arrays
    because a call with named tuples of them costs twice as much.
    """
    members, exact = np.empty(192, dtype=np.int32), np.empty(192, dtype=np.int32)
    squares = np.empty(192)
    x = np.empty(3)
    limits = np.empty(3)
    square = tolerance * tolerance
    for entry in range(len(group_index)):
        g = group_index[entry]
        first, last = op_start[g], op_start[g + 1]
        n_ops = last - first
        metric = metrics[entry]
        _limits(metric, square, limits)
        for site in range(bounds[entry, 0], bounds[entry, 1]):
            for i in range(3):
                x[i] = snapped[site, i] = fract[site, i]
            if not np.isfinite(x[0] + x[1] + x[2] + metric[0, 0] + metric[1, 1] + metric[2, 2]):
                multiplicity[site] = 0
                order[site] = 0
                code[site] = 0
                continue
            count = _nearby(rotations, translations, first, last, x, metric, limits, square, members, squares)
            size = 1
            if count > 0:
                size = _snap(rotations, translations, first, last, x, members, squares, count, exact)
            if size > 1:
                for i in range(3):
                    snapped[site, i] = x[i]
            order[site] = size
            multiplicity[site] = n_ops // size
            if size == 1:
                code[site] = sub_code[sub_start[g + 1] - 1]
                continue
            code[site] = _letter(
                snapped[site],
                n_ops // size,
                sub_start[g],
                sub_start[g + 1],
                sub_multiplicity,
                sub_code,
                sub_rank,
                sub_rows,
                sub_right,
            )
