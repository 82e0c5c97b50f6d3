"""Experimental structures that a network is tested on, as they are in the network's own space group.

`read_structures` reads them from subset files. Every atom has the U_iso of its own file where that has one,
so that calculated amplitudes are those of real crystals except that atoms vibrate isotropically.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from xtalpriors.arrays import F64, I64
from xtalpriors.crystal.cells.cell import cell_volumes
from xtalpriors.crystal.scattering.arrays import CrystalArrays
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import XtalpriorsError

__all__ = ["CLASSES", "EmptyTestSet", "ExperimentalStructures", "compound_class"]

CLASSES = ("organic", "s-block", "d-block", "other")
"""Compound classes of Fig. 5 (Melgalvis & Reķis 2026): organic molecules only, with an s-block, with a
d-block element; `other` holds the rest. A structure with both blocks counts as `d-block`."""


class EmptyTestSet(XtalpriorsError):
    """Raised where no structure is left to test a network on."""


def compound_class(entry: dict[str, Any]) -> str:
    """Class of Fig. 5 of a row of `entry`."""
    if entry["has_d_block"]:
        return "d-block"
    if entry["has_s_block"]:
        return "s-block"
    return "organic" if entry["class"] == "organic" else "other"


@dataclass(frozen=True, slots=True, eq=False)
class ExperimentalStructures:
    """n structures of one group, their atoms one after another.

    Attributes
    ----------
    group
        The group all of them are described in.
    crystals
        Cells and atoms; occupancies as in the file.
    entry_id
        Key of each in its database, (n,), sorted within each subset.
    corpus
        Where each comes from, (n,): the corpus of its subset.
    compound_class
        One of `CLASSES`, (n,).
    n_special
        Distinct special positions occupied by non-hydrogen atoms, (n,).
    u_origin
        `given` (every atom has its U), `part`, or `assumed` (none has), (n,).
    n_u_assumed
        Atoms that got `read_structures.ASSUMED_U_ISO_ANGSTROM2`, (n,).
    refused
        `entry_id` and reason of what cannot be tested.
    """

    group: SpaceGroup
    crystals: CrystalArrays
    entry_id: tuple[str, ...]
    corpus: tuple[str, ...]
    compound_class: tuple[str, ...]
    n_special: I64
    u_origin: tuple[str, ...]
    n_u_assumed: I64
    refused: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.entry_id)

    @property
    def volume_angstrom3(self) -> F64:
        """Volumes of the cells, (n,)."""
        return cell_volumes(self.crystals.cells)

    def subset(self, index: Sequence[int] | I64) -> ExperimentalStructures:
        """The structures at these places, in this order."""
        c, places = self.crystals, [int(i) for i in index]
        atoms = [np.arange(c.offsets[i], c.offsets[i + 1]) for i in places]
        take = np.concatenate(atoms) if atoms else np.zeros(0, dtype=np.int64)
        crystals = CrystalArrays(
            c.cells[places].reshape(-1, 6),
            np.concatenate([[0], np.cumsum([len(a) for a in atoms])]).astype(np.int64),
            c.numbers[take],
            c.fract[take],
            c.u_iso[take],
            c.weights[take],
        )
        return replace(
            self,
            crystals=crystals,
            entry_id=tuple(self.entry_id[i] for i in places),
            corpus=tuple(self.corpus[i] for i in places),
            compound_class=tuple(self.compound_class[i] for i in places),
            n_special=self.n_special[places],
            u_origin=tuple(self.u_origin[i] for i in places),
            n_u_assumed=self.n_u_assumed[places],
        )
