"""The bundle's prior `cell` as the kernels read it: correlations, quantile tables, order of the lengths."""

from __future__ import annotations

import numpy as np
from scipy import special

from xtalpriors.arrays import F64, I64
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.generator.specification.kernel_inputs import (
    CUBIC,
    MONOCLINIC,
    ORTHORHOMBIC,
    RHOMBOHEDRAL,
    TRICLINIC,
    JointSpec,
)
from xtalpriors.generator.specification.lattice import MetricConstraints
from xtalpriors.generator.specification.tables import INTERVALS, TAIL, quantile_table, steady
from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.priors.kinds.cell import CONTENTS, SHAPES, CellOfFamily

__all__ = ["Joint", "family_of", "joint_of", "joint_spec", "nothing_joint"]

TRIES = 100


class Joint:
    """The joint prior of one crystal family, for one space group.

    Attributes
    ----------
    prior
        The prior of the family.
    source
        What messages call the bundle.
    names
        Its variables in the order of the kernels: volume, shape, contents.
    longest_scale
        Longest length of a cell of the group over the variable `longest`.
    length_scale
        Factor on the bounds of the lengths: 1 within the orders of groups that the prior has seen.
    """

    def __init__(
        self, prior: CellOfFamily, source: str, family: str, group: SpaceGroup, metric: MetricConstraints
    ) -> None:
        self.prior, self.source, self.family = prior, source, family
        self.names = ("longest", *SHAPES[family], *(name for name in CONTENTS if name in prior.variables))
        # the prior describes rhombohedral cells in hexagonal axes, whose cell is three times as large
        order = group.order * (3 if metric.system == RHOMBOHEDRAL else 1)
        seen = min(max(order, prior.order_min), prior.order_max)
        self.length_scale = float(steady((order / seen) ** (1 / 3)))
        self.longest_scale = float(steady(float(seen) ** prior.order_exponent)) * self.length_scale


def family_of(metric: MetricConstraints) -> str:
    """Crystal family of a space group's cell."""
    names = {TRICLINIC: "triclinic", MONOCLINIC: "monoclinic", ORTHORHOMBIC: "orthorhombic", CUBIC: "cubic"}
    if metric.system in names:
        return names[metric.system]
    return "tetragonal" if metric.system != RHOMBOHEDRAL and metric.factor == 1.0 else "hexagonal"


def joint_of(bundle: PriorBundle, group: SpaceGroup, metric: MetricConstraints) -> Joint:
    """The bundle's joint prior for the cells of a space group.

    Raises
    ------
    XtalpriorsError
        The bundle has none, or none of the crystal family.
    """
    family = family_of(metric)
    prior = bundle.require("cell").families.get(family)
    if prior is None:
        reason = bundle.unavailable.get(f"cell.families.{family}", "it was not fitted")
        raise XtalpriorsError(
            f"{bundle.called} has no {family} cells for {group.hm or group.number}: {reason}. "
            "Use a bundle of a larger subset, or another strategy, such as cell=volume-lognormal with "
            "filling=molecules."
        )
    return Joint(prior, bundle.called, family, group, metric)


def joint_spec(
    joint: Joint, bounds: tuple[float, float], hydrogen_max: float, *, shares_of: tuple[str, ...] = ()
) -> JointSpec:
    """Tables of the kernels; of the variables of `shares_of` they give the share, not the value.

    Raises
    ------
    UsageError
        No length of the prior lies within the bounds.
    """
    prior = joint.prior
    tables = np.array(
        [quantile_table(prior.variables[name].distribution("empirical")) for name in joint.names]
    )
    for name in shares_of:
        if name in joint.names:
            tables[joint.names.index(name)] = np.linspace(0.0, 1.0, tables.shape[1])
    smallest, largest = (float(tables[0, k]) * joint.longest_scale for k in (0, -1))
    low, high = bounds
    if smallest > high or largest < low:
        raise UsageError(
            f"no cell can be drawn: the longest lengths of the {joint.family} cells of {joint.source}, "
            f"{smallest:.4g} to {largest:.4g} Å, and the lengths allowed, {low:g} to {high:g} Å, do not "
            "meet. Leave length_min_angstrom and length_max_angstrom to the bundle."
        )
    orders, ranks = _orders(prior)
    row = {name: k for k, name in enumerate(joint.names)}
    return JointSpec(
        normal=_normal_table(),
        cholesky=steady(prior.cholesky(joint.names)),
        tables=tables,
        longest_scale=joint.longest_scale,
        longest_min=float(steady(prior.longest_min_angstrom * joint.length_scale)),
        orders=orders,
        ranks=ranks,
        packing=row.get("volume_per_atom", -1),
        hydrogen=row.get("hydrogen_fraction", -1),
        hydrogen_max=hydrogen_max,
        u_mean=row.get("u_iso_mean", -1),
        u_spread=row.get("u_iso_spread", -1),
        composition=row.get("composition", -1),
        tries=TRIES,
    )


def nothing_joint() -> JointSpec:
    """Of strategies that draw every quantity on its own."""
    none, tables = np.empty(0), np.empty((0, 0))
    return JointSpec(
        normal=none,
        cholesky=tables,
        tables=tables,
        longest_scale=1.0,
        longest_min=0.0,
        orders=none,
        ranks=np.empty((0, 0), np.int64),
        packing=-1,
        hydrogen=-1,
        hydrogen_max=0.0,
        u_mean=-1,
        u_spread=-1,
        composition=-1,
        tries=0,
    )


def _normal_table() -> F64:
    """Quantiles of N(0, 1)."""
    shares = np.linspace(0.0, 1.0, INTERVALS + 1)
    return steady(special.ndtri(np.clip(shares, TAIL, 1.0 - TAIL)))


def _orders(prior: CellOfFamily) -> tuple[F64, I64]:
    """Cumulative shares of the orders of the lengths, and the rank of each axis in them."""
    if prior.axis_order is None:
        return np.ones(1), np.zeros((1, 3), np.int64)
    cumulative = np.cumsum(prior.axis_order.probabilities)
    ranks = [[label.split("<").index(axis) for axis in "abc"] for label in prior.axis_order.labels]
    return steady(cumulative / cumulative[-1]), np.array(ranks, np.int64)
