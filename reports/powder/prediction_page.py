"""The page of one powder pattern: its lines beside those of the first density, and sections of every try."""

from __future__ import annotations

from typing import Final

import numpy as np
from markupsafe import Markup

from xtalpriors import __version__
from xtalpriors.arrays import F32
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.model.powder.predict import PowderPrediction, lengths
from xtalpriors.model.powder.residual import Agreement
from xtalpriors.reports.density_image import density_png
from xtalpriors.reports.html import render_html

__all__ = ["prediction_page"]

GOOD_R, POOR_R = 0.12, 0.3
"""R of the first try below which its density explains the pattern, and above which it does not."""
SECTIONS: Final = (0.0, 0.25, 0.5)
"""Heights along c of the sections that are shown."""
_SIDE: Final = 240


def prediction_page(found: PowderPrediction) -> str:
    """The page as HTML; it needs nothing else."""
    first = found.tries[0]
    top = float(first.density.max())
    return render_html(
        "powder_prediction.html",
        found=found,
        verdict=_verdict(first.agreement.residual),
        plot=Markup(_plot(first.agreement)),
        tries=[
            (k, one, [Markup(_section(one.density, height, top)) for height in SECTIONS])
            for k, one in enumerate(found.tries, 1)
        ],
        lengths=_unbroken_lengths,
        d_min=found.pattern.d_min_angstrom,
        version=__version__,
    )


def _unbroken_lengths(cell: UnitCell) -> str:
    """The lattice parameters in words; a line may end between them, and not within one."""
    return (
        lengths(cell)
        .replace(" = ", "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}")
        .replace(" Å", "\N{NO-BREAK SPACE}Å")
    )


def _verdict(r: float) -> tuple[str, str]:
    """A word for the head, and a sentence."""
    if r < GOOD_R:
        return "pattern explained", "The lines of the first density are those of the pattern."
    if r < POOR_R:
        return (
            "doubtful",
            "The first density gives part of the pattern. Compare the tries, and look at the lines.",
        )
    return "pattern not explained", "No density gives the pattern: the maps are guesses by likeness."


def _plot(one: Agreement) -> str:
    """Observed lines upwards, calculated ones downwards, √I against 2θ."""
    left, right, middle, height = 44.0, 900.0, 130.0, 110.0
    last = max(float(one.two_theta.max()), 1.0)

    def bars(values: np.ndarray, side: float, name: str) -> str:
        """A line for each peak, from the middle up (`side` 1) or down (−1)."""
        parts = []
        for x, y in zip(one.two_theta.tolist(), values.tolist(), strict=True):
            if y > 0.004:
                at = left + (right - left) * x / last
                end = middle - side * min(y, 1.1) * height
                parts.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{middle}" y2="{end:.1f}"/>')
        return f'<g class="{name}">{"".join(parts)}</g>'

    marks = []
    for angle in range(0, 181, 30 if last > 60 else 10):
        if angle <= last:
            at = left + (right - left) * angle / last
            marks.append(f'<text x="{at:.1f}" y="275" text-anchor="middle">{angle}°</text>')
    return (
        '<svg viewBox="0 -16 920 300" role="img" aria-label="Observed lines above, calculated ones below">'
        f"{bars(one.observed, 1.0, 'observed')}{bars(one.calculated, -1.0, 'calculated')}"
        f'<line x1="{left}" x2="{right}" y1="{middle}" y2="{middle}" class="axis"/>{"".join(marks)}'
        f'<text x="{right}" y="14" text-anchor="end">observed</text>'
        f'<text x="{right}" y="238" text-anchor="end">calculated</text></svg>'
    )


def _section(density: F32, height: float, top: float) -> str:
    """A section perpendicular to c: white is nothing, blue the highest value of the first try."""
    n = len(density)
    values = np.asarray(density[:, :, round(height * n) % n], dtype=np.float64)
    strength = np.sqrt(np.clip(values.T[::-1] / max(top, 1e-12), 0.0, 1.0))
    return (
        f'<svg viewBox="0 0 {_SIDE} {_SIDE}" role="img" aria-label="Section at z = {height:g}">'
        f'<image href="{density_png(strength)}" width="{_SIDE}" height="{_SIDE}"/>'
        f'<text x="8" y="{_SIDE - 10}" class="on-map">z = {height:g}</text></svg>'
    )
