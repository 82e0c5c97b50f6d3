"""Counts of occupied special orbits by space group and Wyckoff set, from the letters of each structure."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from xtalpriors.arrays import F64, I64
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.crystal.wyckoff import WyckoffSet as LetterSet
from xtalpriors.crystal.wyckoff import wyckoff_sets
from xtalpriors.priors.distributions.distribution import Categorical
from xtalpriors.priors.fitting.context import Context, Unavailable
from xtalpriors.priors.fitting.observations import Observations, Values, entry_values, observe
from xtalpriors.priors.fitting.shares import fit_categorical, fit_counts, fit_share_of
from xtalpriors.priors.fitting.subset_table import SubsetTable, occurring
from xtalpriors.priors.kinds.special_positions import SpecialPositions, SpecialPositionsOfGroup, WyckoffSet

__all__ = ["fit", "special_sets"]


def special_sets(number: int) -> tuple[LetterSet, ...]:
    """Wyckoff sets of the special positions of a space group in its reference setting."""
    return tuple(s for s in wyckoff_sets(SpaceGroup.from_number(number)) if s.site_symmetry_order > 1)


def _counts_by_letter(table: SubsetTable, number: int, sets: tuple[LetterSet, ...]) -> tuple[I64, I64]:
    """(m, n_letters) occupied orbits of each letter, set after set, and the structures (m,) of the group."""
    here = table.number("sg_number") == number
    column = table.string("special_letters")
    rows = np.flatnonzero(here & column.known)
    letters = [letter for s in sets for letter in s.letters]
    points = np.array([s.degrees_of_freedom == 0 for s in sets for _ in s.letters], bool)
    by_label = np.zeros((len(column.labels), len(letters)), np.int64)
    for code in occurring(column.codes[rows]):
        words = column.labels[code].split()
        by_label[code] = [words.count(letter) for letter in letters]
    counts = by_label[column.codes[rows]]
    # a point is one orbit: a file that lists its equivalents one by one still occupies it once
    return np.where(points, np.minimum(counts, 1), counts), rows


def _fit_sets(
    context: Context, name: str, seen: Observations, sets: tuple[LetterSet, ...]
) -> tuple[WyckoffSet, ...]:
    """One estimate per set, its letters pooled."""
    found, start = [], 0
    for s in sets:
        columns = seen.x[:, start : start + len(s.letters)]
        start += len(s.letters)
        probability = count = None
        if s.degrees_of_freedom == 0:
            fraction = columns.mean(axis=1)
            probability = fit_share_of(context, f"{name}.{s.letters[0]}", seen, fraction)
        else:
            count = fit_counts(context, f"{name}.{s.letters[0]}", _stacked(seen, columns))
        found.append(
            WyckoffSet(
                letters=s.letters,
                multiplicity=s.multiplicity,
                degrees_of_freedom=s.degrees_of_freedom,
                n_positions=len(s.letters),
                probability=probability,
                count=count,
            )
        )
    return tuple(found)


def _stacked(seen: Observations, columns: F64) -> Observations:
    """Every letter of a set as an observation of its own."""
    n_letters = columns.shape[1]
    return replace(
        seen,
        x=columns.T.ravel(),
        weight=np.tile(seen.weight / n_letters, n_letters),
        cluster=np.tile(seen.cluster, n_letters),
        stratum=np.tile(seen.stratum, n_letters),
    )


def _joint(context: Context, name: str, seen: Observations, sets: tuple[LetterSet, ...]) -> Categorical:
    """Observed patterns of occupied orbits by set."""
    starts = np.cumsum([0, *(len(s.letters) for s in sets)])
    by_set = np.column_stack([seen.x[:, a:b].sum(1) for a, b in pairwise(starts)])
    patterns, position = np.unique(by_set.astype(int), axis=0, return_inverse=True)
    labels = [
        " ".join(f"{''.join(s.letters)}×{k}" for s, k in zip(sets, row, strict=True) if k) or "none"
        for row in patterns.tolist()
    ]
    return fit_categorical(context, f"{name}.joint", replace(seen, x=position.ravel().astype(float)), labels)


def _fit_group(context: Context, number: int) -> SpecialPositionsOfGroup:
    name, sets = f"special_positions.{number}", special_sets(number)

    def extract(table: SubsetTable) -> Values:
        """Occupied orbits of each letter (m, n_letters) in the structures of the group."""
        counts, rows = _counts_by_letter(table, number, sets)
        # a group without special positions still counts its structures
        padded = counts if counts.shape[1] else np.zeros((len(rows), 1))
        return Values(padded.astype(float), rows)

    seen = observe(context, name, extract)
    return SpecialPositionsOfGroup(
        number=number,
        n_structures=seen.n,
        n_clusters=seen.n_clusters,
        wyckoff_sets=_fit_sets(context, name, seen, sets),
        number_occupied=fit_counts(context, f"{name}.number", replace(seen, x=seen.x.sum(axis=1))),
        joint=_joint(context, name, seen, sets) if sets else None,
        shrinkage=seen.shrinkage,
    )


def fit(context: Context) -> SpecialPositions:
    """Occupation of the special positions of every group with enough structures; the rest is named."""
    groups: dict[int, SpecialPositionsOfGroup] = {}
    too_few: list[int] = []
    numbers = context.own.number("sg_number")
    for number in occurring(numbers[np.isfinite(numbers)].astype(int)).tolist():
        try:
            groups[number] = _fit_group(context, number)
        except Unavailable:
            too_few.append(number)
    if too_few:
        context.unavailable["special_positions.groups"] = "too few structures in space groups " + ", ".join(
            map(str, too_few)
        )
    everything = observe(context, "special_positions", _number_occupied, pool="never", minimum=1)
    return SpecialPositions(
        convention=(
            "distinct special orbits occupied by non-hydrogen atoms, any setting of the group; "
            "mixed sites count once; letters that an origin shift interchanges are pooled"
        ),
        groups=groups,
        number_occupied=fit_counts(context, "special_positions.number", everything),
    )


def _number_occupied(table: SubsetTable) -> Values:
    n = table.number("n_special_positions")
    return entry_values(table, np.floor(n), (n >= 0) & (n < 1000))
