"""Structure factors of batches of crystals.

`arrays` is the input, `structure_factors` computes on the processor and `structure_factors_torch` on any
torch device, `reciprocal` has reflections, absences and equivalents. `kernels_monoclinic` is the compiled sum
for 2/m in monoclinic cells, `kernels_general` the one for every other group, `kernels_common` what they
share; `amplitudes` takes |F| and phases, `reduced_operators` the operators that a sum needs. `lanes` and
`lane_functions` are sixteen float32 numbers as one value, and exp, cos and sin of them.
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
