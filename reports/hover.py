"""What a page can tell of a figure under the pointer: bars with their value, curves with their axes.

`name_artists` gives ids to bars and curves before a figure is drawn, `annotated` adds to the SVG a `<title>`
for each bar, which a browser shows without a script, and for each panel its place and limits, with which the
script of the page reads a curve's value off its path.
"""

from __future__ import annotations

import json
from html import escape

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import StepPatch

__all__ = ["annotated", "name_artists"]


def name_artists(figure: Figure) -> dict[str, str]:
    """Give an id to every bar and every curve of the legend; the text of each bar by its id."""
    bars: dict[str, str] = {}
    for place, axes in enumerate(figure.axes):
        for k, curve in enumerate(_curves(axes)):
            curve.set_gid(f"curve-{place}-{k}")
        for container in axes.containers:
            if isinstance(container, BarContainer):
                for patch, text in zip(container.patches, _bar_texts(axes, container), strict=True):
                    patch.set_gid(f"bar-{place}-{len(bars)}")
                    bars[f"bar-{place}-{len(bars)}"] = text
    return bars


def annotated(svg: str, figure: Figure, bars: dict[str, str]) -> str:
    """The SVG of a figure whose layout is done, with the texts of its bars and the limits of its panels."""
    for name, text in bars.items():
        svg = svg.replace(f'<g id="{name}">', f'<g id="{name}"><title>{escape(text)}</title>', 1)
    width, height = (72 * float(inches) for inches in figure.get_size_inches())
    panels = [found for k, axes in enumerate(figure.axes) if (found := _panel(k, axes, width, height))]
    data = escape(json.dumps(panels, ensure_ascii=False), quote=True)
    return svg.replace("<svg ", f'<svg data-panels="{data}" ', 1)


def _curves(axes: Axes) -> list[Line2D | StepPatch]:
    """Lines and stepped histograms with a name in the legend."""
    found = [*axes.patches, *axes.lines]
    return [a for a in found if isinstance(a, Line2D | StepPatch) and not str(a.get_label()).startswith("_")]


def _bar_texts(axes: Axes, container: BarContainer) -> list[str]:
    """Category, series and value of each bar."""
    across = container.orientation == "horizontal"
    axis, values = (axes.yaxis, axes.xaxis) if across else (axes.xaxis, axes.yaxis)
    names = [label.get_text() for label in axis.get_majorticklabels()]
    ticks = dict(zip(map(float, axis.get_majorticklocs()), names, strict=False))
    series = str(container.get_label())
    unit = " ".join(values.get_label_text().partition(";")[0].split())
    texts = []
    heights = np.asarray(container.datavalues, dtype=np.float64)
    for patch, value in zip(container.patches, heights, strict=True):
        middle = patch.get_y() + patch.get_height() / 2 if across else patch.get_x() + patch.get_width() / 2
        near = min(ticks, key=lambda tick: abs(tick - middle), default=None)
        parts = ["" if near is None else ticks[near], "" if series.startswith("_") else series]
        texts.append("\n".join([*filter(None, parts), f"{unit}: {value:.4g}".replace("-", "−")]))
    return texts


def _panel(place: int, axes: Axes, width: float, height: float) -> dict[str, object] | None:
    """Place of a panel in the drawing, its limits, and its curves; None without curves."""
    series = [[str(c.get_label()), f"curve-{place}-{k}"] for k, c in enumerate(_curves(axes))]
    if not series:
        return None
    box = axes.get_position()
    left, right, top, bottom = box.x0 * width, box.x1 * width, (1 - box.y1) * height, (1 - box.y0) * height
    return {
        "box": [round(float(v), 1) for v in (left, top, right, bottom)],
        "x": [float(f"{v:.6g}") for v in axes.get_xlim()],
        "y": [float(f"{v:.6g}") for v in axes.get_ylim()],
        "log": [name for name in ("x", "y") if getattr(axes, f"get_{name}scale")() == "log"],
        "label": " ".join(axes.get_xlabel().split()),
        "unit": axes.get_ylabel(),
        "series": series,
    }
