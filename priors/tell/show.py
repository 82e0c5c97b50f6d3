"""A bundle as plain text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from xtalpriors.counted import counted
from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.priors.distributions.distribution import Categorical, Counts, Histogram
from xtalpriors.priors.distributions.estimate import POOR_FIT, Estimate
from xtalpriors.priors.distributions.scalar import ScalarPrior
from xtalpriors.priors.kinds.special_positions import WyckoffSet

__all__ = ["show_bundle"]

SHOWN_LABELS = 12
SHOWN_GROUPS = 5


def show_bundle(bundle: PriorBundle) -> str:
    """Readable summary of a bundle: where it came from, every prior, and what it lacks."""
    made = bundle.created_from
    lines = [f"{bundle.name}   schema {bundle.schema_version}   priors {bundle.priors_digest}"]
    origin = [f"corpus {made.corpus}"]
    origin += [f"doi {made.doi}"] if made.doi else []
    origin += [f"weighting {made.weighting}"] if made.weighting else []
    if made.seed is not None:
        origin.append(f"seed {made.seed}, {counted(made.bootstrap or 0, 'replicate')}")
    origin += [f"parent {made.parent}"] if made.parent else []
    lines.append("  " + ", ".join(origin))
    if made.structures is not None:
        lines.append(f"  {counted(made.structures, 'structure')} in {counted(made.clusters or 0, 'cluster')}")
    lines += [f"  {step.n:>12,}  {step.step}" for step in made.waterfall]
    for name in type(bundle.priors).model_fields:
        prior = getattr(bundle.priors, name)
        if prior is not None:
            lines += ["", name, *_model_lines(prior, 1)]
    for title, entries in (("unavailable", bundle.unavailable), ("warnings", bundle.warnings)):
        if entries:
            lines += ["", title, *(f"  {name}: {reason}" for name, reason in sorted(entries.items()))]
    return "\n".join(lines)


def _number(estimate: Estimate) -> str:
    interval = "" if estimate.low is None else f" [{estimate.low:.4g}, {estimate.high:.4g}]"
    return f"{estimate.value:.5g}{interval}"


def _scalar(prior: ScalarPrior) -> Iterator[str]:
    if prior.parametric is not None:
        parts = []
        for name, value in prior.parametric:
            if isinstance(value, Estimate):
                parts.append(f"{name} {_number(value)}")
            elif isinstance(value, float):
                parts.append(f"{name} {value:.5g}")
        yield f"{prior.parametric.family}: {', '.join(parts)}"
    if prior.median is not None:
        yield f"median {_number(prior.median)} {prior.unit}"
    if prior.n is not None:
        left_out = f", {prior.n_left_out} beyond the fit's range" if prior.n_left_out else ""
        yield f"n = {prior.n:,} in {counted(prior.n_clusters or 0, 'cluster')}{left_out}"
    if prior.goodness is not None:
        fit = prior.goodness
        distance = f"Wasserstein {fit.wasserstein:.4g} {prior.unit}"
        yield f"KS D {fit.ks_d:.4f}, {distance}, best held-out: {fit.best_family}"
        if fit.poor:
            yield f"poor fit (D > {POOR_FIT:g}); closest: {fit.closest.family}, D {fit.closest.ks_d:.4f}"
    if prior.shrinkage is not None:
        pooled = prior.shrinkage
        counts = f"{counted(pooled.n_own, 'cluster')} of its own, {pooled.n_parent} of the parent"
        yield f"pooled towards {pooled.parent}: {pooled.weight_own:.0%} own ({counts})"
    yield prior.convention
    if prior.source:
        yield prior.source


def _labels(shares: Categorical | Counts) -> str:
    if isinstance(shares, Counts):
        named = [(str(i), p) for i, p in enumerate(shares.probabilities)]
    else:
        named = list(zip(shares.labels, shares.shares, strict=True))
    text = ", ".join(f"{label} {share.value:.2%}" for label, share in named[:SHOWN_LABELS])
    return text + (f", … ({len(named)} in all)" if len(named) > SHOWN_LABELS else "")


def _wyckoff(pooled: WyckoffSet) -> str:
    kind = ("point", "axis", "plane")[pooled.degrees_of_freedom]
    name = f"{pooled.multiplicity}{'/'.join(pooled.letters)} ({kind})"
    if pooled.probability is not None:
        return f"{name}: probability {_number(pooled.probability)} each"
    return f"{name}: {_labels(pooled.count)} of orbits each" if pooled.count is not None else name


def _model_lines(model: BaseModel, depth: int) -> Iterator[str]:
    indent = "  " * depth
    fields = list(type(model).model_fields)
    if isinstance(model, ScalarPrior):
        yield from (indent + line for line in _scalar(model))
        fields = [f for f in fields if f not in ScalarPrior.model_fields]
    for field in fields:
        yield from _value_lines(field, getattr(model, field), indent, depth)


def _value_lines(field: str, value: object, indent: str, depth: int) -> Iterator[str]:
    if isinstance(value, Estimate):
        yield f"{indent}{field} {_number(value)}"
    elif isinstance(value, WyckoffSet):
        yield f"{indent}{_wyckoff(value)}"
    elif isinstance(value, Histogram):
        bins = f"{counted(len(value.density), 'bin')}, {value.edges[0]:g} to {value.edges[-1]:g}"
        yield f"{indent}{field}: {bins}, median {float(value.quantile(0.5)):.4g}"
    elif isinstance(value, Categorical | Counts):
        yield f"{indent}{field}: {_labels(value)}"
    elif isinstance(value, BaseModel):
        yield f"{indent}{field}"
        yield from _model_lines(value, depth + 1)
    elif isinstance(value, dict):
        for key in list(value)[:SHOWN_GROUPS]:
            yield from _value_lines(f"{field} {key}", value[key], indent, depth)
        if len(value) > SHOWN_GROUPS:
            yield f"{indent}{field}: {len(value) - SHOWN_GROUPS} more in the file"
    elif isinstance(value, tuple):
        if value and all(isinstance(v, str) for v in value):
            yield f"{indent}{field} {' '.join(value)}"
        else:
            for i, item in enumerate(value):
                yield from _value_lines(f"{field} {i}", item, indent, depth)
    elif value is not None:
        yield f"{indent}{field} {value:.5g}" if isinstance(value, float) else f"{indent}{field} {value}"
