"""One subset at a glance: a sheet of small panels."""

from __future__ import annotations

from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.priors.distributions.scalar import ScalarPrior
from xtalpriors.reports.figures import sheet
from xtalpriors.reports.html import words
from xtalpriors.reports.inputs import Inputs
from xtalpriors.reports.measures import Weighted
from xtalpriors.reports.meta import Rendered
from xtalpriors.reports.panels import Fitted
from xtalpriors.reports.section import render
from xtalpriors.reports.sections.own_numbers import own_median

__all__ = ["sheet_figure"]


def _fits(bundle: PriorBundle | None) -> dict[str, Fitted]:
    if bundle is None:
        return {}
    priors = bundle.priors
    found: dict[str, ScalarPrior | None] = {
        "volume": priors.cell_volume,
        "packing": priors.packing,
        "displacement": None if priors.displacement is None else priors.displacement.mean,
    }
    if priors.axis_ratio is not None:
        found["upper"] = priors.axis_ratio.longest_over_middle
        found["lower"] = priors.axis_ratio.middle_over_shortest
    fits = {name: Fitted.of(prior) for name, prior in found.items()}
    return {name: fit for name, fit in fits.items() if fit is not None}


def sheet_figure(inputs: Inputs) -> Rendered:
    """Volume, lengths, packing and displacement of the subset of a page."""
    subset = inputs.large
    bundle = inputs.bundles.get(subset.name)
    frame = sheet.data(subset.frame, _fits(bundle))
    entries = subset.frame
    caption = words(
        "subsets",
        "sheet",
        description=subset.definition.get("description"),
        n=len(entries),
        median=own_median(
            None if bundle is None else bundle.priors.cell_volume,
            Weighted(entries["volume_angstrom3"].to_numpy(), entries["weight"].to_numpy()),
        ),
    )
    brought = bool(subset.definition.get("bring_to_p21c"))
    meta = inputs.meta([subset.sample()], "least-oblique" if brought else "declared")
    return render(sheet, "overview", "Subset", "The subset at a glance", frame, meta, caption)
