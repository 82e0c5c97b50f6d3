"""Counts space groups and their settings."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xtalpriors.arrays import I64, Bool
from xtalpriors.priors.fitting.context import Context
from xtalpriors.priors.fitting.observations import Observations, Values, observe
from xtalpriors.priors.fitting.shares import fit_categorical
from xtalpriors.priors.fitting.subset_table import SubsetTable, present
from xtalpriors.priors.kinds.space_groups import SpaceGroups

__all__ = ["fit"]


def _settings(table: SubsetTable) -> tuple[I64, Callable[[int], str]]:
    """Code of the setting of each structure with a group, and the label of a code: the setting's symbol, or
    the number of the group where the setting has no name."""
    column, known, numbers = table.string("sg_hm"), *_numbers(table)
    n_named = len(column.labels)

    def label(code: int) -> str:
        """Symbol of a setting with a name, else of the group."""
        return column.labels[code] if code < n_named else f"{code - n_named}:unnamed"

    codes = column.codes[known]
    return np.where(codes < 0, n_named + numbers, codes), label


def _numbers(table: SubsetTable) -> tuple[Bool, I64]:
    """Which structures have a group, and the numbers of those."""
    numbers = table.number("sg_number")
    known = np.isfinite(numbers)
    return known, numbers[known].astype(np.int64)


def _labelled(
    context: Context, name: str, codes: I64, label: Callable[[int], str]
) -> tuple[Observations, list[str]]:
    """Observations as indices into the labels."""
    found, position = present(codes)
    names = [label(code) for code in found.tolist()]
    labels = sorted(names)
    index = np.array([labels.index(one) for one in names], float)

    def extract(table: SubsetTable) -> Values:
        """Index of each structure's label, of those whose space group is known."""
        return Values(index[position], np.flatnonzero(_numbers(table)[0]))

    # the parent's groups are not the subset's, and one structure is a frequency too: see its interval
    return observe(context, name, extract, pool="never", minimum=1), labels


def fit(context: Context) -> SpaceGroups:
    """Frequencies of groups and settings, with intervals over clusters."""
    numbers, number_labels = _labelled(context, "space_groups", _numbers(context.own)[1], str)
    settings, setting_labels = _labelled(context, "space_groups.settings", *_settings(context.own))
    return SpaceGroups(
        n=numbers.n,
        n_clusters=numbers.n_clusters,
        convention="space group computed from the operators in use; the setting is the declared one",
        numbers=fit_categorical(context, "space_groups", numbers, number_labels),
        settings=fit_categorical(context, "space_groups.settings", settings, setting_labels),
    )
