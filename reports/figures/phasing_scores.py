"""Figs 5 and 6: r against the volume of the cell, by compound class and by number of special positions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from xtalpriors.model.scoring.summary import score
from xtalpriors.reports.meta import FigureMeta
from xtalpriors.reports.style import LIGHT, WIDE, Layout, legend_above, new_figure

__all__ = ["BY_CLASS", "BY_SPECIAL", "SOLVED", "ScoreFigure"]

SOLVED: Final = 0.8
"""r from which a structure counts as solved (Melgalvis & Reķis 2026)."""

RUNS: Final = (("best_r", "best run"), ("chosen_r", "chosen without truth"), ("r_zero", "all phases zero"))
"""Columns of an evaluation: what the paper reports, what a user gets, and a baseline."""


@dataclass(frozen=True, slots=True)
class _Group:
    """One kind of structure and its look."""

    name: str
    label: str
    marker: Literal["o", "^", "s", "x"]
    colour: str


class ScoreFigure:
    """A row of panels for each evaluation: the best run, the one chosen without the truth, a baseline."""

    def __init__(self, column: str, groups: Sequence[_Group]) -> None:
        self.column = column
        self.groups = tuple(groups)

    def data(self, evaluations: Sequence[tuple[str, pd.DataFrame]]) -> pd.DataFrame:
        """A row per structure and run: `network`, `run`, `group`, `volume_angstrom3`, `r`, `entry_id`.

        Parameters
        ----------
        evaluations
            Name and rows of each.
        """
        parts = []
        for name, rows in evaluations:
            group = rows[self.column].map(self._group)
            for column, run in RUNS:
                part = rows[["volume_angstrom3", "entry_id"]].assign(
                    network=name, run=run, group=group, r=rows[column].astype("float64")
                )
                parts.append(part)
        order = ["network", "run", "group", "volume_angstrom3", "r", "entry_id"]
        return pd.concat(parts, ignore_index=True)[order]

    def _group(self, value: Any) -> str:
        if self.column == "n_special":
            return str(value) if value < 2 else "2 or more"
        return str(value)

    def draw(self, frame: pd.DataFrame, meta: FigureMeta, layout: Layout = WIDE) -> Figure:
        """All panels to one scale."""
        networks = list(dict.fromkeys(frame["network"]))
        figure, all_axes = new_figure(len(RUNS) * len(networks), layout, columns=len(RUNS), row_height=2.7)
        right = float(frame["volume_angstrom3"].max()) * 1.03
        low = min(0.0, float(frame["r"].min()) - 0.05)
        handles: dict[str, Any] = {}
        for place, axes in enumerate(all_axes):
            network, (_, run) = networks[place // len(RUNS)], RUNS[place % len(RUNS)]
            part = frame[(frame["network"] == network) & (frame["run"] == run)]
            if network in meta.trained_volumes:
                axes.axvspan(*meta.trained_volumes[network], color=LIGHT["grid"], alpha=0.6, lw=0, zorder=0)
            self._panel(axes, part)
            head = f"{run.capitalize()}\n" if place < len(RUNS) else ""
            axes.set_title(head + _solved(part), fontsize=8, fontweight="normal")
            axes.set(xlim=(0, right), ylim=(low, 1.04), xlabel="V / Å³")
            if place % len(RUNS) == 0:
                axes.set_ylabel("r" if len(networks) == 1 else f"{network}\nr")
            for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
                handles.setdefault(label, handle)
        ordered = {g.label: handles[g.label] for g in self.groups if g.label in handles}
        legend_above(figure, ordered, layout)
        return figure

    def _panel(self, axes: Axes, part: pd.DataFrame) -> None:
        axes.axhline(SOLVED, color=LIGHT["muted"], lw=0.9, ls=(0, (4, 2)), zorder=1)
        known = part[part["r"].notna()]
        for group in self.groups:
            of_group = known[known["group"] == group.name]
            if of_group.empty:
                continue
            hollow = group.marker in "o^s"
            axes.scatter(
                of_group["volume_angstrom3"],
                of_group["r"],
                s=11 if len(known) < 1500 else 5,
                marker=group.marker,
                linewidths=0.6,
                facecolors="none" if hollow else group.colour,
                edgecolors=group.colour if hollow else None,
                label=group.label,
                zorder=2,
            )


def _solved(part: pd.DataFrame) -> str:
    """Fraction solved with its interval and N; what has no r is not solved."""
    found = score(part["r"].to_numpy(dtype="float64"))
    if found.solved is None or found.solved_low is None or found.solved_high is None:
        return "no structure"
    low, high = 100 * found.solved_low, 100 * found.solved_high
    return f"r ≥ 0.8: {100 * found.solved:.0f} % ({low:.0f}–{high:.0f}) of {found.n:,}"


BY_CLASS: Final = ScoreFigure(
    "compound_class",
    [
        _Group("organic", "organic molecules only", "o", LIGHT["data"]),
        _Group("s-block", "with an s-block metal", "^", LIGHT["second"]),
        _Group("d-block", "with a d-block element", "s", LIGHT["fit"]),
        _Group("other", "neither", "x", LIGHT["muted"]),
    ],
)
BY_SPECIAL: Final = ScoreFigure(
    "n_special",
    [
        _Group("0", "no special position", "o", LIGHT["data"]),
        _Group("1", "one", "^", LIGHT["second"]),
        _Group("2 or more", "two or more", "s", LIGHT["fit"]),
    ],
)
