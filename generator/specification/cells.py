"""From a bundle and a configuration to what the kernels draw cells from."""

from __future__ import annotations

import math

from xtalpriors.arrays import F64
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.generator.config import GeneratorConfig
from xtalpriors.generator.specification.joint import joint_of, joint_spec, nothing_joint
from xtalpriors.generator.specification.kernel_inputs import MONOCLINIC, RHOMBOHEDRAL, TRICLINIC, CellSpec
from xtalpriors.generator.specification.lattice import MetricConstraints
from xtalpriors.generator.specification.tables import NONE, distribution_of, quantile_table, steady
from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.priors.distributions.distribution import Uniform
from xtalpriors.priors.kinds.monoclinic_angle import MonoclinicConvention

__all__ = ["cell_spec", "fitted_cell_spec"]


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
        source = "" if prior is None else f" of {bundle.called}"
        raise UsageError(
            f"no cell can be drawn: {config.cell} volumes{source}{scaled} and lengths that give {low:.5g} to "
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
            raise UsageError(
                f"ratio_max = {ratio_max:g} leaves nothing of {name} of {bundle.called}: {error}. Raise it."
            ) from error
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
        raise XtalpriorsError(f"{bundle.called} has no {name!r}: {reason}. Use skew_convention=declared.")
    return convention


def _skew_tables(
    bundle: PriorBundle, config: GeneratorConfig, system: int, skew_max: float
) -> tuple[F64, F64, F64]:
    """Quantile tables of |s₁|, |s₂|, |s₃|."""
    if config.skew == "uniform" or system not in (TRICLINIC, MONOCLINIC):
        return NONE, NONE, NONE

    def table(name: str, prior: object) -> F64:
        """Quantile table of one skew up to the largest that the angles allow."""
        distribution = distribution_of(bundle, name, prior, config.skew)  # type: ignore[arg-type]
        try:
            return quantile_table(distribution, 0.0, skew_max)
        except ValueError as error:
            raise UsageError(
                f"beta_max_degree leaves nothing of {name} of {bundle.called}: {error}. Raise it."
            ) from error

    if system == MONOCLINIC:
        name = f"monoclinic_angle.{config.skew_convention}.skew"
        return NONE, NONE, table(name, _monoclinic(bundle, config).skew)
    prior = bundle.require("triclinic_skew")
    first = table("triclinic_skew.s1", prior.s1) if config.skew_b_against_c else NONE
    return first, table("triclinic_skew.s2", prior.s2), table("triclinic_skew.s3", prior.s3)


def fitted_cell_spec(
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


def cell_spec(
    bundle: PriorBundle, config: GeneratorConfig, metric: MetricConstraints, scale: float
) -> CellSpec:
    """Of the other cells: volumes, ratios and angles as the configuration has them drawn."""
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
