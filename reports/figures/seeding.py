"""Share of solved crystals against the fraction of the reflections whose phases are given as seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from xtalpriors.model.network.card import SOLVED
from xtalpriors.model.seeding.rows import TRUE_PHASES, of_truth
from xtalpriors.model.seeding.settings import EXACT
from xtalpriors.model.seeding.shares import WITH, bins_text, solved_shares, with_centre
from xtalpriors.reports.meta import FigureMeta
from xtalpriors.reports.style import LIGHT, WIDE, Layout, legend_above, new_figure

__all__ = ["data", "draw"]

LOOKS: Final = (
    (LIGHT["data"], "-", "o"),
    (LIGHT["fit"], "--", "s"),
    (LIGHT["paper"], "-.", "^"),
    (LIGHT["rule"], ":", "v"),
    (LIGHT["second"], "-", "D"),
)
"""Colour, style and marker of the lines; the last is that of groups with an inversion centre."""
SHIFT: Final = 0.5
"""Lines stand beside each other by that much of a per cent, so that intervals do not hide each other."""
_BY: Final = ("centre", "volume_class_angstrom3", "d_min_angstrom")


def data(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A row for each point: `d_min_angstrom`, `volume_class_angstrom3`, `line`, `percent`, `solved`, `low`,
    `high`, `n`; without seeds `percent` is 0.

    Parameters
    ----------
    rows
        Of a study, of one source, without overlap.
    """
    shares = solved_shares(with_centre(of_truth(rows)), _BY)
    points: list[dict[str, Any]] = []
    for row in shares.to_dict("records"):
        seeded = row["seeds"] == TRUE_PHASES
        bins = [row["bins"]] if seeded else _bins(shares, row["centre"])
        for number in bins:
            name = f"{WITH}, exact" if row["centre"] == WITH else bins_text(number)
            points.append(
                {
                    "d_min_angstrom": row["d_min_angstrom"],
                    "volume_class_angstrom3": row["volume_class_angstrom3"],
                    "line": name,
                    "percent": 100.0 * row["fraction"] if seeded else 0.0,
                    **{key: row[key] for key in ("solved", "low", "high", "n")},
                }
            )
    frame = pd.DataFrame(points)
    order = {name: k for k, name in enumerate(_names(frame))} if len(frame) else {}
    if len(frame):
        frame = frame.sort_values(
            ["d_min_angstrom", "volume_class_angstrom3", "line", "percent"],
            key=lambda column: column.map(order) if column.name == "line" else column,
            ignore_index=True,
        )
    return frame


def _bins(shares: pd.DataFrame, centre: str) -> list[float]:
    """Numbers of bins that were tried in groups with or without a centre; exact where none was."""
    tried = shares.loc[(shares["centre"] == centre) & (shares["seeds"] == TRUE_PHASES), "bins"]
    return sorted(set(tried)) or [EXACT]


def _names(frame: pd.DataFrame) -> list[str]:
    """Names of the lines: exact, then the most bins first, groups with a centre last."""

    def key(name: str) -> tuple[int, int]:
        """Place of a line in the legend."""
        return (2, 0) if name.startswith(WITH) else (0, 0) if name == "exact" else (1, -int(name.split()[0]))

    return sorted(set(frame["line"]), key=key)


def draw(frame: pd.DataFrame, meta: FigureMeta, layout: Layout = WIDE) -> Figure:
    """A row of panels for each resolution, a panel for each volume."""
    resolutions = sorted(set(frame["d_min_angstrom"]))
    volumes = sorted(set(frame["volume_class_angstrom3"]))
    figure, panels = new_figure(
        len(resolutions) * len(volumes),
        layout,
        columns=len(volumes),
        narrow_columns=min(2, len(volumes)),
        row_height=2.0,
    )
    names = _names(frame)
    handles: dict[str, Any] = {}
    places = [(d, v) for d in resolutions for v in volumes]
    for k, ((d_min, volume), axes) in enumerate(zip(places, panels, strict=True)):
        here = (frame["d_min_angstrom"] == d_min) & (frame["volume_class_angstrom3"] == volume)
        part = frame[here]
        _lines(axes, part, names, handles)
        first = k % (2 if layout.narrow else len(volumes)) == 0
        last = k >= len(panels) - (2 if layout.narrow else len(volumes))
        axes.set_title(f"{volume:,.0f} Å³, {d_min:.1f} Å", fontsize=8)
        axes.set(xlim=(-1.5, float(frame["percent"].max()) + 2.5), ylim=(-3, 103))
        axes.set_xticks(sorted(set(frame["percent"])))
        axes.tick_params(labelsize=7.5)
        axes.set_ylabel(f"% with r ≥ {SOLVED:g}" if first else "")
        axes.set_xlabel("seeds / %" if last else "")
    legend_above(figure, handles, layout)
    return figure


def _lines(axes: Axes, part: pd.DataFrame, names: Sequence[str], handles: dict[str, Any]) -> None:
    for i, name in enumerate(names):
        points = part[part["line"] == name]
        if points.empty:
            continue
        colour, style, marker = LOOKS[-1] if name.startswith(WITH) else LOOKS[min(i, len(LOOKS) - 2)]
        x = points["percent"] + SHIFT * (i - (len(names) - 1) / 2)
        # without seeds all lines but that of groups with a centre begin at one point: one interval is enough
        shown = points[(points["percent"] > 0) | (i == 0) | name.startswith(WITH)]
        axes.vlines(x[shown.index], 100 * shown["low"], 100 * shown["high"], color=colour, lw=0.8, alpha=0.7)
        (line,) = axes.plot(
            x, 100 * points["solved"], color=colour, ls=style, lw=1.2, marker=marker, ms=3.2, label=name
        )
        handles.setdefault(name, line)
