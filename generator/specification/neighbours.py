"""The bundle's priors `bonds` and `contents` as tables of the kernels, for the filling `fitted`."""

from __future__ import annotations

import math

import numpy as np

from xtalpriors.arrays import F64
from xtalpriors.crystal.chemistry.elements import ATOMIC_NUMBER, COVALENT_RADIUS_ANGSTROM
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.generator.config import GeneratorConfig
from xtalpriors.generator.specification.kernel_inputs import NeighbourTables
from xtalpriors.generator.specification.shells import bond_cosines, bond_numbers
from xtalpriors.generator.specification.tables import quantile_table, steady
from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.priors.distributions.distribution import LogNormal, fixed
from xtalpriors.priors.kinds.bonds import Bonds
from xtalpriors.priors.kinds.contents import Contents, ElementSet

__all__ = ["HARD", "NATS", "neighbour_tables", "no_neighbours"]

NATS = 64
"""Steps of a score for one unit of ln g."""
HARD = -(2**20)
"""Score below which two atoms are much too near."""
NEAREST, NEAREST_HYDROGEN = 0.7, 0.45
"""d / (R_A + R_B) nearer than which no two atoms are, whatever a database holds."""
LEAST_COORDINATION = 0.15
"""Mean number of neighbours within a bond length from which two elements are taken to bond."""
CANDIDATES, MOST_CANDIDATES = 16, 64
SWEEPS, MOVES = 8, 12
"""How often every atom is moved, and to one of how many places."""
MOVE = 0.9
"""Largest move along each axis in the first sweep, Å."""
STRAINED, FILLINGS = -8.0, 4
"""Score of an atom, in units of ln g, below which the cell is filled anew, and how often it is at most."""
REPULSION = 2.0
"""Factor of ln g where it is negative. Each g was measured among all other neighbours, so that the sum over
pairs counts their attraction more than once; without the factor atoms are drawn too near to one another."""
NOISE = 1024
RATIO_STEPS = 64
SPREADS = tuple(round(0.04 * 1.35**k, 4) for k in range(12))
"""Classes of the spread of U_iso in a structure."""
USUAL_SPREAD = 0.25
"""Where no element has enough sites to say."""
HYDROGEN_U_RATIO = 1.2
"""U_iso of hydrogen over the mean of its structure, as riding models have it."""


def neighbour_tables(bundle: PriorBundle, config: GeneratorConfig) -> NeighbourTables:
    """Everything that the filling `fitted` reads.

    Raises
    ------
    XtalpriorsError
        The bundle lacks a prior.
    UsageError
        None of its structures is of the class asked for.
    """
    bonds, contents = bundle.require("bonds"), bundle.require("contents")
    sets = _chosen_sets(contents, config, bundle.called)
    elements = ["H", *sorted({x for s in sets for x in s.elements} - {"H"}, key=ATOMIC_NUMBER.__getitem__)]
    row = {symbol: k for k, symbol in enumerate(elements)}
    width = max(len(s.elements) for s in sets)
    set_elements = np.zeros((len(sets), width), np.int64)
    general, special = np.ones((2, len(sets), width))
    for k, one in enumerate(sets):
        n = len(one.elements)
        set_elements[k, :n] = [row[x] for x in one.elements]
        general[k, :n] = np.cumsum(one.general or one.special or ())
        special[k, :n] = np.cumsum(one.special or one.general or ())
    listed = [(s, one) for s in sets for one in s.sites]
    counts_general, counts_special = np.zeros((2, len(listed), width), np.int64)
    for k, (one, counts) in enumerate(listed):
        counts_general[k, : len(one.elements)] = counts.general
        counts_special[k, : len(one.elements)] = counts.special
    shares = [np.cumsum([counts.share for counts in s.sites]) for s in sets]
    score, steps, length, bonded = _pairs(bonds, elements, bundle.called)
    u_ratio, usual = _u_ratios(bundle, elements)
    return NeighbourTables(
        atomic_number=np.array([ATOMIC_NUMBER[x] for x in elements], np.int64),
        hydrogen=0,
        set_cumulative=_cumulative(sets),
        set_size=np.array([len(s.elements) for s in sets], np.int64),
        set_volume=steady([s.volume_per_atom for s in sets]),
        set_hydrogen=np.array([s.hydrogen for s in sets]),
        set_elements=set_elements,
        general=steady(general),
        special=steady(special),
        counts_first=np.cumsum([0, *(len(s.sites) for s in sets)]).astype(np.int64),
        counts_cumulative=steady(np.concatenate(shares)),
        counts_general=counts_general,
        counts_special=counts_special,
        hydrogen_fraction=_hydrogen(bundle, config),
        score=score,
        hard=HARD,
        steps=steps,
        square_max=np.float32(bonds.cutoff_angstrom**2),
        cutoff=float(bonds.cutoff_angstrom),
        length=length,
        bonded=bonded,
        numbers=bond_numbers(bundle.priors.coordination, elements),
        cosines=bond_cosines(bundle.priors.coordination, elements),
        sweeps=SWEEPS,
        moves=MOVES,
        move=MOVE,
        strained=round(NATS * STRAINED),
        fillings=FILLINGS,
        candidates=CANDIDATES,
        most_candidates=MOST_CANDIDATES,
        noise=_gumbel(),
        u_spreads=steady(np.sqrt(np.array(SPREADS) * np.array([*SPREADS[1:], np.inf]))),
        u_spread_usual=usual,
        u_ratio=u_ratio,
    )


