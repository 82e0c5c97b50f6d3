"""What a space group demands of the cell, found from its operators alone, in whatever setting it is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xtalpriors.arrays import F64, I64
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError
from xtalpriors.generator.specification.kernel_inputs import (
    CUBIC,
    MONOCLINIC,
    ORTHORHOMBIC,
    RHOMBOHEDRAL,
    TRICLINIC,
    UNIAXIAL,
)

__all__ = ["MetricConstraints", "metric_constraints"]


class MetricConstraints(NamedTuple):
    """Which lengths are equal and which angles are free.

    `axis` is the unique one (0, 1, 2) of monoclinic, tetragonal and hexagonal axes, else 0; `factor` is
    V/(abc) of an unskewed cell: √3/2 where an angle is 120°, else 1.
    """

    system: int
    axis: int
    factor: float


def _invariant(rotations: I64, seed: int) -> F64:
    """A random metric tensor averaged over the rotations: WᵀGW = G for each rotation W, and nothing more."""
    basis = np.random.default_rng(seed).normal(size=(3, 3)) * 0.2 + np.eye(3)
    metric = basis.T @ basis
    w = rotations.astype(float)
    averaged = np.einsum("nji,jk,nkl->il", w, metric, w)
    return np.asarray(averaged / np.trace(averaged), float)


def metric_constraints(group: SpaceGroup) -> MetricConstraints:
    """Metric constraints of a space group in its own setting.

    Raises
    ------
    UsageError
        Axes that are not those of a crystal system, such as the primitive cell of a face-centred lattice.
    """
    metrics = [_invariant(group.rotations, seed) for seed in (1, 2)]
    lengths = [np.diag(g) for g in metrics]
    pairs = ((1, 2), (0, 2), (0, 1))
    oblique = [i for i, (j, k) in enumerate(pairs) if any(abs(g[j, k]) > 1e-9 for g in metrics)]
    equal = [i for i, (j, k) in enumerate(pairs) if all(abs(d[j] - d[k]) < 1e-9 for d in lengths)]
    if not oblique and len(equal) == 3:
        return MetricConstraints(CUBIC, 0, 1.0)
    if not oblique and len(equal) == 1:
        return MetricConstraints(UNIAXIAL, equal[0], 1.0)
    if not oblique and not equal:
        return MetricConstraints(ORTHORHOMBIC, 0, 1.0)
    if len(oblique) == 1 and oblique == equal:
        axis = oblique[0]
        j, k = pairs[axis]
        if all(abs(g[j, k] + 0.5 * g[j, j]) < 1e-9 for g in metrics):
            return MetricConstraints(UNIAXIAL, axis, float(np.sqrt(0.75)))
    if len(oblique) == 1 and not equal:
        return MetricConstraints(MONOCLINIC, oblique[0], 1.0)
    if len(oblique) == 3 and not equal:
        return MetricConstraints(TRICLINIC, 0, 1.0)
    if len(oblique) == 3 and len(equal) == 3:
        cosines = [g[1, 2] / g[0, 0] for g in metrics]
        same = all(np.ptp([g[j, k] for j, k in pairs]) < 1e-9 for g in metrics)
        if same and abs(cosines[0] - cosines[1]) > 1e-9:
            return MetricConstraints(RHOMBOHEDRAL, 0, 1.0)
    raise UsageError(
        f"The axes of {group.hm or group.hall or f'this setting of space group {group.number}'} are those "
        "of no crystal system (a primitive cell of a centred lattice, perhaps). Use a conventional "
        f"setting of space group {group.number}."
    )
