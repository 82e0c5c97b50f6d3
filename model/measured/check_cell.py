"""Whether a cell can be that of a space group."""

from __future__ import annotations

import numpy as np

from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError

__all__ = ["check_cell"]

CELL_TOLERANCE = 0.02
"""How far a·b and so on may differ from those of the symmetric cell, in parts of the lengths' product."""


def check_cell(group: SpaceGroup, cell: UnitCell) -> None:
    """Raise UsageError unless the cell has a volume and, to within 2 %, the symmetry of the group."""
    shown = " ".join(f"{x:g}" for x in cell.parameters)
    if not cell.is_valid:
        raise UsageError(f"the cell {shown} has no volume: give a, b, c in Å and α, β, γ in degrees.")
    metric = cell.metric_tensor
    images = np.einsum("nji,jk,nkl->nil", group.rotations, metric, group.rotations)
    lengths = np.sqrt(np.diag(metric))
    if np.abs((images - metric) / np.outer(lengths, lengths)).max() > CELL_TOLERANCE:
        raise UsageError(
            f"the cell {shown} does not have the symmetry of {group.hm or f'no. {group.number}'}. Give the "
            "cell and the space group in the setting of the reflections."
        )
