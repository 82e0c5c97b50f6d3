"""The bundle's prior `coordination` as tables of the kernels, for the filling `fitted`."""

from __future__ import annotations

import math

import numpy as np

from xtalpriors.arrays import F64
from xtalpriors.crystal.cells.shells import MOST_BONDS
from xtalpriors.generator.specification.tables import steady
from xtalpriors.priors.kinds.coordination import Coordination, Shell

__all__ = ["bond_cosines", "bond_numbers"]

LEVELS = 41
"""Levels of the quantiles of the cosine of an angle."""


def _shells(known: Coordination | None, elements: list[str]) -> list[Shell | None]:
    return [None if known is None else known.elements.get(x) for x in elements]


def bond_numbers(known: Coordination | None, elements: list[str]) -> F64:
    """Cumulative shares (e, k) of the number of bonds of an atom; as many as there can be where the bundle
    does not know."""
    table = np.ones((len(elements), MOST_BONDS + 1))
    for row, shell in zip(table, _shells(known, elements), strict=True):
        cumulative = np.zeros(MOST_BONDS) if shell is None else np.cumsum(shell.numbers.values)[:MOST_BONDS]
        row[: len(cumulative)] = np.minimum(cumulative, 1.0)
    return steady(table)


def bond_cosines(known: Coordination | None, elements: list[str]) -> F64:
    """Quantiles (e, levels) of the cosine of the angle between two bonds; every direction is as likely as
    another where the bundle does not know."""
    shares, rows = np.linspace(0.0, 1.0, LEVELS), []
    for shell in _shells(known, elements):
        table = None if shell is None else shell.angle_table
        if table is None:
            rows.append(1.0 - 2.0 * shares)
        else:
            degrees = np.interp(shares, table.probabilities, table.values)
            rows.append(np.array([math.cos(math.radians(x)) for x in degrees]))
    return steady(rows)
