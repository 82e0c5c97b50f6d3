"""Fits the joint distribution of cells: marginals of each crystal family, and their correlations."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np

from xtalpriors.arrays import F64, I64, Bool
from xtalpriors.priors.distributions.distribution import Categorical, Estimate
from xtalpriors.priors.distributions.scalar import ScalarPrior
from xtalpriors.priors.fitting.as_measured.contents import compositions
from xtalpriors.priors.fitting.as_measured.copula import (
    correlation_estimate,
    held_out,
    positive_definite,
    score_correlation,
)
from xtalpriors.priors.fitting.context import Context, Unavailable
from xtalpriors.priors.fitting.conventions import cell_name, length_bounds, longest_allowed
from xtalpriors.priors.fitting.observations import Observations, Values, entry_values, observe
from xtalpriors.priors.fitting.scalars import quantile_table
from xtalpriors.priors.fitting.shares import fit_categorical
from xtalpriors.priors.fitting.subset_table import SubsetTable
from xtalpriors.priors.kinds.cell import CONTENTS, FAMILIES, SHAPES, Cell, CellOfFamily

__all__ = ["fit"]

SYSTEMS = {"hexagonal": ("hexagonal", "trigonal")}
"""Crystal systems of a family, where it is not the one of its name."""
ONE_THIRD = 0.3333
LEAST_SITES, LEAST_SPREAD = 3, 1e-3
"""Sites from which on, and part of the mean above which, the spread of U_iso says something."""
UNITS = {"longest": "Å", "volume_per_atom": "Å³", "u_iso_mean": "Å²"}
ORDERS = tuple("<".join(order) for order in ("abc", "acb", "bac", "bca", "cab", "cba"))


def _lengths(table: SubsetTable) -> F64:
    """(n, 3) declared lengths in Å."""
    return np.column_stack([table.positive(f"{axis}_angstrom") for axis in "abc"])


def _cosines(table: SubsetTable) -> F64:
    """(n, 3) cosines of α, β and γ."""
    angles = np.column_stack([table.angle(f"{angle}_degree") for angle in ("alpha", "beta", "gamma")])
    return np.asarray(np.where(angles == 90.0, 0.0, np.cos(np.radians(angles))), float)


def _unique_axis_b(lengths: F64, cosines: F64) -> tuple[F64, F64]:
    """Lengths of monoclinic cells with the axes renamed cyclically so that b is unique, and |cos β|."""
    unique = np.where(np.abs(cosines).max(axis=1) > 0, np.abs(cosines).argmax(axis=1), 1)
    rows = np.arange(len(lengths))
    columns = [(unique + shift) % 3 for shift in (2, 0, 1)]
    return np.column_stack([lengths[rows, k] for k in columns]), np.abs(cosines[rows, unique])


def _uniaxial(lengths: F64, cosines: F64, family: str) -> tuple[F64, F64, F64]:
    """c/a and the longest length of tetragonal and hexagonal cells, and how many cells make one of those.

    Rhombohedral cells are described in hexagonal axes, whose cell is three of theirs.
    """
    # the unique length is the one that differs most from the other two
    gap = np.stack([np.abs(np.log(lengths[:, (k + 1) % 3] / lengths[:, (k + 2) % 3])) for k in range(3)])
    if family == "hexagonal":
        gap = np.abs(cosines.T + 0.5)
    unique = np.where(np.isnan(gap).any(axis=0), 2, np.nan_to_num(gap).argmin(axis=0))
    rows = np.arange(len(lengths))
    others = np.sqrt(lengths[rows, (unique + 1) % 3] * lengths[rows, (unique + 2) % 3])
    ratio, longest = lengths[rows, unique] / others, lengths.max(axis=1)
    if family != "hexagonal":
        return ratio, longest, np.ones(len(lengths))
    rhombohedral = np.abs(cosines + 0.5).min(axis=1) > 0.05
    cosine = np.minimum(cosines.mean(axis=1), 1.0)
    a = lengths.mean(axis=1) * np.sqrt(2.0 * (1.0 - cosine))  # 2·a·sin(α/2)
    c = lengths.mean(axis=1) * np.sqrt(3.0 * np.maximum(1.0 + 2.0 * cosine, 0.0))
    return (
        np.where(rhombohedral, c / a, ratio),
        np.where(rhombohedral, np.maximum(a, c), longest),
        np.where(rhombohedral, 3.0, 1.0),
    )


def _shapes(table: SubsetTable, family: str) -> tuple[F64, F64, I64 | None]:
    """Ratios and cosines (n, k) of `SHAPES[family]`, longest length over orderᵏ and the order before that
    power, (n, 2), and the row of `ORDERS` (n,), of cells of one family."""
    lengths, cosines = _lengths(table), _cosines(table)
    size = np.column_stack([lengths.max(axis=1), table.positive("n_operators")])
    if family == "cubic":
        return np.empty((len(lengths), 0)), size, None
    if family in ("tetragonal", "hexagonal"):
        ratio, longest, cells = _uniaxial(lengths, cosines, family)
        return ratio[:, None], np.column_stack([longest, size[:, 1] * cells]), None
    if family == "monoclinic":
        lengths, oblique = _unique_axis_b(lengths, cosines)
    order = np.argsort(lengths, axis=1, kind="stable")
    sorted_lengths = np.take_along_axis(lengths, order, axis=1)
    columns = [sorted_lengths[:, 1] / sorted_lengths[:, 0], sorted_lengths[:, 2] / sorted_lengths[:, 1]]
    if family == "monoclinic":
        columns.append(oblique)
    if family == "triclinic":
        # the angle between axes i and j is named after the third
        columns += [np.take_along_axis(cosines, order, axis=1)[:, third] for third in (2, 1, 0)]
    row_of = np.zeros((3, 3), np.int64)
    for k, name in enumerate(ORDERS):
        row_of["abc".index(name[0]), "abc".index(name[2])] = k
    return np.column_stack(columns), size, row_of[order[:, 0], order[:, 1]]


def _spread(table: SubsetTable) -> F64:
    """(n,) standard deviation of U_iso over its mean; NaN below three sites, or where all have one U."""
    ratio = table.positive("u_iso_sd_angstrom2") / table.positive("u_iso_mean_angstrom2")
    return np.where((table.number("u_iso_n") >= LEAST_SITES) & (ratio > LEAST_SPREAD), ratio, np.nan)


def _contents(context: Context, table: SubsetTable, name: str) -> F64:
    """(n,) one of `CONTENTS`, NaN where it is not known."""
    if name == "u_iso_mean":
        return np.where(table.number("u_iso_n") > 0, table.positive("u_iso_mean_angstrom2"), np.nan)
    if name == "u_iso_spread":
        return _spread(table)
    if name == "volume_per_atom":
        return table.positive("volume_per_non_h_atom_angstrom3")
    if name == "composition":
        if not context.places:
            return np.full(table.n_entries, np.nan)
        return np.array([context.places.get(x, np.nan) for x in compositions(context, table)])
    return np.where(table.string("hydrogen_origin").known, table.number("h_fraction"), np.nan)


class _Family:
    """Columns of one crystal family, the same for the subset and its parent."""

    def __init__(self, context: Context, family: str, order_exponent: float = 0.0) -> None:
        self.context, self.family, self.exponent = context, family, order_exponent
        self.names = ("longest", *SHAPES[family], *CONTENTS)
        self._of_table: dict[int, dict[str, F64]] = {}

    def rows(self, table: SubsetTable) -> Bool:
        """(n,) True for cells of the family with lengths and an order."""
        systems = SYSTEMS.get(self.family, (self.family,))
        whole = np.isfinite(_lengths(table)).all(axis=1) & np.isfinite(table.positive("n_operators"))
        return table.string("crystal_system").equals(*systems) & whole

    def columns(self, table: SubsetTable) -> dict[str, F64]:
        """(n,) values of each variable, NaN outside the family."""
        if id(table) not in self._of_table:
            self._of_table[id(table)] = self._columns(table)
        return self._of_table[id(table)]

    def _columns(self, table: SubsetTable) -> dict[str, F64]:
        keep = self.rows(table)
        with np.errstate(all="ignore"):
            shape, size, _ = _shapes(table, self.family)
            longest = size[:, 0] / size[:, 1] ** self.exponent
        every = dict(zip(SHAPES[self.family], shape.T, strict=True)) | {"longest": longest}
        every |= {name: _contents(self.context, table, name) for name in CONTENTS}
        return {name: np.where(keep, every[name], np.nan) for name in self.names}

    def values(self, *names: str) -> Callable[[SubsetTable], Values]:
        """Extractor of some of the variables."""

        def extract(table: SubsetTable) -> Values:
            """The variables `names` of each cell, (n,) or (n, k); NaN where a structure does not count."""
            columns = self.columns(table)
            x = np.column_stack([columns[name] for name in names])
            return entry_values(table, x if len(names) > 1 else x[:, 0])

        return extract

    def orders(self, table: SubsetTable) -> Values:
        """Row of `ORDERS` of each cell."""
        _, _, order = _shapes(table, self.family)
        assert order is not None
        return entry_values(table, np.where(self.rows(table), order.astype(float), np.nan))

    def sizes(self, table: SubsetTable) -> Values:
        """ln of the longest length, ln of the order of the group, and the lengths as declared."""
        with np.errstate(all="ignore"):
            x = np.log(_shapes(table, self.family)[1])
        return entry_values(
            table, np.column_stack([np.where(self.rows(table)[:, None], x, np.nan), _lengths(table)])
        )


def _order_exponent(seen: Observations) -> float:
    """Slope of ln(length) against ln(order), within 0 … ⅓; ⅓ where there is one order: units of one size."""
    share = seen.weight / seen.weight.sum()
    x, y = (seen.x[:, k] - float(share @ seen.x[:, k]) for k in (1, 0))
    spread = float(share @ (x * x))
    if spread < 1e-4:
        return ONE_THIRD
    return float(np.clip(float(share @ (x * y)) / spread, 0.0, ONE_THIRD))


def _fit_family(context: Context, family: str) -> CellOfFamily:
    name = f"cell.families.{family}"
    if not _Family(context, family).rows(context.own).any():
        raise Unavailable(f"no structure of the subset is {family}")
    sizes = observe(context, name, _Family(context, family).sizes, pool="bounded")
    exponent = round(_order_exponent(sizes), 4)
    columns = _Family(context, family, exponent)
    variables: dict[str, ScalarPrior] = {}
    for variable in columns.names:
        try:
            variables[variable] = _marginal(context, f"{name}.{variable}", columns.values(variable), variable)
        except Unavailable as reason:
            if variable not in CONTENTS:
                raise
            context.unavailable[f"{name}.{variable}"] = str(reason)
    orders = np.exp(sizes.x[:, 1])
    lengths, definition = sizes.x[:, 2:], context.own.definition
    shape = ("longest", *SHAPES[family])
    joint = observe(context, name, columns.values(*shape), pool="bounded") if len(shape) > 1 else None
    return CellOfFamily(
        variables=variables,
        correlations=_correlations(context, name, columns, tuple(sorted(variables))),
        axis_order=_axis_order(context, name, columns) if "ratio_middle" in variables else None,
        order_exponent=exponent,
        order_min=round(float(orders.min())),
        order_max=round(float(orders.max())),
        length_min_angstrom=float(definition.get("length_min_angstrom") or lengths.min()),
        longest_min_angstrom=float(definition.get("longest_above_angstrom") or lengths.max(axis=1).min()),
        length_max_angstrom=float(longest_allowed(definition) or lengths.max()),
        held_out=None
        if joint is None
        else held_out(joint.x, joint.weight, joint.cluster, rng=np.random.default_rng([context.seed, 7])),
    )


def _marginal(
    context: Context, name: str, extract: Callable[[SubsetTable], Values], variable: str
) -> ScalarPrior:
    """Quantile table alone: the priors of single statistics have the intervals and the rival forms."""
    seen = observe(context, name, extract, pool="bounded")
    return ScalarPrior(
        n=seen.n,
        n_clusters=seen.n_clusters,
        unit=UNITS.get(variable, "1"),
        convention=f"{variable}, one value a structure",
        empirical=quantile_table(seen.x, seen.weight),
        shrinkage=seen.shrinkage,
    )


def _correlations(
    context: Context, name: str, columns: _Family, variables: tuple[str, ...]
) -> dict[str, Estimate]:
    """Correlation of each pair over the structures that have both, together those of a distribution."""
    matrix, clusters = np.eye(len(variables)), np.zeros((len(variables), len(variables)))
    for (i, a), (j, b) in combinations(enumerate(variables), 2):
        try:
            seen = observe(context, f"{name}.{a}&{b}", columns.values(a, b), pool="bounded")
        except Unavailable:
            continue  # too few structures have both: taken as uncorrelated, with an interval that says so
        matrix[i, j] = matrix[j, i] = score_correlation(seen.x[:, 0], seen.x[:, 1], seen.weight)
        pooled = seen.shrinkage
        clusters[i, j] = seen.n_clusters if pooled is None else pooled.n_own + pooled.n_parent
    matrix = positive_definite(matrix)
    return {
        f"{a} & {b}": correlation_estimate(float(matrix[i, j]), clusters[i, j])
        for (i, a), (j, b) in combinations(enumerate(variables), 2)
    }


def _axis_order(context: Context, name: str, columns: _Family) -> Categorical:
    seen = observe(context, f"{name}.axis_order", columns.orders, pool="bounded")
    return fit_categorical(context, f"{name}.axis_order", seen, ORDERS)


def fit(context: Context) -> Cell:
    """Gaussian copulas of every family; a family with too few structures is named in `unavailable`."""
    found: dict[str, CellOfFamily] = {}
    for family in FAMILIES:
        try:
            found[family] = _fit_family(context, family)
        except Unavailable as reason:
            context.unavailable[f"cell.families.{family}"] = str(reason)
    if not found:
        raise Unavailable("no crystal family has enough structures")
    definition = context.own.definition
    return Cell(
        convention=f"{cell_name(definition)}; {length_bounds(definition)}; rhombohedral cells in hexagonal "
        "axes; a Gaussian copula over the quantile tables",
        families=found,
    )
