"""Candidate space groups, from absent reflections, the distribution of |E|², and how often groups occur.

Every reflection class that some group of the Laue class extinguishes is looked at once: its mean |E|² is near
0 where the class is absent, and of the order of 1 where it is not. A merged list may have lost its absent
reflections: then the class is missing far beyond what the completeness of the list lets expect. The product
of the likelihoods of all classes, of the frequency of the group and of ⟨|E² − 1|⟩ for or against a centre
ranks the groups. Two groups with the same absences differ in the last two only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xtalpriors.arrays import F64, I64, Bool
from xtalpriors.crystal.scattering.reciprocal import systematic_absences
from xtalpriors.crystal.symmetry.space_group import CENTRING_VECTORS, SpaceGroup
from xtalpriors.model.solving.space_groups import centring_vectors, group_frequency

__all__ = ["AbsenceClass", "Candidate", "find_centring", "mean_e2_minus_1", "off_lattice", "rank_groups"]

CENTRE_CUT = 0.858
"""⟨|E² − 1|⟩ half way between 0.968 (centre) and 0.736 (none), moved to where real data are parted best."""
CENTRE_WIDTH = 0.045
CENTRE_LIMIT = 1.6
"""Largest |log odds| that the statistic may give: it is wrong for one structure in ten."""
PRESENT_SPREAD = 1.0
"""Standard deviation of the log of a present class's mean |E|²: pseudo-symmetry makes classes weak."""
REFUTED_RATIO = 0.25
SEEN_SIGMA, MOST_SEEN = 3.0, 0.5
"""I/σ of a reflection that is surely there, and the share of these that refutes a centring."""
FEWEST = 10
"""Reflections whose mean |E|² above `REFUTED_RATIO` refutes an absence."""


