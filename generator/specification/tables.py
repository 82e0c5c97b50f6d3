"""Priors as tables that the kernels draw from: quantiles at equal steps, cumulative shares of elements."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import F64
from xtalpriors.crystal.chemistry.elements import ATOMIC_NUMBER, COVALENT_RADIUS_ANGSTROM
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.generator.specification.kernel_inputs import ElementTable
from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.priors.distributions.distribution import Categorical, Constant, Scalar, Uniform
from xtalpriors.priors.distributions.scalar import ScalarPrior

__all__ = [
    "NONE",
    "distribution_of",
    "element_table",
    "linear_table",
    "quantile_table",
    "single_element",
    "steady",
]


INTERVALS = 4096
"""Steps of a quantile table: linear interpolation then errs by less than 1e-4 in the distribution
function."""

TAIL = 1e-6
"""Share cut from each unbounded end."""


def steady(values: npt.ArrayLike) -> F64:
    """Values at 12 significant digits, so that the last place of a C library's functions changes no
    structure."""
    flat = np.asarray(values, float)
    rounded = [float(f"{v:.12g}") for v in flat.ravel()]
    return np.array(rounded).reshape(flat.shape)


def linear_table(low: float, high: float) -> F64:
    """U(low; high)."""
    return steady([low, high])


NONE = linear_table(0.0, 0.0)
"""Stands for a table that the strategy does not use."""


def quantile_table(
    distribution: Scalar,
    low: float | None = None,
    high: float | None = None,
    scale: float = 1.0,
    intervals: int = INTERVALS,
) -> F64:
    """Quantiles of scale·X at `intervals` + 1 equally spaced shares of what lies within [low, high].

    Raises
    ------
    ValueError
        Less than one part in 10⁶ of the distribution lies there.
    """
    if isinstance(distribution, Uniform):
        bottom, top = distribution.low * scale, distribution.high * scale
        bottom, top = max(bottom, bottom if low is None else low), min(top, top if high is None else high)
        if bottom > top:
            raise ValueError(f"U({distribution.low * scale:g}; {distribution.high * scale:g}) lies outside")
        return linear_table(bottom, top)
    p_low = 0.0 if low is None else float(distribution.cdf(low / scale))
    p_high = 1.0 if high is None else float(distribution.cdf(high / scale))
    if isinstance(distribution, Constant):
        p_low = p_low if low is not None and low / scale > distribution.value else 0.0
    if p_high - p_low < TAIL:
        raise ValueError(f"only {max(p_high - p_low, 0.0):.1e} of the distribution lies inside")
    shares = np.linspace(p_low, p_high, intervals + 1)
    values = scale * np.asarray(distribution.quantile(np.clip(shares, TAIL, 1.0 - TAIL)), float)
    values = np.clip(values, low, high) if low is not None or high is not None else values
    return np.maximum.accumulate(steady(values))


def distribution_of(bundle: PriorBundle, name: str, prior: ScalarPrior | None, form: str | None) -> Scalar:
    """The distribution of a prior in the form asked for.

    `form` is `parametric`, `empirical`, `exponential` (parametric, of that family), or null for what there
    is.

    Raises
    ------
    XtalpriorsError
        The bundle does not hold it; the message says what it holds.
    """
    if prior is None:
        reason = bundle.unavailable.get(name, "it was not fitted")
        raise XtalpriorsError(
            f"{bundle.called} has no prior {name!r}: {reason}. Use `uniform`, or another bundle."
        )
    families = [d.family for d in (prior.parametric, prior.empirical) if d is not None]
    if form == "exponential":
        if prior.parametric is None or prior.parametric.family != "exponential":
            raise XtalpriorsError(
                f"{bundle.called} has no exponential distribution of {name!r}, only "
                f"{', '.join(families)}. Use `uniform`, or a bundle fitted to a database."
            )
        return prior.parametric
    chosen = prior.parametric if form == "parametric" else prior.empirical if form == "empirical" else None
    if form is None:
        chosen = prior.parametric if prior.parametric is not None else prior.empirical
    if chosen is None:
        have = ", ".join(families) or "nothing"
        raise XtalpriorsError(
            f"{bundle.called} has no {form or 'usable'} form of {name!r}, only {have}. Ask for that, "
            "or use a bundle fitted to a database."
        )
    return chosen


def _radius(symbol: str, what: str) -> float:
    radius = COVALENT_RADIUS_ANGSTROM[ATOMIC_NUMBER[symbol]]
    if radius is None:
        raise UsageError(
            f"{what}: {symbol} has no covalent radius (Cordero et al. 2008 end at Cm), so it cannot be "
            "bonded in a molecule. Use `random` filling, or a bundle without it."
        )
    return radius


def element_table(shares: Categorical, what: str, *, with_radii: bool) -> ElementTable:
    """Elements with their shares, largest first.

    Raises
    ------
    UsageError
        A label is not the symbol of an element, or (with radii) the element has no covalent radius.
    """
    pairs = sorted(
        ((p, label) for label, p in zip(shares.labels, shares.probabilities, strict=True) if p > 0),
        key=lambda item: (-item[0], item[1]),
    )
    for _, label in pairs:
        if label not in ATOMIC_NUMBER:
            raise UsageError(f"{what}: `{label}` is no chemical element.")
    cumulative = np.cumsum([p for p, _ in pairs])
    return ElementTable(
        steady(cumulative / cumulative[-1]),
        np.array([ATOMIC_NUMBER[label] for _, label in pairs], np.int64),
        np.array([_radius(label, what) if with_radii else 0.0 for _, label in pairs]),
    )


def single_element(symbol: str, what: str) -> ElementTable:
    """A table of one element.

    Raises
    ------
    UsageError
        The symbol is not that of an element.
    """
    if symbol not in ATOMIC_NUMBER:
        raise UsageError(f"{what}: `{symbol}` is no chemical element.")
    return ElementTable(np.ones(1), np.array([ATOMIC_NUMBER[symbol]], np.int64), np.zeros(1))
