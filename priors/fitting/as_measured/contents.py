"""Fits the sets of elements that structures have, and how each set is spread over the positions."""

from __future__ import annotations

from typing import Literal

import numpy as np

from xtalpriors.arrays import F64
from xtalpriors.crystal.chemistry.elements import ATOMIC_NUMBER, COVALENT_RADIUS_ANGSTROM, is_metal
from xtalpriors.priors.distributions.estimate import Estimate, wilson_interval
from xtalpriors.priors.fitting.as_measured.bonds import kind_of
from xtalpriors.priors.fitting.context import Context, Unavailable
from xtalpriors.priors.fitting.observations import Observations, Values, entry_values, observe
from xtalpriors.priors.fitting.subset_table import SubsetTable
from xtalpriors.priors.kinds.contents import Contents, ElementSet, SiteCounts

__all__ = ["compositions", "fit"]

_Counts = tuple[tuple[str, bool, int], ...]

MOST_SETS = 400
MOST_COUNTS = 8
"""Numbers of sites listed for one set."""
FULL = 0.99
"""Occupancy from which on a site counts as full."""
MOST_ELEMENTS = 8
"""Elements of a set; a structure with more is left out."""
_ORDER = (
    "alkaline", "f-metal", "light-metal", "d-metal", "p-metal", "tetrahedral", "C", "N", "chalcogen", "O",
    "halogen", "F", "other", "H",
)  # fmt: skip


def compositions(context: Context, table: SubsetTable) -> list[str]:
    """The set of elements of each structure, `Ca Si O` or `C O H`; empty where it is not known."""
    if id(table) not in context.compositions:
        context.compositions[id(table)] = _compositions(table)
    return context.compositions[id(table)]


