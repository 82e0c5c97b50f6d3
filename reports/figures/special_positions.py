"""How many special positions a P2₁/c structure occupies, beside the paper's database and the binomial."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from xtalpriors.reports.meta import FigureMeta
from xtalpriors.reports.statistics import wilson
from xtalpriors.reports.style import LIGHT, WIDE, Layout, legend_above, new_figure
from xtalpriors.reports.subset_data import with_value

__all__ = ["N_CENTRES", "PAPER_DATABASE", "data", "draw"]

N_CENTRES = 4
"""Inversion centres of P2₁/c per primitive cell (Wyckoff letters a–d)."""
PAPER_DATABASE = (0.735, 0.201, 0.064)
"""P2₁/c, 4–10 Å, COD and CSD: section 3.5 of the paper."""
CATEGORIES = ("0", "1", "≥ 2")
LOOK = {
    "this corpus": LIGHT["data"],
    "the paper's database": LIGHT["paper"],
    "four centres, fitted p": LIGHT["second"],
    "four centres, p = 0.05": LIGHT["rule"],
}


def _binomial(p: float) -> tuple[float, float, float]:
    none, one = (1 - p) ** N_CENTRES, N_CENTRES * p * (1 - p) ** (N_CENTRES - 1)
    return none, one, 1 - none - one


def data(entries: pd.DataFrame, fitted_p: float | None) -> pd.DataFrame:
    """Rows `series`, `occupied` (0, 1, ≥ 2), `share`, `low`, `high` (Wilson, over clusters), `n`.

    Parameters
    ----------
    entries
        No. 14 entries: `n_special_positions` (null where unknown, left out), `cluster_id`.
    fitted_p
        Probability that a centre is occupied, of the bundle.
    """
    known = with_value(entries, "n_special_positions")
    group = known["n_special_positions"].astype("int64").clip(upper=2)
    weight = known["weight"].groupby(group).sum().reindex(range(3), fill_value=0.0)
    counts = group.value_counts().reindex(range(3), fill_value=0)
    rows: list[tuple[str, str, float, float | None, float | None, int | None]] = []
    if len(known):
        for k, name in enumerate(CATEGORIES):
            share = wilson(float(weight[k]), float(weight.sum()))
            rows.append(("this corpus", name, *share, int(counts[k])))
    models = {"the paper's database": PAPER_DATABASE, "four centres, p = 0.05": _binomial(0.05)}
    if fitted_p is not None:
        models["four centres, fitted p"] = _binomial(fitted_p)
    for series in LOOK:
        if series in models:
            rows += [
                (series, c, v, None, None, None) for c, v in zip(CATEGORIES, models[series], strict=True)
            ]
    return pd.DataFrame(rows, columns=["series", "occupied", "share", "low", "high", "n"])


def draw(frame: pd.DataFrame, meta: FigureMeta, layout: Layout = WIDE) -> Figure:
    """Grouped bars with the shares written on them."""
    figure, (axes,) = new_figure(1, layout, row_height=3.3)
    present = [series for series in LOOK if series in set(frame["series"])]
    width = 0.8 / max(len(present), 1)
    for i, series in enumerate(present):
        part = frame[frame["series"] == series]
        x = [CATEGORIES.index(c) + (i - (len(present) - 1) / 2) * width for c in part["occupied"]]
        height = 100 * part["share"].astype("float64")
        solid = series == "this corpus"
        axes.bar(x, height, width * 0.92, color=LOOK[series], alpha=1 if solid else 0.5, label=series)
        top = height
        if solid:
            low, high = 100 * part["low"].astype("float64"), 100 * part["high"].astype("float64")
            axes.errorbar(
                x, height, yerr=[height - low, high - height], fmt="none", ecolor=LIGHT["ink"], elinewidth=1
            )
            top = high
        for at, value, edge in zip(x, height, top, strict=True):
            axes.text(at, edge + 1.5, f"{value:.1f}", ha="center", fontsize=8)
    axes.set_xticks(range(3), CATEGORIES)
    axes.tick_params(axis="x", length=0)
    axes.set_ylim(0, 105)
    axes.set_xlabel("special positions occupied in a structure")
    axes.set_ylabel("% of structures")
    handles, names = axes.get_legend_handles_labels()
    legend_above(figure, dict(zip(names, handles, strict=True)), layout)
    return figure
