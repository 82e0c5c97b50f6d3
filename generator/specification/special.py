"""Special positions of a space group as the kernels need them, with the bundle's probabilities."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xtalpriors.arrays import F64, I64
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.crystal.wyckoff.table import WyckoffPosition, wyckoff_positions
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.generator.config import GeneratorConfig
from xtalpriors.generator.specification.kernel_inputs import SpecialTable
from xtalpriors.generator.specification.symmetry_table import operator_order
from xtalpriors.priors.bundle import PriorBundle

__all__ = ["Patterns", "occupation", "patterns_of", "special_positions_of", "special_table"]


def special_positions_of(group: SpaceGroup) -> list[tuple[int, WyckoffPosition]]:
    """Special positions of the group with their numbers in `wyckoff_positions`, highest symmetry first,
    Wyckoff set by set."""
    positions = list(enumerate(wyckoff_positions(group)))
    special = [(i, p) for i, p in positions if p.multiplicity < group.order]
    return sorted(special, key=lambda item: (item[1].multiplicity, item[1].set_id, item[1].letter))


def occupation(bundle: PriorBundle, group: SpaceGroup, config: GeneratorConfig) -> list[F64]:
    """P(0), P(1), … occupied orbits of each special position of `special_positions_of`.

    From the bundle's prior of the group; for a group that it does not know, `special_probability`, and where
    that is null the mean number of occupied orbits per special position over the groups that it knows.

    Raises
    ------
    XtalpriorsError
        The bundle has no prior of special positions, or one with letters that the group does not have.
    """
    special = special_positions_of(group)
    if not special:
        return []
    prior = bundle.require("special_positions", "set special_positions=false")
    if group.number not in prior.groups:
        p = config.special_probability
        if p is None:
            sets = [s for g in prior.groups.values() for s in g.wyckoff_sets]
            n = sum(s.n_positions for s in sets)
            p = min(1.0, sum(s.n_positions * s.expected for s in sets) / n) if n else 0.0
        return [np.array([1.0 - p, p]) for _ in special]
    by_letter: dict[str, F64] = {}
    for s in prior.groups[group.number].wyckoff_sets:
        one = (
            s.count.values
            if s.count is not None
            else np.array([1 - s.probability.value, s.probability.value])
        )
        by_letter |= dict.fromkeys(s.letters, one / one.sum())
    missing = sorted({p.letter for _, p in special} ^ set(by_letter))
    if missing:
        raise XtalpriorsError(
            f"{bundle.called} and space group {group.number} do not agree on its special positions "
            f"(letters {', '.join(missing)}). Fit the bundle again with this version."
        )
    return [by_letter[p.letter] for _, p in special]


class Patterns(NamedTuple):
    """Which special positions are occupied together.

    Attributes
    ----------
    shares, orbits
        Share (q,) of each pattern, and its orbits (q, s) of each Wyckoff set.
    sets
        Letters of each set.
    """

    shares: F64
    orbits: I64
    sets: list[tuple[str, ...]]


def patterns_of(bundle: PriorBundle, group: SpaceGroup) -> Patterns:
    """The bundle's patterns of occupied special positions.

    Raises
    ------
    XtalpriorsError
        The bundle has no patterns for this group.
    """
    prior = bundle.require("special_positions").groups.get(group.number)
    try:
        if prior is None:
            raise ValueError(f"it knows no special positions of space group {group.number}")
        shares, orbits = prior.patterns()
    except ValueError as error:
        raise XtalpriorsError(
            f"special_pattern=joint cannot be had from {bundle.called}: {error}. Use "
            "special_pattern=independent, or a bundle fitted to structures of this group."
        ) from error
    return Patterns(shares / shares.sum(), orbits, [s.letters for s in prior.wyckoff_sets])


def _cosets(position: WyckoffPosition, rotations: F64, translations: F64) -> list[int]:
    """Operators that give the distinct points of an orbit, found at a generic point of the position."""
    generic = np.array([0.13721, 0.29813, 0.41237])
    point = position.matrix @ generic + position.vector
    images = rotations @ point + translations
    found: list[int] = []
    for k, image in enumerate(images):
        difference = image - images[found]
        difference -= np.round(difference)
        if not np.any(np.all(np.abs(difference) < 1e-6, axis=1)):
            found.append(k)
    return found


def special_table(bundle: PriorBundle, group: SpaceGroup, config: GeneratorConfig) -> SpecialTable:
    """Special positions of the group with their probabilities; empty where the configuration wants none."""
    special = special_positions_of(group) if config.occupies_special_positions else []
    shares = occupation(bundle, group, config) if special else []
    width = max((len(s) for s in shares), default=1)
    order = operator_order(group)
    rotations, translations = group.rotations[order].astype(float), group.translations[order]
    n = len(special)
    cumulative = np.ones((n, width))
    linear, constant = np.zeros((n, 9)), np.zeros((n, 3))
    freedom, multiplicity, site = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    cosets: I64 = np.full((n, group.order), -1, np.int64)
    patterns = patterns_of(bundle, group) if special and config.special_pattern == "joint" else None
    set_number, letters_left = np.zeros(n, np.int64), np.zeros(n, np.int64)
    for row, ((number, position), share) in enumerate(zip(special, shares, strict=True)):
        cumulative[row, : len(share)] = np.minimum(np.cumsum(share), 1.0)
        cumulative[row, len(share) - 1 :] = 1.0
        linear[row], constant[row] = position.matrix.ravel(), position.vector
        freedom[row], multiplicity[row], site[row] = (
            position.degrees_of_freedom,
            position.multiplicity,
            number,
        )
        found = _cosets(position, rotations, translations)
        if len(found) != position.multiplicity:
            raise UsageError(
                f"position {position.letter} of {group.hm or group.number} has {len(found)} points, not "
                f"{position.multiplicity}: the table of Wyckoff positions does not belong to this setting."
            )
        cosets[row, : len(found)] = found
        if patterns is not None:
            letters = next(s for s in patterns.sets if position.letter in s)
            set_number[row] = patterns.sets.index(letters)
            letters_left[row] = sum(p.letter in letters for _, p in special[row:])
    most = int((cumulative < 1.0).sum()) if patterns is None else int(patterns.orbits.sum(axis=1).max())
    return SpecialTable(
        cumulative, *_pattern_arrays(patterns), set_number, letters_left, most,
        linear, constant, freedom, multiplicity, cosets, site,
    )  # fmt: skip


def _pattern_arrays(patterns: Patterns | None) -> tuple[F64, I64]:
    if patterns is None:
        return np.empty(0), np.empty((0, 0), np.int64)
    cumulative = np.minimum(np.cumsum(patterns.shares), 1.0)
    cumulative[-1] = 1.0
    return cumulative, patterns.orbits