def _compositions(table: SubsetTable) -> list[str]:
    if table.site_entry is None:
        raise Unavailable("the subset has no file of sites")
    elements = table.site_strings["element"]
    usable = [_has_radius(x) for x in elements.labels]
    place = [_place(x) for x in elements.labels]
    known = elements.codes >= 0
    keys = np.unique(table.site_entry[known] * len(elements.labels) + elements.codes[known])
    members: list[list[int]] = [[] for _ in range(table.n_entries)]
    for key in keys.tolist():
        members[key // len(elements.labels)].append(key % len(elements.labels))
    hydrogen = (table.number("h_fraction") > 0) & table.string("hydrogen_origin").known
    found = []
    for codes, with_h in zip(members, hydrogen.tolist(), strict=True):
        good = 0 < len(codes) <= MOST_ELEMENTS and all(usable[c] for c in codes)
        names = [elements.labels[c] for c in sorted(codes, key=place.__getitem__)]
        found.append(" ".join([*names, "H"] if with_h else names) if good else "")
    return found


def _has_radius(element: str) -> bool:
    return element in ATOMIC_NUMBER and COVALENT_RADIUS_ANGSTROM[ATOMIC_NUMBER[element]] is not None


def _place(element: str) -> float:
    """Place of an element in a set: by kind, then by atomic number."""
    if element not in ATOMIC_NUMBER or not _has_radius(element):
        return 1e6
    return _ORDER.index(kind_of(element)) * 1000.0 + ATOMIC_NUMBER[element]


def _kind(elements: list[str], hydrogen: bool) -> Literal["organic", "metal-organic", "inorganic"]:
    if "C" not in elements or not hydrogen:
        return "inorganic"
    return "metal-organic" if any(is_metal(x) for x in elements) else "organic"


def fit(context: Context) -> Contents:
    """Sets in descending order of their share, the 400 commonest; then by their volume per atom."""
    tables = [t for t in (context.own, context.parent) if t is not None]
    labels = sorted({label for table in tables for label in compositions(context, table) if label})
    code = {label: k for k, label in enumerate(labels)}

    def extract(table: SubsetTable) -> Values:
        """Number of each structure's set of elements, NaN without one, and the structure's row, (n, 2)."""
        codes = np.array([code.get(label, np.nan) for label in compositions(context, table)])
        return entry_values(table, np.column_stack([codes, np.arange(table.n_entries)]))

    seen = observe(context, "contents", extract)
    share = np.bincount(seen.x[:, 0].astype(int), seen.weight, len(labels))
    kept = np.argsort(-share, kind="stable")[:MOST_SETS]
    kept = kept[share[kept] > 0]
    pooled = seen.shrinkage
    clusters = seen.n_clusters if pooled is None else pooled.n_own + pooled.n_parent
    general, special, occupied, volume = _spread(context, seen, len(labels))
    sites = _site_counts(context, seen)
    sets: dict[str, ElementSet] = {}
    for k in kept.tolist():
        with_h = labels[k].split()[-1] == "H"
        elements = labels[k].split()[: -1 if with_h else None]
        at = [ATOMIC_NUMBER[x] for x in elements]
        shares = [_shares(x[k, at]) for x in (general, special)]
        if not elements or shares == [None, None]:
            continue
        value = float(share[k])
        low, high = wilson_interval(value * clusters, clusters)
        one = ElementSet(
            elements=tuple(elements),
            hydrogen=with_h,
            kind=_kind(elements, with_h),
            share=Estimate(value=value, low=min(low, value), high=max(high, value)),
            volume_per_atom=float(volume[k]),
            with_special=float(occupied[k] / share[k]),
            general=shares[0],
            special=shares[1],
            sites=_listed(sites.get(k, {}), value, elements),
        )
        sets[labels[k]] = one
    if not sets:
        raise Unavailable("no structure has sites whose elements are all known")
    fitted = Contents(
        n=seen.n,
        n_clusters=seen.n_clusters,
        sets=sets,
        left_out=max(0.0, 1.0 - sum(one.share.value for one in sets.values())),
        shrinkage=seen.shrinkage,
    )
    name_of = {id(one): name for name, one in fitted.sets.items()}
    shares_of = np.array([one.share.value for one in fitted.in_order])
    middle = (np.cumsum(shares_of) - 0.5 * shares_of) / shares_of.sum()
    context.places.update({name_of[id(s)]: float(x) for s, x in zip(fitted.in_order, middle, strict=True)})
    return fitted


def _site_counts(context: Context, seen: Observations) -> dict[int, dict[_Counts, float]]:
    """Weight of each number of sites, by the row of the set: (element, special, sites), ascending."""
    found: dict[int, dict[_Counts, float]] = {}
    for side, table in enumerate((context.own, context.parent)):
        rows = seen.stratum == side
        if table is None or table.site_entry is None or not rows.any():
            continue
        column = table.site_strings["element"]
        special = table.site_numbers["is_special"] == 1.0
        full = (table.site_numbers["occupancy"] >= FULL) & (column.codes >= 0)
        whole = np.bincount(table.site_entry[~full], minlength=table.n_entries) == 0
        heavy = full & np.array([x != "H" for x in column.labels] or [False])[column.codes]
        kinds = 2 * len(column.labels)
        keys, numbers = np.unique(
            table.site_entry[heavy] * kinds + column.codes[heavy] * 2 + special[heavy], return_counts=True
        )
        begin = np.searchsorted(keys, np.arange(table.n_entries + 1) * kinds)
        for entry, code, weight in zip(
            seen.x[rows, 1].astype(int).tolist(),
            seen.x[rows, 0].astype(int).tolist(),
            seen.weight[rows].tolist(),
            strict=True,
        ):
            if not whole[entry]:
                continue
            at = slice(begin[entry], begin[entry + 1])
            counts = tuple(
                (column.labels[key % kinds // 2], bool(key % 2), n)
                for key, n in zip(keys[at].tolist(), numbers[at].tolist(), strict=True)
            )
            of_set = found.setdefault(code, {})
            of_set[counts] = of_set.get(counts, 0.0) + weight
    return found


def _listed(counts: dict[_Counts, float], total: float, elements: list[str]) -> tuple[SiteCounts, ...]:
    """The commonest numbers of sites of a set, as shares of its structures."""
    common = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MOST_COUNTS]
    found = []
    for one, weight in common:
        sites = {(element, special): n for element, special, n in one}
        general, special = (tuple(sites.get((x, where), 0) for x in elements) for where in (False, True))
        share = min(1.0, weight / total)
        if share > 0 and sum(general) + sum(special) > 0:
            found.append(SiteCounts(share=share, general=general, special=special))
    return tuple(found)


def _shares(counts: F64) -> tuple[float, ...] | None:
    """Counts over their sum; null where nothing was counted."""
    return tuple((counts / counts.sum()).tolist()) if counts.sum() > 0 else None


def _spread(context: Context, seen: Observations, n_sets: int) -> tuple[F64, F64, F64, F64]:
    """Weight of each set's sites by atomic number, general and special (n_sets, z), the weight of its
    structures with atoms on special positions, and their mean volume per atom (n_sets,)."""
    counts = np.zeros((2, n_sets, len(COVALENT_RADIUS_ANGSTROM)))
    volume, weight, occupied = np.zeros(n_sets), np.zeros(n_sets), np.zeros(n_sets)
    for side, table in enumerate((context.own, context.parent)):
        rows = seen.stratum == side
        if table is None or table.site_entry is None or not rows.any():
            continue
        entry, code = seen.x[rows, 1].astype(int), seen.x[rows, 0].astype(int)
        set_of, weight_of = np.full(table.n_entries, -1), np.zeros(table.n_entries)
        set_of[entry], weight_of[entry] = code, seen.weight[rows]
        column = table.site_strings["element"]
        numbers = np.array([ATOMIC_NUMBER.get(x, 0) for x in column.labels] or [0])
        site_set, where = set_of[table.site_entry], table.site_numbers["is_special"]
        for k, special in enumerate((0.0, 1.0)):
            keep = (site_set >= 0) & (column.codes >= 0) & (where == special)
            at = (site_set[keep], numbers[column.codes[keep]])
            np.add.at(counts[k], at, weight_of[table.site_entry[keep]])
        on_special = np.unique(table.site_entry[(site_set >= 0) & (where == 1.0)])
        np.add.at(occupied, set_of[on_special], weight_of[on_special])
        v = table.positive("volume_per_non_h_atom_angstrom3")[entry]
        known = np.isfinite(v)
        np.add.at(volume, code[known], seen.weight[rows][known] * v[known])
        np.add.at(weight, code[known], seen.weight[rows][known])
    with np.errstate(invalid="ignore"):
        mean = np.where(weight > 0, volume / weight, 1e6)
    return counts[0], counts[1], occupied, np.asarray(np.round(mean, 6), float)
