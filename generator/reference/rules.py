"""What the reference generator needs to know, straight from the bundle's own distributions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xtalpriors.arrays import F64
from xtalpriors.crystal.chemistry.elements import COVALENT_RADIUS_ANGSTROM, SYMBOLS, atomic_number
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.crystal.wyckoff.table import WyckoffPosition
from xtalpriors.errors import UsageError
from xtalpriors.generator.config import GeneratorConfig
from xtalpriors.generator.reference.cells import CellRules
from xtalpriors.generator.specification.joint import Joint, joint_of
from xtalpriors.generator.specification.kernel_inputs import NeighbourTables
from xtalpriors.generator.specification.lattice import metric_constraints
from xtalpriors.generator.specification.special import Patterns, occupation, patterns_of, special_positions_of
from xtalpriors.generator.specification.specify import Specification, specify
from xtalpriors.generator.specification.symmetry_table import operator_order
from xtalpriors.generator.specification.tables import distribution_of
from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.priors.distributions.distribution import Scalar, Uniform

__all__ = ["ReferenceRules", "reference_rules"]


@dataclass(frozen=True)
class ReferenceRules:
    """Distributions, elements and symmetry of one strategy."""

    config: GeneratorConfig
    group: SpaceGroup
    cell: CellRules
    packing: Scalar
    hydrogen: Scalar | None
    u_mean: Scalar
    u_deviation: Scalar
    elements: tuple[list[str], F64]
    special_elements: tuple[list[str], F64]
    special: list[tuple[int, WyckoffPosition, F64]]
    patterns: Patterns | None
    """Null: special positions are independent."""
    rotations: F64
    translations: F64
    n_pure: int
    neighbours: NeighbourTables
    """Of the filling `fitted`."""

    def radius(self, symbol: str) -> float:
        """Covalent radius in Å; 0 where the table has none (molecules are then refused)."""
        return COVALENT_RADIUS_ANGSTROM[atomic_number(symbol)] or 0.0

    def draw_element(
        self, rng: np.random.Generator, *, special: bool = False, other_than: str | None = None
    ) -> str:
        """An element by its share, other than the one tried before."""
        symbols, shares = self.special_elements if special else self.elements
        if other_than is not None:
            shares = np.where([s == other_than for s in symbols], 0.0, shares)
        cumulative = np.cumsum(shares)
        return symbols[int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))]


def _joint(bundle: PriorBundle, config: GeneratorConfig, group: SpaceGroup) -> Joint | None:
    return joint_of(bundle, group, metric_constraints(group)) if config.cell == "fitted" else None


def _volume(bundle: PriorBundle, config: GeneratorConfig, made: Specification) -> Scalar | None:
    if config.cell in ("axes-uniform", "fitted"):
        return None
    prior = bundle.require("cell_volume")
    if config.cell == "volume-uniform":
        low = config.volume_min_angstrom3 or prior.uniform_low_angstrom3 * made.volume_scale
        high = config.volume_max_angstrom3 or prior.uniform_high_angstrom3 * made.volume_scale
        return Uniform(low=low / made.volume_scale, high=high / made.volume_scale)
    form = "parametric" if config.cell == "volume-lognormal" else "empirical"
    return distribution_of(bundle, "cell_volume", prior, form)


def _cell_rules(bundle: PriorBundle, config: GeneratorConfig, made: Specification) -> CellRules:
    cell = made.spec.cell
    ratios = None
    if cell.ratios_from_table:
        prior = bundle.require("axis_ratio")
        names = ("middle_over_shortest", "longest_over_middle")
        first, second = (distribution_of(bundle, n, getattr(prior, n), config.ratios) for n in names)
        ratios = first, second
    skews: list[Scalar | None] = [None, None, None]
    if cell.skew_from_table and len(made.spec.cell.skew_s2) > 2:
        prior = bundle.require("triclinic_skew")
        priors = (prior.s1 if config.skew_b_against_c else None, prior.s2, prior.s3)
        skews = [
            None if p is None else distribution_of(bundle, "triclinic_skew", p, config.skew) for p in priors
        ]
    elif cell.skew_from_table:
        prior = getattr(bundle.require("monoclinic_angle"), config.skew_convention).skew
        skews[2] = distribution_of(bundle, "monoclinic_angle", prior, config.skew)
    return CellRules(
        cell.system, cell.axis, cell.factor, cell.length_min, cell.length_max, cell.ratio_max,
        _volume(bundle, config, made), made.volume_scale, ratios, (skews[0], skews[1], skews[2]),
        cell.skew_max, cell.skew_b_against_c, cell.keep_lengths, cell.skew_rhombohedral,
        _joint(bundle, config, made.group),
    )  # fmt: skip


def reference_rules(bundle: PriorBundle, config: GeneratorConfig) -> ReferenceRules:
    """Check the input as `specify` does, and collect what the reference draws from.

    Raises
    ------
    UsageError
        Packed molecules, of which there is no reference.
    """
    if config.filling == "packed":
        raise UsageError("the reference fills cells atom by atom; it does not pack molecules.")
    made = specify(bundle, config)
    group = made.group
    shares = occupation(bundle, group, config) if config.occupies_special_positions else []
    special = special_positions_of(group) if config.occupies_special_positions else []
    order = operator_order(group)

    def table(which: str) -> tuple[list[str], F64]:
        """Elements of `general` or `special` positions with their shares."""
        elements = made.spec.special_elements if which == "special" else made.spec.general_elements
        return [SYMBOLS[z] for z in elements.atomic_number], np.diff(elements.cumulative, prepend=0.0)

    displacement = bundle.require("displacement")
    hydrogen = None if config.filling == "equal-atoms" else bundle.require("hydrogen")
    return ReferenceRules(
        config=config,
        group=group,
        cell=_cell_rules(bundle, config, made),
        packing=distribution_of(bundle, "packing", bundle.require("packing"), config.form),
        hydrogen=None if hydrogen is None else distribution_of(bundle, "hydrogen", hydrogen, config.form),
        u_mean=distribution_of(bundle, "displacement.mean", displacement.mean, config.form),
        u_deviation=distribution_of(bundle, "displacement.deviation", displacement.deviation, config.form),
        elements=table("general"),
        special_elements=table("special"),
        special=[(i, p, s) for (i, p), s in zip(special, shares, strict=True)],
        patterns=patterns_of(bundle, group) if special and config.special_pattern == "joint" else None,
        rotations=group.rotations[order].astype(float),
        translations=group.translations[order],
        n_pure=made.spec.symmetry.n_pure,
        neighbours=made.spec.neighbours,
    )
