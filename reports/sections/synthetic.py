"""The section on generated structures: Figs 2 and 3 again, Fig. 4, Fig. S3, and the synthetic-to-real gap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from xtalpriors.reports.figures import distances, molecules
from xtalpriors.reports.figures.generated import ANGLE, LENGTHS, MOST, GeneratedFigure
from xtalpriors.reports.generated_data import GeneratedSet
from xtalpriors.reports.inputs import SMALL, Inputs
from xtalpriors.reports.measures import entry_statistics, histogram_distance
from xtalpriors.reports.meta import Convention, FigureMeta, Rendered, count
from xtalpriors.reports.section import Section, Table, html_table, render
from xtalpriors.reports.sections.gap import drop_table, gap_frame, gap_table

__all__ = ["synthetic_section"]

LARGE_ENOUGH = 8
"""Non-hydrogen atoms of an asymmetric unit worth drawing."""
CELLS = ("volume-lognormal", "volume-empirical", "volume-uniform", "axes-uniform")
FILLINGS = ("molecules", "random", "equal-atoms")


def synthetic_section(inputs: Inputs, given: Sequence[GeneratedSet]) -> tuple[Section, pd.DataFrame]:
    """The section, and the frame of the gap for its CSV; only sets in space group no. 14 are compared."""
    sets = sorted((s for s in given if s.batch.group.number == 14), key=_order)
    frame = gap_frame(inputs.small, inputs.bundles.get(SMALL), sets)
    lead = _lead(inputs, given)
    if not sets:
        return Section("generated", "Generated against experiment", lead), frame
    figures = [
        _cells(
            inputs, sets, LENGTHS, "generated-lengths", "Fig. 2, generated", "Cell lengths of the strategies"
        ),
        _cells(
            inputs, sets, ANGLE, "generated-angle", "Fig. 3, generated", "Monoclinic angle of the strategies"
        ),
        _distances(inputs, sets),
    ]
    drawn = next((s for s in sets if s.filling == "molecules"), None)
    if drawn is not None:
        figures.append(_molecules(inputs, drawn))
    gap = (
        "D is the Kolmogorov–Smirnov distance, with the Wasserstein distance in the statistic's unit "
        "beside it; TV "
        "the total variation, the share that would have to move. Both run from 0, the same, to 1, no "
        "overlap. "
        "Noise is what D of two samples of these sizes exceeds in 5 % of cases when nothing differs."
    )
    dropped = drop_table(sets)
    tables = [
        Table("Synthetic-to-real gap", gap_table(frame), gap, "gap"),
        Table(
            "What was dropped",
            html_table(dropped, numeric=list(dropped.columns[2:])),
            "The paper says that atoms are rarely dropped.",
        ),
    ]
    return Section("generated", "Generated against experiment", lead, figures, tables), frame


def _order(one: GeneratedSet) -> tuple[int, int, str]:
    """The paper's best cells and filling first."""
    cell, filling = str(one.run.get("config", {}).get("cell")), str(one.filling)
    places = [names.index(n) if n in names else 9 for names, n in ((CELLS, cell), (FILLINGS, filling))]
    return places[0], places[1], one.name


def _lead(inputs: Inputs, sets: Sequence[GeneratedSet]) -> str:
    """What is compared with what, and where the sets were not drawn from this corpus's priors."""
    bundle = inputs.bundles.get(SMALL)
    own = None if bundle is None else bundle.priors_digest
    text = (
        f"Generated structures beside {SMALL} of this corpus. D on a panel is the Kolmogorov–Smirnov "
        f"distance between "
        "the strategy and the database."
    )
    foreign = [s for s in sets if s.batch.group.number == 14 and s.run.get("priors_digest") != own]
    if foreign:
        names = ", ".join(f"{s.name} from {s.run.get('bundle', 'an unknown bundle')}" for s in foreign)
        text += f" Not drawn from this corpus's priors of {SMALL}: {names}; their distance holds that "
        "difference too."
    others = [s for s in sets if s.batch.group.number != 14]
    if others:
        names = ", ".join(f"{s.name} (no. {s.batch.group.number})" for s in others)
        text += f" Left out, because they are not in P2₁/c: {names}."
    return text


def _meta(inputs: Inputs, sets: Sequence[GeneratedSet], convention: Convention) -> FigureMeta:
    names = [f"{s.name} ({count(len(s.batch))})" for s in sets]
    return inputs.meta([inputs.small.sample()], convention, generated=names)


def _cells(
    inputs: Inputs, sets: Sequence[GeneratedSet], figure: GeneratedFigure, name: str, number: str, title: str
) -> Rendered:
    shown = sets[:MOST]
    entries = inputs.small.frame
    weights = entries["weight"].to_numpy(dtype=np.float64)
    made = {s.name: s.statistics for s in shown}
    frame = figure.data(entry_statistics(entries), weights, made)
    caption = (
        f"Filled: {SMALL}, N = {count(len(entries))}. D is the distance of each strategy to it, in the "
        f"order of the "
        "legend; the table of the gap has the numbers."
    )
    if len(sets) > MOST:
        caption += f" {len(sets) - MOST} further strategies are in the table below only."
    return render(figure, name, number, title, frame, _meta(inputs, shown, "declared"), caption)


def _distances(inputs: Inputs, sets: Sequence[GeneratedSet]) -> Rendered:
    """One set for each filling, the first."""
    by_filling: dict[str, GeneratedSet] = {}
    for one in sets:
        by_filling.setdefault(one.filling or one.name, one)
    shown = list(by_filling.values())[:MOST]
    bundle = inputs.bundles.get(SMALL)
    prior = None if bundle is None else bundle.priors.distances
    frame = distances.data(prior, {s.name: s.distances for s in shown})
    caption = (
        "Left: all pairs of atoms up to 6 Å, symmetry images included, each structure normalised. Right: "
        "pairs "
        "without hydrogen over the sum of their covalent radii; bonds stand at 1, and artificial "
        "molecules leave "
        "1.1–1.4 empty by construction."
    )
    if prior is None:
        caption += " The bundle has no distances of the database, so that only generated ones are drawn."
    else:
        far = {
            s.name: histogram_distance(prior.distance, s.distances.edges_angstrom, s.distances.all_atoms)
            for s in shown
        }
        caption += (
            " Total variation to the database: " + ", ".join(f"{n} {v:.2f}" for n, v in far.items()) + "."
        )
    meta = _meta(inputs, shown, "no cell")
    return render(distances, "generated-distances", "Fig. 4", "Interatomic distances", frame, meta, caption)


def _molecules(inputs: Inputs, one: GeneratedSet) -> Rendered:
    heavy = np.bincount(one.batch.structure_of_atom, one.batch.element > 1, len(one.batch))
    least = min(LARGE_ENOUGH, int(heavy.max()))
    structures = [one.batch[int(k)] for k in np.flatnonzero(heavy >= least)[: molecules.SHOWN]]
    frame = molecules.data(structures)
    caption = (
        f"The first {len(structures)} structures of {one.name} with {least} or more non-hydrogen "
        f"atoms in the "
        "asymmetric unit, seen along their flattest direction. Sticks join atoms within 1.15 times the "
        "sum of their covalent radii. Grey is "
        "carbon, "
        "white hydrogen; a fragment apart grew from an atom on a special position."
    )
    meta = _meta(inputs, [one], "no cell")
    return render(molecules, "generated-molecules", "Fig. S3", "Artificial molecules", frame, meta, caption)
