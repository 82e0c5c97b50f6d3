"""How many special positions a P2₁/c structure occupies, beside the paper's database and the binomial."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from xtalpriors.reports.meta import FigureMeta
from xtalpriors.reports.statistics import wilson
from xtalpriors.reports.style import LIGHT, WIDE, Layout, new_figure
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
    columns = ["series", "occupied", "share", "low", "high", "n"]
    if known.empty:
        return pd.DataFrame(columns=columns)
    group = known["n_special_positions"].astype("int64").clip(upper=2)
    weight = known["weight"].groupby(group).sum().reindex(range(3), fill_value=0.0)
    counts = group.value_counts().reindex(range(3), fill_value=0)
    rows: list[tuple[str, str, float, float | None, float | None, int | None]] = []
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
    return pd.DataFrame(rows, columns=columns)


def draw(frame: pd.DataFrame, meta: FigureMeta, layout: Layout = WIDE) -> Figure:
    """Bars one under the other, by number of occupied positions, each with its name and its share."""
    present = [series for series in LOOK if series in set(frame["series"])]
    step = len(present) + 1.3
    figure, (axes,) = new_figure(1, layout, row_height=0.75 + 0.19 * step * len(CATEGORIES))
    axes.grid(visible=False, axis="y")
    axes.grid(axis="x")
    places, names = [], []
    for i, category in enumerate(CATEGORIES):
        top = i * step
        head = axes.text(0, top, f" {category} occupied", va="center", fontsize=8.5, fontweight="bold")
        head.set(color=LIGHT["ink"])
        for k, series in enumerate(present):
            row = frame[(frame["series"] == series) & (frame["occupied"] == category)].iloc[0]
            y, value = top + k + 1, 100 * float(row["share"])
            places.append(y)
            names.append(series)
            own = series == "this corpus"
            axes.barh(y, value, 0.78, color=LOOK[series], alpha=1 if own else 0.55)
            end = 100 * float(row["high"]) if own else value
            if own:
                axes.hlines(y, 100 * float(row["low"]), end, color=LIGHT["ink"], lw=1.2)
            axes.text(end + 1, y, f"{value:.1f}", va="center", fontsize=8)
    axes.set_yticks(places, names)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(step * len(CATEGORIES) - 0.8, -0.6)
    axes.set_xlim(0, 105)
    axes.set_xlabel("% of structures")
    return figure