@dataclass(frozen=True, slots=True)
class AbsenceClass:
    """Reflections that the same groups extinguish.

    Attributes
    ----------
    example
        One of them with small indices.
    n_possible, n_measured
        Unique ones within the resolution, and those that were measured.
    mean_e2
        Their mean |E|² (each at most 4); None where none was measured.
    mean_i_over_sigma
        Mean I/σ(I), None likewise.
    log_odds
        Logarithm of the likelihood of absent over that of present.
    """

    example: tuple[int, int, int]
    n_possible: int
    n_measured: int
    mean_e2: float | None
    mean_i_over_sigma: float | None
    log_odds: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A space group and what speaks for it.

    Attributes
    ----------
    group
        On the axes of the data.
    log_likelihood
        Of absences, centre and frequency, up to a constant.
    probability
        Among the groups of its Laue class.
    n_absent, mean_i_over_sigma, mean_e2
        Of the reflections that it extinguishes beyond the centring: how many were measured, and their means;
        None where there are none.
    refuted
        More than ten of them are clearly there.
    """

    group: SpaceGroup
    log_likelihood: float
    probability: float
    n_absent: int
    mean_i_over_sigma: float | None
    mean_e2: float | None
    refuted: bool


def mean_e2_minus_1(e2: F64) -> float:
    """⟨|E² − 1|⟩: 0.968 for a structure with a centre, 0.736 for one without (Wilson)."""
    return float(np.abs(e2 - 1.0).mean())


def find_centring(
    hkl: I64, e2: F64, possible: I64, *, contamination: float, i_over_sigma: F64 | None = None
) -> str:
    """Letter of the largest centring whose absences hold.

    Parameters
    ----------
    hkl, e2
        Measured reflections (m, 3) and |E|² (m,).
    possible
        All within the resolution (n, 3), Friedel mates apart.
    contamination
        Mean |E|² that absent reflections may have.
    i_over_sigma
        I/σ(I) (m,), where it says something: weak reflections that are nearly all seen are those of a heavy
        atom with a lattice of its own.
    """
    for letter in sorted(CENTRING_VECTORS, key=lambda x: -len(CENTRING_VECTORS[x])):
        vectors = centring_vectors(letter)
        if not len(vectors):
            continue
        absent, expected = off_lattice(hkl, vectors), int(off_lattice(possible, vectors).sum())
        if absent.sum() >= FEWEST:
            rest = e2[~absent].mean() if (~absent).any() else 0.0
            seen = 0.0 if i_over_sigma is None else float((i_over_sigma[absent] > SEEN_SIGMA).mean())
            if np.minimum(e2[absent], 4.0).mean() < contamination * rest and seen < MOST_SEEN:
                return letter
            continue
        # of a list without absences the share of the lattice's own reflections says how many there should be
        share = (len(hkl) - absent.sum()) / max(1, len(possible) - expected)
        if share * expected >= FEWEST and absent.sum() < 0.1 * share * expected:
            return letter
    return "P"


def off_lattice(hkl: I64, vectors: F64) -> Bool:
    """Which reflections (m, 3) the centring vectors (n, 3) extinguish, (m,)."""
    product: F64 = hkl @ vectors.T
    off: Bool = np.any(np.abs(product - np.rint(product)) > 1e-6, axis=1)
    return off


def rank_groups(
    groups: Sequence[SpaceGroup],
    hkl: I64,
    e2: F64,
    i_over_sigma: F64,
    e2_sigma: F64,
    possible: I64,
    *,
    contamination: float,
    with_carbon: bool | None,
) -> tuple[list[Candidate], list[AbsenceClass]]:
    """Groups of one Laue class, the likeliest first, and the classes of reflections that decided.

    Parameters
    ----------
    groups
        Of one Laue class and centring.
    hkl, e2, i_over_sigma, e2_sigma
        Unique measured reflections (m, 3), their |E|², I/σ and σ(|E|²), (m,).
    possible
        Unique reflections within the resolution (n, 3) that the centring allows.
    contamination
        As `find_centring`.
    with_carbon
        As `group_frequency`.
    """
    measured = np.stack([systematic_absences(g, hkl) for g in groups], axis=1)
    all_possible = np.stack([systematic_absences(g, possible) for g in groups], axis=1)
    classes, members = _classes(
        measured, all_possible, hkl, possible, e2, i_over_sigma, e2_sigma, contamination
    )
    general = ~measured.any(axis=1)
    centre = _centre_odds(mean_e2_minus_1(e2[general])) if general.sum() > 50 else 0.0
    scores = np.array(
        [
            sum(c.log_odds for c, m in zip(classes, members, strict=True) if m[i])
            + math.log(group_frequency(g.number, with_carbon))
            + (centre if g.centrosymmetric else -centre) / 2.0
            for i, g in enumerate(groups)
        ]
    )
    weights = np.exp(scores - scores.max())
    found: list[Candidate] = []
    for i, g in enumerate(groups):
        absent = measured[:, i]
        n = int(absent.sum())
        mean = float(np.minimum(e2[absent], 4.0).mean()) if n else None
        found.append(
            Candidate(
                g,
                float(scores[i]),
                float(weights[i] / weights.sum()),
                n,
                float(i_over_sigma[absent].mean()) if n else None,
                mean,
                mean is not None and n >= FEWEST and mean > max(REFUTED_RATIO, 2.0 * contamination),
            )
        )
    found.sort(key=lambda c: (c.refuted, -c.log_likelihood))
    return found, classes


def _centre_odds(value: float) -> float:
    """Log odds of a centre."""
    return float(np.clip((value - CENTRE_CUT) / CENTRE_WIDTH, -CENTRE_LIMIT, CENTRE_LIMIT))


def _classes(
    measured: Bool,
    possible: Bool,
    hkl: I64,
    possible_hkl: I64,
    e2: F64,
    i_over_sigma: F64,
    e2_sigma: F64,
    contamination: float,
) -> tuple[list[AbsenceClass], list[Bool]]:
    """Reflections by the set of groups that extinguish them; the sets (bool per group) beside."""
    patterns, of_possible = np.unique(possible, axis=0, return_inverse=True)
    of_possible = of_possible.ravel()
    key = {pattern.tobytes(): i for i, pattern in enumerate(patterns)}
    of_measured = np.array([key.get(row.tobytes(), -1) for row in measured])
    general = ~measured.any(axis=1)
    n_general = int((~possible.any(axis=1)).sum())
    completeness = min(1.0, general.sum() / n_general) if n_general else 1.0
    classes, members = [], []
    for i, pattern in enumerate(patterns):
        if not pattern.any():
            continue
        here = of_measured == i
        there = np.flatnonzero(of_possible == i)
        n, expected = int(here.sum()), len(there)
        mean = float(np.minimum(e2[here], 4.0).mean()) if n else None
        noise = float(np.sqrt((e2_sigma[here] ** 2).sum()) / n) if n else 0.0
        odds = _absence_odds(mean, noise, n, contamination) if mean is not None else 0.0
        odds += _coverage_odds(n, expected, completeness)
        nearest = there[np.abs(possible_hkl[there]).sum(axis=1).argmin()]
        example = tuple(possible_hkl[nearest].tolist())
        classes.append(
            AbsenceClass(example, expected, n, mean, float(i_over_sigma[here].mean()) if n else None, odds)
        )
        members.append(pattern)
    return classes, members


def _absence_odds(mean: float, noise: float, n: int, contamination: float) -> float:
    """Log of the likelihood ratio, absent over present, of the mean |E|² of n reflections.

    Absent: exponential of mean `contamination`, widened by the noise. Present: the log of the true mean is
    normal about 0, and the mean of n has the variance that Wilson's statistics give (about 2/n).
    """
    width = math.hypot(contamination, noise)
    value = max(mean, 0.0)
    absent = -value / width - math.log(width)
    grid = np.exp(np.linspace(-3.5, 1.5, 60) * PRESENT_SPREAD)
    weight = np.exp(-0.5 * (np.log(grid) / PRESENT_SPREAD) ** 2)
    shape = max(0.5, n / 2.0)
    with np.errstate(divide="ignore"):
        x = max(value, 0.02)
        log_gamma = shape * np.log(shape / grid) + (shape - 1) * np.log(x) - shape * x / grid
    log_gamma -= math.lgamma(shape)
    present = float(np.log((weight * np.exp(log_gamma)).sum() / weight.sum() + 1e-300))
    return float(np.clip(absent - present, -60.0, 12.0))


def _coverage_odds(n: int, expected: int, completeness: float) -> float:
    """Log odds for absence where reflections of a class are missing that the list should have."""
    missing = expected - n
    if expected < 2 or missing < 0.9 * expected or completeness < 0.3:
        return 0.0
    chance = missing * math.log(max(1.0 - completeness, 0.02)) + math.log(0.5)
    return min(6.0, -chance * 0.5) if chance < 0 else 0.0
