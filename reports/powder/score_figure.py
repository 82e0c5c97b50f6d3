"""How SSIM is distributed over crystals: the share below each value, for networks and for trivial answers."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from xtalpriors.reports.meta import FigureMeta
from xtalpriors.reports.style import LIGHT, WIDE, Layout, legend_above, new_figure

__all__ = ["data", "draw"]

STYLES: Final = (
    (LIGHT["data"], "-"),
    (LIGHT["fit"], "--"),
    (LIGHT["second"], "-."),
    (LIGHT["rule"], (0, (1, 1.2))),
    (LIGHT["paper"], (0, (5, 1, 1, 1, 1, 1))),
    (LIGHT["other"], (0, (3, 2))),
    (LIGHT["muted"], (0, (1, 3))),
    (LIGHT["ink"], (0, (6, 3))),
    (LIGHT["good"], (0, (2, 2, 6, 2))),
    (LIGHT["moved"], (0, (8, 2))),
)
"""Colour and dashes of methods: networks first, then trivial answers in their order."""


def data(scores: pd.DataFrame) -> pd.DataFrame:
    """Rows `set`, `method`, `formula`, `ssim` (of the first try), sorted for the curve."""
    order = scores.sort_values(["is_network"], ascending=False, kind="stable")
    kept = order[["set", "method", "formula", "ssim"]].copy()
    kept["place"] = kept.groupby(["set", "method"], sort=False)["ssim"].rank(method="first")
    kept["share"] = kept["place"] / kept.groupby(["set", "method"], sort=False)["ssim"].transform("size")
    return kept.drop(columns="place").reset_index(drop=True)


def draw(frame: pd.DataFrame, meta: FigureMeta, layout: Layout = WIDE) -> Figure:
    """A panel for each set: the share of crystals whose SSIM is at most x."""
    names = list(dict.fromkeys(frame["set"]))
    methods = list(dict.fromkeys(frame["method"]))
    figure, panels = new_figure(len(names), layout, row_height=3.2)
    handles: dict[str, Any] = {}
    low = min(0.0, float(frame["ssim"].min()))
    for axes, name in zip(panels, names, strict=True):
        part = frame[frame["set"] == name]
        for k, method in enumerate(methods):
            values = np.sort(part.loc[part["method"] == method, "ssim"].to_numpy(dtype=np.float64))
            if len(values) == 0:
                continue
            colour, dashes = STYLES[k % len(STYLES)]
            x = np.concatenate([[low], values, [1.0]])
            y = np.concatenate([[0.0], np.arange(1, len(values) + 1) / len(values), [1.0]])
            (handles[method],) = axes.step(
                x, 100 * y, where="post", color=colour, ls=dashes, lw=1.5, label=method
            )
        axes.set(xlim=(low, 1), ylim=(0, 100), xlabel="SSIM of the first try", ylabel="% of crystals below")
        axes.set_title(f"Set {name}, N = {part['formula'].size // max(1, part['method'].nunique()):,}")
    legend_above(figure, handles, layout)
    return figure
