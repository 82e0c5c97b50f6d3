"""The synthetic-to-real gap: how far each statistic of each strategy is from the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.priors.distributions.tabulated import Categorical
from xtalpriors.reports.generated_data import GeneratedSet
from xtalpriors.reports.html import markup
from xtalpriors.reports.measures import SCALARS, element_shares, entry_samples, histogram_distance
from xtalpriors.reports.statistics import kolmogorov_distance, total_variation, wasserstein
from xtalpriors.reports.subset_data import SubsetData, with_value

__all__ = ["drop_table", "gap_frame", "gap_table"]

SHADE = 40
"""Per cent of colour behind a distance of 1; with more, its number would be hard to read."""
COLUMNS = ["statistic", "measure", "unit", "strategy", "distance", "wasserstein", "noise"]


def gap_frame(subset: SubsetData, bundle: PriorBundle | None, sets: Sequence[GeneratedSet]) -> pd.DataFrame:
    """Distances of every statistic and strategy.

    Columns: `statistic`, `measure` (`D` or `TV`, both 0…1), `unit`, `strategy`, `distance`, `wasserstein` (in
    the unit; null for `TV`), `noise` (what `D` of two samples of these sizes, clusters on the experimental
    side, exceeds in 5 % of cases when nothing differs; null for `TV`). A statistic that the database does
    not give has a null distance.
    """
    rows: list[tuple[object, ...]] = []
    for one in sets:
        rows += _scalars(subset, one)
        rows.append(
            ("Special positions occupied (0, 1, ≥ 2)", "TV", "", one.name, _special(subset, one), None, None)
        )
        for special in (False, True):
            name = f"Elements on {'special' if special else 'general'} positions"
            rows.append((name, "TV", "", one.name, _elements(bundle, one, special), None, None))
        rows += _distances(bundle, one)
    return pd.DataFrame(rows, columns=COLUMNS)


def _scalars(subset: SubsetData, one: GeneratedSet) -> list[tuple[object, ...]]:
    measured = entry_samples(subset.frame)
    rows: list[tuple[object, ...]] = []
    for key, (label, unit) in SCALARS.items():
        values, weights = measured[key]
        made = one.statistics[key][np.isfinite(one.statistics[key])]
        pair = (made, values, None, weights)
        clusters = float(weights.sum())
        noise = 1.358 * np.sqrt(1 / len(made) + 1 / clusters) if len(made) and clusters else np.nan
        rows.append(
            (label, "D", unit, one.name, kolmogorov_distance(*pair), wasserstein(*pair), float(noise))
        )
    return rows


def _special(subset: SubsetData, one: GeneratedSet) -> float:
    known = with_value(subset.frame, "n_special_positions")
    if known.empty:
        return float("nan")
    counts = known["n_special_positions"].astype("int64").clip(upper=2)
    mass = known["weight"].groupby(counts).sum().reindex(range(3), fill_value=0.0)
    made = np.bincount(np.minimum(one.batch.n_special, 2), minlength=3)
    return total_variation(mass / mass.sum(), made / made.sum())


def _elements(bundle: PriorBundle | None, one: GeneratedSet, special: bool) -> float:
    prior = None if bundle is None else bundle.priors.elements
    shares = None if prior is None else (prior.special if special else prior.general)
    made = element_shares(one.batch, special=special)
    if shares is None or not made:
        return float("nan")
    measured = _by_label(shares.per_site)
    labels = sorted(measured.keys() | made.keys())
    return total_variation([measured.get(x, 0.0) for x in labels], [made.get(x, 0.0) for x in labels])


def _by_label(shares: Categorical) -> dict[str, float]:
    return {label: e.value for label, e in zip(shares.labels, shares.shares, strict=True)}


def _distances(bundle: PriorBundle | None, one: GeneratedSet) -> list[tuple[object, ...]]:
    prior = None if bundle is None else bundle.priors.distances
    made = one.distances
    near = histogram_distance(None if prior is None else prior.distance, made.edges_angstrom, made.all_atoms)
    bonds = histogram_distance(None if prior is None else prior.over_radii, made.ratio_edges, made.bond_ratio)
    return [
        ("Interatomic distances to 6 Å", "TV", "", one.name, near, None, None),
        ("Distances over covalent radii, to 1.5", "TV", "", one.name, bonds, None, None),
    ]


def gap_table(frame: pd.DataFrame) -> Markup:
    """The frame as a table, statistics down and strategies across, the larger distances darker."""
    strategies = list(dict.fromkeys(frame["strategy"]))
    lines = []
    for statistic, group in frame.groupby("statistic", sort=False):
        by_name = group.set_index("strategy")
        noise = float(group["noise"].astype("float64").max())
        lines.append(
            {
                "statistic": statistic,
                "measure": group["measure"].iloc[0],
                "cells": [_cell(by_name.loc[s]) for s in strategies],
                "noise": None if np.isnan(noise) else noise,
            }
        )
    return markup("generated", "gap_table", strategies=strategies, lines=lines)


def _cell(row: pd.Series[Any]) -> dict[str, object] | None:
    """A distance with the strength of its colour in per cent; None where it is not known."""
    distance = float(row["distance"])
    if np.isnan(distance):
        return None
    known = not pd.isna(row["wasserstein"])
    moved = f"{float(row['wasserstein']):.3g} {row['unit']}".strip() if known else ""
    return {"distance": distance, "shade": round(min(distance, 1.0) * SHADE), "moved": moved}


def drop_table(sets: Sequence[GeneratedSet]) -> pd.DataFrame:
    """What each strategy dropped: atoms, special positions, and structures that were empty."""
    rows = []
    for one in sets:
        totals = one.batch.totals
        heavy, light = totals["n_target"], totals["n_hydrogen_target"]
        cells = [
            f"{len(one.batch):,}",
            _share(totals["dropped"], heavy),
            _share(totals["dropped_hydrogen"], light),
            f"{totals['dropped_special']:,}",
            f"{totals['redraws']:,}",
        ]
        rows.append((one.name, str(one.run.get("bundle", "–")), *cells))
    columns = [
        "Strategy",
        "Priors of",
        "Structures",
        "Non-H dropped",
        "H dropped",
        "Special dropped",
        "Empty, drawn again",
    ]
    return pd.DataFrame(rows, columns=columns)


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} % of {whole:,}" if whole else "none wanted"
