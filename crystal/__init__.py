"""Pure crystallography: cells, symmetry, Wyckoff positions, chemistry, scattering. No files, no databases.

`SpaceGroup` and `UnitCell` are the two objects that everything takes. `resolve_space_group` finds the group
of a file, `change_setting` moves a structure to other axes, `site_symmetries` finds the Wyckoff position of
each atom, `niggli_reduce` reduces cells, `StructureFactorCalculator` has amplitudes and phases. Lengths are
in ångström, angles in degrees, coordinates are fractions of the cell.

The folders form layers, each of which imports only those after it: `scattering`, `wyckoff`, `symmetry`,
`chemistry`, `cells`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xtalpriors.lazy import offer

if TYPE_CHECKING:
    from xtalpriors.crystal.cells.cell import UnitCell as UnitCell
    from xtalpriors.crystal.cells.cell import cell_volumes as cell_volumes
    from xtalpriors.crystal.cells.cell import metric_tensors as metric_tensors
    from xtalpriors.crystal.cells.cell import orthogonalization_matrices as orthogonalization_matrices
    from xtalpriors.crystal.cells.distances import DistanceHistograms as DistanceHistograms
    from xtalpriors.crystal.cells.distances import StructureArrays as StructureArrays
    from xtalpriors.crystal.cells.distances import distance_histograms as distance_histograms
    from xtalpriors.crystal.cells.niggli import niggli_reduce as niggli_reduce
    from xtalpriors.crystal.chemistry.elements import SYMBOLS as SYMBOLS
    from xtalpriors.crystal.chemistry.form_factors import form_factor_table as form_factor_table
    from xtalpriors.crystal.chemistry.form_factors import form_factors as form_factors
    from xtalpriors.crystal.chemistry.formula import hill_formula as hill_formula
    from xtalpriors.crystal.chemistry.formula import parse_formula as parse_formula
    from xtalpriors.crystal.chemistry.species import species as species
    from xtalpriors.crystal.scattering.arrays import CrystalArrays as CrystalArrays
    from xtalpriors.crystal.scattering.reciprocal import IndexBox as IndexBox
    from xtalpriors.crystal.scattering.reciprocal import asymmetric_box as asymmetric_box
    from xtalpriors.crystal.scattering.reciprocal import s_squared as s_squared
    from xtalpriors.crystal.scattering.reciprocal import systematic_absences as systematic_absences
    from xtalpriors.crystal.scattering.structure_factors import (
        StructureFactorCalculator as StructureFactorCalculator,
    )
    from xtalpriors.crystal.scattering.structure_factors import structure_factors as structure_factors
    from xtalpriors.crystal.scattering.structure_factors_torch import (
        TorchStructureFactors as TorchStructureFactors,
    )
    from xtalpriors.crystal.symmetry.basis import ChangeOfBasis as ChangeOfBasis
    from xtalpriors.crystal.symmetry.origins import permissible_origins as permissible_origins
    from xtalpriors.crystal.symmetry.primitive import primitive_basis as primitive_basis
    from xtalpriors.crystal.symmetry.resolve import Resolution as Resolution
    from xtalpriors.crystal.symmetry.resolve import SymmetryFailure as SymmetryFailure
    from xtalpriors.crystal.symmetry.resolve import resolve_space_group as resolve_space_group
    from xtalpriors.crystal.symmetry.settings import change_setting as change_setting
    from xtalpriors.crystal.symmetry.settings import least_oblique_p21c as least_oblique_p21c
    from xtalpriors.crystal.symmetry.space_group import SpaceGroup as SpaceGroup
    from xtalpriors.crystal.symmetry.subgroups import describe_in_p21c as describe_in_p21c
    from xtalpriors.crystal.wyckoff.site_symmetry import site_symmetries as site_symmetries
    from xtalpriors.crystal.wyckoff.site_symmetry import (
        site_symmetries_of_entries as site_symmetries_of_entries,
    )
    from xtalpriors.crystal.wyckoff.table import wyckoff_positions as wyckoff_positions
    from xtalpriors.crystal.wyckoff.table import wyckoff_sets as wyckoff_sets

__getattr__, __all__ = offer(
    __name__,
    {
        "cells.cell": ["UnitCell", "cell_volumes", "metric_tensors", "orthogonalization_matrices"],
        "cells.distances": ["DistanceHistograms", "StructureArrays", "distance_histograms"],
        "cells.niggli": ["niggli_reduce"],
        "chemistry.elements": ["SYMBOLS"],
        "chemistry.form_factors": ["form_factor_table", "form_factors"],
        "chemistry.formula": ["hill_formula", "parse_formula"],
        "chemistry.species": ["species"],
        "scattering.arrays": ["CrystalArrays"],
        "scattering.reciprocal": ["IndexBox", "asymmetric_box", "s_squared", "systematic_absences"],
        "scattering.structure_factors": ["StructureFactorCalculator", "structure_factors"],
        "scattering.structure_factors_torch": ["TorchStructureFactors"],
        "symmetry.basis": ["ChangeOfBasis"],
        "symmetry.origins": ["permissible_origins"],
        "symmetry.primitive": ["primitive_basis"],
        "symmetry.resolve": ["Resolution", "SymmetryFailure", "resolve_space_group"],
        "symmetry.settings": ["change_setting", "least_oblique_p21c"],
        "symmetry.space_group": ["SpaceGroup"],
        "symmetry.subgroups": ["describe_in_p21c"],
        "wyckoff.site_symmetry": ["site_symmetries", "site_symmetries_of_entries"],
        "wyckoff.table": ["wyckoff_positions", "wyckoff_sets"],
    },
)
