"""The bounds that a subset puts on the cell lengths, as limits and as a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from xtalpriors.arrays import F64, Bool

__all__ = ["cell_name", "length_bounds", "longest_allowed", "within_bounds"]


def cell_name(definition: Mapping[str, Any]) -> str:
    """Which cell the columns of the subset hold."""
    brought = definition.get("bring_to_p21c")
    return "least-oblique P2₁/c cell that the structure was brought to" if brought else "declared cell"


def length_bounds(definition: Mapping[str, Any]) -> str:
    """What the subset's bounds on the cell lengths do to the distribution."""
    templates = (
        ("length_min_angstrom", "every length ≥ {:g} Å"),
        ("length_max_angstrom", "every length ≤ {:g} Å"),
        ("length_below_angstrom", "every length < {:g} Å"),
        ("longest_above_angstrom", "longest length > {:g} Å"),
    )
    bounds = [text.format(definition[key]) for key, text in templates if definition.get(key) is not None]
    if not bounds:
        return "the subset does not bound the cell lengths"
    return f"the subset has {', '.join(bounds)}, which truncates the distribution"


def longest_allowed(definition: Mapping[str, Any]) -> float | None:
    """Upper bound of every length, Å; null where the subset has none."""
    bounds = [definition.get(key) for key in ("length_max_angstrom", "length_below_angstrom")]
    return min((float(b) for b in bounds if b is not None), default=None)


def within_bounds(definition: Mapping[str, Any], lengths: F64) -> Bool:
    """(n,) True where (n, 3) lengths meet the bounds of a subset."""
    shortest, longest = lengths.min(axis=1), lengths.max(axis=1)
    keep = np.ones(len(lengths), bool)
    if (bound := definition.get("length_min_angstrom")) is not None:
        keep &= shortest >= bound
    if (bound := definition.get("length_max_angstrom")) is not None:
        keep &= longest <= bound
    if (bound := definition.get("length_below_angstrom")) is not None:
        keep &= longest < bound
    if (bound := definition.get("longest_above_angstrom")) is not None:
        keep &= longest > bound
    return keep
