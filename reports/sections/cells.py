"""The section on unit cells: Figs 1, 2 and 3."""

from __future__ import annotations

import numpy as np
import pandas as pd

from xtalpriors.arrays import ANGLES, LENGTHS
from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.priors.distributions.continuous import LogNormal
from xtalpriors.priors.distributions.distribution import Scalar
from xtalpriors.priors.distributions.scalar import ScalarPrior
from xtalpriors.reports.figures import angle, lengths, volume
from xtalpriors.reports.inputs import LARGE, SMALL, Inputs
from xtalpriors.reports.measures import folded_angle, length_statistics
from xtalpriors.reports.meta import Rendered, count
from xtalpriors.reports.panels import stack
from xtalpriors.reports.paper_cells import (
    CellBounds,
    ExpectedCells,
    expected_cells,
    uniform_length_volume_cdf,
)
from xtalpriors.reports.section import Section, fit_text, render
from xtalpriors.reports.statistics import kolmogorov_distance, kolmogorov_fit, weighted_quantile

__all__ = ["cells_section", "fitted_volume"]


def cells_section(inputs: Inputs) -> Section:
    """Volumes, lengths and the monoclinic angle."""
    fit = fitted_volume(inputs.bundles.get(SMALL))
    nodes = None if fit is None else expected_cells(fit.mu.value, fit.sigma.value, CellBounds(4, 10))
    figures = [_volume(inputs), _lengths(inputs, nodes), _angle(inputs, nodes)]
    return Section("cells", "Unit cells", figures=figures)


def fitted_volume(bundle: PriorBundle | None) -> LogNormal | None:
    """The log-normal of a bundle's volumes, if it has one."""
    prior = None if bundle is None else bundle.priors.cell_volume
    fit = None if prior is None else prior.parametric
    return fit if isinstance(fit, LogNormal) else None


def _volume(inputs: Inputs) -> Rendered:
    paper = fitted_volume(inputs.published)
    small, large = inputs.small, inputs.large
    frame = stack(
        [
            volume.data("small", small.frame, fitted_volume(inputs.bundles.get(SMALL)), paper),
            volume.data("all", large.frame, fitted_volume(inputs.bundles.get(LARGE))),
        ]
    )
    meta = inputs.meta([small.sample(), large.sample()], "declared")
    caption = " ".join(
        [
            _volume_clause(inputs, SMALL, "Left", small.frame, (4.0, 10.0)),
            _volume_clause(inputs, LARGE, "Right", large.frame, (4.0, 50.0)),
            "The dashed curve is the density that lengths drawn uniformly between the bounds would give, "
            "computed from eqs 1–5.",
        ]
    )
    return render(volume, "volume", "Fig. 1", "Volume of the unit cell", frame, meta, caption)


def _volume_clause(
    inputs: Inputs, name: str, side: str, entries: pd.DataFrame, bounds: tuple[float, float]
) -> str:
    if entries.empty:
        return f"{side}: {name} has no structure in this corpus."
    values, weights = entries["volume_angstrom3"], entries["weight"]
    text = (
        f"{side}: {name}, N = {count(len(entries))}, median {weighted_quantile(values, 0.5, weights):,.0f} Å³"
    )
    bundle = inputs.bundles.get(name)
    if bundle is not None and bundle.priors.cell_volume is not None:
        text += f"; {fit_text(bundle.priors.cell_volume)}"
    distance = kolmogorov_fit(values, lambda v: uniform_length_volume_cdf(v, *bounds), weights)
    top = weighted_quantile(values, 0.99, weights)
    beyond = 100 * (1 - float(uniform_length_volume_cdf(top, *bounds)))
    text += f". Uniform lengths are D = {distance:.2f} away"
    if beyond > 5:
        text += f", with {beyond:.0f} % of their volumes beyond the 99th percentile of the database"
    return text + "."


def _ratio_fit(prior: ScalarPrior | None) -> Scalar | None:
    return None if prior is None else prior.parametric


