"""How often a structure was determined again: the sizes of the clusters."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from xtalpriors.reports.meta import FigureMeta, count
from xtalpriors.reports.style import LIGHT, WIDE, Layout, new_figure

__all__ = ["data", "draw"]

GROUPS = (
    ("1", 1, 1),
    ("2", 2, 2),
    ("3", 3, 3),
    ("4", 4, 4),
    ("5–9", 5, 9),
    ("10–19", 10, 19),
    ("≥ 20", 20, 1 << 60),
)


def data(sizes: pd.DataFrame) -> pd.DataFrame:
    """Rows `size` (as a group of sizes), `clusters`, `entries`; `sizes` has `cluster_size` and `clusters`."""
    rows = []
    for name, low, high in GROUPS:
        part = sizes[sizes["cluster_size"].between(low, high)]
        rows.append((name, int(part["clusters"].sum()), int((part["clusters"] * part["cluster_size"]).sum())))
    return pd.DataFrame(rows, columns=["size", "clusters", "entries"])


def draw(frame: pd.DataFrame, meta: FigureMeta, layout: Layout = WIDE) -> Figure:
    """Bars of the entries by the size of their cluster."""
    figure, (axes,) = new_figure(1, layout, row_height=2.9)
    x = range(len(frame))
    axes.bar(x, frame["entries"], 0.72, color=LIGHT["data"])
    top = max(int(frame["entries"].max()), 1)
    for at, n, clusters in zip(x, frame["entries"], frame["clusters"], strict=True):
        text = f"{count(n)}\nin {count(clusters)}" if n else "0"
        axes.text(at, n + 0.02 * top, text, ha="center", va="bottom", fontsize=7 if layout.narrow else 8)
    axes.set_xticks(x, list(frame["size"]))
    axes.tick_params(axis="x", length=0)
    axes.set_ylim(0, 1.25 * top)
    axes.yaxis.set_major_formatter(lambda v, _: f"{v:,.0f}")
    axes.set_xlabel("determinations of one structure")
    axes.set_ylabel("entries")
    return figure
