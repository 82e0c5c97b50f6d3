"""How the figures look: a palette with a light and a dark value for each role, the same bytes every time.

A figure is drawn with the light values. Inside the page each colour becomes a CSS variable, so that the
reader's light or dark preference, and the printer, decide.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from textwrap import fill
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from xtalpriors.reports.hover import annotated, name_artists

__all__ = [
    "DARK",
    "LIGHT",
    "NARROW",
    "WIDE",
    "Layout",
    "css_variables",
    "figure_style",
    "inline_svg",
    "legend_above",
    "new_figure",
    "render_svg",
]


@dataclass(frozen=True, slots=True)
class Layout:
    """The width that a figure is drawn for: its panels stand side by side, or one under the other.

    Attributes
    ----------
    name
        `wide` or `narrow`.
    width_inches
        Width of the drawing. The page scales it to the width of its column, so that the narrow drawing has
        letters of the same size on a telephone as the wide one on a desk.
    footer_characters
        Length of a line under the figure.
    """

    name: str
    width_inches: float
    footer_characters: int

    @property
    def narrow(self) -> bool:
        """Whether panels are stacked."""
        return self.name == "narrow"


WIDE: Final = Layout("wide", 7.6, 130)
"""A column of text on a desk, and the SVG files."""
NARROW: Final = Layout("narrow", 3.75, 62)
"""A telephone held upright: 360 px."""

LIGHT: Final[dict[str, str]] = {
    "ink": "#1b1f24",
    "muted": "#5b6570",
    "grid": "#e3e6ea",
    "surface": "#ffffff",
    "data": "#0072b2",
    "second": "#bf8600",
    "fit": "#a63200",
    "paper": "#7b2d80",
    "rule": "#00805e",
    "other": "#4a9fd0",
    "good": "#00795a",
    "moved": "#b34700",
}
"""Hues of Okabe & Ito, darkened to 3:1 on white and spread in lightness.

Any two that share a figure differ for eyes without red and green too; in grey, lines differ in their style.
"""

DARK: Final[dict[str, str]] = {
    "ink": "#e7eaed",
    "muted": "#a3adb8",
    "grid": "#333b45",
    "surface": "#14181d",
    "data": "#58aee6",
    "second": "#f6dc7a",
    "fit": "#f08548",
    "paper": "#e4a4d0",
    "rule": "#45cfa2",
    "other": "#8ccbf0",
    "good": "#45cfa2",
    "moved": "#ff9a57",
}

LINE_INCHES: Final = 0.125
"""Height of a line under the figure."""
FONT_STACK: Final = "system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"

_RC: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",
    "svg.image_inline": True,
    "font.family": "DejaVu Sans",
    "text.parse_math": False,
    "font.size": 9.0,
    "text.color": LIGHT["ink"],
    "axes.edgecolor": LIGHT["muted"],
    "axes.labelcolor": LIGHT["ink"],
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 8.0,
    "axes.labelsize": 9.0,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": LIGHT["grid"],
    "grid.linewidth": 0.7,
    "xtick.color": LIGHT["muted"],
    "ytick.color": LIGHT["muted"],
    "xtick.labelcolor": LIGHT["ink"],
    "ytick.labelcolor": LIGHT["ink"],
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "legend.handlelength": 2.2,
    "figure.facecolor": LIGHT["surface"],
    "savefig.facecolor": LIGHT["surface"],
    "lines.linewidth": 1.8,
    "patch.linewidth": 0.8,
    "axes.unicode_minus": True,
}


@contextmanager
def figure_style(name: str) -> Iterator[None]:
    """Matplotlib settings for drawing and saving the figure `name`, which also salts the SVG's ids."""
    with mpl.rc_context({**_RC, "svg.hashsalt": name}):
        yield


def new_figure(
    panels: int = 1,
    layout: Layout = WIDE,
    *,
    columns: int | None = None,
    narrow_columns: int = 1,
    row_height: float = 3.4,
) -> tuple[Figure, list[Axes]]:
    """Empty figure with axes for `panels` panels in reading order; the places left over are switched off.

    Parameters
    ----------
    panels
        Number of panels.
    layout
        Narrow: each panel is a little lower.
    columns, narrow_columns
        Panels side by side in the wide layout, all of them by default, and in the narrow one.
    row_height
        Height of a row of panels in inches, wide.
    """
    across = narrow_columns if layout.narrow else columns or max(panels, 1)
    rows = -(-max(panels, 1) // across)
    height = rows * (min(row_height, 2.7) if layout.narrow and panels > 1 else row_height)
    figure = Figure(figsize=(layout.width_inches, height))
    figure.set_layout_engine(ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.06))
    grid = figure.subplots(rows, across, squeeze=False)
    axes = [one for row in grid for one in row]
    for spare in axes[panels:]:
        spare.set_axis_off()
    return figure, axes[:panels]


