"""From a bundle and a configuration to the numbers of the kernels; every check of the input is here."""

from __future__ import annotations

import math
from typing import NamedTuple

from xtalpriors.arrays import F64
from xtalpriors.crystal.chemistry.elements import covalent_radius_angstrom
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.generator.config import GeneratorConfig, space_group_of
from xtalpriors.generator.specification.joint import joint_of, joint_spec, nothing_joint
from xtalpriors.generator.specification.kernel_inputs import (
    EQUAL_ATOMS,
    FITTED,
    MOLECULES,
    MONOCLINIC,
    PACKED,
    RANDOM,
    RHOMBOHEDRAL,
    TRICLINIC,
    CellSpec,
    ContentSpec,
    ElementTable,
    PackedSpec,
    Spec,
    SpecialTable,
)
from xtalpriors.generator.specification.lattice import MetricConstraints, metric_constraints
from xtalpriors.generator.specification.neighbours import neighbour_tables, no_neighbours
from xtalpriors.generator.specification.packed import packed_spec
from xtalpriors.generator.specification.special import special_table
from xtalpriors.generator.specification.symmetry_table import symmetry_table
from xtalpriors.generator.specification.tables import (
    distribution_of,
    element_table,
    linear_table,
    quantile_table,
    single_element,
    steady,
)
from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.priors.distributions.distribution import Scalar, Uniform
from xtalpriors.priors.kinds.monoclinic_angle import MonoclinicConvention

__all__ = ["Specification", "specify"]

NONE = linear_table(0.0, 0.0)
"""Stands for a table that the strategy does not use."""

MOST_ATOMS = 50_000
"""Non-hydrogen atoms in one asymmetric unit: every new atom is tested against all others."""


class Specification(NamedTuple):
    """A strategy made concrete.

    Attributes
    ----------
    spec
        What the kernels read.
    packed
        What those of `filling: packed` read besides; null with another filling.
    group
        The space group, in its setting.
    volume_scale
        Factor on the bundle's volumes (order over `reference_order`, or 1).
    """

    spec: Spec
    packed: PackedSpec | None
    group: SpaceGroup
    volume_scale: float


def _lengths(bundle: PriorBundle, config: GeneratorConfig, scale: float) -> tuple[float, float, float]:
    """a_min, a_max and r: the configuration's, else the bundle's, its lengths scaled with the cube root of
    V."""
    low, high, ratio = config.length_min_angstrom, config.length_max_angstrom, config.ratio_max
    if low is None or high is None or ratio is None:
        prior = bundle.require("axis_ratio")
        low = prior.length_min_angstrom * scale ** (1 / 3) if low is None else low
        high = prior.length_max_angstrom * scale ** (1 / 3) if high is None else high
        ratio = prior.ratio_max if ratio is None else ratio
    if not low < high:
        raise UsageError(
            f"the shortest length allowed, {low:g} Å, is not below the longest, {high:g} Å. Set both "
            "length_min_angstrom and length_max_angstrom."
        )
    low, high, ratio = (float(x) for x in steady([low, high, ratio]))
    return low, high, ratio


def _volumes(bundle: PriorBundle, config: GeneratorConfig, bounds: tuple[float, float], scale: float) -> F64:
    """Quantile table of V, cut to the volumes that the lengths can give."""
    if config.cell == "axes-uniform":
        return NONE
    low, high = bounds
    prior = None
    if config.cell != "volume-uniform" or None in (config.volume_min_angstrom3, config.volume_max_angstrom3):
        prior = bundle.require("cell_volume")
    try:
        if config.cell == "volume-uniform":
            v_min, v_max = config.volume_min_angstrom3, config.volume_max_angstrom3
            v_min = prior.uniform_low_angstrom3 * scale if v_min is None and prior else v_min
            v_max = prior.uniform_high_angstrom3 * scale if v_max is None and prior else v_max
            if v_min is not None and v_max is not None and not v_min < v_max:
                raise UsageError(
                    f"the smallest volume allowed, {v_min:g} Å³, is not below the largest, {v_max:g} Å³. Set "
                    "both volume_min_angstrom3 and volume_max_angstrom3."
                )
            return quantile_table(Uniform(low=v_min or 0.0, high=v_max or 0.0), low, high)
        form = "parametric" if config.cell == "volume-lognormal" else "empirical"
        return quantile_table(distribution_of(bundle, "cell_volume", prior, form), low, high, scale)
    except ValueError as error:
        scaled = f", scaled by {scale:g} for the order of the group (scale_with_order)," if scale != 1 else ""
        raise UsageError(
            f"no cell can be drawn: {config.cell} volumes{scaled} and lengths that give {low:.5g} to "
            f"{high:.5g} Å³ do not meet ({error}). Widen length_min_angstrom … length_max_angstrom, or "
            "change the volumes."
        ) from error


