"""Cells as the paper says it: sections 3.2–3.4 of Melgalvis & Reķis 2026, in plain NumPy, one at a time.

This is the oracle for `kernels.cell`. Equation numbers are the paper's; what it leaves open is marked.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from xtalpriors.arrays import F64
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.errors import XtalpriorsError
from xtalpriors.generator.specification.joint import Joint
from xtalpriors.generator.specification.kernel_inputs import (
    CUBIC,
    LEAST_SHAPE,
    MONOCLINIC,
    ORTHORHOMBIC,
    RHOMBOHEDRAL,
    TRICLINIC,
    UNIAXIAL,
)
from xtalpriors.priors.distributions.distribution import Scalar

__all__ = [
    "CellRules",
    "draw_cell",
    "draw_fitted_cell",
    "first_length_range",
    "second_length_range",
    "skew_range",
    "truncated",
]


class CellRules(NamedTuple):
    """What a cell is drawn from; null distributions mean uniform, as in the paper."""

    system: int
    axis: int
    factor: float
    length_min: float
    length_max: float
    ratio_max: float
    volume: Scalar | None
    """Null: uniform lengths (section 3.2)."""
    volume_scale: float
    ratios: tuple[Scalar, Scalar] | None
    skews: tuple[Scalar | None, Scalar | None, Scalar | None]
    """|s₁|, |s₂|, |s₃|."""
    skew_max: float
    skew_b_against_c: bool
    keep_lengths: bool
    skew_rhombohedral: tuple[float, float]
    joint: Joint | None
    """Null: the cell is drawn as in the paper, not from the joint prior."""


def truncated(distribution: Scalar, low: float, high: float, rng: np.random.Generator) -> float:
    """One value of the distribution cut to [low, high], by inversion; the nearer end where it has no share
    there."""
    p_low, p_high = float(distribution.cdf(low)), float(distribution.cdf(high))
    value = float(distribution.quantile(p_low + rng.random() * (p_high - p_low)))
    return min(max(value, low), high)


def first_length_range(volume: float, rules: CellRules) -> tuple[float, float]:
    """Range of the shortest length a₁ (eqs 6–11)."""
    a_max, r = rules.length_max, rules.ratio_max
    lower = max(
        rules.length_min, volume / a_max**2, volume ** (1 / 3) / r, math.sqrt(volume / (r * a_max))
    )  # eq. 11
    return lower, volume ** (1 / 3)  # eq. 6


def second_length_range(volume: float, a1: float, rules: CellRules) -> tuple[float, float]:
    """Range of the middle length a₂ (eqs 12 and 13).

    Eq. 13 as printed lacks √(V/a₁), without which a₃ = V/(a₁a₂) falls below a₂ in about half of the draws.
    """
    a_max, r = rules.length_max, rules.ratio_max
    lower = max(a1, volume / (a1 * a_max), math.sqrt(volume / (r * a1)))  # eq. 12
    return lower, min(a_max, r * a1, math.sqrt(volume / a1))  # eq. 13, corrected


def lengths_from_volume(volume: float, rules: CellRules, rng: np.random.Generator) -> list[float]:
    """a₁ ≤ a₂ ≤ a₃ with a₁a₂a₃ = V (section 3.3)."""
    if rules.ratios is None:
        a1 = rng.uniform(*first_length_range(volume, rules))
        a2 = rng.uniform(*second_length_range(volume, a1, rules))
        return [a1, a2, volume / (a1 * a2)]
    # not in the paper: the ratios from their distributions, each cut where a₁ ≥ a_min and a₃ ≤ a_max end
    low, high, r = rules.length_min, rules.length_max, rules.ratio_max
    limit = min(r, math.sqrt(volume / low**3), high**3 / volume)
    first = truncated(rules.ratios[0], 1.0, max(limit, 1.0), rng)
    limit = min(r, volume / (low**3 * first**2), math.sqrt(high**3 / (volume * first)))
    second = truncated(rules.ratios[1], 1.0, max(limit, 1.0), rng)
    a1 = (volume / (first**2 * second)) ** (1 / 3)
    return [a1, a1 * first, a1 * first * second]


def draw_volume(rules: CellRules, rng: np.random.Generator) -> float:
    """V in Å³ from its distribution, cut to what the lengths can give."""
    assert rules.volume is not None
    low, high = (rules.factor * x**3 / rules.volume_scale for x in (rules.length_min, rules.length_max))
    return truncated(rules.volume, low, high, rng) * rules.volume_scale


def skew_range(length: float, rules: CellRules, other_skew: float = 0.0) -> float:
    """Largest |s| of an axis (eq. 15): β ≤ β_max, and |S·a| ≤ a_max unless the lengths are kept (eq. 16)."""
    if rules.keep_lengths:
        return rules.skew_max
    return min(rules.skew_max, math.sqrt(max(rules.length_max**2 / length**2 - 1 - other_skew**2, 0.0)))


def draw_skew(which: int, limit: float, rules: CellRules, rng: np.random.Generator) -> float:
    """s₁, s₂ or s₃ in [−limit, 0]."""
    distribution = rules.skews[which - 1]
    return -rng.uniform(0, limit) if distribution is None else -truncated(distribution, 0.0, limit, rng)


def _cell_of(basis: F64, lengths: list[float], rules: CellRules) -> UnitCell:
    """Cell of the skewed basis vectors (columns), brought back to the lengths before if they are kept (eq.
    16)."""
    if rules.keep_lengths:
        basis = basis * (np.array(lengths) / np.linalg.norm(basis, axis=0))
    a, b, c = basis.T
    norm = np.linalg.norm(basis, axis=0)
    cosines = (b @ c / (norm[1] * norm[2]), a @ c / (norm[0] * norm[2]), a @ b / (norm[0] * norm[1]))
    return UnitCell(*norm.tolist(), *(math.degrees(math.acos(x)) for x in cosines))


def _oblique(rules: CellRules, rng: np.random.Generator) -> UnitCell:
    """Triclinic, monoclinic and orthorhombic cells."""
    if rules.volume is None:
        lengths = rng.uniform(rules.length_min, rules.length_max, 3).tolist()  # section 3.2
    else:
        lengths = rng.permutation(lengths_from_volume(draw_volume(rules, rng), rules, rng)).tolist()
    skew = np.eye(3)
    if rules.system == MONOCLINIC:  # eq. 14; another unique axis exchanges the roles
        i, j = {0: (1, 2), 1: (0, 2), 2: (0, 1)}[rules.axis]
        skew[i, j] = draw_skew(3, skew_range(lengths[j], rules), rules, rng)
    elif rules.system == TRICLINIC:  # eq. 17; s₁ is an extension
        skew[0, 1] = draw_skew(2, skew_range(lengths[1], rules), rules, rng)
        skew[0, 2] = draw_skew(3, skew_range(lengths[2], rules), rules, rng)
        if rules.skew_b_against_c:
            skew[1, 2] = draw_skew(1, skew_range(lengths[2], rules, skew[0, 2]), rules, rng)
    return _cell_of(skew @ np.diag(lengths), lengths, rules)


def _uniaxial(rules: CellRules, rng: np.random.Generator) -> UnitCell:
    """Tetragonal and hexagonal axes (not in the paper): p = p, q with V = factor·p²q."""
    low, high, r = rules.length_min, rules.length_max, rules.ratio_max
    if rules.volume is None:
        p, q = rng.uniform(low, high, 2)
    else:
        box = draw_volume(rules, rng) / rules.factor
        if rules.ratios is None:
            p = rng.uniform(
                max(low, math.sqrt(box / high), (box / r) ** (1 / 3)),
                min(high, math.sqrt(box / low), (box * r) ** (1 / 3)),
            )
        elif rng.random() < 0.5:  # the unique axis is the longer one
            limit = min(r, box / low**3, math.sqrt(high**3 / box))
            p = (box / truncated(rules.ratios[1], 1.0, max(limit, 1.0), rng)) ** (1 / 3)
        else:
            limit = min(r, high**3 / box, math.sqrt(box / low**3))
            p = (box * truncated(rules.ratios[0], 1.0, max(limit, 1.0), rng)) ** (1 / 3)
        q = box / p**2
    lengths, angles = [p] * 3, [90.0] * 3
    lengths[rules.axis] = q
    angles[rules.axis] = 90.0 if rules.factor == 1.0 else 120.0
    return UnitCell(*lengths, *angles)


def _rhombohedral(rules: CellRules, rng: np.random.Generator) -> UnitCell:
    """a = b = c, α = β = γ (not in the paper): cot α uniform where a stays below a_max."""
    volume = None if rules.volume is None else draw_volume(rules, rng)
    for _ in range(10_000):
        s = rng.uniform(*rules.skew_rhombohedral)
        cosine = s / math.sqrt(1 + s * s)
        shape = math.sqrt(1 - 3 * cosine**2 + 2 * cosine**3)
        if volume is None:
            a = rng.uniform(rules.length_min, rules.length_max)
        else:
            a = (volume if rules.keep_lengths else volume / shape) ** (1 / 3)
        if a <= rules.length_max:
            return UnitCell(a, a, a, *[90.0 - math.degrees(math.atan(s))] * 3)
    raise XtalpriorsError("no rhombohedral angle keeps the lengths within their bounds.")


def draw_fitted_cell(rules: CellRules, rng: np.random.Generator) -> tuple[UnitCell, dict[str, float]]:
    """A cell of the joint prior (not in the paper), and every variable drawn with it."""
    assert rules.joint is not None
    for _ in range(10_000):
        drawn = {name: float(x[0]) for name, x in rules.joint.prior.sample(1, rng=rng).items()}
        cell = _cell_of_variables(drawn, rules, rng)
        if cell is None:
            continue
        shortest, longest = min(cell.parameters[:3]), max(cell.parameters[:3])
        if rules.system == RHOMBOHEDRAL:  # the bounds are those of its hexagonal axes
            longest = drawn["longest"] * rules.joint.longest_scale
            shortest = longest * min(drawn["ratio_unique"], 1.0 / drawn["ratio_unique"])
        least = rules.joint.prior.longest_min_angstrom * rules.joint.length_scale
        if shortest >= rules.length_min and least <= longest <= rules.length_max:
            return cell, drawn
    raise XtalpriorsError("no cell of the joint prior keeps the bounds on its lengths.")


def _cell_of_variables(
    drawn: dict[str, float], rules: CellRules, rng: np.random.Generator
) -> UnitCell | None:
    """The cell that the variables describe; null where the angles enclose no volume."""
    assert rules.joint is not None
    longest = drawn["longest"] * rules.joint.longest_scale
    if "ratio_middle" in drawn:
        return _of_sorted_lengths(longest, drawn, rules, rng)
    if rules.system == CUBIC:
        return UnitCell(longest, longest, longest)
    ratio = drawn["ratio_unique"]
    p = longest / max(ratio, 1.0)
    if rules.system == RHOMBOHEDRAL:  # p and c = p·ratio are the hexagonal axes
        a, angle = math.hypot(p / math.sqrt(3.0), p * ratio / 3.0), math.asin(1.5 / math.sqrt(3.0 + ratio**2))
        return UnitCell(a, a, a, *[2.0 * math.degrees(angle)] * 3)
    lengths, angles = [p] * 3, [90.0] * 3
    lengths[rules.axis], angles[rules.axis] = p * ratio, 90.0 if rules.factor == 1.0 else 120.0
    return UnitCell(*lengths, *angles)


def _of_sorted_lengths(
    longest: float, drawn: dict[str, float], rules: CellRules, rng: np.random.Generator
) -> UnitCell | None:
    """Triclinic, monoclinic and orthorhombic cells, whose lengths have any order."""
    assert rules.joint is not None and rules.joint.prior.axis_order is not None
    order = str(rules.joint.prior.axis_order.sample(1, rng=rng)[0]).split("<")
    middle = longest / drawn["ratio_longest"]
    length_of = dict(zip(order, (middle / drawn["ratio_middle"], middle, longest), strict=True))
    cosine = {"alpha": 0.0, "beta": 0.0, "gamma": 0.0}
    if rules.system == TRICLINIC:
        opposite = dict(zip("abc", cosine, strict=True))
        for name, third in (("cosine_12", 2), ("cosine_13", 1), ("cosine_23", 0)):
            cosine[opposite[order[third]]] = drawn[name]
    elif rules.system == MONOCLINIC:
        cosine["beta"] = -drawn["cosine"]
    lengths, cosines = [length_of[axis] for axis in "abc"], list(cosine.values())
    if rules.system == MONOCLINIC:  # the unique axis b of the prior becomes that of the setting, cyclically
        shift = [(k + 1 - rules.axis) % 3 for k in range(3)]
        lengths, cosines = [lengths[k] for k in shift], [cosines[k] for k in shift]
    square = 1.0 - sum(x * x for x in cosines) + 2.0 * math.prod(cosines)
    if square < LEAST_SHAPE:
        return None
    return UnitCell(*lengths, *(math.degrees(math.acos(x)) for x in cosines))


def draw_cell(rules: CellRules, rng: np.random.Generator) -> UnitCell:
    """One cell."""
    if rules.system in (TRICLINIC, MONOCLINIC, ORTHORHOMBIC):
        return _oblique(rules, rng)
    if rules.system == UNIAXIAL:
        return _uniaxial(rules, rng)
    if rules.system == CUBIC:
        a = (
            rng.uniform(rules.length_min, rules.length_max)
            if rules.volume is None
            else draw_volume(rules, rng) ** (1 / 3)
        )
        return UnitCell(a, a, a)
    return _rhombohedral(rules, rng)
