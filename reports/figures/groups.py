"""Cell volume, mean U_iso and occupied special positions by space group, of the most frequent groups."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from xtalpriors.reports.figures.space_groups import symbol
from xtalpriors.reports.meta import FigureMeta, count
from xtalpriors.reports.statistics import weighted_quantile, wilson
from xtalpriors.reports.style import LIGHT, WIDE, Layout, legend_above, new_figure
from xtalpriors.reports.subset_data import with_value

__all__ = ["SHOWN", "data", "draw"]

SHOWN = 12
"""Groups that are drawn; the CSV has all."""
SCALARS = {"volume_angstrom3": "V / Å³", "u_iso_mean_angstrom2": "mean Uᵢₛₒ / Å²"}
OCCUPIED = {"0": "none occupied", "1": "one", "≥ 2": "two or more"}
LOOK = dict(zip(OCCUPIED, (LIGHT["data"], LIGHT["other"], LIGHT["grid"]), strict=True))
COLUMNS = ["rank", "number", "symbol", "statistic", "n", "value", "low", "high"]


def data(entries: pd.DataFrame) -> pd.DataFrame:
    """Rows `rank`, `number`, `symbol`, `statistic`, `n`, `value`, `low`, `high`, frequent groups first.

    Of `volume_angstrom3` and `u_iso_mean_angstrom2` the value is the median, low and high are the quartiles;
    of `special positions 0`, `… 1` and `… ≥ 2` it is the share of structures that occupy so many, with its
    Wilson interval. All are over clusters, `n` counts entries. A group without a value has no row.
    """
    mass = entries.groupby("sg_number")["weight"].sum()
    ranked = sorted(mass.items(), key=lambda item: (-float(item[1]), int(str(item[0]))))
    rows: list[tuple[object, ...]] = []
    for rank, (key, _) in enumerate(ranked, 1):
        number = int(str(key))
        group = entries[entries["sg_number"] == number]
        found = [row for column in SCALARS for row in _quartiles(group, column)] + _occupied(group)
        rows += [(rank, number, symbol(number), *row) for row in found]
    return pd.DataFrame(rows, columns=COLUMNS)


def _quartiles(group: pd.DataFrame, column: str) -> list[tuple[object, ...]]:
    known = with_value(group, column)
    if known.empty:
        return []
    low, middle, high = (weighted_quantile(known[column], p, known["weight"]) for p in (0.25, 0.5, 0.75))
    return [(column, len(known), middle, low, high)]


def _occupied(group: pd.DataFrame) -> list[tuple[object, ...]]:
    known = with_value(group, "n_special_positions")
    total = float(known["weight"].sum())
    if known.empty:
        return []
    counts = known["n_special_positions"].astype("int64").clip(upper=2)
    shares = [wilson(float(known.loc[counts == k, "weight"].sum()), total) for k in range(3)]
    return [
        (f"special positions {name}", len(known), *share)
        for name, share in zip(OCCUPIED, shares, strict=True)
    ]


def draw(frame: pd.DataFrame, meta: FigureMeta, layout: Layout = WIDE) -> Figure:
    """Three panels with a line for each group: medians with quartiles, and bars of the shares."""
    shown = frame[frame["rank"] <= SHOWN]
    names = shown.drop_duplicates("rank").set_index("rank")
    height = 0.9 + 0.25 * max(len(names), 2)
    figure, all_axes = new_figure(3, layout, row_height=height)
    handles: dict[str, Any] = {}
    for place, axes in enumerate(all_axes):
        axes.grid(axis="x")
        axes.grid(visible=False, axis="y")
        if place < len(SCALARS):
            _draw_quartiles(axes, shown, list(SCALARS)[place])
        else:
            handles = _draw_occupied(axes, shown)
        labels = [f"{row['symbol']}  ({row['number']})" for _, row in names.iterrows()]
        axes.set_yticks(list(names.index), labels if layout.narrow or place == 0 else [""] * len(labels))
        axes.set_ylim(len(names) + 0.6, 0.4)
        axes.tick_params(axis="y", length=0)
    legend_above(figure, handles, layout)
    return figure


def _draw_quartiles(axes: Axes, shown: pd.DataFrame, column: str) -> None:
    rows = shown[shown["statistic"] == column]
    axes.hlines(rows["rank"], rows["low"], rows["high"], color=LIGHT["data"], lw=5, alpha=0.4)
    axes.scatter(rows["value"], rows["rank"], s=26, color=LIGHT["data"], zorder=3)
    axes.set_xlim(left=0)
    if len(rows):
        axes.set_xlim(right=1.08 * float(rows["high"].max()))
    axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    axes.set_xlabel(SCALARS[column])
    axes.set_title("Volume" if column.startswith("volume") else "Displacement")


def _draw_occupied(axes: Axes, shown: pd.DataFrame) -> dict[str, Any]:
    """Bars of the shares; their handles by name."""
    handles: dict[str, Any] = {}
    left = pd.Series(0.0, index=sorted(set(shown["rank"])))
    for key, name in OCCUPIED.items():
        rows = shown[shown["statistic"] == f"special positions {key}"].set_index("rank")
        share = 100 * rows["value"].astype("float64")
        bars = axes.barh(rows.index, share, left=left[rows.index], height=0.66, color=LOOK[key], label=name)
        left[rows.index] += share
        handles[name] = bars
    for rank, n in shown.drop_duplicates("rank").set_index("rank")["n"].items():
        axes.text(103, float(str(rank)), count(float(n)), va="center", fontsize=7.6, color=LIGHT["muted"])
    axes.set_xlim(0, 128)
    axes.set_xticks([0, 50, 100])
    axes.set_xlabel("% of structures; N")
    axes.set_title("Special positions")
    return handles
