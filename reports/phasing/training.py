"""The section on how the networks of the phasing page were trained: curves of loss, rate and scores."""

from __future__ import annotations

from collections.abc import Sequence

from xtalpriors.model.network.curve import TrainingCurve
from xtalpriors.reports.figures import phasing_training
from xtalpriors.reports.html import words
from xtalpriors.reports.meta import FigureMeta, Rendered, Sample, short_digest
from xtalpriors.reports.phasing.data import PhasingSet
from xtalpriors.reports.section import Section, render

__all__ = ["training_section"]

MOST = 4
"""Networks that the figure can tell apart."""


def training_section(sets: Sequence[PhasingSet]) -> Section:
    """The section; networks without a curve are named with the reason."""
    networks = _networks(sets)
    curves = {name: one.evaluation.training for name, one in networks.items()}
    known = {name: curve for name, curve in curves.items() if curve.missing is None}
    shown = dict(list(known.items())[:MOST])
    missing = {name: curve.missing for name, curve in curves.items() if curve.missing}
    lead = words("training", "lead", missing=missing, not_shown=list(known)[MOST:])
    figures = [_figure(shown, [networks[name] for name in shown])] if shown else []
    return Section("training", "How were the networks trained?", lead, figures)


def _networks(sets: Sequence[PhasingSet]) -> dict[str, PhasingSet]:
    """One evaluation of each network by its name, with the digest of the weights where names are shared."""
    first: dict[tuple[str, str], PhasingSet] = {}
    for one in sets:
        first.setdefault((one.network, short_digest(one.described.get("weights_digest"))), one)
    names = [name for name, _ in first]
    return {
        name if names.count(name) == 1 else f"{name} {digest}": one for (name, digest), one in first.items()
    }


def _figure(curves: dict[str, TrainingCurve], networks: Sequence[PhasingSet]) -> Rendered:
    sizes = [
        Sample(f"validation set '{key}'" + (f" of {name}" if len(curves) > 1 else ""), score.n)
        for name, curve in curves.items()
        for key, score in curve.sets.items()
    ]
    described = [one.described for one in networks]
    meta = FigureMeta(
        "artificial structures",
        tuple(sizes),
        "no cell",
        None,
        {str(d["bundle"]): str(d["priors_digest"]) for d in described if d.get("bundle")},
        networks=tuple(
            f"{one.network}, weights {short_digest(one.described.get('weights_digest'))}" for one in networks
        ),
    )
    cycles = sorted({score.cycles for curve in curves.values() for score in curve.sets.values()})
    caption = words("training", "curves", cycles=cycles)
    frame = phasing_training.data(curves)
    title = "Course of the training"
    return render(phasing_training, "phasing-training", "Fig. S4", title, frame, meta, caption)
