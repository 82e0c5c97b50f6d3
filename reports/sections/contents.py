"""The section on what is in the cell: S1, hydrogen, elements, special positions, U_iso."""

from __future__ import annotations

import numpy as np
import pandas as pd

from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.priors.distributions.continuous import Uniform
from xtalpriors.priors.distributions.estimate import Estimate
from xtalpriors.priors.distributions.scalar import ScalarPrior
from xtalpriors.reports.figures import displacement, elements, hydrogen, packing, special_positions
from xtalpriors.reports.html import words
from xtalpriors.reports.inputs import Inputs
from xtalpriors.reports.measures import Weighted
from xtalpriors.reports.meta import Rendered, Sample
from xtalpriors.reports.panels import Fitted
from xtalpriors.reports.section import Section, drawn, render
from xtalpriors.reports.sections.own_numbers import own_median, own_share, share_within
from xtalpriors.reports.subset_data import with_value

__all__ = ["contents_section"]


def contents_section(inputs: Inputs) -> Section:
    """Packing, hydrogen, elements, special positions and displacement parameters."""
    parts = [_packing, _hydrogen, _elements, _special, _displacement]
    if not set(inputs.small.frame["sg_number"]) <= {14}:
        parts.remove(_special)
    figures, lead = drawn([part(inputs) for part in parts])
    return Section("contents", "What do the cells contain?", lead, figures)


def _frames(inputs: Inputs, column: str) -> dict[str, pd.DataFrame]:
    """Both subsets, of the entries where a column is known."""
    return {name: with_value(inputs.subsets[name].frame, column) for name in inputs.shown}


def _samples(inputs: Inputs, column: str) -> list[Sample]:
    return [s.sample(s.frame[column]) for s in (inputs.subsets[name] for name in inputs.shown)]


def _uniform(prior: ScalarPrior | None) -> Uniform | None:
    form = None if prior is None else prior.parametric
    return form if isinstance(form, Uniform) else None


def _fits(inputs: Inputs, pick: str) -> dict[str, Fitted]:
    """Parametric forms by subset of the prior `pick`."""
    fits = {name: Fitted.of(_prior(inputs.bundles.get(name), pick)) for name in inputs.shown}
    return {name: fit for name, fit in fits.items() if fit is not None}


def _prior(bundle: PriorBundle | None, pick: str) -> ScalarPrior | None:
    if bundle is None:
        return None
    if pick == "displacement":
        return None if bundle.priors.displacement is None else bundle.priors.displacement.mean
    return bundle.priors.packing if pick == "packing" else bundle.priors.hydrogen


def _medians(inputs: Inputs, column: str, pick: str) -> list[dict[str, object]]:
    """Count, median and prior of both subsets."""
    return [
        {
            "subset": name,
            "n": len(frame),
            "median": own_median(
                _prior(inputs.bundles.get(name), pick),
                Weighted(frame[column].to_numpy(dtype=np.float64), frame["weight"].to_numpy()),
            ),
            "prior": _prior(inputs.bundles.get(name), pick),
        }
        for name, frame in _frames(inputs, column).items()
    ]


def _packing(inputs: Inputs) -> Rendered:
    column = "volume_per_non_h_atom_angstrom3"
    paper = _uniform(inputs.published.priors.packing)
    frame = packing.data(_frames(inputs, column), _fits(inputs, "packing"), paper)
    shares = {
        name: own_share(column, inputs.bundles.get(name), inputs.subsets[name].frame) for name in inputs.shown
    }
    within = {name: share for name, share in shares.items() if share is not None}
    populations = _medians(inputs, column, "packing")
    caption = words("contents", "packing", populations=populations, within=within)
    meta = inputs.meta(_samples(inputs, column), "declared")
    return render(packing, "packing", "Fig. S1", "Volume per non-hydrogen atom", frame, meta, caption)


def _hydrogen(inputs: Inputs) -> Rendered:
    frames = _frames(inputs, "h_fraction")
    frame = hydrogen.data(frames, _uniform(inputs.published.priors.hydrogen))
    populations: list[dict[str, object]] = []
    for name, entries in frames.items():
        fraction = entries["h_fraction"]
        bundle = inputs.bundles.get(name)
        populations.append(
            {
                "subset": name,
                "n": len(entries),
                "n_with": (fraction > 0).sum(),
                "n_unknown": len(inputs.subsets[name].frame) - len(entries),
                "zero": _without_hydrogen(bundle, entries),
                "inside": own_share("h_fraction", bundle, entries),
            }
        )
    of_amcsd = any(entries["entry_id"].str.startswith("amcsd:").any() for entries in frames.values())
    caption = words("contents", "hydrogen", populations=populations, of_amcsd=of_amcsd)
    meta = inputs.meta(_samples(inputs, "h_fraction"), "no cell")
    return render(hydrogen, "hydrogen", "Eq. 19", "Mole fraction of hydrogen", frame, meta, caption)


def _without_hydrogen(bundle: PriorBundle | None, entries: pd.DataFrame) -> Estimate | None:
    """Share of the structures whose hydrogen count is known to be zero."""
    prior = None if bundle is None else bundle.priors.hydrogen
    if prior is not None and prior.shrinkage is None and prior.share_zero is not None:
        return prior.share_zero
    return share_within("h_fraction", (0, 0), entries)


def _elements(inputs: Inputs) -> Rendered:
    bundle = inputs.bundles.get(inputs.large.name)
    prior = None if bundle is None else bundle.priors.elements
    frame = elements.data(prior)
    caption = words("contents", "elements", subset=inputs.large.name, prior=prior)
    meta = inputs.meta([inputs.large.sample()], "no cell")
    return render(
        elements, "elements", "Table S1", "Elements on general and special positions", frame, meta, caption
    )


def _special(inputs: Inputs) -> Rendered:
    small = inputs.small
    bundle = inputs.bundles.get(inputs.small.name)
    special = None if bundle is None else bundle.priors.special_positions
    fitted = None
    if special is not None and 14 in special.groups:
        points = [s.probability for s in special.groups[14].wyckoff_sets if s.probability is not None]
        fitted = points[0].value if points else None
    frame = special_positions.data(small.frame, fitted)
    several = frame[frame["occupied"] == "≥ 2"].set_index("series")
    caption = words(
        "contents",
        "special",
        subset=inputs.small.name,
        n=small.frame["n_special_positions"].notna().sum(),
        fitted=fitted,
        model=None if fitted is None or several.empty else float(several["share"]["four centres, fitted p"]),
        measured=several.loc["this corpus"] if "this corpus" in several.index else None,
    )
    meta = inputs.meta([small.sample(small.frame["n_special_positions"])], "no cell")
    title = "Special positions occupied in P2₁/c"
    return render(special_positions, "special_positions", "Section 3.5", title, frame, meta, caption)


def _displacement(inputs: Inputs) -> Rendered:
    column = "u_iso_mean_angstrom2"
    published = inputs.published.priors.displacement
    paper = None if published is None else _uniform(published.mean)
    frame = displacement.data(_frames(inputs, column), _fits(inputs, "displacement"), paper)
    caption = words("contents", "displacement", populations=_medians(inputs, column, "displacement"))
    meta = inputs.meta(_samples(inputs, column), "no cell")
    return render(
        displacement, "displacement", "Fig. S2", "Mean displacement parameter", frame, meta, caption
    )
