"""Course of a training run: loss, learning rate, and scores on its validation sets, by structures seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from xtalpriors.model.network.card import SOLVED
from xtalpriors.model.network.curve import TrainingCurve
from xtalpriors.priors.distributions.estimate import wilson_interval
from xtalpriors.reports.meta import FigureMeta
from xtalpriors.reports.style import LIGHT, WIDE, Layout, legend_above, new_figure

__all__ = ["data", "draw"]

PANELS: Final = {
    "loss": "Loss",
    "learning_rate": "Learning rate",
    "median_r": "Median r",
    "solved": f"r ≥ {SOLVED:g} / %",
}
BASELINES: Final = {"median_r": "random phases", "solved": "all phases zero"}
"""What trivial phases reach, by panel; their rows have no number of structures."""
LOOKS: Final = ((LIGHT["data"], "-"), (LIGHT["fit"], "--"), (LIGHT["paper"], "-."), (LIGHT["rule"], ":"))
COLUMNS: Final = ["network", "set", "quantity", "structures", "value", "low", "high"]


def data(curves: Mapping[str, TrainingCurve]) -> pd.DataFrame:
    """A row for each point: `COLUMNS`; `low` and `high` are the Wilson 95 % interval of a share.

    Parameters
    ----------
    curves
        Of each network, by its name; none of them missing.
    """
    rows: list[tuple[Any, ...]] = []
    for network, curve in curves.items():
        seen = curve.columns["structures"]
        for name in ("loss", "learning_rate"):
            points = zip(seen, curve.columns[name], strict=True)
            rows += [(network, "training", name, x, y, None, None) for x, y in points if y is not None]
        for key, score in curve.sets.items():
            for x, y in zip(seen, curve.columns[f"{key}_median_r"], strict=True):
                rows += [] if y is None else [(network, key, "median_r", x, y, None, None)]
            for x, y in zip(seen, curve.columns[f"{key}_solved"], strict=True):
                if y is not None:
                    rows.append((network, key, "solved", x, y, *wilson_interval(round(y * score.n), score.n)))
            trivial = {"median_r": score.random_phases_median_r, "solved": score.zero_phases_solved}
            for name, baseline in BASELINES.items():
                rows.append((network, key, f"{name}, {baseline}", None, trivial[name], None, None))
    numbers = dict.fromkeys(["structures", "value", "low", "high"], "float64")
    return pd.DataFrame(rows, columns=COLUMNS).astype(numbers)


def draw(frame: pd.DataFrame, meta: FigureMeta, layout: Layout = WIDE) -> Figure:
    """Four panels; a line for each network, and for each validation set of it."""
    figure, panels = new_figure(4, layout, columns=2, row_height=2.3)
    last = float(frame["structures"].max())
    unit, divisor = ("million", 1e6) if last >= 2e6 else ("thousand", 1e3) if last >= 2e3 else ("", 1.0)
    handles: dict[str, Any] = {}
    for axes, (quantity, label) in zip(panels, PANELS.items(), strict=True):
        factor = 100.0 if quantity == "solved" else 1.0
        _lines(axes, frame, quantity, factor, divisor)
        if quantity in BASELINES:
            _baselines(axes, frame, quantity, factor)
            axes.set_ylim(0, factor)
            axes.set_title(_last(frame, quantity), fontsize=8, fontweight="normal")
        axes.set(ylabel=label, xlim=(0, 1.02 * last / divisor))
        axes.set_xlabel(f"structures / {unit}" if unit else "structures")
        for handle, text in zip(*axes.get_legend_handles_labels(), strict=True):
            handles.setdefault(text, handle)
    if len(handles) > 1:
        legend_above(figure, handles, layout)
    return figure


def _lines(axes: Axes, frame: pd.DataFrame, quantity: str, factor: float, divisor: float) -> None:
    part = frame[frame["quantity"] == quantity]
    networks = list(dict.fromkeys(frame["network"]))
    sets = [name for name in dict.fromkeys(frame["set"]) if name != "training"]
    for (network, key), points in part.groupby(["network", "set"], sort=False):
        colour, style = LOOKS[networks.index(network) % len(LOOKS)]
        scored = key != "training"
        x, y = points["structures"] / divisor, factor * points["value"]
        names = [*([network] if len(networks) > 1 else []), *([key] if scored and len(sets) > 1 else [])]
        axes.plot(
            x,
            y,
            color=colour,
            ls=style,
            lw=1.4,
            marker="os^D"[sets.index(key) % 4] if scored else None,
            ms=2.8,
            mfc=colour if scored and key == sets[0] else LIGHT["surface"],
            label=", ".join(map(str, names)) or str(network),
        )
        if points["low"].notna().any():
            error = factor * np.abs(points[["low", "high"]].to_numpy().T - points["value"].to_numpy())
            axes.errorbar(x, y, error, fmt="none", ecolor=colour, elinewidth=0.8, capsize=2.5)


def _last(frame: pd.DataFrame, quantity: str) -> str:
    """The last score, with its interval, where there is one line only."""
    points = frame[frame["quantity"] == quantity]
    if points[["network", "set"]].drop_duplicates().shape[0] != 1:
        return ""
    value, low, high = points[["value", "low", "high"]].iloc[-1]
    if quantity != "solved":
        return f"at the end {value:.3f}"
    return f"at the end {100 * value:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def _baselines(axes: Axes, frame: pd.DataFrame, quantity: str, factor: float) -> None:
    """A line for each value that trivial phases reach, named once."""
    name = BASELINES[quantity]
    values = sorted(set(frame.loc[frame["quantity"] == f"{quantity}, {name}", "value"]))
    for value in values:
        axes.axhline(factor * value, color=LIGHT["muted"], lw=0.9, ls=(0, (4, 2)), zorder=1)
    if values:
        axes.annotate(
            name,
            (0.99, factor * values[-1]),
            (0, 2),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            ha="right",
            va="bottom",
            fontsize=8,
            color=LIGHT["muted"],
        )
