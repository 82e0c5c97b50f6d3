"""Niggli-reduced primitive cells and the change of basis to them, about a microsecond a cell.

The algorithm is that of Křivý & Gruber, Acta Cryst. A32 (1976) 297 (doi 10.1107/S0567739476000636), with the
comparisons of Grosse-Kunstleve, Sauter & Adams, Acta Cryst. A60 (2004) 1 (doi 10.1107/S010876730302186X):
two squared lengths are equal when they differ by less than 10⁻⁵ V^⅔.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import F64, Bool
from xtalpriors.crystal.cells.cell import cells_from_metric, metric_tensors
from xtalpriors.crystal.cells.niggli_kernel import reduce_metrics

__all__ = ["NiggliReduction", "niggli_reduce"]


class NiggliReduction(NamedTuple):
    """Reduced cells.

    Attributes
    ----------
    cells
        (n, 6) in Å and degrees; NaN where the cell given is not that of a lattice.
    bases
        (n, 3, 3): columns are the axes of the reduced cell in units of the axes given (right-handed); NaN as
        above.
    reduced
        (n,) False where a cell is not that of a lattice: a length or angle is missing, infinite, zero or
        negative, or the cell has no volume.
    """

    cells: F64
    bases: F64
    reduced: Bool


def niggli_reduce(cells: npt.ArrayLike, bases: npt.ArrayLike | None = None) -> NiggliReduction:
    """Niggli-reduced cells of lattices.

    Parameters
    ----------
    cells
        (n, 6) in Å and degrees.
    bases
        (n, 3, 3) or (3, 3) primitive bases, columns in units of the axes, as `symmetry.primitive` gives them
        for a centred group; None where the cells are primitive.
    """
    array = np.array(cells, dtype=np.float64)
    # parameters out of range are refused here: cos(-90°) would make a metric of sorts, and 10³⁰⁰ Å overflows
    array[~((array > 0) & (array < 1e9)).all(axis=1) | (array[:, 3:] >= 180).any(axis=1)] = np.nan
    metrics = metric_tensors(array)
    if bases is None:
        start = np.repeat(np.eye(3)[None], len(array), axis=0)
    else:
        start = np.array(np.broadcast_to(np.asarray(bases, dtype=np.float64), metrics.shape), order="C")
        centred = (start != np.eye(3)).any(axis=(1, 2))
        of = start[centred]
        metrics[centred] = np.einsum("nji,njk,nkl->nil", of, metrics[centred], of)
    reduced = reduce_metrics(metrics, start)
    return NiggliReduction(cells_from_metric(metrics), start, reduced)
