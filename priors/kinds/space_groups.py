"""Frequencies of space groups and of their settings."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field

from xtalpriors.arrays import F64, I64
from xtalpriors.models import Frozen
from xtalpriors.priors.distributions.distribution import Categorical
from xtalpriors.priors.fitting.observations import Context, Observations, Values, observe
from xtalpriors.priors.fitting.shares import fit_categorical
from xtalpriors.priors.fitting.table import SubsetTable

__all__ = ["SpaceGroups", "fit"]


class SpaceGroups(Frozen):
    """Space-group numbers and extended Hermann–Mauguin symbols, as computed from the operators."""

    n: int | None = None
    n_clusters: int | None = None
    convention: str
    numbers: Categorical = Field(description="Labels are numbers 1…230")
    settings: Categorical = Field(
        description="Extended Hermann–Mauguin symbol; `<number>:unnamed` without a name"
    )
    source: str | None = Field(default=None, description="Publication and place; null when fitted here")

    @classmethod
    def fit(cls, context: Context) -> SpaceGroups:
        """Fit the subset of a context; raises `Unavailable` with the reason."""
        return fit(context)

    def sample(self, size: int, *, rng: np.random.Generator) -> I64:
        """`size` independent space-group numbers."""
        return self.numbers.sample(size, rng=rng).astype(np.int64)

    def log_prob(self, numbers: ArrayLike) -> F64:
        """Log frequency of each space-group number."""
        return self.numbers.log_prob(np.asarray(numbers).astype(str))

    def summary(self) -> dict[str, float]:
        """Number of groups and the share of no. 14."""
        return {"n_groups": len(self.numbers.labels), "share_p21c": self.numbers.share("14")}


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
