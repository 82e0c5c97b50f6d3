"""How far each prior moved between two bundles, and whether that is more than sampling can do.

`compare` walks both bundles and pairs what has the same name. A number moved by its difference; a
distribution of real numbers by the shift of its median, which has a sign, and by its Wasserstein distance
(in its unit) and its KS distance, which have none; shares by their total variation. Each move stands beside
the size that sampling alone reaches in 5 % of cases, from the intervals and the numbers of clusters in the
bundles: no data are needed. Two releases of one database share most of their structures, and a shared
structure moves nothing: where the shared part is known, the noise is that of the rest. For two means of n
and m values of which k are common, the variance of the difference is σ²(1/n + 1/m)(1 − 2k/(n + m)), so that
all noise is scaled by √(1 − shared) with the Dice coefficient shared = 2k/(n + m).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, Field

from xtalpriors.arrays import F64
from xtalpriors.canonical_json import canonical_json
from xtalpriors.frozen_model import Frozen
from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.priors.distributions.distribution import Categorical, Constant, Counts, Scalar, Uniform
from xtalpriors.priors.distributions.estimate import Estimate
from xtalpriors.priors.distributions.scalar import ScalarPrior
from xtalpriors.priors.kinds.cell import CellOfFamily
from xtalpriors.priors.kinds.contents import Contents
from xtalpriors.priors.kinds.coordination import Shell
from xtalpriors.priors.tell.parts import shares_of_parts

__all__ = ["Comparison", "Move", "compare"]

LEVELS = (np.arange(400) + 0.5) / 400
REPLICATES = 1000
SKIPPED = frozenset({"goodness", "shrinkage", "joint", "over_radii", "median"})
"""Not compared: what describes the fit, patterns whose labels are the finest grain of other rows, and
medians, which stand in the row of their distribution."""
KOLMOGOROV = 1.3581
"""√n times the KS distance that a sample of n exceeds in 5 % of cases (Smirnov 1948)."""
IN_UNIT_OF_VALUES = frozenset({"mean", "sd", "scale"})
"""Numbers below a distribution that have its unit; the other parameters have none."""


class Move(Frozen):
    """One quantity in both bundles."""

    name: str = Field(description="Dotted name inside the bundle")
    kind: Literal["number", "distribution", "shares"]
    unit: str | None = None
    a: float | None = Field(description="The number, or the median of the distribution; null for shares")
    b: float | None
    a_range: str | None = Field(
        default=None, description="The first bundle has no data of it: the range or value that it draws from"
    )
    b_range: str | None = Field(default=None, description="The same of the second bundle")
    shift: float | None = Field(default=None, description="b − a with its sign; null for shares")
    shift_low: float | None = Field(
        default=None, description="95 % interval of the shift; null where neither bundle has one"
    )
    shift_high: float | None = None
    change: float = Field(description="b − a; Wasserstein distance; total variation")
    low: float | None = Field(
        default=None, description="95 % interval of the change; null without uncertainty"
    )
    high: float | None = None
    ks_d: float | None = Field(default=None, description="KS distance, distributions only")
    ks_noise: float | None = Field(
        default=None, description="KS distance that sampling alone exceeds in 5 % of cases"
    )
    noise: float | None = Field(
        default=None,
        description="Size that sampling alone exceeds in 5 % of cases; null when both are published",
    )
    exceeds: bool = Field(description="The move is more than sampling error")


class Comparison(Frozen):
    """Every move between two bundles."""

    a: str
    b: str
    file_a: str | None = Field(description="Where the first bundle was read, as FILE or REVISION:FILE")
    file_b: str | None = Field(description="Where the second bundle was read")
    digest_a: str
    digest_b: str
    shared: float = Field(
        description="Structures in both as a share of the mean number in one, as it was given; 0: independent"
    )
    moves: tuple[Move, ...]
    parts: dict[str, float] = Field(
        description="Share of each part of a prior in its draws, in the second bundle (`shares_of_parts`)"
    )
    only_in_a: tuple[str, ...] = Field(description="Priors that only the first bundle has")
    only_in_b: tuple[str, ...] = Field(description="Priors that only the second bundle has")

    @property
    def moved(self) -> tuple[Move, ...]:
        """Moves that exceed the sampling error."""
        return tuple(m for m in self.moves if m.exceeds)

    def to_json(self) -> str:
        """Canonical JSON."""
        return canonical_json(self.model_dump(mode="json"), indent=1)


def compare(a: PriorBundle, b: PriorBundle, *, shared: float = 0.0) -> Comparison:
    """Pair the priors of two bundles and measure how far each moved from `a` to `b`.

    Parameters
    ----------
    a, b
        The bundle before and the one after.
    shared
        Structures in both as a share of the mean number in one (Dice coefficient), 0 to 1; 0 takes the two as
        independent samples, which overstates the noise between two releases of one database.
    """
    moves: list[Move] = []
    only: tuple[list[str], list[str]] = ([], [])
    noise = _Noise(_bridges(), float(np.sqrt(1 - shared)))
    for name in type(a.priors).model_fields:
        first, second = getattr(a.priors, name), getattr(b.priors, name)
        if first is not None and second is not None:
            moves.extend(_walk(name, first, second, noise))
        elif first is not None or second is not None:
            only[0 if second is None else 1].append(name)
    return Comparison(
        a=a.name,
        b=b.name,
        file_a=a.file,
        file_b=b.file,
        digest_a=a.priors_digest,
        digest_b=b.priors_digest,
        shared=shared,
        moves=tuple(moves),
        parts=shares_of_parts(b.priors),
        only_in_a=tuple(only[0]),
        only_in_b=tuple(only[1]),
    )


class _Noise(NamedTuple):
    """Brownian bridges, and the factor of all noise where the two bundles share structures."""

    bridges: F64
    factor: float


def _walk(name: str, a: object, b: object, noise: _Noise) -> Iterator[Move]:
    """Moves of everything below two values of the same name."""
    if isinstance(a, Estimate) and isinstance(b, Estimate):
        yield _number(name, a, b, noise)
    elif isinstance(a, Categorical) and isinstance(b, Categorical):
        before, after = (dict(zip(c.labels, c.shares, strict=True)) for c in (a, b))
        yield _shares(name, before, after, noise)
    elif isinstance(a, Counts) and isinstance(b, Counts):
        before, after = ({str(i): p for i, p in enumerate(c.probabilities)} for c in (a, b))
        yield _shares(name, before, after, noise)
    elif isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(a.keys() & b.keys()):
            yield from _walk(f"{name}.{key}", a[key], b[key], noise)
    elif isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b):
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            letters = getattr(x, "letters", None)
            yield from _walk(f"{name}.{''.join(letters) if letters else i}", x, y, noise)
    elif isinstance(a, CellOfFamily) and isinstance(b, CellOfFamily):
        order = float(np.sqrt(max(a.order_min, b.order_min) * min(a.order_max, b.order_max)))
        yield from _walk(name, _of_family(a, order), _of_family(b, order), noise)
    elif isinstance(a, Shell) and isinstance(b, Shell) and a.of_kind != b.of_kind:
        return  # of the element in one bundle, of all elements of its kind in the other
    elif isinstance(a, BaseModel) and isinstance(b, BaseModel):
        if isinstance(a, ScalarPrior) and isinstance(b, ScalarPrior):
            yield _distribution(name, a, b, noise)
            yield from (_with_unit(move, name, a.unit) for move in _fields(name, a, b, noise))
            return
        if isinstance(a, Contents) and isinstance(b, Contents):
            yield _shares(f"{name}.sets", _sets(a), _sets(b), noise)
        yield from _fields(name, a, b, noise)


def _fields(name: str, a: BaseModel, b: BaseModel, noise: _Noise) -> Iterator[Move]:
    """Moves of the fields of two models of one type."""
    for field in type(a).model_fields if type(a) is type(b) else ():
        if field not in SKIPPED:
            yield from _walk(f"{name}.{field}", getattr(a, field), getattr(b, field), noise)


def _with_unit(move: Move, name: str, unit: str) -> Move:
    """A number below the distribution `name` with the unit of its values, where it has that.

    What is below a part of it, as `packing.atoms_per_cell`, has not.
    """
    own = move.name.removeprefix(f"{name}.").removeprefix("parametric.")
    return move.model_copy(update={"unit": unit}) if own in IN_UNIT_OF_VALUES else move


def _sets(contents: Contents) -> dict[str, Estimate]:
    """Shares of the sets of elements; those that are too rare to be listed are one."""
    return {name: one.share for name, one in contents.sets.items()} | {"": Estimate(value=contents.left_out)}


def _of_family(family: CellOfFamily, order: float) -> dict[str, object]:
    """What can be compared of the cells of a family, their longest length in groups of this order.

    As it stands in a bundle that length is over a power of the order which each bundle has for itself, and
    `composition` is a place in a list of its own.
    """
    own = "composition"
    return {
        "axis_order": family.axis_order,
        "correlations": {k: v for k, v in family.correlations.items() if own not in k.split(" & ")},
        "variables": {k: v for k, v in family.variables.items() if k != own}
        | {"longest": family.longest_in(order)},
    }


def _number(name: str, a: Estimate, b: Estimate, noise: _Noise) -> Move:
    change, low, high = _difference(a, b, noise.factor)
    size, exceeds = None, change != 0
    if low is not None and high is not None:
        size, exceeds = change - low if change > 0 else high - change, low > 0 or high < 0
    return Move(
        name=name,
        kind="number",
        a=a.value,
        b=b.value,
        shift=change,
        shift_low=low,
        shift_high=high,
        change=change,
        low=low,
        high=high,
        noise=size,
        exceeds=exceeds,
    )


def _difference(a: Estimate, b: Estimate, factor: float) -> tuple[float, float | None, float | None]:
    """b − a with its 95 % interval, `factor` times that of independent ones; none where neither has one."""
    change = b.value - a.value
    if a.low is None and b.low is None:
        return change, None, None
    below = np.hypot(
        b.value - (b.value if b.low is None else b.low), (a.value if a.high is None else a.high) - a.value
    )
    above = np.hypot(
        (b.value if b.high is None else b.high) - b.value, a.value - (a.value if a.low is None else a.low)
    )
    return change, float(change - factor * below), float(change + factor * above)


def _median(prior: ScalarPrior, distribution: Scalar) -> Estimate:
    """The median with its interval, or, where the prior states none, that of its distribution.

    Its limits are the quantiles at the limits of the share below it (Woodruff 1952).
    """
    if prior.median is not None:
        return prior.median
    median, half = float(distribution.quantile(0.5)), 0.98 * float(np.sqrt(_variance(prior)))
    if not half:
        return Estimate(value=median)
    low, high = distribution.quantile([max(0.0, 0.5 - half), min(1.0, 0.5 + half)])
    return Estimate(value=median, low=float(min(low, median)), high=float(max(high, median)))


def _range(prior: ScalarPrior) -> str | None:
    """`U(7; 22)` or `1` where a prior without data says what is drawn and not what was found; else null."""
    form = prior.parametric
    if prior.n is None and isinstance(form, Uniform):
        return f"U({form.low:.3g}; {form.high:.3g})"
    return f"{form.value:g}" if prior.n is None and isinstance(form, Constant) else None


def _bridges() -> F64:
    """(replicates, levels) Brownian bridges: the noise of an empirical distribution function times √n."""
    rng = np.random.default_rng(0)
    walks = np.cumsum(rng.standard_normal((REPLICATES, len(LEVELS) + 1)), axis=1) / np.sqrt(len(LEVELS) + 1)
    return np.asarray((walks - np.linspace(0, 1, len(LEVELS) + 2)[1:] * walks[:, -1:])[:, :-1], float)


def _variance(prior: ScalarPrior) -> float:
    """1 / number of clusters behind the values, pooled ones by their weights; 0 when published."""
    pooled = prior.shrinkage
    if pooled is not None:
        own, rest = pooled.weight_own, 1 - pooled.weight_own
        return own**2 / max(pooled.n_own, 1) + rest**2 / max(pooled.n_parent, 1)
    return 1 / prior.n_clusters if prior.n_clusters else 0.0


def _distribution(name: str, a: ScalarPrior, b: ScalarPrior, noise: _Noise) -> Move:
    """Wasserstein and KS distance, of the empirical distributions where there are any."""
    first, second = (p.distribution("empirical" if p.empirical else None) for p in (a, b))
    qa, qb = first.quantile(LEVELS), second.quantile(LEVELS)
    grid = np.union1d(qa, qb)
    fa, fb = first.cdf(grid), second.cdf(grid)
    variance = noise.factor**2 * (_variance(a) + _variance(b))
    steps = np.diff(grid)
    gap = fb - fa
    change = float(np.abs(gap[:-1]) @ steps)
    size = low = high = None
    if variance > 0 and len(grid) > 1:
        # bridges run over the scale of probability: each x reads them at the pooled distribution function
        at = np.clip(np.searchsorted(LEVELS, 0.5 * (fa + fb)), 0, len(LEVELS) - 1)
        wobble = noise.bridges[:, at[:-1]] * np.sqrt(variance)
        size = float(np.quantile(np.abs(wobble) @ steps, 0.95))
        spread = 1.96 * float(np.std(np.abs(gap[:-1] + wobble) @ steps))
        low, high = max(0.0, change - spread), change + spread
    medians = _median(a, first), _median(b, second)
    shift, shift_low, shift_high = _difference(*medians, noise.factor)
    return Move(
        name=name,
        kind="distribution",
        unit=a.unit,
        a=medians[0].value,
        b=medians[1].value,
        a_range=_range(a),
        b_range=_range(b),
        shift=shift,
        shift_low=shift_low,
        shift_high=shift_high,
        change=change,
        low=low,
        high=high,
        ks_d=float(np.abs(gap).max()),
        ks_noise=min(1.0, KOLMOGOROV * float(np.sqrt(variance))) if variance > 0 else None,
        noise=size,
        exceeds=change > size if size is not None else change > 0,
    )


def _shares(name: str, a: dict[str, Estimate], b: dict[str, Estimate], noise: _Noise) -> Move:
    """Total variation of two sets of shares; the noise is that of their intervals."""
    labels = sorted(a.keys() | b.keys())
    value = np.array([[side[k].value if k in side else 0.0 for k in labels] for side in (a, b)])
    half = np.array([[(side[k].half_width or 0.0) if k in side else 0.0 for k in labels] for side in (a, b)])
    change = 0.5 * float(np.abs(value[1] - value[0]).sum())
    deviation = noise.factor * np.hypot(half[0], half[1]) / 1.96
    size = low = high = None
    if deviation.any():
        draws = np.random.default_rng(0).standard_normal((REPLICATES, len(labels))) * deviation
        size = min(1.0, float(np.quantile(0.5 * np.abs(draws).sum(axis=1), 0.95)))
        spread = 1.96 * float(np.std(0.5 * np.abs(value[1] - value[0] + draws).sum(axis=1)))
        low, high = max(0.0, change - spread), min(1.0, change + spread)
    return Move(
        name=name,
        kind="shares",
        a=None,
        b=None,
        change=change,
        low=low,
        high=high,
        noise=size,
        exceeds=change > size if size is not None else change > 0,
    )
