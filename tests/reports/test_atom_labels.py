"""Labels of atoms in a picture: legible in a crowd, where each needs a place of its own."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from xtalpriors.reports.atom_labels import Label, place_labels

FONT_SIZE = 19.0
WIDTH_OF_A_LETTER, HEIGHT_OF_A_CAPITAL = 0.58, 0.7
"""Over the size of the font, in DejaVu Sans Bold somewhat more than that."""


def _extent(label: Label) -> tuple[float, float, float, float]:
    width = WIDTH_OF_A_LETTER * FONT_SIZE * len(label.text)
    return label.x, label.y - HEIGHT_OF_A_CAPITAL * FONT_SIZE, label.x + width, label.y


@pytest.mark.parametrize(("n", "side"), [(5, 400.0), (60, 700.0), (60, 150.0)])
def test_no_label_covers_another_or_leaves_the_picture(n: int, side: float) -> None:
    rng = np.random.default_rng(n)
    centres = rng.uniform(0.0, side, (n, 2))
    texts = [f"C{k}" for k in range(1, n + 1)]
    placed = place_labels(centres, np.full(n, 14.0), texts, (side, side), FONT_SIZE)
    for one, other in combinations(map(_extent, placed), 2):
        assert one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1]
    extents = np.array([_extent(label) for label in placed])
    assert extents.min() >= 0.0 and extents.max() <= side
    assert (len(placed) == n) == (side > 150.0), "in a crowd labels are left out, and only there"
    assert placed[0].text == "C1", "the first atom is the one most worth a label"


def test_a_label_avoids_atoms_and_bonds() -> None:
    """The place above to the right is the usual one; an atom there sends the label to another side."""
    alone = np.array([[100.0, 100.0]])
    size = (300.0, 300.0)
    (usual,) = place_labels(alone, np.array([14.0]), ["O1"], size, FONT_SIZE)
    assert usual.x > 100.0 and usual.y < 100.0
    two = np.array([[100.0, 100.0], [125.0, 80.0]])
    moved = place_labels(two, np.array([14.0, 14.0]), ["O1", "C1"], size, FONT_SIZE)[0]
    left, top, right, bottom = _extent(moved)
    nearest = np.clip(two[1], [left, top], [right, bottom])
    assert np.linalg.norm(nearest - two[1]) > 14.0
    up_right = np.array([[100.0, 100.0, 180.0, 60.0]])
    (beside,) = place_labels(alone, np.array([14.0]), ["O1"], size, FONT_SIZE, up_right)
    assert (beside.x, beside.y) != (usual.x, usual.y)
