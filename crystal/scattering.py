"""Structure factors, in one place: `from xtalpriors.crystal.scattering import ...`.

The batched torch version is in `structure_factors_torch`, apart, so that this needs no torch.
"""

from xtalpriors.crystal.form_factors import form_factor_table, form_factors
from xtalpriors.crystal.reciprocal import IndexBox, asymmetric_box
from xtalpriors.crystal.scattering_input import CrystalArrays
from xtalpriors.crystal.structure_factors import (
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
