"""The numbers that Melgalvis & Reķis 2026 state, beside those of this corpus."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import exp, inf, isfinite

import pandas as pd
from markupsafe import Markup

from xtalpriors.priors.bundle import PriorBundle, Priors
from xtalpriors.priors.distributions.continuous import LogNormal
from xtalpriors.priors.distributions.estimate import Estimate
from xtalpriors.reports.html import markup
from xtalpriors.reports.sections.own_numbers import own_share, share_within

__all__ = ["STATISTICS", "PaperRow", "Statistic", "compare_with_paper", "strip"]

SMALL, LARGE = "p21c-10", "all-50"
SPECIAL = "n_special_positions"
PACKING = "volume_per_non_h_atom_angstrom3"


@dataclass(frozen=True, slots=True)
class Statistic:
    """One number: where the paper has it, and how a bundle gives it (`get`).

    Where there is no `get` the number is the share of the structures with a known `column` for which it lies
    `within` a range; without `within`, in the range of `own_numbers.RANGES` that the paper samples from.
    Where `paper` is null the paper states no number to compare with: it draws from that range.
    `percent` numbers are shares, shown in per cent; `axis` is the range of the strip; `in_words` turns
    (paper, value) into the generator's own terms where a difference alone says little; `of` says what the
    paper's number is of, where it is no count of structures.
    """

    label: str
    subset: str
    paper: float | None
    get: Callable[[Priors], Estimate | None] | None = None
    column: str = ""
    within: tuple[float, float] | None = None
    axis: tuple[float, float] = (0.0, 1.0)
    percent: bool = True
    in_words: Callable[[float, float], str] | None = None
    of: str = ""


@dataclass(frozen=True, slots=True)
class PaperRow:
    """A row of the table, ready to print."""

    label: str
    sample: str
    paper: str
    value: str
    interval: str
    strip: Markup
    verdict: str
    words: str
    look: str


def _volume(name: str) -> Callable[[Priors], Estimate | None]:
    def get(priors: Priors) -> Estimate | None:
        """The estimate of the bundle; None where the volumes are not log-normal."""
        fit = None if priors.cell_volume is None else priors.cell_volume.parametric
        value = getattr(fit, name) if isinstance(fit, LogNormal) else None
        return value if isinstance(value, Estimate) else None

    return get


def _path(*names: str) -> Callable[[Priors], Estimate | None]:
    """The estimate at a dotted path; null as soon as a step of it is."""

    def get(priors: Priors) -> Estimate | None:
        """The estimate of the bundle; None where a step of the path is null."""
        here: object = priors
        for name in names:
            here = None if here is None else getattr(here, name)
        return here if isinstance(here, Estimate) else None

    return get


def _factor(paper: float, value: float) -> str:
    return f"median V × {exp(value - paper):.2f}"


STATISTICS: tuple[Statistic, ...] = (
    Statistic(
        "Cell volume: μ, mean of ln(V/Å³)",
        SMALL,
        6.04,
        _volume("mu"),
        axis=(5, 7.5),
        percent=False,
        in_words=_factor,
        of="its fit",
    ),
    Statistic("Cell volume: σ, s.d. of ln V", SMALL, 0.394, _volume("sigma"), percent=False, of="its fit"),
    Statistic("Volumes within 160–1000 Å³", SMALL, 0.979, None, "volume_angstrom3", of="its fit"),
    Statistic("Structures with no special position occupied", SMALL, 0.735, None, SPECIAL, (0, 0)),
    Statistic("Structures with one special position occupied", SMALL, 0.201, None, SPECIAL, (1, 1)),
    Statistic("Structures with two or more occupied", SMALL, 0.064, None, SPECIAL, (2, inf)),
    Statistic("Volume per non-H atom within 7–22 Å³", SMALL, None, None, PACKING),
    Statistic("H mole fraction within 0.3–0.6", SMALL, None, None, "h_fraction"),
    Statistic("Mean Uᵢₛₒ within 0.01–0.1 Å²", SMALL, None, None, "u_iso_mean_angstrom2"),
    Statistic("C, N, O among general positions", LARGE, 0.89, _path("elements", "general", "share_cno")),
    Statistic("C, N, O among special positions", LARGE, 0.49, _path("elements", "special", "share_cno")),
)


def compare_with_paper(
    bundles: Mapping[str, PriorBundle], frames: Mapping[str, pd.DataFrame]
) -> list[PaperRow]:
    """The table's rows from bundles and entries by subset name; what none gives is said to be missing."""
    return [_row(s, bundles.get(s.subset), frames[s.subset]) for s in STATISTICS]


