"""The prior `contents`: the commonest sets of elements."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from xtalpriors.priors.kinds.contents import Contents
from xtalpriors.reports.meta import FigureMeta
from xtalpriors.reports.style import LIGHT, WIDE, Layout, new_figure

__all__ = ["data", "draw"]

SHOWN = 10


def data(prior: Contents | None) -> pd.DataFrame:
    """A row per set, the commonest first.

    Columns are `elements`, `kind`, `share`, `low`, `high` (95 %) and `volume_per_atom` in Å³.
    """
    sets = {} if prior is None else prior.sets
    rows = [
        (name, s.kind, s.share.value, s.share.low, s.share.high, s.volume_per_atom)
        for name, s in sets.items()
    ]
    columns = ["elements", "kind", "share", "low", "high", "volume_per_atom"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.sort_values(["share", "elements"], ascending=[False, True], ignore_index=True)


def draw(frame: pd.DataFrame, meta: FigureMeta, layout: Layout = WIDE) -> Figure:
    """Shares of the commonest sets with their intervals."""
    shown = frame.head(SHOWN).astype(dict.fromkeys(["low", "high"], "float64"))
    n, height = len(shown), 0.3 if layout.narrow else 0.24
    figure, (axes,) = new_figure(1, layout, row_height=0.6 + height * n)
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    axes.hlines(range(n), 100 * shown["low"], 100 * shown["high"], color=LIGHT["data"], lw=1.2)
    axes.plot(100 * shown["share"], range(n), ls="", marker="o", ms=5, color=LIGHT["data"])
    axes.set_yticks(range(n), shown["elements"])
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(left=0)
    axes.set_ylim(n - 0.4, -0.6)
    axes.set_xlabel("% of the structures")
    return figure
