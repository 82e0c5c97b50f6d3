"""What the kernels need to know, as named tuples of numbers and arrays that `specify` makes.

Codes are integers because numba compiles them to jumps; the names stand beside them here.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from xtalpriors.arrays import F32, F64, I32, I64, Bool

__all__ = [
    "CUBIC",
    "EQUAL_ATOMS",
    "FITTED",
    "INORGANIC",
    "LATENT",
    "LEAST_SHAPE",
    "METAL_ORGANIC",
    "MOLECULES",
    "MONOCLINIC",
    "MOST_POSITIONS",
    "ORGANIC",
    "ORTHORHOMBIC",
    "PACKED",
    "RANDOM",
    "RHOMBOHEDRAL",
    "TRICLINIC",
    "UNIAXIAL",
    "CellSpec",
    "ContentSpec",
    "ElementTable",
    "JointSpec",
    "NeighbourTables",
    "PackedSpec",
    "Spec",
    "SpecialTable",
    "SymmetryTable",
]


TRICLINIC: Final = 0
MONOCLINIC: Final = 1
ORTHORHOMBIC: Final = 2
UNIAXIAL: Final = 3
CUBIC: Final = 4
RHOMBOHEDRAL: Final = 5

LEAST_SHAPE: Final = 0.05
"""(V/abc)² below which a triclinic cell is too flat to be one."""

RANDOM: Final = 0
MOLECULES: Final = 1
EQUAL_ATOMS: Final = 2
FITTED: Final = 3
PACKED: Final = 4

ORGANIC: Final = 0
METAL_ORGANIC: Final = 1
INORGANIC: Final = 2


LATENT: Final = 32
"""Room for what is drawn together with a cell."""
MOST_POSITIONS: Final = 32
"""Room for the special positions of a group; Pmmm has 26, the most."""


class JointSpec(NamedTuple):
    """Cell and amount of contents drawn together (`cell: fitted`); empty tables where they are not."""

    normal: F64
    """Quantile table of the standard normal distribution."""
    cholesky: F64
    """(k, k) lower triangle of the correlations of the k variables; (0, 0): nothing is drawn together."""
    tables: F64
    """(k, m) quantile table of each variable: `longest`, the ratios and cosines of the family, contents."""
    longest_scale: float
    """Longest length of a cell over the variable `longest`: what the order of the group does."""
    longest_min: float
    """Smallest longest length of a cell, Å."""
    orders: F64
    """(6,) cumulative shares of the orders of the lengths."""
    ranks: I64
    """(6, 3) rank (0 shortest) of a, b and c in each order, b being the unique axis."""
    packing: int
    """Row of the volume per atom among the variables, -1 where it is drawn on its own."""
    hydrogen: int
    """Row of the mole fraction of hydrogen (of its share with `filling: fitted`), or -1."""
    hydrogen_max: float
    """Largest mole fraction of hydrogen."""
    u_mean: int
    """Row of the mean U_iso, or -1."""
    u_spread: int
    """Row of the spread of U_iso in a structure, or -1."""
    composition: int
    """Row of the place of a structure's elements among the sets of the bundle, or -1."""
    tries: int
    """Cells drawn before one is cut to the bounds on its lengths."""


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
    volume: F64
    """Quantile table of V in Å³, cut to what the lengths allow."""
    ratios_from_table: bool
    ratio_middle: F64
    """Quantile table of a₂/a₁."""
    ratio_longest: F64
    """Quantile table of a₃/a₂."""
    skew_from_table: bool
    skew_s1: F64
    skew_s2: F64
    skew_s3: F64
    """Quantile tables of the absolute skews."""
    skew_max: float
    """tan(β_max − 90°)."""
    skew_b_against_c: bool
    """Draw s₁ too, which eq. 17 leaves out."""
    keep_lengths: bool
    """Eq. 16: the skew changes the volume; else it changes the lengths."""
    skew_rhombohedral: tuple[float, float]
    """cot α at the ends of the range of a rhombohedral angle, ascending."""
    joint: JointSpec
    """Of `cell: fitted`, which none of the other fields but the bounds concerns."""


class SymmetryTable(NamedTuple):
    """Operators in fixed-point arithmetic: pure translations (identity first), then the others."""

    rotations: I32
    """(9, n), each matrix row by row."""
    translations: I32
    """(3, n) in units of 2^-32 of an axis, modulo 1."""
    n_pure: int
    """How many leading operators are pure translations."""


class SpecialTable(NamedTuple):
    """Special positions of the group, in its own setting."""

    cumulative: F64
    """(p, k): P(orbits ≤ 0), P(orbits ≤ 1), … of each position, where they are independent."""
    patterns: F64
    """(q,) cumulative shares of the patterns that are drawn instead; empty: positions are independent."""
    pattern_orbits: I64
    """(q, s) orbits of each Wyckoff set in a pattern."""
    set_number: I64
    """(p,) column of `pattern_orbits` that a position belongs to; positions of a set follow each other."""
    letters_left: I64
    """(p,) positions of the set from this one on, itself included."""
    most: int
    """Orbits that one structure can have at most; 0: special positions are never occupied."""
    linear: F64
    """(p, 9): x = linear · parameters + constant; idempotent affine map of the representative."""
    constant: F64
    """(p, 3)."""
    freedom: I64
    """(p,) degrees of freedom."""
    multiplicity: I64
    """(p,) points of the orbit in the cell."""
    cosets: I64
    """(p, n) operators that give the distinct images, -1 after the last."""
    site: I64
    """(p,) number of the position in `wyckoff_positions` of the group."""