def _estimate(statistic: Statistic, bundle: PriorBundle | None, entries: pd.DataFrame) -> Estimate | str:
    """The corpus's value, or why there is none."""
    if statistic.get is None:
        column, within = statistic.column, statistic.within
        share = (
            own_share(column, bundle, entries) if within is None else share_within(column, within, entries)
        )
        return share or "no structure"
    if bundle is None:
        return "no bundle of this subset"
    return statistic.get(bundle.priors) or "not in the bundle"


def _pooled(statistic: Statistic, bundle: PriorBundle | None) -> str:
    """Says how little of a pooled volume fit is this subset's own."""
    if bundle is None or not statistic.label.startswith("Cell volume"):
        return ""
    volume = bundle.priors.cell_volume
    if volume is None or volume.shrinkage is None:
        return ""
    return f"{100 * volume.shrinkage.weight_own:.0f} % its own, rest of {volume.shrinkage.parent}"


def _row(statistic: Statistic, bundle: PriorBundle | None, entries: pd.DataFrame) -> PaperRow:
    sample = f"{statistic.subset} ({len(entries):,})"
    paper = "range it draws from"
    if statistic.paper is not None:
        paper = _number(statistic.paper, statistic.percent) + (f" ({statistic.of})" if statistic.of else "")
    estimate = _estimate(statistic, bundle, entries)
    if isinstance(estimate, str):
        return PaperRow(statistic.label, sample, paper, "–", "", Markup(""), estimate, "", "none")
    interval = ""
    if estimate.low is not None and estimate.high is not None:
        ends = [_number(end, statistic.percent, sign=False) for end in (estimate.low, estimate.high)]
        interval = f"{ends[0]} … {ends[1]}"
    verdict, words, look = _verdict(statistic, estimate)
    pooled = _pooled(statistic, bundle)
    return PaperRow(
        label=statistic.label,
        sample=sample,
        paper=paper,
        value=_number(estimate.value, statistic.percent),
        interval=interval,
        strip=strip(estimate, statistic.paper, statistic.axis),
        verdict=f"{verdict}, pooled" if pooled else verdict,
        words=f"{words}; {pooled}" if words and pooled else words or pooled,
        look="none" if pooled else look,
    )


def _number(value: float, percent: bool, *, sign: bool = True) -> str:
    if percent:
        return f"{100 * value:.1f}" + (" %" if sign else "")
    return f"{value:.3f}"


def _verdict(statistic: Statistic, estimate: Estimate) -> tuple[str, str, str]:
    """What moved, in the statistic's unit; nothing did while the paper's value lies in the interval.

    Where the paper draws from a range, how many structures that range leaves out.
    """
    if statistic.paper is None:
        outside = f"{100 * (1 - estimate.value):.1f} % outside"
        if estimate.value < 0.5:
            return outside, "the range leaves most structures out", "moved"
        return outside, "", "good" if estimate.value >= 0.9 else "none"
    difference = estimate.value - statistic.paper
    if (
        estimate.low is not None
        and estimate.high is not None
        and estimate.low <= statistic.paper <= estimate.high
    ):
        return "within interval", "", "good"
    arrow = "▲" if difference > 0 else "▼"
    size = f"{abs(100 * difference):.1f} points" if statistic.percent else f"{abs(difference):.3f}"
    words = "" if statistic.in_words is None else statistic.in_words(statistic.paper, estimate.value)
    return f"{arrow} {size}", words, "moved"


def strip(estimate: Estimate, reference: float | None, axis: tuple[float, float]) -> Markup:
    """A small drawing of a value with its interval (dot and bar) and a reference (diamond) on one axis."""
    low, high = axis
    values = [estimate.value, reference, estimate.low, estimate.high]
    inside = [v for v in values if v is not None and isfinite(v)]
    low, high = min(low, *inside), max(high, *inside)

    def at(value: float) -> float:
        """Place on the axis in units of the drawing."""
        return round(6 + 136 * (value - low) / (high - low), 1)

    ends = None
    if estimate.low is not None and estimate.high is not None:
        ends = at(estimate.low), at(estimate.high)
    return markup(
        "moved",
        "strip",
        bar=ends,
        value=at(estimate.value),
        paper=None if reference is None else at(reference),
    )
