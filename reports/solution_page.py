"""The page of a solved crystal: verdict, structure, map sections, Wilson plot, absences, what was tried."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup
from scipy.ndimage import map_coordinates

from xtalpriors import __version__
from xtalpriors.arrays import F64, I64
from xtalpriors.counted import counted
from xtalpriors.crystal.chemistry.elements import SYMBOLS
from xtalpriors.crystal.chemistry.formula import hill_formula
from xtalpriors.crystal.scattering.reciprocal import s_squared
from xtalpriors.model.solving.assemble import bond_limit
from xtalpriors.model.solving.shelx_output import atom_labels
from xtalpriors.model.solving.solution import Solution
from xtalpriors.model.solving.solution_files import solution_map
from xtalpriors.model.solving.statistics import wilson_plot
from xtalpriors.outputs import FileKind, text_with
from xtalpriors.reports.atom_labels import place_labels
from xtalpriors.reports.density_image import density_png
from xtalpriors.reports.html import render_html

__all__ = ["PAGE", "solution_page"]

PAGE = FileKind("a page on a solution", text_with('content="xtalpriors solve'))

COLOURS = {
    1: "#d9d9d9", 6: "#5a5f66", 7: "#2b62d9", 8: "#d93025", 9: "#38a169", 15: "#e07b00", 16: "#c9a400",
    17: "#2f9e44", 35: "#9c3b1b", 53: "#7b2fa0",
}  # fmt: skip
"""Of atoms by element, as usual in chemistry; others are teal."""
OTHER_COLOUR = "#0f8b8d"
SECTIONS = 3
SECTION_STEP_ANGSTROM = 0.15
MARGIN_ANGSTROM = 1.6
MOST_ABSENCE_ROWS = 14
FONT_SIZE, LEAST_PIXELS = 19.0, 9.0
"""Of the labels of atoms: in units of 1/60 Å, and in pixels in a picture of a large model."""
MODEL_PIXELS, MAP_PIXELS = (960.0, 400.0), (310.0, 310.0)
"""Largest width and height of the pictures on a screen (see the template)."""
RING = 16.0
"""Radius of the ring around an atom in a section."""


def solution_page(solution: Solution, files: list[str]) -> str:
    """The page as HTML; it needs nothing else.

    Parameters
    ----------
    solution
        Of `model.solving`.
    files
        Names of the files beside it.
    """
    axes, flat = _view(solution)
    return render_html(
        "solution.html",
        solution=solution,
        group=solution.group,
        hm=solution.group.hm or f"no. {solution.group.number}",
        formula=_formula(solution),
        summary=_summary(solution),
        model=Markup(_model_svg(solution, flat)),
        sections=[Markup(svg) for svg in _section_images(solution, axes)],
        wilson=Markup(_wilson_svg(solution)),
        absences=_absence_rows(solution),
        tried=_tried_rows(solution),
        candidates=_candidate_rows(solution),
        files=files,
        version=__version__,
    )


def _summary(solution: Solution) -> str:
    """The first sentence under the title."""
    r1 = f"{solution.r1:.3f}"
    if solution.verdict == "solved":
        return f"The model explains the measured reflections: R1 is {r1} after a quick isotropic refinement."
    if solution.verdict == "doubtful":
        return f"There is a model, but it is not sure (R1 {r1}). Look at the reasons and at the map."
    return f"No model explains the reflections (best R1 {r1}). The files hold the best attempt."


def _formula(solution: Solution) -> str:
    return hill_formula({SYMBOLS[z]: n for z, n in solution.chosen.built.fit.atoms.counts().items()})


def _view(solution: Solution) -> tuple[F64, F64]:
    """Axes of the flattest view (rows, Cartesian) and the atoms seen along the last one (n, 3), Å."""
    points = solution.fract @ solution.cell.orthogonalization.T
    centred = points - points.mean(axis=0)
    if len(points) < 3:
        return np.eye(3), centred
    _, _, axes = np.linalg.svd(centred, full_matrices=True)
    for row in axes:  # a fixed hand and sense: the largest component is positive
        if row[np.abs(row).argmax()] < 0:
            row *= -1.0
    return axes, centred @ axes.T


def _model_svg(solution: Solution, flat: F64) -> str:
    """Atoms and bonds of the asymmetric unit."""
    atoms = solution.chosen.built.fit.atoms
    low, high = flat.min(axis=0) - MARGIN_ANGSTROM, flat.max(axis=0) + MARGIN_ANGSTROM
    width, height = high[0] - low[0], max(high[1] - low[1], 3.0)
    scale = 60.0
    x = (flat[:, 0] - low[0]) * scale
    y = (high[1] - flat[:, 1]) * scale
    parts, bonds = [], []
    for i in range(len(flat)):
        for j in range(i):
            length = float(np.linalg.norm(flat[i] - flat[j]))
            if 0.5 < length < bond_limit(int(atoms.numbers[i]), int(atoms.numbers[j])):
                bonds.append([x[i], y[i], x[j], y[j]])
                parts.append(
                    f'<line x1="{x[i]:.0f}" y1="{y[i]:.0f}" x2="{x[j]:.0f}" y2="{y[j]:.0f}" class="bond"/>'
                )
    labels = atom_labels(atoms.numbers)
    radii: F64 = np.asarray(10.0 + 1.6 * atoms.numbers**0.55, dtype=np.float64)
    from_behind = np.argsort(flat[:, 2], kind="stable")
    for i in from_behind:
        parts.append(
            f'<circle cx="{x[i]:.0f}" cy="{y[i]:.0f}" r="{radii[i]:.0f}" '
            f'fill="{_colour(int(atoms.numbers[i]))}">'
            f"<title>{labels[i]}: U = {atoms.u_iso[i]:.3f} Å²</title></circle>"
        )
    front, size = from_behind[::-1], (width * scale, height * scale)
    font_size = _font_size(size, MODEL_PIXELS)
    parts += _label_texts(
        np.column_stack([x, y])[front], radii[front], [labels[i] for i in front], size, font_size,
        np.array(bonds).reshape(-1, 4),
    )  # fmt: skip
    return (
        f'<svg viewBox="0 0 {size[0]:.0f} {size[1]:.0f}" font-size="{font_size:.0f}" role="img" '
        f'aria-label="Model of {counted(len(flat), "atom")}">{"".join(parts)}</svg>'
    )


def _label_texts(
    centres: F64, radii: F64, texts: list[str], size: tuple[float, float], font_size: float, bonds: F64
) -> list[str]:
    return [
        f'<text x="{label.x:.0f}" y="{label.y:.0f}" class="label">{label.text}</text>'
        for label in place_labels(centres, radii, texts, size, font_size, bonds)
    ]


def _font_size(size: tuple[float, float], shown: tuple[float, float]) -> float:
    """Size of the labels in units of a picture that is shown with so many pixels at most."""
    return max(FONT_SIZE, LEAST_PIXELS * max(size[0] / shown[0], size[1] / shown[1]))


def _colour(z: int) -> str:
    return COLOURS.get(z, OTHER_COLOUR)


def _section_images(solution: Solution, axes: F64) -> list[str]:
    """Sections through the map, parallel to the flattest plane of the model, with the atoms near each."""
    density = solution_map(solution)
    inverse = np.linalg.inv(solution.cell.orthogonalization.T)
    points = solution.fract @ solution.cell.orthogonalization.T
    centre = points.mean(axis=0)
    flat = (points - centre) @ axes.T
    spread = float(np.quantile(np.abs(flat[:, 2]), 0.7)) if len(flat) else 0.0
    heights = (0.0,) if spread < 0.3 else (-spread, 0.0, spread)
    low, high = flat.min(axis=0) - MARGIN_ANGSTROM, flat.max(axis=0) + MARGIN_ANGSTROM
    half = SECTION_STEP_ANGSTROM / 2.0
    u = np.arange(low[0] + half, high[0], SECTION_STEP_ANGSTROM)
    v = np.arange(low[1] + half, high[1], SECTION_STEP_ANGSTROM)
    high = np.array([u[-1] + half, v[-1] + half, high[2]])
    sigma = float(density.values.std())
    images = []
    for height in heights[:SECTIONS]:
        grid = np.stack(np.meshgrid(u, v, indexing="xy"), axis=-1)
        cartesian = grid @ axes[:2] + height * axes[2] + centre
        at = (cartesian @ inverse) % 1.0 * np.array(density.values.shape)
        values = map_coordinates(density.values, at.reshape(-1, 3).T, order=1, mode="grid-wrap")
        near = np.abs(flat[:, 2] - height) < 0.6
        shown = np.asarray(values.reshape(len(v), len(u))[::-1] / sigma, dtype=np.float64)
        images.append(
            _section_svg(
                solution, shown, flat[near], np.flatnonzero(near).astype(np.int64), low, high, height
            )
        )
    return images


def _section_svg(
    solution: Solution, values: F64, atoms: F64, which: I64, low: F64, high: F64, height: float
) -> str:
    """One section: density above 1 σ in blue, up to 8 σ, and the atoms within 0.6 Å as rings."""
    data = density_png(np.clip((values - 1.0) / 7.0, 0.0, 1.0))
    scale = 60.0
    width, tall = (high[0] - low[0]) * scale, (high[1] - low[1]) * scale
    labels = atom_labels(solution.chosen.built.fit.atoms.numbers)
    centres = np.column_stack([atoms[:, 0] - low[0], high[1] - atoms[:, 1]]) * scale
    rings = [f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{RING:.0f}" class="ring"/>' for x, y in centres]
    font_size = _font_size((width, tall), MAP_PIXELS)
    rings += _label_texts(
        centres, np.full(len(atoms), RING), [labels[i] for i in which], (width, tall - 1.5 * font_size),
        font_size, np.empty((0, 4)),
    )  # fmt: skip
    return (
        f'<svg viewBox="0 0 {width:.0f} {tall:.0f}" font-size="{font_size:.0f}" role="img" '
        f'aria-label="Section at {height:+.1f} Å">'
        f'<image href="{data}" width="{width:.0f}" height="{tall:.0f}" '
        f'preserveAspectRatio="none"/>{"".join(rings)}'
        f'<text x="12" y="{tall - 0.5 * font_size:.0f}" class="label">{height:+.1f} Å</text></svg>'
    )


def _wilson_svg(solution: Solution) -> str:
    """ln of the mean intensity against 1/d², with the resolution in Å along the axis."""
    unique = solution.unique
    plot = wilson_plot(unique.hkl, unique.intensity, solution.cell)
    s2 = s_squared(unique.hkl, [solution.cell.parameters])[0]
    x, y = plot.s_squared, np.log(plot.mean)
    left, right, top, bottom = 46.0, 500.0, 14.0, 190.0
    x_scale = (right - left) / float(s2.max())
    span = max(float(y.max() - y.min()), 0.1)

    def place(a: float, b: float) -> str:
        """A point of the plot in units of the picture, as `x,y`."""
        return f"{left + a * x_scale:.1f},{bottom - (b - y.min()) / span * (bottom - top):.1f}"

    points = " ".join(place(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True))
    dots = "".join(
        f'<circle cx="{p.split(",")[0]}" cy="{p.split(",")[1]}" r="3"/>' for p in points.split(" ")
    )
    marks = []
    for d in (4.0, 2.0, 1.5, 1.2, 1.0, 0.9, 0.8, 0.7):
        at = left + d**-2.0 * x_scale
        if d**-2.0 <= s2.max() * 1.001:
            marks.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{top}" y2="{bottom}" class="grid"/>')
            marks.append(f'<text x="{at:.1f}" y="{bottom + 18}" text-anchor="middle">{d:g}</text>')
    return (
        f'<svg viewBox="0 0 520 236" role="img" aria-label="Wilson plot">{"".join(marks)}'
        f'<polyline points="{points}" class="curve"/><g class="dots">{dots}</g>'
        f'<text x="{(left + right) / 2:.0f}" y="{bottom + 38}" text-anchor="middle">resolution in Å</text>'
        f'<text x="14" y="{(top + bottom) / 2:.0f}" text-anchor="middle" '
        f'transform="rotate(-90 14 {(top + bottom) / 2:.0f})">ln of mean intensity</text></svg>'
    )


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _absence_rows(solution: Solution) -> list[list[str]]:
    """The classes of reflections that decided most."""
    order = sorted(solution.absences, key=lambda c: -abs(c.log_odds))[:MOST_ABSENCE_ROWS]
    return [
        [
            " ".join(map(str, one.example)),
            f"{one.n_measured} of {one.n_possible}",
            _number(one.mean_e2, 2),
            _number(one.mean_i_over_sigma, 1),
            "absent" if one.log_odds > 2 else "present" if one.log_odds < -2 else "open",
        ]
        for one in order
    ]


def _tried_rows(solution: Solution) -> list[list[str]]:
    return [
        [
            one.candidate.group.hm or f"no. {one.candidate.group.number}",
            f"{one.r1:.3f}",
            f"{one.r_weak:.2f}",
            f"{one.correlation:.1f}",
            _number(one.symmetry, 2),
            ", ".join(f"{r1:.2f}" for _, r1 in one.merits),
        ]
        for one in solution.tried
    ]


def _candidate_rows(solution: Solution) -> list[list[str]]:
    return [
        [
            one.group.hm or f"no. {one.group.number}",
            f"{one.log_likelihood:.1f}",
            str(one.n_absent),
            _number(one.mean_e2, 2),
            _number(one.mean_i_over_sigma, 1),
            "refuted" if one.refuted else "",
        ]
        for one in solution.candidates[:8]
    ]
