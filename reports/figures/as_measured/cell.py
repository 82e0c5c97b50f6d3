"""The prior `cell`: which variables of a cell and its contents go together."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from xtalpriors.priors.kinds.cell import CellOfFamily
from xtalpriors.reports.meta import FigureMeta
from xtalpriors.reports.style import LIGHT, WIDE, Layout, new_figure

__all__ = ["NAMES", "data", "draw"]

SHOWN = 10
NAMES = {
    "longest": "longest length",
    "ratio_middle": "a₂/a₁",
    "ratio_longest": "a₃/a₂",
    "ratio_unique": "c/a",
    "cosine": "|cos β|",
    "cosine_12": "cosine between a₁ and a₂",
    "cosine_13": "cosine between a₁ and a₃",
    "cosine_23": "cosine between a₂ and a₃",
    "volume_per_atom": "V per non-H atom",
    "hydrogen_fraction": "fraction of H",
    "u_iso_mean": "mean Uᵢₛₒ",
    "u_iso_spread": "spread of Uᵢₛₒ",
    "composition": "elements",
}
"""Variables of the prior, for readers."""


def data(prior: CellOfFamily | None) -> pd.DataFrame:
    """A row per pair of variables, the strongest first: `first`, `second`, `correlation`, `low`, `high`."""
    pairs = {} if prior is None else prior.correlations
    rows = [(*name.split(" & "), e.value, e.low, e.high) for name, e in pairs.items()]
    frame = pd.DataFrame(rows, columns=["first", "second", "correlation", "low", "high"])
    return frame.sort_values("correlation", key=lambda x: -x.abs(), kind="stable", ignore_index=True)


def draw(frame: pd.DataFrame, meta: FigureMeta, layout: Layout = WIDE) -> Figure:
    """The strongest correlations, with their intervals."""
    shown = frame.head(SHOWN)
    n, height = len(shown), 0.4 if layout.narrow else 0.24
    figure, (axes,) = new_figure(1, layout, row_height=0.6 + height * n)
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    axes.axvline(0, color=LIGHT["muted"], lw=0.8)
    axes.hlines(range(n), shown["low"], shown["high"], color=LIGHT["data"], lw=1.2)
    axes.plot(shown["correlation"], range(n), ls="", marker="o", ms=5, color=LIGHT["data"])
    names = [f"{NAMES[a]}, {NAMES[b]}" for a, b in zip(shown["first"], shown["second"], strict=True)]
    axes.set_yticks([] if layout.narrow else range(n), [] if layout.narrow else names)
    if layout.narrow:  # names stand over their values, where a line is as long as the figure
        for y, name in enumerate(names):
            axes.text(-0.98, y - 0.42, name, va="center", fontsize=7.6)
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(-1, 1)
    axes.set_ylim(n - 0.4, -0.8)
    axes.set_xlabel("correlation of the normal scores")
    return figure