def _lengths(inputs: Inputs, nodes: ExpectedCells | None) -> Rendered:
    small = inputs.small
    bundle = inputs.bundles.get(SMALL)
    ratios = None if bundle is None else bundle.priors.axis_ratio
    upper = None if ratios is None else ratios.longest_over_middle
    lower = None if ratios is None else ratios.middle_over_shortest
    frame = lengths.data(small.frame, _ratio_fit(upper), _ratio_fit(lower), nodes)
    caption = (
        f"Sorted lengths a₁ ≤ a₂ ≤ a₃ of the declared cells of {SMALL}, N = {count(len(small.frame))}."
        if len(small.frame)
        else f"{SMALL} has no structure in this corpus."
    )
    clauses = [
        f"{name}: {fit_text(prior)}"
        for name, prior in (("a₃/a₂", upper), ("a₂/a₁", lower))
        if prior is not None
    ]
    if clauses:
        caption += (
            " Fits in the ratio above 1 within r = 1.8, drawn for the share of the structures there. "
            f"{'; '.join(clauses)}."
        )
    if nodes is not None and len(small.frame):
        caption += _rule_clause(small.frame, nodes)
    meta = inputs.meta([small.sample()], "declared")
    return render(lengths, "lengths", "Fig. 2", "Cell lengths and their ratios", frame, meta, caption)


def _rule_clause(entries: pd.DataFrame, nodes: ExpectedCells) -> str:
    """How far the rule of eqs 6–13 is from the database, statistic by statistic."""
    own = length_statistics(entries[list(LENGTHS)].to_numpy(dtype=np.float64))
    rule = length_statistics(nodes.sorted_lengths_angstrom)
    parts = [
        f"{kolmogorov_distance(own[panel.key], rule[panel.key], entries['weight']):.2f} for {label}"
        for panel, label in zip(lengths.PANELS, ("a₃", "a₃/a₂", "a₂/a₁"), strict=True)
    ]
    return (
        " Dashed: what eqs 6–13 give (r = 1.8, 4–10 Å) when V follows the log-normal fit and a₁ and a₂ "
        "are uniform "
        f"between their bounds; its distance D to the database is {', '.join(parts)}."
    )


def _angle(inputs: Inputs, nodes: ExpectedCells | None) -> Rendered:
    small = inputs.small
    bundle = inputs.bundles.get(SMALL)
    prior = None if bundle is None else bundle.priors.monoclinic_angle
    skews: dict[str, ScalarPrior | None] = {"declared": None, "least-oblique": None}
    if prior is not None:
        skews["declared"] = prior.declared.skew
        skews["least-oblique"] = None if prior.least_oblique is None else prior.least_oblique.skew
    fits = {name: None if skew is None else skew.parametric for name, skew in skews.items()}
    frame = angle.data(small.frame, fits, nodes)
    meta = inputs.meta([small.sample()], "declared and least-oblique")
    caption = _angle_caption(small.frame, skews, nodes is not None)
    return render(angle, "angle", "Fig. 3", "Monoclinic angle", frame, meta, caption)


def _angle_caption(
    entries: pd.DataFrame, skews: dict[str, ScalarPrior | None], has_length_bound: bool
) -> str:
    if entries.empty:
        return f"{SMALL} has no structure in this corpus."
    declared = folded_angle(entries[list(ANGLES)].to_numpy(dtype=np.float64))
    oblique = entries["least_oblique_beta_degree"].to_numpy(dtype=np.float64)
    known = np.isfinite(oblique)
    weights = entries["weight"].to_numpy(dtype=np.float64)
    text = (
        f"{SMALL}, N = {count(len(entries))}. Left: the declared angle whatever the setting, median "
        f"{weighted_quantile(declared, 0.5, weights):.1f}°. Right: the same structures in the P2₁/c "
        f"setting with β "
        f"nearest 90°, median {weighted_quantile(oblique[known], 0.5, weights[known]):.1f}°. "
    )
    clauses = [f"{name}: {fit_text(s)}" for name, s in skews.items() if s is not None]
    if clauses:
        text += f"Fitted is the skew |s₃| = tan(β − 90°). {'; '.join(clauses)}. "
    text += "Dotted: a skew drawn uniformly up to β = 125° (eq. 14), which favours large angles"
    return text + ("; dashed: the same within the length bound of eq. 15." if has_length_bound else ".")
