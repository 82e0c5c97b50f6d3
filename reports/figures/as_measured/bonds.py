"""The prior `bonds`: pair correlations of the pairs of elements that most structures have."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from xtalpriors.priors.kinds.bonds import Bonds
from xtalpriors.reports.meta import FigureMeta
from xtalpriors.reports.panels import LINES
from xtalpriors.reports.style import WIDE, Layout, legend_above, new_figure

__all__ = ["data", "draw"]

SHOWN = 3
BONDED = 2.0
"""Largest ln g from which on two elements bond."""
LOOK = ("fit", "rule", "second")


def data(prior: Bonds | None) -> pd.DataFrame:
    """A row per step of d/(R_A + R_B): `pair`, `low`, `high` (of the step), `g`, of the commonest bonds."""
    pairs = {} if prior is None else {k: p for k, p in prior.pairs.items() if max(p.log_g) >= BONDED}
    if prior is None or not pairs:
        return pd.DataFrame(columns=["pair", "low", "high", "g"])
    common = sorted(pairs, key=lambda name: (-pairs[name].n_clusters, name))[:SHOWN]
    edges = np.sqrt(np.linspace(0.0, prior.ratio_max**2, len(pairs[common[0]].log_g) + 1))
    return pd.concat(
        [
            pd.DataFrame({"pair": name, "low": edges[:-1], "high": edges[1:], "g": np.exp(pairs[name].log_g)})
            for name in common
        ],
        ignore_index=True,
    )


def draw(frame: pd.DataFrame, meta: FigureMeta, layout: Layout = WIDE) -> Figure:
    """A curve for each pair; 1 is what atoms at random places would give."""
    figure, (axes,) = new_figure(1, layout, row_height=2.6)
    for look, (pair, part) in zip(LOOK, frame.groupby("pair", sort=False), strict=False):
        seen = part[part["high"] > 0.6]
        name = str(pair).replace(" & ", "–")
        axes.plot((seen["low"] + seen["high"]) / 2, seen["g"], label=name, lw=1.5, **LINES[look])
    axes.set_xlim(0.6, 2.2)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("distance over the sum of covalent radii")
    axes.set_ylabel("g")
    handles, names = axes.get_legend_handles_labels()
    legend_above(figure, dict(zip(names, handles, strict=True)), layout)
    return figure
