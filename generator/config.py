"""What to generate: the strategies of the paper and every number that the bundle does not hold.

Where a field is null the bundle's prior says it. The defaults are those of Melgalvis & Reķis 2026
(doi 10.1107/S2053273325009428), section 3, unless the field says otherwise.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from xtalpriors.crystal.symmetry.resolve import SymmetryFailure, resolve_space_group
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError
from xtalpriors.frozen_model import Frozen, explain
from xtalpriors.generator.molecules.library import library_of
from xtalpriors.priors.bundle import PriorBundle

__all__ = [
    "ALGORITHM",
    "CELL_STRATEGIES",
    "FILLINGS",
    "CellStrategy",
    "Filling",
    "GeneratorConfig",
    "configure",
    "random_digest",
    "space_group_of",
]

ALGORITHM = 2
"""Part of the digest: raised when the same configuration would give other structures."""
FITTED_ALGORITHM = 3
"""The same of the filling `fitted`, whose changes leave the others alone."""

CellStrategy = Literal["axes-uniform", "volume-uniform", "volume-lognormal", "volume-empirical", "fitted"]
Filling = Literal["random", "molecules", "equal-atoms", "fitted", "packed"]
Shape = Literal["uniform", "exponential", "empirical"]

CELL_STRATEGIES: tuple[CellStrategy, ...] = (
    "axes-uniform",
    "volume-uniform",
    "volume-lognormal",
    "volume-empirical",
    "fitted",
)
FILLINGS: tuple[Filling, ...] = ("random", "molecules", "equal-atoms", "fitted", "packed")


class GeneratorConfig(Frozen):
    """A strategy: how cells are drawn and filled."""

    cell: CellStrategy = Field(
        default="volume-lognormal",
        description="How the cell is drawn (sections 3.2 and 3.3); `fitted`, not in the paper: lengths, "
        "angles and amount of contents together, from the bundle's prior `cell`",
    )
    filling: Filling = Field(
        default="molecules",
        description="How the cell is filled (section 3.5); `fitted`, not in the paper: sets of elements, "
        "bonds and contacts as measured, from the bundle's priors `contents` and `bonds`; `packed`, after "
        "Larsen et al. 2024: molecules of a library, around which the cell shrinks and expands",
    )
    space_group: str = Field(
        default="P 1 21/c 1", description="Hermann–Mauguin or Hall symbol, or number, in any setting"
    )

    length_min_angstrom: float | None = Field(default=None, gt=0, description="a_min; null: the bundle's")
    length_max_angstrom: float | None = Field(default=None, gt=0, description="a_max; null: the bundle's")
    volume_min_angstrom3: float | None = Field(
        default=None, gt=0, description="Of `volume-uniform`; null: the bundle's"
    )
    volume_max_angstrom3: float | None = Field(
        default=None, gt=0, description="Of `volume-uniform`; null: the bundle's"
    )
    scale_with_order: bool = Field(
        default=True,
        description="In groups of a higher order than `reference_order`, scale V (and a_min, a_max where "
        "the bundle says them) so that the asymmetric unit keeps its size; eq. 18 leaves such cells empty "
        "otherwise",
    )
    reference_order: int = Field(
        default=4,
        ge=1,
        le=192,
        description="Order of the group that the bundle's volumes belong to; 4: P2₁/c, as in the paper",
    )
    ratio_max: float | None = Field(default=None, ge=1, description="r of eqs 7–13; null: the bundle's")
    ratios: Shape = Field(
        default="uniform", description="Lengths uniform within eqs 11–13, or ratios from the bundle"
    )
    skew: Shape = Field(default="uniform", description="s uniform within eq. 15, or |s| from the bundle")
    skew_convention: Literal["declared", "least_oblique"] = Field(
        default="declared", description="Which monoclinic angle of the bundle"
    )
    beta_max_degree: float | None = Field(
        default=None,
        ge=90,
        lt=160,
        description="Largest angle of a skewed cell; null: the bundle's monoclinic β_max",
    )
    keep: Literal["volume", "lengths"] | None = Field(
        default=None,
        description="What the skew leaves alone (eq. 16: lengths). null: lengths for `axes-uniform`, else "
        "volume",
    )
    skew_b_against_c: bool = Field(
        default=False, description="Triclinic: draw s₁ as well, which eq. 17 leaves out (an extension)"
    )
    rhombohedral_angle_degree: tuple[float, float] = Field(
        default=(55.0, 115.0),
        description="Range of α in rhombohedral axes; not in the paper: 60° is the primitive cell of the "
        "face-centred lattice, 109.5° that of the body-centred one, and at 120° the cell is flat",
    )

    special_positions: bool | None = Field(
        default=None,
        description="Occupy special positions first. null: yes for molecules, no for random and equal atoms, "
        "whose training sets had none in the paper (section 4)",
    )
    special_probability: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Probability of one orbit on each special position, for groups that the bundle does "
        "not know; null: the mean number of occupied orbits per position over the groups that it knows",
    )
    special_pattern: Literal["independent", "joint"] = Field(
        default="independent",
        description="`independent`: each special position on its own, as in the paper; `joint`: a pattern of "
        "the bundle's, its orbits spread evenly over the letters of each Wyckoff set. Not in the paper, "
        "whose 81.4/17.2/1.4 % with 0/1/≥2 occupied stand against 73.5/20.1/6.4 % in the databases",
    )
    special_tries: int = Field(
        default=10, ge=1, le=1000, description="Draws of the free coordinates of a special position"
    )
    min_distance_angstrom: float = Field(
        default=1.2,
        gt=0,
        le=5,
        description="Random filling, and special positions (Fig. 4; the paper's d_min)",
    )
    random_tries: int = Field(
        default=10, ge=1, le=1000, description="Positions tried before an atom is dropped"
    )
    molecule_tries: int = Field(
        default=20, ge=1, le=1000, description="Positions tried with one element (step 6)"
    )
    elements_tried: int = Field(
        default=2, ge=1, le=10, description="Elements tried before an atom is dropped (step 6)"
    )
    bond_window: tuple[float, float] = Field(
        default=(0.9, 1.1), description="Bond length over R_A + R_i (step 4)"
    )
    gap_window: tuple[float, float] = Field(
        default=(1.1, 1.4), description="Distances over R_Σ that no two atoms have (step 6)"
    )
    contents_class: Literal["organic", "metal-organic", "inorganic"] | None = Field(
        default=None,
        description="Of `filling: fitted`: only sets of elements of this class; null: all of the bundle",
    )
    equal_atoms_element: str = Field(default="C", description="Element of `equal-atoms`")
    form: Literal["parametric", "empirical"] | None = Field(
        default=None,
        description="Form of the packing, hydrogen and displacement priors; null: parametric if there is one",
    )
    hydrogen_fraction_max: float = Field(
        default=0.9, ge=0, lt=1, description="Cut of x_H, so that eq. 19 stays finite; 0.8 is methane"
    )
    u_iso_min_angstrom2: float = Field(
        default=0.001, gt=0, description="Deviations are cut so that no U_iso is smaller"
    )
    min_placed_share: float = Field(
        default=0.66,
        ge=0,
        le=1,
        description="A structure in which less than this share of N′ was placed is drawn again, like an "
        "empty one, and counted. Not in the paper, where it would be one structure in a thousand; groups "
        "with many mirror planes need it to have densities in range",
    )
    redraws: int = Field(
        default=100,
        ge=0,
        le=10_000,
        description="How often an empty (or sparse) structure is drawn again before the run fails",
    )

    packed_library: Path | None = Field(
        default=None,
        description="Molecules of `packed`: a file or folder of `xtalpriors molecules`; null: the library "
        "that ships with the package",
    )
    packed_metal_organic_share: float = Field(
        default=0.0566, ge=0, le=1, description="Share of structures with a metal atom beside the molecules"
    )
    packed_inorganic_share: float = Field(
        default=0.0005, ge=0, le=1, description="Share of structures of single atoms, metals and anions"
    )
    packed_contact_factor: float = Field(
        default=0.9,
        gt=0.5,
        le=1.2,
        description="Smallest distance between atoms of two molecules over the sum of their van der Waals "
        "radii; our choice, as is the next",
    )
    packed_coefficient_min: float = Field(
        default=0.6,
        ge=0,
        le=0.75,
        description="Share of the cell within the van der Waals surfaces of the molecules, at least; in "
        "crystals of organic molecules it is 0.65 to 0.77 (Kitaigorodskii)",
    )
    packed_tries: int = Field(
        default=20, ge=1, le=10_000, description="Placements of the molecules before others are drawn"
    )
    packed_u_iso_angstrom2: tuple[float, float] = Field(
        default=(0.005, 0.06), description="Range of U_iso, uniform for each atom, as in 2024"
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        pairs = {
            "length_min_angstrom and length_max_angstrom": (
                self.length_min_angstrom,
                self.length_max_angstrom,
            ),
            "volume_min_angstrom3 and volume_max_angstrom3": (
                self.volume_min_angstrom3,
                self.volume_max_angstrom3,
            ),
            "bond_window": self.bond_window,
            "gap_window": self.gap_window,
            "rhombohedral_angle_degree": self.rhombohedral_angle_degree,
            "packed_u_iso_angstrom2": self.packed_u_iso_angstrom2,
        }
        for name, (low, high) in pairs.items():
            if low is not None and high is not None and not 0 < low < high:
                raise ValueError(f"{name}: {low:g} and {high:g} must be positive and ascend")
        if self.gap_window[0] < self.bond_window[1]:
            raise ValueError("gap_window begins below the end of bond_window: bonds would be forbidden")
        if not 0 < self.rhombohedral_angle_degree[0] < self.rhombohedral_angle_degree[1] < 120:
            raise ValueError("rhombohedral_angle_degree: a rhombohedral cell has 0° < α < 120°")
        if self.packed_metal_organic_share + self.packed_inorganic_share > 1:
            raise ValueError("packed_metal_organic_share and packed_inorganic_share: together above 1")
        if self.filling == "packed" and self.special_positions:
            raise ValueError("special_positions: `packed` puts molecules on general positions alone")
        return self

    @model_serializer(mode="wrap")
    def _without_packing(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without the options of `packed` where nothing is packed: digests are those of before it was."""
        content: dict[str, Any] = handler(self)
        if self.filling == "packed":
            return content
        return {name: value for name, value in content.items() if not name.startswith("packed_")}

    @property
    def keeps_lengths(self) -> bool:
        """Whether the skew keeps the lengths (eq. 16) rather than the volume."""
        return self.cell == "axes-uniform" if self.keep is None else self.keep == "lengths"

    @property
    def occupies_special_positions(self) -> bool:
        """Whether special positions are occupied first."""
        return (
            self.filling in ("molecules", "fitted")
            if self.special_positions is None
            else self.special_positions
        )

    @property
    def uses_later_priors(self) -> bool:
        """Whether the strategy draws from priors that bundles of schema 1 do not have."""
        return "fitted" in (self.cell, self.filling)

    @property
    def digest(self) -> str:
        """BLAKE2b-128 of the configuration; two spellings of one space group have the same.

        Of a library of molecules it covers the content, whatever its path.
        """
        content = self.model_dump(mode="json")
        if self.contents_class is None:
            del content["contents_class"]  # it came later, and alone would change no structure
        if self.filling == "fitted":
            content["fitted_algorithm"] = FITTED_ALGORITHM
        if self.filling == "packed":
            content["packed_library"] = library_of(self.packed_library).digest
        content["space_group"] = list(space_group_of(self.space_group).operators)
        content["algorithm"] = ALGORITHM
        text = json.dumps(content, sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def random_digest(bundle: PriorBundle, config: GeneratorConfig) -> str:
    """The digest of the priors that the random numbers of a run depend on.

    The paper's strategies draw from the priors of schema 1 alone: what later schemas add changes none of
    their structures.
    """
    return bundle.priors_digest if config.uses_later_priors else bundle.first_priors_digest


def configure(**options: Any) -> GeneratorConfig:
    """A configuration from options, with errors for a person.

    Raises
    ------
    UsageError
        An unknown option (the message names the nearest one) or a value that is not allowed.
    """
    try:
        return GeneratorConfig(**options)
    except ValidationError as error:
        raise UsageError(f"The generator: {explain(error, GeneratorConfig)}") from error


def space_group_of(symbol: str) -> SpaceGroup:
    """Space group of a Hermann–Mauguin symbol, a Hall symbol or a number.

    Raises
    ------
    UsageError
        The text is neither a Hermann–Mauguin symbol, nor a Hall symbol, nor a number from 1 to 230.
    """
    text = symbol.strip()
    if text.isdigit():
        found = resolve_space_group(number=text)
    else:
        found = resolve_space_group(hm=text)
        if isinstance(found, SymmetryFailure):
            found = resolve_space_group(hall=text)
    if isinstance(found, SymmetryFailure):
        raise UsageError(
            f"`{symbol}` is no space group: neither a Hermann–Mauguin symbol (`P 1 21/c 1`, `P 21/n`, `R "
            "-3 m:R`, `F d -3 m:2`), nor a Hall symbol (`-P 2ybc`), nor a number from 1 to 230."
        )
    return found.group
