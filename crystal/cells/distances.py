"""Histograms of interatomic distances of many crystals at once.

Plain arrays in, plain arrays out, so that mined structures (each in its own group) and generated ones (one
group for all) go through the same kernel.

A pair is a site i of the asymmetric unit and an atom of the crystal, image of a site j. It counts with the
multiplicity and occupancy of i and the occupancy of j.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import F64
from xtalpriors.crystal.cells.cell import metric_tensors, reciprocal_metric_tensors
from xtalpriors.crystal.cells.distances_kernel import Bins, Operators, Sites, accumulate

__all__ = ["DistanceHistograms", "StructureArrays", "distance_histograms", "operators_of", "sites_of"]


@dataclass(frozen=True)
class StructureArrays:
    """Ragged arrays of n structures with m sites.

    Attributes
    ----------
    cells
        (n, 6) in Å and degrees.
    offsets
        (n + 1,) first site of each structure.
    fract
        (m, 3) fractional coordinates.
    atomic_number
        (m,) 1 for hydrogen.
    occupancy
        (m,) chemical occupancy.
    multiplicity
        (m,) multiplicity of the site in its group, per cell.
    radius_angstrom
        (m,) covalent radius, NaN where it is not known.
    group_of
        (n,) index of the structure's group.
    group_offsets
        (g + 1,) first operator of each group.
    rotations, translations
        (o, 3, 3) and (o, 3) operators of all groups, the identity first in each, centring included.
    assembly, alternative
        (m,) disorder assembly and group as integers; alternative 0 is part of the ordered model, negative
        is disordered about a special position. None where nothing is disordered.
    """

    cells: F64
    offsets: npt.NDArray[np.integer]
    fract: F64
    atomic_number: npt.NDArray[np.integer]
    occupancy: F64
    multiplicity: npt.NDArray[np.integer]
    radius_angstrom: F64
    group_of: npt.NDArray[np.integer]
    group_offsets: npt.NDArray[np.integer]
    rotations: npt.NDArray[np.integer]
    translations: F64
    assembly: npt.NDArray[np.integer] | None = None
    alternative: npt.NDArray[np.integer] | None = None

    def __len__(self) -> int:
        return len(self.cells)


@dataclass(frozen=True)
class DistanceHistograms:
    """Histograms, each structure normalised to one before it is added with its weight.

    Attributes
    ----------
    edges_angstrom
        (b + 1,) edges of the bins.
    all_atoms, non_hydrogen
        (b,) densities per Å over the range of the edges, of all pairs and of pairs without hydrogen; NaN
        where no structure has a pair.
    ratio_edges
        (q + 1,) edges of d / (R_A + R_B).
    bond_ratio
        (q,) density of d / (R_A + R_B) for pairs without hydrogen.
    n_structures
        Structures that contributed to `all_atoms`.
    """

    edges_angstrom: F64
    all_atoms: F64
    non_hydrogen: F64
    ratio_edges: F64
    bond_ratio: F64
    n_structures: int


def distance_histograms(
    structures: StructureArrays | Iterable[tuple[StructureArrays, npt.ArrayLike | None]],
    *,
    weights: npt.ArrayLike | None = None,
    maximum_angstrom: float = 6.0,
    bin_angstrom: float = 0.05,
    maximum_ratio: float = 1.5,
    bin_ratio: float = 0.01,
) -> DistanceHistograms:
    """Interatomic distances and bond lengths of many structures.

    Left out are atoms that exclude one another: different disorder groups of one assembly, symmetry images
    of a group that is disordered about a special position (negative), and partly occupied sites without
    any disorder group that are nearer than 0.7 (R_A + R_B) and together occupied at most once.

    Parameters
    ----------
    structures
        The structures; or batches of them, each with its weights, so that memory holds one batch. The
        result is that of all of them at once, bit by bit. Those whose cell has no volume count nothing.
    weights
        (n,) weight of each structure, all equal when None; batches bring their own.
    maximum_angstrom, bin_angstrom
        Range and bin width of the distances.
    maximum_ratio, bin_ratio
        The same for d / (R_A + R_B), of the distances within `maximum_angstrom`: with 6 Å and 1.5 the
        range is whole for every pair but two alkali or alkaline-earth atoms (R_A + R_B > 4 Å).

    Raises
    ------
    ValueError
        A range or a bin width is not positive, or the weights are not one a structure.
    """
    if not (0 < bin_angstrom <= maximum_angstrom and 0 < bin_ratio <= maximum_ratio):
        raise ValueError("ranges and bin widths must be positive, and a width within its range")
    batches = [(structures, weights)] if isinstance(structures, StructureArrays) else structures
    n_bins, n_ratios = round(maximum_angstrom / bin_angstrom), round(maximum_ratio / bin_ratio)
    sums, totals = np.zeros((3, max(n_bins, n_ratios))), np.zeros(3)
    bins = Bins(float(maximum_angstrom), n_bins, float(maximum_ratio), n_ratios)
    counted = sum(_accumulate(batch, given, bins, sums, totals) for batch, given in batches)
    with np.errstate(invalid="ignore", divide="ignore"):
        density = sums / totals[:, None]
    return DistanceHistograms(
        np.linspace(0, maximum_angstrom, n_bins + 1),
        density[0, :n_bins] * (n_bins / maximum_angstrom),
        density[1, :n_bins] * (n_bins / maximum_angstrom),
        np.linspace(0, maximum_ratio, n_ratios + 1),
        density[2, :n_ratios] * (n_ratios / maximum_ratio),
        counted,
    )


def _accumulate(
    structures: StructureArrays, weights: npt.ArrayLike | None, bins: Bins, sums: F64, totals: F64
) -> int:
    """Add the structures of a batch to the histograms, one by one; how many had a pair of atoms."""
    n = len(structures)
    weight = np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)
    if weight.shape != (n,):
        raise ValueError(f"{n} structures need {n} weights, not an array of shape {weight.shape}")
    operators = operators_of(structures)
    metric = metric_tensors(structures.cells)
    reciprocal = np.sqrt(np.einsum("nii->ni", reciprocal_metric_tensors(structures.cells)))
    return int(accumulate(metric, reciprocal, sites_of(structures), operators, weight, bins, sums, totals))


def operators_of(structures: StructureArrays) -> Operators:
    """The operators in the types that the kernel was compiled for."""
    return Operators(
        structures.group_of.astype(np.int64),
        structures.group_offsets.astype(np.int64),
        np.ascontiguousarray(structures.rotations, dtype=np.float64),
        np.ascontiguousarray(structures.translations, dtype=np.float64),
    )


def sites_of(structures: StructureArrays) -> Sites:
    """The sites in the types that the kernel was compiled for."""
    zeros = np.zeros(len(structures.fract), dtype=np.int64)
    return Sites(
        structures.offsets.astype(np.int64),
        np.ascontiguousarray(structures.fract, dtype=np.float64),
        structures.atomic_number == 1,
        structures.occupancy.astype(np.float64),
        structures.multiplicity.astype(np.float64),
        structures.radius_angstrom.astype(np.float64),
        zeros if structures.assembly is None else structures.assembly.astype(np.int64),
        zeros if structures.alternative is None else structures.alternative.astype(np.int64),
    )
