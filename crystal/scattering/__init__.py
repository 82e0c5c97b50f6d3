"""Structure factors, in one place: `from xtalpriors.crystal.scattering import ...`.

The batched torch version is in `structure_factors_torch`, apart, so that this needs no torch.
"""

from xtalpriors.crystal.chemistry.form_factors import form_factor_table, form_factors
from xtalpriors.crystal.scattering.arrays import CrystalArrays
from xtalpriors.crystal.scattering.reciprocal import IndexBox, asymmetric_box
from xtalpriors.crystal.scattering.structure_factors import (
    AmplitudesAndPhases,
    StructureFactorCalculator,
    structure_factors,
)

__all__ = [
    "AmplitudesAndPhases",
    "CrystalArrays",
    "IndexBox",
    "StructureFactorCalculator",
    "asymmetric_box",
    "form_factor_table",
    "form_factors",
    "structure_factors",
]
