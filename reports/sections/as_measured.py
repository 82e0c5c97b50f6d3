"""Figures of the priors that the strategy `fitted` draws from, for the section on the fitted priors."""

from __future__ import annotations

from xtalpriors.reports.figures.as_measured import bonds, cell, contents, coordination
from xtalpriors.reports.html import words
from xtalpriors.reports.inputs import Inputs
from xtalpriors.reports.meta import Rendered
from xtalpriors.reports.section import drawn, render

__all__ = ["as_measured_figures"]


def as_measured_figures(inputs: Inputs) -> list[Rendered]:
    """Correlations of a cell, sets of elements, pair correlations and angles of the smaller bundle."""
    bundle = inputs.bundles.get(inputs.small.name)
    if bundle is None:
        return []
    priors, meta = bundle.priors, inputs.meta([inputs.small.sample()], "declared")
    families = {} if priors.cell is None else priors.cell.families
    family = max(families, key=lambda name: families[name].variables["longest"].n or 0, default=None)
    of_family = None if family is None else families[family]
    caption = words("priors", "cell", family=family, prior=of_family)
    figures = [
        render(cell, "prior-cell", "Prior cell", "What goes with what", cell.data(of_family), meta, caption)
    ]
    of_contents = contents.data(priors.contents)
    caption = words("priors", "contents", prior=priors.contents)
    title = "Elements that occur together"
    figures.append(render(contents, "prior-contents", "Prior contents", title, of_contents, meta, caption))
    of_bonds = bonds.data(priors.bonds)
    caption = words("priors", "bonds", pairs=list(dict.fromkeys(of_bonds["pair"])), prior=priors.bonds)
    title = "Neighbours of two elements"
    figures.append(render(bonds, "prior-bonds", "Prior bonds", title, of_bonds, meta, caption))
    angles, name = coordination.data(priors.coordination), "prior-coordination"
    shown = list(dict.fromkeys(angles["element"]))
    caption = words("priors", "coordination", elements=shown, prior=priors.coordination)
    title = "Angles at an atom"
    figures.append(render(coordination, name, "Prior coordination", title, angles, meta, caption))
    return drawn(figures)[0]
