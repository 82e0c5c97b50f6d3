"""The section on unit cells: Figs 1, 2 and 3."""

from __future__ import annotations

import pandas as pd

from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.priors.distributions.continuous import LogNormal
from xtalpriors.priors.distributions.scalar import ScalarPrior
from xtalpriors.reports.figures import angle, lengths, volume
from xtalpriors.reports.html import words
from xtalpriors.reports.inputs import LARGE, SMALL, Inputs
from xtalpriors.reports.measures import Weighted
from xtalpriors.reports.meta import Rendered
from xtalpriors.reports.panels import Fitted
from xtalpriors.reports.paper_cells import (
    CellBounds,
    ExpectedCells,
    expected_cells,
    uniform_length_volume_cdf,
)
from xtalpriors.reports.section import Section, drawn, render
from xtalpriors.reports.sections.own_numbers import own_median
from xtalpriors.reports.statistics import kolmogorov_fit, weighted_quantile
from xtalpriors.reports.subset_data import SubsetData

__all__ = ["angle_figure", "cells_section", "fitted_volume"]

CELLS = ("declared", "least-oblique")
"""Cells whose monoclinic angle is shown, by the keys of the panels."""


def cells_section(inputs: Inputs) -> Section:
    """Volumes, lengths and the monoclinic angle."""
    fit = fitted_volume(inputs.bundles.get(SMALL))
    nodes = None if fit is None else expected_cells(fit.mu.value, fit.sigma.value, CellBounds(4, 10))
    figures, lead = drawn([_volume(inputs), _lengths(inputs, nodes), angle_figure(inputs, nodes)])
    return Section("cells", "How large are the cells, and of what shape?", lead, figures)


def fitted_volume(bundle: PriorBundle | None) -> LogNormal | None:
    """The log-normal of a bundle's volumes, if it has one."""
    prior = None if bundle is None else bundle.priors.cell_volume
    fit = None if prior is None else prior.parametric
    return fit if isinstance(fit, LogNormal) else None


def _volume(inputs: Inputs) -> Rendered:
    paper = fitted_volume(inputs.published)
    small, large = inputs.small, inputs.large
    fits = {"small": _fitted_volume(inputs, SMALL), "all": _fitted_volume(inputs, LARGE)}
    known = {key: fit for key, fit in fits.items() if fit is not None}
    frame = volume.data({"small": small.frame, "all": large.frame}, known, paper)
    meta = inputs.meta([small.sample(), large.sample()], "declared")
    letters = ("(a) ", "(b) ") if len(small.frame) and len(large.frame) else ("", "")
    populations = [
        _volumes(inputs, SMALL, letters[0], small.frame, (4.0, 10.0)),
        _volumes(inputs, LARGE, letters[1], large.frame, (4.0, 50.0)),
    ]
    caption = words("cells", "volume", populations=populations)
    return render(volume, "volume", "Fig. 1", "Volume of the unit cell", frame, meta, caption)


def _fitted_volume(inputs: Inputs, name: str) -> Fitted | None:
    bundle = inputs.bundles.get(name)
    return None if bundle is None else Fitted.of(bundle.priors.cell_volume)


def _volumes(
    inputs: Inputs, name: str, side: str, entries: pd.DataFrame, bounds: tuple[float, float]
) -> dict[str, object]:
    """Numbers of one panel's caption; `beyond` is the share of uniform lengths' volumes above 99 %."""
    found: dict[str, object] = {"side": side, "subset": name, "n": len(entries)}
    if entries.empty:
        return found
    values, weights = entries["volume_angstrom3"], entries["weight"]
    bundle = inputs.bundles.get(name)
    prior = None if bundle is None else bundle.priors.cell_volume
    top = weighted_quantile(values, 0.99, weights)
    return found | {
        "median": own_median(prior, Weighted(values.to_numpy(), weights.to_numpy())),
        "prior": prior,
        "distance": kolmogorov_fit(values, lambda v: uniform_length_volume_cdf(v, *bounds), weights),
        "beyond": 1 - float(uniform_length_volume_cdf(top, *bounds)),
    }


def _lengths(inputs: Inputs, nodes: ExpectedCells | None) -> Rendered:
    small = inputs.small
    bundle = inputs.bundles.get(SMALL)
    ratios = None if bundle is None else bundle.priors.axis_ratio
    upper = None if ratios is None else ratios.longest_over_middle
    lower = None if ratios is None else ratios.middle_over_shortest
    frame = lengths.data(small.frame, Fitted.of(upper), Fitted.of(lower), nodes)
    fits = {name: p for name, p in (("a₃/a₂", upper), ("a₂/a₁", lower)) if p is not None}
    n = len(small.frame)
    caption = words("cells", "lengths", subset=SMALL, n=n, fits=fits, rule_distances=_rule_distances(frame))
    meta = inputs.meta([small.sample()], "declared")
    return render(lengths, "lengths", "Fig. 2", "Cell lengths and their ratios", frame, meta, caption)


def _rule_distances(frame: pd.DataFrame) -> dict[str, float]:
    """How far the rule of eqs 6–13 is from the database, by the name of the statistic."""
    rows = frame[(frame["kind"] == "distance") & (frame["role"] == "rule")].set_index("panel")["density"]
    names = {"longest": "a₃", "upper": "a₃/a₂", "lower": "a₂/a₁"}
    return {name: float(rows[key]) for key, name in names.items() if key in rows.index}


def angle_figure(inputs: Inputs, nodes: ExpectedCells | None) -> Rendered:
    """The monoclinic angle of no. 14 structures; `nodes` give the bound of eq. 15."""
    small = inputs.small
    bundle = inputs.bundles.get(small.name)
    prior = None if bundle is None else bundle.priors.monoclinic_angle
    of_cell = {} if prior is None else {"declared": prior.declared, "least-oblique": prior.least_oblique}
    skews = {name: None if (p := of_cell.get(name)) is None else p.skew for name in CELLS}
    angles = {name: None if (p := of_cell.get(name)) is None else p.beta for name in CELLS}
    fits = {name: Fitted.of(skew) for name, skew in skews.items()}
    frame = angle.data(small.frame, fits, nodes)
    meta = inputs.meta([small.sample()], "declared and least-oblique")
    caption = _angle_caption(small, skews, angles, nodes is not None)
    return render(angle, "angle", "Fig. 3", "Monoclinic angle", frame, meta, caption)


def _angle_caption(
    subset: SubsetData,
    skews: dict[str, ScalarPrior | None],
    angles: dict[str, ScalarPrior | None],
    has_length_bound: bool,
) -> str:
    samples = angle.angle_samples(subset.frame)
    return words(
        "cells",
        "angle",
        subset=subset.name,
        n=len(subset.frame),
        medians={name: own_median(angles[name], samples[name]) for name in CELLS},
        fits={name: s for name, s in skews.items() if s is not None},
        has_length_bound=has_length_bound,
    )