class ElementTable(NamedTuple):
    """Elements in descending order of their share."""

    cumulative: F64
    atomic_number: I64
    radius: F64
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
    packing: F64
    hydrogen: F64
    u_mean: F64
    u_deviation: F64
    with_special: bool
    hydrogen_radius: float


class NeighbourTables(NamedTuple):
    """What the filling `fitted` knows of elements and their neighbours; e elements, hydrogen the first."""

    atomic_number: I64
    """(e,)"""
    hydrogen: int
    """Row of hydrogen."""
    set_cumulative: F64
    """(2, s) cumulative shares of the sets of structures without and with atoms on special positions."""
    set_size: I64
    """(s,) elements of each set, hydrogen left out."""
    set_volume: F64
    """(s,) mean volume per non-hydrogen atom of the structures of a set in Å³, ascending."""
    set_hydrogen: Bool
    """(s,) whether the structures of a set have hydrogen."""
    set_elements: I64
    """(s, m) rows of the elements of a set, in the order in which they are placed."""
    general: F64
    """(s, m) cumulative shares of these on general positions."""
    special: F64
    """(s, m) the same on special positions."""
    counts_first: I64
    """(s + 1,) rows in the next three where those of each set begin."""
    counts_cumulative: F64
    """(k,) cumulative shares of the numbers of sites listed for a set; what is left to 1 is not listed."""
    counts_general: I64
    """(k, m) sites of each element of the set on general positions."""
    counts_special: I64
    """(k, m) the same on special positions."""
    hydrogen_fraction: F64
    """Quantile table of the mole fraction of hydrogen where there is some."""
    score: I32
    """(e, e, bins + 1) ln g in steps of (d / R_Σ)²; the last, 0, is of all larger distances."""
    hard: int
    """Score below which an atom is much too near to another."""
    steps: F32
    """(e, e) bins for one Å² of d²."""
    square_max: np.float32
    """d² in Å² from which on no neighbour counts."""
    cutoff: float
    """Its root."""
    length: F64
    """(e, e, levels) quantiles of bond lengths in Å."""
    bonded: Bool
    """(e, e) whether two elements bond."""
    numbers: F64
    """(e, k) cumulative shares of the number of bonds of an atom, but those to hydrogen."""
    cosines: F64
    """(e, levels) quantiles of the cosine of the angle between two bonds of an atom."""
    sweeps: int
    """How often each atom is moved when the cell is filled."""
    moves: int
    """Places nearby that are scored each time."""
    move: float
    """How far they are away at most, along each axis, in the first sweep, Å."""
    strained: int
    """Score of an atom below which the cell is filled anew."""
    fillings: int
    """How often it is filled at most."""
    candidates: int
    """Places that are scored for one atom."""
    most_candidates: int
    """Places that are scored while none is better than one without neighbours."""
    noise: I32
    """Quantiles of the Gumbel distribution, as scores."""
    u_spreads: F64
    """(s,) upper ends of classes of spread of U_iso in a structure: standard deviation over the mean."""
    u_spread_usual: float
    """The spread where a bundle does not draw it."""
    u_ratio: F64
    """(e · s, m) quantiles of U_iso over the mean of its structure: of each element in each class."""


class Spec(NamedTuple):
    """All tables and limits that the kernels read."""

    cell: CellSpec
    content: ContentSpec
    symmetry: SymmetryTable
    special: SpecialTable
    general_elements: ElementTable
    special_elements: ElementTable
    neighbours: NeighbourTables


class PackedSpec(NamedTuple):
    """Molecules and how they are packed (`filling: packed`)."""

    offsets: I64
    """(n + 1,) the atoms of molecule k are rows offsets[k] … offsets[k + 1] − 1."""
    element: I64
    """(m,) atomic numbers."""
    xyz: F64
    """(m, 3) offsets from the centre in Å."""
    volume: F64
    """(n,) volume of each molecule in Å³, ascending."""
    reach: F64
    """(n,) radius of the sphere about the centre that holds the atoms and their contacts, Å."""
    contact2: F64
    """(119, 119) squares of the smallest distances between atoms of two bodies, by atomic numbers, Å²."""
    atom_reach: F64
    """(119,) as `reach`, of bodies of one atom."""
    atom_volume: F64
    """(119,) as `volume`."""
    metals: ElementTable
    anions: ElementTable
    """Elements of the bodies of one atom, by their shares in the bundle."""
    metal_organic_share: float
    inorganic_share: float
    most_ions: int
    """Anions for one metal atom in inorganic structures, at most."""
    coefficient_min: float
    """Share of the cell that the bodies fill at least."""
    largest_factor: float
    """Expansion of a densely filled cell beyond which a placement is given up before it shrinks again."""
    u_iso: tuple[float, float]
    """Range of U_iso, Å²."""
    translations: F64
    """(3, n) translations of the operators in the order of `SymmetryTable`."""