def no_neighbours() -> NeighbourTables:
    """Of the other fillings."""
    none, counts, flags = np.empty((0, 0)), np.empty(0, np.int64), np.empty(0, bool)
    return NeighbourTables(
        atomic_number=counts,
        hydrogen=0,
        set_cumulative=none,
        set_size=counts,
        set_volume=np.empty(0),
        set_hydrogen=flags,
        set_elements=np.empty((0, 0), np.int64),
        general=none,
        special=none,
        counts_first=counts,
        counts_cumulative=np.empty(0),
        counts_general=np.empty((0, 0), np.int64),
        counts_special=np.empty((0, 0), np.int64),
        hydrogen_fraction=np.empty(0),
        score=np.empty((0, 0, 0), np.int32),
        hard=HARD,
        steps=np.empty((0, 0), np.float32),
        square_max=np.float32(0.0),
        cutoff=0.0,
        length=np.empty((0, 0, 0)),
        bonded=np.empty((0, 0), bool),
        numbers=none,
        cosines=none,
        sweeps=0,
        moves=0,
        move=0.0,
        strained=0,
        fillings=0,
        candidates=0,
        most_candidates=0,
        noise=np.empty(0, np.int32),
        u_spreads=np.empty(0),
        u_spread_usual=0.0,
        u_ratio=none,
    )


def _chosen_sets(contents: Contents, config: GeneratorConfig, source: str) -> list[ElementSet]:
    """The sets of elements of the class that the configuration asks for, in the bundle's order."""
    wanted = config.contents_class
    sets = [s for s in contents.in_order if wanted is None or s.kind == wanted]
    if not sets:
        have = ", ".join(sorted({s.kind for s in contents.sets.values()}))
        raise UsageError(
            f"contents_class is {wanted}, and the structures of {source} are all {have}. Leave "
            "contents_class out, or use a bundle of another subset."
        )
    return sets


def _cumulative(sets: list[ElementSet]) -> F64:
    """Cumulative shares (2, s) of the sets of structures without and with atoms on special positions."""
    share = np.array([s.share.value for s in sets])
    with_special = np.array([s.with_special for s in sets])
    found = np.empty((2, len(sets)))
    for k, part in enumerate((share * (1.0 - with_special), share * with_special)):
        cumulative = np.cumsum(part if part.sum() > 0 else share)
        found[k] = cumulative / cumulative[-1]
    return steady(found)


def _hydrogen(bundle: PriorBundle, config: GeneratorConfig) -> F64:
    """Quantile table of the mole fraction of hydrogen in structures that have some."""
    prior = bundle.require("hydrogen")
    distribution = prior.empirical if prior.empirical is not None else prior.parametric
    try:
        return quantile_table(distribution, 1e-6, config.hydrogen_fraction_max)
    except ValueError:
        return np.array([0.0, 0.0])  # no structure has hydrogen