def _ratio_tables(bundle: PriorBundle, config: GeneratorConfig, ratio_max: float) -> tuple[F64, F64]:
    if config.ratios == "uniform" or config.cell == "axes-uniform":
        return NONE, NONE
    prior = bundle.require("axis_ratio")
    tables = []
    for name in ("middle_over_shortest", "longest_over_middle"):
        distribution = distribution_of(bundle, f"axis_ratio.{name}", getattr(prior, name), config.ratios)
        try:
            tables.append(quantile_table(distribution, 1.0, ratio_max))
        except ValueError as error:
            raise UsageError(f"ratio_max = {ratio_max:g} leaves nothing of {name}: {error}.") from error
    return tables[0], tables[1]


def _beta_max(bundle: PriorBundle, config: GeneratorConfig) -> float:
    if config.beta_max_degree is not None:
        return config.beta_max_degree
    return float(_monoclinic(bundle, config).beta_max_degree)


def _monoclinic(bundle: PriorBundle, config: GeneratorConfig) -> MonoclinicConvention:
    """The bundle's monoclinic angle under the convention asked for."""
    prior = bundle.require("monoclinic_angle")
    convention: MonoclinicConvention | None = getattr(prior, config.skew_convention)
    if convention is None:
        name = f"monoclinic_angle.{config.skew_convention}"
        reason = bundle.unavailable.get(name, "it was not fitted")
        raise XtalpriorsError(
            f"bundle {bundle.name!r} has no {name!r}: {reason}. Use skew_convention=declared."
        )
    return convention


def _skew_tables(
    bundle: PriorBundle, config: GeneratorConfig, system: int, skew_max: float
) -> tuple[F64, F64, F64]:
    """Quantile tables of |s₁|, |s₂|, |s₃|."""
    if config.skew == "uniform" or system not in (TRICLINIC, MONOCLINIC):
        return NONE, NONE, NONE

    def table(name: str, prior: object) -> F64:
        distribution = distribution_of(bundle, name, prior, config.skew)  # type: ignore[arg-type]
        try:
            return quantile_table(distribution, 0.0, skew_max)
        except ValueError as error:
            raise UsageError(f"beta_max_degree leaves nothing of {name}: {error}.") from error

    if system == MONOCLINIC:
        name = f"monoclinic_angle.{config.skew_convention}.skew"
        return NONE, NONE, table(name, _monoclinic(bundle, config).skew)
    prior = bundle.require("triclinic_skew")
    first = table("triclinic_skew.s1", prior.s1) if config.skew_b_against_c else NONE
    return first, table("triclinic_skew.s2", prior.s2), table("triclinic_skew.s3", prior.s3)


def _fitted_cell_spec(
    bundle: PriorBundle, config: GeneratorConfig, group: SpaceGroup, metric: MetricConstraints
) -> CellSpec:
    """Of `cell: fitted`: the joint prior, and the bounds on the lengths."""
    joint = joint_of(bundle, group, metric)
    low, high = config.length_min_angstrom, config.length_max_angstrom
    low = joint.prior.length_min_angstrom * joint.length_scale if low is None else low
    high = joint.prior.length_max_angstrom * joint.length_scale if high is None else high
    low, high = (float(x) for x in steady([low, high]))
    shares_of = ("hydrogen_fraction", "composition") if config.filling == "fitted" else ()
    made = joint_spec(joint, (low, high), config.hydrogen_fraction_max, shares_of=shares_of)
    return CellSpec(
        joint=made,
        system=metric.system,
        axis=metric.axis,
        factor=float(steady(metric.factor)),
        from_volume=False,
        length_min=low,
        length_max=min(high, float(made.tables[0, -1]) * made.longest_scale),
        ratio_max=0.0,
        volume=NONE,
        ratios_from_table=False,
        ratio_middle=NONE,
        ratio_longest=NONE,
        skew_from_table=False,
        skew_s1=NONE,
        skew_s2=NONE,
        skew_s3=NONE,
        skew_max=0.0,
        skew_b_against_c=False,
        keep_lengths=False,
        skew_rhombohedral=(0.0, 0.0),
    )


