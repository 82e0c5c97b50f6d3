"""The prior `coordination`: angles between the neighbours of the elements that most structures have."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from xtalpriors.priors.kinds.coordination import Coordination
from xtalpriors.reports.meta import FigureMeta
from xtalpriors.reports.panels import LINES
from xtalpriors.reports.style import WIDE, Layout, legend_above, new_figure

__all__ = ["data", "draw"]

SHOWN = 3
LOOK = ("fit", "rule", "second")


def data(prior: Coordination | None) -> pd.DataFrame:
    """Quantiles of the angle of the commonest elements: `element`, `share` (below it), `angle` in degrees."""
    shells = {} if prior is None else {k: s for k, s in prior.elements.items() if s.angle_table is not None}
    common = sorted(shells, key=lambda name: (shells[name].of_kind, -shells[name].n_clusters, name))[:SHOWN]
    rows = [
        (name, share, angle)
        for name in common
        if (table := shells[name].angle_table) is not None
        for share, angle in zip(table.probabilities, table.values, strict=True)
    ]
    return pd.DataFrame(rows, columns=["element", "share", "angle"])


def draw(frame: pd.DataFrame, meta: FigureMeta, layout: Layout = WIDE) -> Figure:
    """Distribution function of the angle, a curve for each element."""
    figure, (axes,) = new_figure(1, layout, row_height=2.6)
    for look, (element, part) in zip(LOOK, frame.groupby("element", sort=False), strict=False):
        axes.plot(part["angle"], 100 * part["share"], label=str(element), lw=1.5, **LINES[look])
    axes.set_xlim(30, 180)
    axes.set_xticks(range(30, 181, 30))
    axes.set_ylim(0, 100)
    axes.set_xlabel("angle between two neighbours of an atom, °")
    axes.set_ylabel("% of the angles below")
    handles, names = axes.get_legend_handles_labels()
    legend_above(figure, dict(zip(names, handles, strict=True)), layout)
    return figure
