"""Counts space groups and their settings."""

from __future__ import annotations

import numpy as np

from xtalpriors.priors.fitting.context import Context
from xtalpriors.priors.fitting.observations import Observations, Values, observe
from xtalpriors.priors.fitting.shares import fit_categorical
from xtalpriors.priors.fitting.subset_table import SubsetTable
from xtalpriors.priors.kinds.space_groups import SpaceGroups

__all__ = ["fit"]


def _settings(table: SubsetTable) -> list[str]:
    """Symbol of the setting of each structure with a group, or its number where the setting has no name."""
    column, numbers = table.string("sg_hm"), table.number("sg_number")
    return [
        column.labels[code] if code >= 0 else f"{int(number)}:unnamed"
        for code, number in zip(column.codes, numbers, strict=True)
        if np.isfinite(number)
    ]


def _numbers(table: SubsetTable) -> list[str]:
    numbers = table.number("sg_number")
    return [str(int(n)) for n in numbers[np.isfinite(numbers)]]


def _labelled(context: Context, name: str, column: list[str]) -> tuple[Observations, list[str]]:
    """Observations as indices into the labels."""
    labels = sorted(set(column))
    index = {label: float(i) for i, label in enumerate(labels)}

    def extract(table: SubsetTable) -> Values:
        """Index of each structure's label, of those whose space group is known."""
        codes = np.array([index[v] for v in column], float)
        return Values(codes, np.flatnonzero(np.isfinite(table.number("sg_number"))))

    # the parent's groups are not the subset's, and one structure is a frequency too: see its interval
    return observe(context, name, extract, pool="never", minimum=1), labels


def fit(context: Context) -> SpaceGroups:
    """Frequencies of groups and settings, with intervals over clusters."""
    numbers, number_labels = _labelled(context, "space_groups", _numbers(context.own))
    settings, setting_labels = _labelled(context, "space_groups.settings", _settings(context.own))
    return SpaceGroups(
        n=numbers.n,
        n_clusters=numbers.n_clusters,
        convention="space group computed from the operators in use; the setting is the declared one",
        numbers=fit_categorical(context, "space_groups", numbers, number_labels),
        settings=fit_categorical(context, "space_groups.settings", settings, setting_labels),
    )