def _pairs(bonds: Bonds, elements: list[str], source: str) -> tuple[np.ndarray, np.ndarray, F64, np.ndarray]:
    """Scores (e, e, bins + 1), steps of d² in Å⁻² (e, e), bond lengths in Å (e, e, levels), and who bonds."""
    n, n_bins = len(elements), len(next(iter(bonds.pooled.values())).log_g)
    score, steps = np.zeros((n, n, n_bins + 1), np.int32), np.zeros((n, n), np.float32)
    bonded = np.zeros((n, n), bool)
    known = [t for p in bonds.pooled.values() if (t := p.length_table) is not None]
    levels = len(known[0]) if known else 2
    length = np.zeros((n, n, levels))
    edges = np.sqrt(np.linspace(0.0, bonds.ratio_max**2, n_bins + 1))
    for i, a in enumerate(elements):
        for j, b in enumerate(elements[: i + 1]):
            try:
                pair = bonds.pair(a, b)
            except LookupError as error:
                raise XtalpriorsError(
                    f"{source} lacks neighbours of {a} and {b}: {error}. Fit the subset again."
                ) from error
            total = _radius(a) + _radius(b)
            log_g = np.array(pair.log_g)
            log_g = np.where(log_g < 0, REPULSION * log_g, log_g)
            steps[i, j] = steps[j, i] = np.float32(n_bins / (bonds.ratio_max * total) ** 2)
            score[i, j, :n_bins] = np.round(NATS * log_g).astype(np.int32)
            nearest = NEAREST_HYDROGEN if "H" in (a, b) else NEAREST
            score[i, j, :n_bins][edges[1:] <= nearest] = 2 * HARD
            score[j, i] = score[i, j]
            table = pair.length_table
            if table is None or a == b == "H":
                continue
            bonded[i, j] = bonded[j, i] = max(pair.coordination) >= LEAST_COORDINATION
            length[i, j] = length[j, i] = steady(total * np.maximum(table, nearest))
    return score, steps, length, bonded


def _radius(symbol: str) -> float:
    radius = COVALENT_RADIUS_ANGSTROM[ATOMIC_NUMBER[symbol]]
    if radius is None:
        raise XtalpriorsError(f"{symbol} has no covalent radius (Cordero et al. 2008 end at Cm).")
    return radius


def _gumbel() -> np.ndarray:
    """Quantiles of the Gumbel distribution: added to the scores, the largest is a draw by exp(score)."""
    shares = [(k + 0.5) / NOISE for k in range(NOISE)]
    return np.array([round(float(f"{-NATS * math.log(-math.log(u)):.9g}")) for u in shares], np.int32)


def _u_ratios(bundle: PriorBundle, elements: list[str]) -> tuple[F64, float]:
    """Quantile tables (e · s, m) of U_iso over the mean of its structure, and the usual spread.

    Log-normal, with the median and the width of the element; both shrink or grow with the spread of the
    structure, so that the mean over its atoms stays where it is.
    """
    known = bundle.require("displacement").by_element
    n = sum(x.n for x in known.values())
    square = math.fsum(x.n * x.sd_log_ratio.value**2 for x in known.values())
    usual = float(steady(math.sqrt(square / n))) if n else USUAL_SPREAD
    tables = []
    for symbol in elements:
        one = known.get(symbol)
        median, width = (0.0, usual) if one is None else (math.log(one.ratio.value), one.sd_log_ratio.value)
        mean = math.exp(median + width**2 / 2.0) * (HYDROGEN_U_RATIO if symbol == "H" else 1.0)
        for spread in SPREADS:
            sigma = max(width * spread / usual, 1e-6)
            share = mean ** min(1.0, spread / usual)
            ratio = LogNormal(mu=fixed(math.log(share) - sigma**2 / 2.0), sigma=fixed(sigma))
            tables.append(quantile_table(ratio, intervals=RATIO_STEPS))
    return np.array(tables), usual
