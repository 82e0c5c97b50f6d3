"""The most frequent space groups, split by the setting that their authors chose."""

from __future__ import annotations

import re

import gemmi
import pandas as pd
from matplotlib.figure import Figure

from xtalpriors.reports.meta import FigureMeta
from xtalpriors.reports.statistics import wilson
from xtalpriors.reports.style import LIGHT, WIDE, Layout, new_figure

__all__ = ["data", "draw", "symbol"]

SHOWN = 16
SHADES = (1.0, 0.6, 0.35, 0.2)
SUBSCRIPTS = str.maketrans("12345", "₁₂₃₄₅")


def short_symbol(hm: str) -> str:
    """Hermann–Mauguin symbol as it is printed: `P 1 21/n 1` is P2₁/n, `F d -3 m:2` is Fd-3m:2."""
    lattice, *axes = hm.split()
    if len(axes) == 3 and axes[0] == axes[2] == "1":
        axes = axes[1:2]
    screws = [re.sub(r"^([2346])([1-5])", lambda m: m[1] + m[2].translate(SUBSCRIPTS), axis) for axis in axes]
    return lattice + "".join(screws)


def symbol(number: int) -> str:
    """Symbol of a space group in its reference setting, by its number: 14 is P2₁/c."""
    return short_symbol(str(gemmi.find_spacegroup_by_number(number).hm))


def _setting(hm: object) -> str:
    return short_symbol(hm) if isinstance(hm, str) else "a setting without a name"


def data(entries: pd.DataFrame) -> pd.DataFrame:
    """A row per space group and setting, the most frequent group first, its most frequent setting first.

    Columns: `number`, `symbol` (reference setting), `setting` (extended Hermann–Mauguin), `rank`,
    `place` (of the setting), `n`, `share` of the weight, `group_share` with Wilson's `low` and `high`.
    """
    keyed = pd.DataFrame(
        {
            "number": entries["sg_number"].astype("int64"),
            "setting": entries["sg_hm"].map({hm: _setting(hm) for hm in set(entries["sg_hm"])}),
            "weight": entries["weight"],
        }
    )
    columns = ["number", "symbol", "setting", "rank", "place", "n", "share", "group_share", "low", "high"]
    if keyed.empty:
        return pd.DataFrame(columns=columns)
    table = keyed.groupby(["number", "setting"], as_index=False).agg(
        n=("weight", "size"), mass=("weight", "sum")
    )
    total = float(table["mass"].sum())
    groups = table.groupby("number", as_index=False).agg(mass=("mass", "sum"))
    groups = groups.sort_values(["mass", "number"], ascending=[False, True], ignore_index=True)
    groups["rank"] = groups.index + 1
    table = table.merge(groups.rename(columns={"mass": "group_mass"}), on="number")
    table = table.sort_values(["rank", "mass", "setting"], ascending=[True, False, True], ignore_index=True)
    table["place"] = table.groupby("number").cumcount() + 1
    table["symbol"] = [symbol(n) for n in table["number"]]
    intervals = [wilson(mass, total) for mass in table["group_mass"]]
    table["share"] = table["mass"] / total
    table["group_share"] = [i.value for i in intervals]
    table["low"], table["high"] = [i.low for i in intervals], [i.high for i in intervals]
    return table[columns]


def draw(frame: pd.DataFrame, meta: FigureMeta, layout: Layout = WIDE) -> Figure:
    """Horizontal bars, each split into settings: darkest the most frequent one."""
    shown = frame[frame["rank"] <= SHOWN]
    figure, (axes,) = new_figure(1, layout, row_height=1.2 + 0.22 * max(shown["number"].nunique(), 2))
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    labels = {}
    for rank in sorted(set(shown["rank"])):
        group = shown[shown["rank"] == rank]
        left = 0.0
        for place, share in zip(group["place"], group["share"], strict=True):
            shade = SHADES[min(place, len(SHADES)) - 1]
            axes.barh(rank, 100 * share, left=left, height=0.72, color=LIGHT["data"], alpha=shade)
            left += 100 * share
        names = list(group["setting"])
        most = 2 if layout.narrow else 3
        more = f" + {len(names) - most}" if len(names) > most else ""
        axes.text(
            left + 0.15,
            rank,
            ", ".join(names[:most]) + more,
            va="center",
            fontsize=7.2 if layout.narrow else 7.6,
            color=LIGHT["muted"],
        )
        labels[rank] = f"{group['symbol'].iloc[0]}  ({group['number'].iloc[0]})"
    axes.set_yticks(list(labels), list(labels.values()))
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set_xlabel("% of structures")
    if labels:
        axes.set_xlim(0, 100 * float(shown["group_share"].max()) * (1.75 if layout.narrow else 1.45))
    return figure
