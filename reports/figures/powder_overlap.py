"""Share of solved crystals against the overlap of their reflections, as in a powder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd
from matplotlib.figure import Figure

from xtalpriors.model.network.card import SOLVED
from xtalpriors.model.seeding.rows import NO_SEEDS, TRUE_PHASES, of_truth
from xtalpriors.model.seeding.shares import bins_text, solved_shares
from xtalpriors.reports.meta import FigureMeta
from xtalpriors.reports.style import LIGHT, WIDE, Layout, legend_above, new_figure

__all__ = ["data", "draw"]

LOOKS: Final = (
    (LIGHT["ink"], (0, (1, 1)), "x"),
    (LIGHT["data"], "-", "o"),
    (LIGHT["fit"], "--", "s"),
    (LIGHT["paper"], "-.", "^"),
    (LIGHT["rule"], ":", "v"),
    (LIGHT["second"], "-", "D"),
)
_BY: Final = ("d_min_angstrom", "volume_class_angstrom3", "overlap_degree")


def data(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A row for each point: `d_min_angstrom`, `volume_class_angstrom3`, `line`, `overlap_degree`,
    `overlapped`, `solved`, `low`, `high`, `n`.

    Parameters
    ----------
    rows
        Of a study, of one source.
    """
    shares = solved_shares(of_truth(rows), _BY)
    shares = shares.assign(line=[_name(row) for row in shares.to_dict("records")])
    # without seeds first, then the most seeds of the most values first
    order = {NO_SEEDS: 0, TRUE_PHASES: 1}
    shares = shares.assign(
        rank=shares["seeds"].map(order), few=-shares["fraction"].fillna(0), coarse=-shares["bins"].fillna(0)
    ).sort_values([*_BY[:2], "rank", "few", "coarse", "overlap_degree"], ignore_index=True)
    return shares[[*_BY[:2], "line", "overlap_degree", "overlapped", "solved", "low", "high", "n"]]


def _name(row: Mapping[Any, Any]) -> str:
    if row["seeds"] == NO_SEEDS:
        return "no seeds"
    return f"{100 * row['fraction']:g} % seeds, {bins_text(row['bins'])}"


def draw(frame: pd.DataFrame, meta: FigureMeta, layout: Layout = WIDE) -> Figure:
    """A panel for each volume and resolution: share solved against the share of reflections that overlap."""
    places = list(dict.fromkeys(zip(frame["volume_class_angstrom3"], frame["d_min_angstrom"], strict=True)))
    across = min(3, len(set(frame["d_min_angstrom"])))
    figure, panels = new_figure(len(places), layout, columns=across, row_height=2.6)
    names = list(dict.fromkeys(frame["line"]))
    handles: dict[str, Any] = {}
    for (volume, d_min), axes in zip(sorted(places), panels, strict=True):
        here = (frame["volume_class_angstrom3"] == volume) & (frame["d_min_angstrom"] == d_min)
        for i, name in enumerate(names):
            points = frame[here & (frame["line"] == name)]
            colour, style, marker = LOOKS[i % len(LOOKS)]
            x = 100 * points["overlapped"]
            axes.vlines(x, 100 * points["low"], 100 * points["high"], color=colour, lw=0.8, alpha=0.7)
            (line,) = axes.plot(
                x, 100 * points["solved"], color=colour, ls=style, lw=1.2, marker=marker, ms=3.6, label=name
            )
            handles.setdefault(name, line)
        axes.set_title(f"{volume:,.0f} Å³, {d_min:.1f} Å", fontsize=8.5)
        axes.set(
            xlim=(-3, 103),
            ylim=(-3, 103),
            xlabel="reflections that overlap / %",
            ylabel=f"% with r ≥ {SOLVED:g}",
        )
    legend_above(figure, handles, layout)
    return figure
