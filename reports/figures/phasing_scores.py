"""Figs 5 and 6: r against the volume of the cell as a density, and the fraction solved by kind of crystal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from xtalpriors.model.network.card import SOLVED
from xtalpriors.model.scoring.summary import score
from xtalpriors.reports.meta import FigureMeta
from xtalpriors.reports.style import LIGHT, WIDE, Layout, legend_above, new_figure

__all__ = ["BY_CLASS", "BY_SPECIAL", "ScoreFigure"]

RUNS: Final = {
    "best run": ("best_r", "o", LIGHT["data"]),
    "chosen without truth": ("chosen_r", "D", LIGHT["second"]),
    "all phases zero": ("r_zero", "x", LIGHT["muted"]),
}
"""Column of an evaluation, marker and colour: what the paper reports, what a user gets, and a baseline."""
CELLS: Final = (30, 26)
"""Cells of the density, along the volume and along r."""
SHADES: Final = {1: 0.22, 2: 0.45, 4: 0.7, 8: 1.0}
"""Opacity of a cell by the least number of structures in it."""


@dataclass(frozen=True, slots=True)
class ScoreFigure:
    """For each evaluation r of one run against the volume, and the fractions solved by kind of structure.

    Attributes
    ----------
    column
        Of an evaluation: what kind a structure is.
    kinds
        Name of each kind in the figure, by its value.
    run
        The run whose r is shown, a key of `RUNS`.
    """

    column: str
    kinds: Mapping[str, str]
    run: str

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
            for run, (column, _, _) in RUNS.items():
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
        """A row of two panels for each evaluation, all to one scale."""
        networks = list(dict.fromkeys(frame["network"]))
        figure, panels = new_figure(2 * len(networks), layout, columns=2, row_height=2.75)
        right = float(frame["volume_angstrom3"].max()) * 1.03
        handles: dict[str, Any] = {}
        for k, (network, part) in enumerate(frame.groupby("network", sort=False)):
            letters = [f"({'abcdefghijkl'[2 * k + i]}) {network}" for i in range(2)]
            shown = part[part["run"] == self.run]
            if network in meta.trained_volumes:
                low, high = meta.trained_volumes[str(network)]
                panels[2 * k].axvspan(low, high, color=LIGHT["grid"], alpha=0.6, lw=0, zorder=0)
            _density(panels[2 * k], shown, right, min(0.0, float(frame["r"].min()) - 0.05))
            title = fill(f"{letters[0]}, {self.run}", 30) if layout.narrow else f"{letters[0]}, {self.run}"
            panels[2 * k].set_title(f"{title}\n{_solved(shown)}", fontsize=8.5)
            self._fractions(panels[2 * k + 1], part)
            panels[2 * k + 1].set_title(f"{letters[1]}, solved by kind", fontsize=8.5)
            found = zip(*panels[2 * k + 1].get_legend_handles_labels(), strict=True)
            handles |= {label: handle for handle, label in found}
        for least, opacity in SHADES.items():
            name = f"{least}" if least == 1 else f"≥ {least}"
            patch = Rectangle((0, 0), 1, 1, facecolor=(LIGHT["data"], opacity), edgecolor="none")
            handles[f"{name} structure{'s' if least > 1 else ''}"] = patch
        legend_above(figure, handles, layout)
        return figure

    def _fractions(self, axes: Axes, part: pd.DataFrame) -> None:
        """Share with r ≥ 0.8 of each kind and run, with Wilson's interval."""
        present = [kind for kind in self.kinds if kind in set(part["group"])]
        names = []
        for y, kind in enumerate(present):
            of_kind = part[part["group"] == kind]
            names.append(f"{self.kinds[kind]}\nN = {len(of_kind) // len(RUNS):,}")
            for i, (run, (_, marker, colour)) in enumerate(RUNS.items()):
                found = score(of_kind.loc[of_kind["run"] == run, "r"].to_numpy(dtype="float64"))
                if found.solved is None or found.solved_low is None or found.solved_high is None:
                    continue
                at = y + 0.22 * (i - 1)
                axes.hlines(at, 100 * found.solved_low, 100 * found.solved_high, color=colour, lw=1.2)
                axes.plot(
                    100 * found.solved, at, ls="", marker=marker, ms=4.5, color=colour, label=run, zorder=3
                )
        axes.grid(visible=False, axis="y")
        axes.grid(axis="x")
        axes.set_yticks(range(len(present)), names)
        axes.tick_params(axis="y", length=0)
        axes.set(xlim=(-3, 103), ylim=(len(present) - 0.5, -0.5), xlabel=f"% with r ≥ {SOLVED:g}")


def _density(axes: Axes, part: pd.DataFrame, right: float, low: float) -> None:
    """Number of structures in cells of V and r, the darker the more."""
    known = part[part["r"].notna()]
    counts, x, y = np.histogram2d(
        known["volume_angstrom3"], known["r"], CELLS, range=((0.0, right), (low, 1.0 + 1e-9))
    )
    width, height = x[1] - x[0], y[1] - y[0]
    levels = list(SHADES)
    for place, least in enumerate(levels):
        most = levels[place + 1] if place + 1 < len(levels) else np.inf
        cells = np.argwhere((counts >= least) & (counts < most))
        patches = [Rectangle((x[i], y[j]), width, height) for i, j in cells]
        axes.add_collection(
            PatchCollection(patches, facecolor=(LIGHT["data"], SHADES[least]), edgecolor="none", zorder=2)
        )
    axes.axhline(SOLVED, color=LIGHT["muted"], lw=0.9, ls=(0, (4, 2)), zorder=1)
    axes.set(xlim=(0, right), ylim=(low, 1.02), xlabel="V / Å³", ylabel="r")


def _solved(part: pd.DataFrame) -> str:
    """Fraction solved with its interval and N; what has no r is not solved."""
    found = score(part["r"].to_numpy(dtype="float64"))
    if found.solved is None or found.solved_low is None or found.solved_high is None:
        return "no structure"
    low, high = 100 * found.solved_low, 100 * found.solved_high
    return f"r ≥ {SOLVED:g}: {100 * found.solved:.0f} % ({low:.0f}–{high:.0f}) of {found.n:,}"


BY_CLASS: Final = ScoreFigure(
    "compound_class",
    {"organic": "organic", "s-block": "s-block metal", "d-block": "d-block element", "other": "neither"},
    "best run",
)
"""Fig. 5: the best run, as in the paper, and classes of compounds."""
BY_SPECIAL: Final = ScoreFigure(
    "n_special",
    {"0": "no special position", "1": "one", "2 or more": "two or more"},
    "chosen without truth",
)
"""Fig. 6: the run that a user gets, and the number of special positions that are occupied."""