def _cell_spec(
    bundle: PriorBundle, config: GeneratorConfig, metric: MetricConstraints, scale: float
) -> CellSpec:
    low, high, ratio = _lengths(bundle, config, scale)
    volume = _volumes(bundle, config, (metric.factor * low**3, metric.factor * high**3), scale)
    skewed = metric.system in (TRICLINIC, MONOCLINIC)
    skew_max = float(steady(math.tan(math.radians(_beta_max(bundle, config) - 90.0)))) if skewed else 0.0
    middle, longest = _ratio_tables(bundle, config, ratio)
    s1, s2, s3 = _skew_tables(bundle, config, metric.system, skew_max)
    alpha_min, alpha_max = config.rhombohedral_angle_degree
    cotangents = steady([1.0 / math.tan(math.radians(alpha)) for alpha in (alpha_max, alpha_min)])
    if metric.system == RHOMBOHEDRAL and not cotangents[0] <= 0.0 <= cotangents[1]:
        raise UsageError(
            f"rhombohedral_angle_degree {alpha_min:g}–{alpha_max:g} must include 90°: the largest volumes "
            "that the lengths allow have no other angle."
        )
    return CellSpec(
        joint=nothing_joint(),
        system=metric.system,
        axis=metric.axis,
        factor=float(steady(metric.factor)),
        from_volume=config.cell != "axes-uniform",
        length_min=low,
        length_max=high,
        ratio_max=ratio,
        volume=volume,
        ratios_from_table=middle is not NONE,
        ratio_middle=middle,
        ratio_longest=longest,
        skew_from_table=s3 is not NONE,
        skew_s1=s1,
        skew_s2=s2,
        skew_s3=s3,
        skew_max=skew_max,
        skew_b_against_c=config.skew_b_against_c,
        keep_lengths=config.keeps_lengths,
        skew_rhombohedral=(float(cotangents[0]), float(cotangents[1])),
    )


def _table(
    bundle: PriorBundle, name: str, part: str | None, form: str | None, high: float | None = None
) -> F64:
    prior = bundle.require(name)
    distribution: Scalar = distribution_of(
        bundle,
        name if part is None else f"{name}.{part}",
        prior if part is None else getattr(prior, part),
        form,
    )
    try:
        return quantile_table(distribution, None, high)
    except ValueError as error:
        raise UsageError(f"the limit {high} leaves nothing of the prior {name!r}: {error}.") from error


def _content_spec(bundle: PriorBundle, config: GeneratorConfig, special: SpecialTable) -> ContentSpec:
    codes = {
        "random": RANDOM,
        "molecules": MOLECULES,
        "equal-atoms": EQUAL_ATOMS,
        "fitted": FITTED,
        "packed": PACKED,
    }
    molecular, equal = config.filling == "molecules", config.filling == "equal-atoms"
    packed = config.filling == "packed"
    packing = _table(bundle, "packing", None, config.form)
    if packing[0] <= 0:
        raise XtalpriorsError(
            f"the packing prior of bundle {bundle.name!r} reaches {packing[0]:g} Å³ per atom; it must be "
            "positive."
        )
    hydrogen_radius = covalent_radius_angstrom("H")
    return ContentSpec(
        filling=codes[config.filling],
        min_distance=config.min_distance_angstrom,
        tries=config.packed_tries if packed else config.molecule_tries if molecular else config.random_tries,
        elements_tried=config.elements_tried,
        special_tries=config.special_tries,
        redraws=config.redraws,
        min_placed_share=config.min_placed_share,
        bond=config.bond_window,
        gap=config.gap_window,
        u_min=config.u_iso_min_angstrom2,
        packing=packing,
        hydrogen=NONE
        if equal or packed
        else _table(bundle, "hydrogen", None, config.form, config.hydrogen_fraction_max),
        u_mean=_table(bundle, "displacement", "mean", config.form),
        u_deviation=_table(bundle, "displacement", "deviation", config.form),
        with_special=special.freedom.size > 0,
        hydrogen_radius=float(hydrogen_radius or 0.0),
    )


