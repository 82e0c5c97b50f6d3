"""Where the labels of atoms go in a picture of a structure, so that none covers another."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from xtalpriors.arrays import F64

__all__ = ["Label", "place_labels"]

_GAP: Final = 2.0
"""Between a label and its atom, and between two labels."""
_SIDES: Final = ((1, -1), (1, 0), (1, 1), (-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1))
"""Sides of an atom, the usual place of its label (above, to the right) first; y points downwards."""
_ON_ATOM, _ON_BOND = 4.0, 1.0
"""How bad it is for a label to cover another atom, and a bond."""


class Label(NamedTuple):
    """The left end of a label's baseline."""

    text: str
    x: float
    y: float


def place_labels(
    centres: F64,
    radii: F64,
    texts: list[str],
    size: tuple[float, float],
    font_size: float,
    bonds: F64 | None = None,
) -> list[Label]:
    """Labels beside their atoms: of eight places the one that covers the fewest atoms and bonds.

    A label is left out where every place lies on a label before it or outside the picture.

    Parameters
    ----------
    centres, radii
        Middles (n, 2) and radii (n,) of the atoms in the picture, the most important atom first.
    texts
        Their labels (n,).
    size
        Width and height of the picture.
    font_size
        Of the labels, a bold sans serif.
    bonds
        Ends of lines (m, 4) as x, y, x, y.
    """
    along = np.linspace(0.0, 1.0, 33)[:, None, None]
    lines = np.empty((0, 2)) if bonds is None else bonds[:, :2] + along * (bonds[:, 2:] - bonds[:, :2])
    lines = lines.reshape(-1, 2)
    placed: list[Label] = []
    taken: list[F64] = []
    for i, text in enumerate(texts):
        best: tuple[float, F64] | None = None
        for rank, side in enumerate(_SIDES):
            box = _box(centres[i], float(radii[i]), side, font_size * _extent(text))
            outside = (box[:2] < 0).any() or (box[2:] > size).any()
            if outside or any(_overlap(box, other) for other in taken):
                continue
            nearest = np.clip(centres, box[:2], box[2:])
            on_atoms = int((((nearest - centres) ** 2).sum(axis=1) < radii**2).sum())
            inside = ((lines > box[:2]) & (lines < box[2:])).all(axis=1)
            cost = _ON_ATOM * on_atoms + _ON_BOND * bool(inside.any()) + 0.01 * rank
            if best is None or cost < best[0]:
                best = cost, box
        if best is not None:
            left, _, _, bottom = best[1]
            placed.append(Label(text, float(left), float(bottom)))
            taken.append(best[1])
    return placed


def _box(centre: F64, radius: float, side: tuple[int, int], extent: F64) -> F64:
    """Left, top, right and bottom of a label at one side of an atom."""
    diagonal = 0.75 if all(side) else 1.0  # of the radius: where a corner of the box meets the circle
    middle = centre + np.array(side) * (extent / 2.0 + diagonal * radius + _GAP)
    return np.concatenate([middle - extent / 2.0, middle + extent / 2.0])


def _extent(text: str) -> F64:
    """Width and height of a label over the size of its font, rather too wide than too narrow."""
    return np.array([sum(0.78 if c.isupper() else 0.62 for c in text), 0.74])


def _overlap(one: F64, other: F64) -> bool:
    return bool(np.all(one[:2] < other[2:] + _GAP) and np.all(other[:2] < one[2:] + _GAP))
