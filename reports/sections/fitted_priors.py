"""The fitted priors of each bundle as a table that a person reads."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from xtalpriors.frozen_model import Frozen
from xtalpriors.priors.bundle import PriorBundle, Priors
from xtalpriors.priors.distributions.estimate import Estimate
from xtalpriors.priors.distributions.scalar import ScalarPrior
from xtalpriors.reports.html import html_table, markup, words
from xtalpriors.reports.meta import count
from xtalpriors.reports.quantities import quantity
from xtalpriors.reports.section import SYMBOLS, Table, estimate_text, family_text, measure_text, misfit_text

__all__ = ["bundle_table", "scalar_priors"]


def bundle_table(bundle: PriorBundle) -> Table:
    """Table of a bundle's priors: N, median, parameters with intervals, misfit; below it what is missing."""
    lead = words("priors", "lead", source=bundle.created_from, digest=bundle.priors_digest)
    columns = ["Prior", "N", "Median", "Unit", "Parametric form", "D"]
    frame = pd.DataFrame([_row(name, prior) for name, prior in scalar_priors(bundle.priors)], columns=columns)
    after = markup("priors", "shares", found=list(_share_estimates(bundle.priors)))
    after += markup("priors", "remarks", summary="to use with care", found=_named(bundle.warnings))
    after += markup(
        "priors", "remarks", summary="not available, with the reason", found=_named(bundle.unavailable)
    )
    return Table(bundle.name, html_table(frame, numeric=("N",), look="prose"), lead, after=after)


def _named(reasons: dict[str, str]) -> list[tuple[str, str]]:
    return [(quantity(name), reason) for name, reason in sorted(reasons.items())]


def scalar_priors(priors: Priors) -> Iterator[tuple[str, ScalarPrior]]:
    """Every prior of a real number in a bundle, with its dotted name, in the order of the models."""
    for name, prior in priors:
        if isinstance(prior, Frozen):
            yield from _scalars(name, prior)


def _scalars(name: str, model: Frozen) -> Iterator[tuple[str, ScalarPrior]]:
    if isinstance(model, ScalarPrior):
        yield name, model
    for key, value in model:
        if isinstance(value, Frozen) and key not in {"parametric", "empirical"}:
            yield from _scalars(f"{name}.{key}", value)


def _row(name: str, prior: ScalarPrior) -> tuple[str, str, str, str, str, str]:
    form = "empirical only"
    if prior.parametric is not None:
        values = [
            f"{SYMBOLS.get(key, key)} = {estimate_text(value, 4)}"
            for key, value in prior.parametric
            if isinstance(value, Estimate)
        ]
        family = family_text(prior.parametric.family)
        form = f"{family}: {', '.join(values)}" if values else family
    misfit = "–"
    if prior.goodness is not None and prior.parametric is not None:
        misfit = misfit_text(prior.goodness, prior.parametric.family).removeprefix("D = ")
    n = "–" if prior.n is None else count(prior.n)
    unit = "" if prior.unit == "1" else prior.unit
    median = measure_text(prior.median)
    if prior.shrinkage is not None:
        median += f", pooled with {prior.shrinkage.parent}"
    return quantity(name), n, median, unit, form, misfit


def _share_estimates(priors: Priors) -> Iterator[tuple[str, Estimate]]:
    for prior_name, prior in priors:
        if isinstance(prior, Frozen):
            for key, value in prior:
                if key.startswith("share_") and isinstance(value, Estimate):
                    yield quantity(f"{prior_name}.{key}"), value