def _elements(
    bundle: PriorBundle, config: GeneratorConfig, special: SpecialTable
) -> tuple[ElementTable, ElementTable]:
    """Tables of the general and of the special positions."""
    if config.filling == "equal-atoms":
        table = single_element(config.equal_atoms_element, "equal_atoms_element")
        return table, table
    prior, with_radii = bundle.require("elements"), config.filling == "molecules"
    general = element_table(prior.general.per_site, "elements of general positions", with_radii=with_radii)
    if special.most == 0:
        return general, general
    if prior.special is None:
        raise XtalpriorsError(
            f"bundle {bundle.name!r} has no elements of special positions, and the strategy occupies some. "
            "Set special_positions=false, or use another bundle."
        )
    return general, element_table(
        prior.special.per_site, "elements of special positions", with_radii=with_radii
    )


def _check_not_empty(spec: CellSpec, content: ContentSpec, special: SpecialTable, group: SpaceGroup) -> None:
    """Fail at once where eq. 18 gives no atom in any cell and no special position is ever occupied."""
    largest = float(spec.volume[-1]) if spec.from_volume else spec.factor * spec.length_max**3
    needed = float(content.packing[0]) * group.order
    if largest >= needed or special.most > 0:
        return
    raise UsageError(
        f"every cell would be empty: the largest volume is {largest:.5g} Å³, and one atom on a general "
        f"position of {group.hm or group.number} ({group.order} operators) needs {needed:.5g} Å³ at "
        f"{content.packing[0]:g} Å³ per atom (eq. 18). Raise length_max_angstrom to at least "
        f"{(needed / spec.factor) ** (1 / 3):.3g}, leave the lengths to the bundle with scale_with_order, "
        "or occupy special positions."
    )


def _check_not_huge(spec: CellSpec, content: ContentSpec, group: SpaceGroup) -> None:
    """Fail at once where one structure could have more atoms than memory and time allow."""
    largest = float(spec.volume[-1]) if spec.from_volume else spec.factor * spec.length_max**3
    atoms = largest / (float(content.packing[0]) * group.order)
    if atoms <= MOST_ATOMS:
        return
    allowed = MOST_ATOMS * float(content.packing[0]) * group.order
    raise UsageError(
        f"one structure could have {atoms:.3g} atoms in its asymmetric unit: V up to {largest:.5g} Å³, "
        f"{group.order} operators and {content.packing[0]:g} Å³ per atom (eq. 18). The generator goes up to "
        f"{MOST_ATOMS:,}: lower length_max_angstrom (to {(allowed / spec.factor) ** (1 / 3):.4g} Å or less) "
        "or the volumes."
    )


def specify(bundle: PriorBundle, config: GeneratorConfig) -> Specification:
    """Check a bundle and a configuration against each other, and make the kernels' tables.

    Raises
    ------
    UsageError
        A space group that does not exist, bounds that no cell can meet, an element without radius.
    XtalpriorsError
        The bundle has no prior that the strategy needs; the message names it.
    """
    group = space_group_of(config.space_group)
    metric = metric_constraints(group)
    scale = max(1.0, group.order / config.reference_order) if config.scale_with_order else 1.0
    special = special_table(bundle, group, config)
    if config.cell == "fitted":
        cell = _fitted_cell_spec(bundle, config, group, metric)
    else:
        cell = _cell_spec(bundle, config, metric, scale)
    content = _content_spec(bundle, config, special)
    general, on_special = _elements(bundle, config, special)
    _check_not_empty(cell, content, special, group)
    _check_not_huge(cell, content, group)
    neighbours = no_neighbours()
    if config.filling == "fitted":
        if cell.joint.packing < 0:
            raise UsageError(
                "filling=fitted takes the volume per atom that is drawn with the cell: set cell=fitted "
                "too, and use a bundle whose structures have atoms."
            )
        neighbours = neighbour_tables(bundle, config)
    spec = Spec(cell, content, symmetry_table(group), special, general, on_special, neighbours)
    packed = packed_spec(bundle, config, group, metric) if config.filling == "packed" else None
    return Specification(spec, packed, group, scale)
