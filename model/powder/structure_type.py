"""The structure type of a crystal as a label: its space group and the Wyckoff letters of each element.

`225 a b e c` is that of elpasolite. Elements are not named. Letters depend on the choice of origin, and the
label is the same for all choices: it is the first, in alphabetical order, of those of all allowed origins and
of the inverted structure.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.symmetry.origins import permissible_origins
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.crystal.wyckoff.site_symmetry import site_symmetries

__all__ = ["structure_type"]


def structure_type(
    group: SpaceGroup, cell: UnitCell, elements: Sequence[object], fract: npt.ArrayLike
) -> str:
    """Label of a structure.

    Parameters
    ----------
    group, cell
        In the reference setting.
    elements
        Element of each site of the asymmetric unit, in any notation.
    fract
        (n, 3) coordinates of the sites.
    """
    x = np.asarray(fract, dtype=np.float64)
    labels = []
    for shift in permissible_origins(group).shifts:
        for sign in (1.0, -1.0):
            letters = site_symmetries(group, sign * (x - shift), cell.metric_tensor).letter
            species: dict[object, list[str]] = {}
            for element, letter in zip(elements, letters.tolist(), strict=True):
                species.setdefault(element, []).append(letter)
            labels.append(" ".join(sorted("".join(sorted(own)) for own in species.values())))
    return f"{group.number} {min(labels)}"
