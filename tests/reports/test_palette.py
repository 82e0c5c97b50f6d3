"""Colours that share a figure are told apart by every eye: with and without red and green, and in grey.

Deuteranopia is simulated with the matrix of Machado, Oliveira & Fernandes 2009 (doi 10.1109/TVCG.2009.113,
severity 1.0), on linear sRGB; distances are CIE 1976 ΔE in L*a*b* under D65, where 2.3 is just noticeable.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from xtalpriors.arrays import F64
from xtalpriors.reports.panels import LINES
from xtalpriors.reports.style import DARK, LIGHT

DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
SHARED = ("data", "second", "fit", "paper", "rule")
"""Roles that can stand in one panel."""


def _linear(colour: str) -> F64:
    encoded = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def _lab(linear: F64) -> F64:
    xyz = TO_XYZ @ np.clip(linear, 0, 1) / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_the_conversion_is_that_of_the_cie() -> None:
    """White is L* = 100; sRGB red is (53.24, 80.09, 67.20), a value that any table of colours has."""
    assert _lab(_linear("#ffffff")) == pytest.approx([100, 0, 0], abs=0.02)
    assert _lab(_linear("#ff0000")) == pytest.approx([53.24, 80.09, 67.20], abs=0.02)
    assert DEUTERANOPIA.sum(axis=1) == pytest.approx([1, 1, 1], abs=1e-5), "grey stays grey"


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("one", "other"), combinations(SHARED, 2))
def test_colours_of_a_panel_differ(palette: dict[str, str], one: str, other: str) -> None:
    colours = [_linear(palette[role]) for role in (one, other)]
    plain = np.linalg.norm(_lab(colours[0]) - _lab(colours[1]))
    without = np.linalg.norm(_lab(DEUTERANOPIA @ colours[0]) - _lab(DEUTERANOPIA @ colours[1]))
    assert plain > 25 and without > 15


@pytest.mark.parametrize(("palette", "least"), [(LIGHT, 3.0), (DARK, 4.5)], ids=["light", "dark"])
def test_every_role_stands_out_from_the_page(palette: dict[str, str], least: float) -> None:
    """3:1 is what WCAG 2.1 (1.4.11) asks of graphics; text has 4.5:1."""
    luminance = {role: float((TO_XYZ @ _linear(colour))[1]) for role, colour in palette.items()}
    for role in (*SHARED, "muted", "ink", "good", "moved"):
        light, dark = sorted((luminance[role], luminance["surface"]), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= (4.5 if role in ("ink", "muted") else least), role


def test_lines_of_a_panel_differ_in_grey() -> None:
    """Two lines of one panel have another style of line, or lightnesses 8 apart."""
    for roles in (
        ("fit", "rule", "rule-2", "paper"),
        ("fit", "second", "second-fit", "paper"),
        ("generated-1", "generated-2", "generated-3", "generated-4"),
    ):
        for one, other in combinations(roles, 2):
            lightness = [_lab(_linear(LINES[role]["color"]))[0] for role in (one, other)]
            styles = [LINES[role]["ls"] for role in (one, other)]
            assert styles[0] != styles[1] or abs(lightness[0] - lightness[1]) > 8, (one, other)