def legend_above(figure: Figure, handles: Mapping[str, Any], layout: Layout) -> None:
    """A legend over the panels, in as many columns as its longest name leaves room for."""
    if not handles:
        return
    column = 0.62 + 0.068 * max(map(len, handles))
    across = max(1, min(len(handles), int(layout.width_inches / column)))
    figure.legend(list(handles.values()), list(handles), loc="outside upper left", ncols=across)


def render_svg(figure: Figure, footer: str) -> str:
    """SVG text of a figure with `footer` under it: no date, no version, generic fonts.

    Labels are laid out with DejaVu Sans, wider than the sans-serif faces a reader is likely to have, so
    none of them is clipped or overlaps there.
    """
    width, height = (float(size) for size in figure.get_size_inches())
    below = LINE_INCHES * (footer.count("\n") + 1) + 0.14
    figure.set_size_inches(width, height + below)
    share = below / (height + below)
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.set(rect=(0, share, 1, 1 - share))
    figure.text(
        0.012, 0.07 / (height + below), footer, fontsize=7.2, color=LIGHT["muted"], ha="left", va="bottom"
    )
    for axes in figure.axes:  # a label longer than a narrow drawing would be clipped
        axes.set_xlabel(fill(axes.get_xlabel(), int(9 * width)))
    bars = name_artists(figure)
    buffer = io.BytesIO()
    FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None, "Creator": None})  # type: ignore[no-untyped-call]
    text = annotated(_numbered_ids(buffer.getvalue().decode("utf-8")), figure, bars)
    return re.sub(r"'DejaVu Sans'(, [^;\"]*?)?(?=[;\"])", FONT_STACK, text)


def _numbered_ids(svg: str) -> str:
    """The SVG with its clips, markers and shapes numbered in their order.

    Matplotlib names them by a hash of all bits of their coordinates, and the last bits of a layout differ
    from run to run.
    """
    pattern = r'((?: id="|url\(#|href="#))((?:C[0-9a-f]+_[0-9a-f]+_|[a-z])[0-9a-f]{10})\b'
    found = dict.fromkeys(match[2] for match in re.finditer(pattern, svg))
    names = {name: f"shape-{k}" for k, name in enumerate(found, 1)}
    return re.sub(pattern, lambda m: m[1] + names[m[2]], svg)


def inline_svg(svg: str, name: str, label: str) -> str:
    """The `<svg>` element of a file for the page: scoped ids, CSS variables, a text alternative.

    Coordinates have two decimals, a hundredth of a point, and what nothing refers to is left out: the page
    is a third lighter.
    """
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", body, flags=re.DOTALL)
    kept = set(re.findall(r"(?:url\(|href=\")#([^)\"]+)", body))
    body = re.sub(r' id="([^"]+)"', lambda m: _scoped(m, name, kept), body)
    body = re.sub(r"(url\(#|href=\"#)", rf"\g<1>{name}-", body)
    body = re.sub(r' transform="rotate\(-0 [^)]*\)"', "", body)
    body = re.sub(r' (d|x|y|transform)="([^"]*)"', _short, body)
    for role, colour in LIGHT.items():
        body = re.sub(re.escape(colour) + r"\b", f"var(--{role})", body, flags=re.IGNORECASE)
    body = re.sub(r">\s*\n\s*<", "><", body.replace(FONT_STACK, "var(--font)"))
    head, rest = body.split(">", 1)
    head = re.sub(r'\s(width|height)="[\d.]+pt"', "", head)
    head += f' role="img" aria-label="{escape(label, quote=True)}"'
    return f"{head}>{rest}".strip()


def _scoped(attribute: re.Match[str], name: str, kept: set[str]) -> str:
    """An id within its figure; one that neither the drawing nor the script refers to is left out."""
    key = attribute[1]
    return f' id="{name}-{key}"' if key in kept or key.startswith("curve-") else ""


def _short(attribute: re.Match[str]) -> str:
    """An attribute with coordinates of at most two decimals (four below 1, where scales stand)."""
    value = re.sub(r"\b([1-9]\d*\.\d\d)\d+", r"\1", attribute[2])
    value = re.sub(r"\b(0\.\d{4})\d+", r"\1", value)
    return f' {attribute[1]}="{" ".join(value.split())}"'


def css_variables(palette: dict[str, str]) -> str:
    """The palette as CSS custom properties."""
    return " ".join(f"--{role}: {colour};" for role, colour in palette.items())
