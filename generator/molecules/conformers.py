"""From a SMILES to one conformer: ETKDG, then MMFF94, with RDKit.

The seed of the embedding is fixed, so that one version of RDKit on one kind of processor gives one conformer.
Other versions and processors may give other ones; a library is therefore a file that is kept, and structures
depend on its content.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from xtalpriors.errors import XtalpriorsError
from xtalpriors.generator.molecules.library import UNITS_PER_ANGSTROM, Conformer
from xtalpriors.generator.molecules.rules import ELEMENTS

__all__ = ["MOST_HEAVY_ATOMS", "conformer", "need_rdkit"]

MOST_HEAVY_ATOMS: Final = 50
"""Non-hydrogen atoms of a molecule of the user's; larger ones fit into no cell that a network reads."""
_LONGEST_SMILES: Final = 1000
_SEED: Final = 2024
_STEPS: Final = 2000
_VOLUME_GRID_ANGSTROM: Final = 0.4
"""The volume then errs by less than 1 %."""


def need_rdkit() -> str:
    """Version of RDKit.

    Raises
    ------
    XtalpriorsError
        It is not installed; the message says how to install it.
    """
    try:
        import rdkit
    except ImportError as error:
        raise XtalpriorsError(
            "Molecules are made by RDKit, which is not installed here. Install it: pip install "
            "'xtalpriors[molecules]'. The library that ships with the package needs no RDKit."
        ) from error
    return str(rdkit.__version__)


def conformer(smiles: str, heavy_atoms: tuple[int, int]) -> Conformer | str:
    """One conformer of a molecule, or in words why there is none.

    Parameters
    ----------
    smiles
        Untrusted text.
    heavy_atoms
        The smallest and the largest number of non-hydrogen atoms wanted.
    """
    from rdkit import Chem, RDLogger

    RDLogger.DisableLog("rdApp.*")
    if len(smiles) > _LONGEST_SMILES:
        return f"longer than {_LONGEST_SMILES} characters"
    molecule = Chem.MolFromSmiles(smiles)
    if molecule is None:
        return "no valid SMILES"
    fewest, most = heavy_atoms
    n_heavy = molecule.GetNumHeavyAtoms()
    if not fewest <= n_heavy <= most:
        return f"not {fewest} to {most} non-hydrogen atoms"
    if any(atom.GetSymbol() not in ELEMENTS for atom in molecule.GetAtoms()):
        return f"elements other than {', '.join(sorted(ELEMENTS))}"
    if len(Chem.GetMolFrags(molecule)) > 1:
        return "more than one molecule"
    return _embedded(molecule, Chem.MolToSmiles(molecule))


def _embedded(molecule: Any, smiles: str) -> Conformer | str:
    """Three-dimensional coordinates of a checked molecule, in the middle of its atoms."""
    from rdkit import Chem
    from rdkit.Chem import AllChem

    full = Chem.AddHs(molecule)
    options = AllChem.ETKDGv3()
    options.randomSeed = _SEED
    options.maxIterations = 20
    if AllChem.EmbedMolecule(full, options) != 0:
        return "cannot be embedded"
    if not AllChem.MMFFHasAllMoleculeParams(full):
        return "atoms that MMFF94 does not know"
    if AllChem.MMFFOptimizeMolecule(full, maxIters=_STEPS) != 0:
        return "MMFF94 does not converge"
    xyz = np.asarray(full.GetConformer().GetPositions())
    xyz = np.round((xyz - xyz.mean(axis=0)) * UNITS_PER_ANGSTROM)
    elements = np.array([atom.GetAtomicNum() for atom in full.GetAtoms()], np.uint8)
    volume = AllChem.ComputeMolVolume(full, gridSpacing=_VOLUME_GRID_ANGSTROM)
    return Conformer(smiles, elements, xyz.astype(np.int16), round(volume, 1))
