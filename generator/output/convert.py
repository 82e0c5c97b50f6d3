"""Structures as objects of other libraries; each is imported only when asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from xtalpriors.counted import counted
from xtalpriors.crystal.chemistry.elements import SYMBOLS
from xtalpriors.errors import UsageError
from xtalpriors.generator.structures import Structure, StructureBatch

__all__ = ["padded", "to_ase", "to_gemmi", "to_pymatgen", "unit_cell_contents"]


Array = npt.NDArray[Any]


def unit_cell_contents(structure: Structure) -> tuple[Array, Array, Array]:
    """All atoms of the cell: atomic numbers (m,), fractional coordinates (m, 3) in [0, 1), number in the
    asymmetric unit (m,).

    The images of an atom on a special position are merged.
    """
    rotations, translations = structure.group.rotations.astype(float), structure.group.translations
    points, origin = [], []
    for k, fract in enumerate(structure.fract):
        images = (rotations @ fract + translations) % 1.0
        if structure.multiplicity[k] < len(images):
            images = _merged(images, int(structure.multiplicity[k]))
        points.append(images)
        origin.append(np.full(len(images), k))
    which = np.concatenate(origin)
    return structure.element[which], np.concatenate(points), which


def _merged(images: Array, multiplicity: int) -> Array:
    kept = [0]
    for k in range(1, len(images)):
        difference = images[kept] - images[k]
        difference -= np.round(difference)
        if np.abs(difference).max(axis=1).min() > 1e-7:
            kept.append(k)
    if len(kept) != multiplicity:
        raise ValueError(f"an orbit of {counted(len(kept), 'point')} instead of {multiplicity}")
    return np.asarray(images[kept])


def to_gemmi(structure: Structure) -> Any:
    """`gemmi.SmallStructure` with cell, space group and sites."""
    import gemmi

    small = gemmi.SmallStructure()
    small.name = f"structure_{structure.index}"
    small.cell = gemmi.UnitCell(*structure.cell.parameters)
    small.symops = list(structure.group.operators)
    small.spacegroup_hm = structure.group.hm or ""
    small.spacegroup_hall = structure.group.hall or ""
    small.determine_and_set_spacegroup("S.H2")
    small.setup_cell_images()
    for k, symbol in enumerate(structure.symbols):
        site = gemmi.SmallStructure.Site()
        site.label, site.element, site.type_symbol = f"{symbol}{k + 1}", gemmi.Element(symbol), symbol
        site.fract = gemmi.Fractional(*structure.fract[k].tolist())
        site.u_iso, site.occ = float(structure.u_iso[k]), 1.0
        small.add_site(site)
    return small


def _not_installed(package: str) -> UsageError:
    return UsageError(
        f"{package} is not installed: `pip install {package}`, or `pip install '.[convert]'` in a clone."
    )


def to_pymatgen(structure: Structure) -> Any:
    """`pymatgen.core.Structure` of the whole cell.

    Raises
    ------
    UsageError
        pymatgen is not installed.
    """
    try:
        from pymatgen.core import Lattice
        from pymatgen.core import Structure as PymatgenStructure
    except ImportError as error:
        raise _not_installed("pymatgen") from error
    elements, points, _ = unit_cell_contents(structure)
    lattice = Lattice.from_parameters(*structure.cell.parameters)
    return PymatgenStructure(lattice, [SYMBOLS[z] for z in elements], points)


def to_ase(structure: Structure) -> Any:
    """`ase.Atoms` of the whole cell.

    Raises
    ------
    UsageError
        ASE is not installed.
    """
    try:
        from ase import Atoms
    except ImportError as error:
        raise _not_installed("ase") from error
    elements, points, _ = unit_cell_contents(structure)
    return Atoms(numbers=elements, scaled_positions=points, cell=structure.cell.parameters, pbc=True)


def padded(batch: StructureBatch, n_atoms: int | None = None) -> dict[str, Array]:
    """Rectangular arrays for a network: every structure padded with atomic number 0 and weight 0.

    Parameters
    ----------
    batch
        Structures.
    n_atoms
        Columns; null: as many as the largest structure has.

    Returns
    -------
    dict
        `element` uint8 (n, k), `fract` float32 (n, k, 3), `u_iso` float32 (n, k) in Å², `weight` float32 (n,
        k).

    Raises
    ------
    UsageError
        A structure has more than `n_atoms`.
    """
    largest = int(batch.n_atoms.max(initial=0))
    width = largest if n_atoms is None else n_atoms
    if largest > width:
        raise UsageError(f"a structure has {counted(largest, 'atom')}, more than n_atoms = {width}.")
    row = batch.structure_of_atom
    column = np.arange(len(row)) - batch.offsets[:-1][row]
    shape = (len(batch), width)
    result: dict[str, Array] = {
        "element": np.zeros(shape, np.uint8),
        "fract": np.zeros((*shape, 3), np.float32),
        "u_iso": np.zeros(shape, np.float32),
        "weight": np.zeros(shape, np.float32),
    }
    for name in result:
        result[name][row, column] = getattr(batch, name)
    return result
