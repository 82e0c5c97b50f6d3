"""What the kernels need to know, as named tuples of numbers and arrays: made by `compile`, read by
`kernels*`.

Codes are integers because numba compiles them to jumps; the names stand beside them here.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = [
    "CUBIC",
    "EQUAL_ATOMS",
    "MOLECULES",
    "MONOCLINIC",
    "ORTHORHOMBIC",
    "RANDOM",
    "RHOMBOHEDRAL",
    "TRICLINIC",
    "UNIAXIAL",
    "CellSpec",
    "ContentSpec",
    "ElementTable",
    "Spec",
    "SpecialTable",
    "SymmetryTable",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TRICLINIC: Final = 0
MONOCLINIC: Final = 1
ORTHORHOMBIC: Final = 2
UNIAXIAL: Final = 3
CUBIC: Final = 4
RHOMBOHEDRAL: Final = 5

RANDOM: Final = 0
MOLECULES: Final = 1
EQUAL_ATOMS: Final = 2


class CellSpec(NamedTuple):
    """How a cell is drawn."""

    system: int
    """Metric constraints: TRICLINIC … RHOMBOHEDRAL."""
    axis: int
    """Unique axis (0, 1, 2) of a monoclinic or uniaxial cell."""
    factor: float
    """V/(abc) of a uniaxial cell: 1, or √3/2 with the angle of 120°."""
    from_volume: bool
    """Lengths from a volume (section 3.3), else uniform lengths (section 3.2)."""
    length_min: float
    length_max: float
    ratio_max: float
    volume: Floats
    """Quantile table of V in Å³, cut to what the lengths allow."""
    ratios_from_table: bool
    ratio_middle: Floats
    """Quantile table of a₂/a₁."""
    ratio_longest: Floats
    """Quantile table of a₃/a₂."""
    skew_from_table: bool
    skew_s1: Floats
    skew_s2: Floats
    skew_s3: Floats
    """Quantile tables of the absolute skews."""
    skew_max: float
    """tan(β_max − 90°)."""
    skew_b_against_c: bool
    """Draw s₁ too, which eq. 17 leaves out."""
    keep_lengths: bool
    """Eq. 16: the skew changes the volume; else it changes the lengths."""
    skew_rhombohedral: tuple[float, float]
    """cot α at the ends of the range of a rhombohedral angle, ascending."""


class SymmetryTable(NamedTuple):
    """Operators in fixed-point arithmetic: pure translations (identity first), then the others."""

    rotations: npt.NDArray[np.int32]
    """(9, n), each matrix row by row."""
    translations: npt.NDArray[np.int32]
    """(3, n) in units of 2^-32 of an axis, modulo 1."""
    n_pure: int
    """How many leading operators are pure translations."""


class SpecialTable(NamedTuple):
    """Special positions of the group, in its own setting."""

    cumulative: Floats
    """(p, k): P(orbits ≤ 0), P(orbits ≤ 1), … of each position, where they are independent."""
    patterns: Floats
    """(q,) cumulative shares of the patterns that are drawn instead; empty: positions are independent."""
    pattern_orbits: Ints
    """(q, s) orbits of each Wyckoff set in a pattern."""
    set_number: Ints
    """(p,) column of `pattern_orbits` that a position belongs to; positions of a set follow each other."""
    letters_left: Ints
    """(p,) positions of the set from this one on, itself included."""
    most: int
    """Orbits that one structure can have at most; 0: special positions are never occupied."""
    linear: Floats
    """(p, 9): x = linear · parameters + constant; idempotent affine map of the representative."""
    constant: Floats
    """(p, 3)."""
    freedom: Ints
    """(p,) degrees of freedom."""
    multiplicity: Ints
    """(p,) points of the orbit in the cell."""
    cosets: Ints
    """(p, n) operators that give the distinct images, -1 after the last."""
    site: Ints
    """(p,) number of the position in `wyckoff_positions` of the group."""


class ElementTable(NamedTuple):
    """Elements in descending order of their share."""

    cumulative: Floats
    atomic_number: Ints
    radius: Floats
    """Covalent radii, Å."""


class ContentSpec(NamedTuple):
    """How a cell is filled."""

    filling: int
    min_distance: float
    tries: int
    """Positions tried for one atom before it is dropped (random), or before another element (molecules)."""
    elements_tried: int
    """Elements tried for one atom of a molecule."""
    special_tries: int
    redraws: int
    """How often an empty structure is drawn again."""
    min_placed_share: float
    """Share of N′ below which a structure counts as empty."""
    bond: tuple[float, float]
    """Range of a bond length over R_Σ; its lower end is the nearest contact."""
    gap: tuple[float, float]
    """Range of distances over R_Σ that no two atoms may have."""
    u_min: float
    packing: Floats
    hydrogen: Floats
    u_mean: Floats
    u_deviation: Floats
    with_special: bool
    hydrogen_radius: float


class Spec(NamedTuple):
    """Everything."""

    cell: CellSpec
    content: ContentSpec
    symmetry: SymmetryTable
    special: SpecialTable
    general_elements: ElementTable
    special_elements: ElementTable
