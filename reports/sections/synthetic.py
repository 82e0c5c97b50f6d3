"""The section on generated structures: Figs 2 and 3 again, Fig. 4, Fig. S3, and the synthetic-to-real gap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from xtalpriors.priors.kinds.distances import Distances
from xtalpriors.reports.figures import distances, molecules
from xtalpriors.reports.figures.generated import ANGLE, LENGTHS, MOST, GeneratedFigure
from xtalpriors.reports.generated_data import GeneratedSet
from xtalpriors.reports.html import html_table, words
from xtalpriors.reports.inputs import SMALL, Inputs
from xtalpriors.reports.measures import entry_samples
from xtalpriors.reports.meta import Convention, FigureMeta, Rendered, count
from xtalpriors.reports.section import Section, Table, render
from xtalpriors.reports.sections.gap import drop_table, gap_frame, gap_table

__all__ = ["synthetic_section"]

LARGE_ENOUGH = 8
"""Non-hydrogen atoms of an asymmetric unit worth drawing."""
CELLS = ("fitted", "volume-lognormal", "volume-empirical", "volume-uniform", "axes-uniform")
FILLINGS = ("fitted", "molecules", "random", "equal-atoms")


def synthetic_section(inputs: Inputs, given: Sequence[GeneratedSet]) -> tuple[Section, pd.DataFrame]:
    """The section, and the frame of the gap for its CSV; only sets in space group no. 14 are compared."""
    sets = sorted((s for s in given if s.batch.group.number == 14), key=_order)
    frame = gap_frame(inputs.small, inputs.bundles.get(SMALL), sets)
    lead = _lead(inputs, given)
    if not sets:
        return Section("generated", "How good are generated structures?", lead), frame
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
    dropped = drop_table(sets)
    tables = [
        Table("Synthetic-to-real gap", gap_table(frame), words("generated", "gap"), "gap"),
        Table(
            "What was dropped",
            html_table(dropped, numeric=list(dropped.columns[2:])),
            words("generated", "dropped"),
        ),
    ]
    return Section("generated", "How good are generated structures?", lead, figures, tables), frame


def _order(one: GeneratedSet) -> tuple[int, int, str]:
    """What is drawn as measured first, then the best cells and filling of the paper."""
    cell, filling = str(one.run.get("config", {}).get("cell")), str(one.filling)
    places = [names.index(n) if n in names else 9 for names, n in ((CELLS, cell), (FILLINGS, filling))]
    return places[0], places[1], one.name


def _lead(inputs: Inputs, sets: Sequence[GeneratedSet]) -> str:
    """What is compared with what, and where the sets were not drawn from this corpus's priors."""
    bundle = inputs.bundles.get(SMALL)
    own = None if bundle is None else bundle.priors_digest
    foreign = [
        (s.name, s.run.get("bundle", "an unknown bundle"))
        for s in sets
        if s.batch.group.number == 14 and s.run.get("priors_digest") != own
    ]
    others = [(s.name, s.batch.group.number) for s in sets if s.batch.group.number != 14]
    return words("generated", "lead", subset=SMALL, foreign=foreign, others=others)


def _meta(inputs: Inputs, sets: Sequence[GeneratedSet], convention: Convention) -> FigureMeta:
    names = [f"{s.name} ({count(len(s.batch))})" for s in sets]
    return inputs.meta([inputs.small.sample()], convention, generated=names)


def _cells(
    inputs: Inputs, sets: Sequence[GeneratedSet], figure: GeneratedFigure, name: str, number: str, title: str
) -> Rendered:
    shown = sets[:MOST]
    entries = inputs.small.frame
    made = {s.name: s.statistics for s in shown}
    frame = figure.data(entry_samples(entries), made)
    caption = words("generated", "cells", subset=SMALL, n=len(entries), left_out=len(sets) - MOST)
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
    far = frame[frame["kind"] == "variation"]
    by_panel = {
        key: dict(zip(part["series"], part["density"], strict=True)) for key, part in far.groupby("panel")
    }
    caption = words("generated", "distances", n=_distance_sample(prior), to_database=by_panel)
    meta = _meta(inputs, shown, "no cell")
    return render(distances, "generated-distances", "Fig. 4", "Interatomic distances", frame, meta, caption)


def _distance_sample(prior: Distances | None) -> int | None:
    """Structures behind the database's distances."""
    return None if prior is None else prior.n_structures


def _molecules(inputs: Inputs, one: GeneratedSet) -> Rendered:
    heavy = np.bincount(one.batch.structure_of_atom, one.batch.element > 1, len(one.batch))
    least = min(LARGE_ENOUGH, int(heavy.max()))
    structures = [one.batch[int(k)] for k in np.flatnonzero(heavy >= least)[: molecules.SHOWN]]
    frame = molecules.data(structures)
    caption = words("generated", "molecules", shown=len(structures), strategy=one.name, least=least)
    meta = _meta(inputs, [one], "no cell")
    return render(molecules, "generated-molecules", "Fig. S3", "Artificial molecules", frame, meta, caption)
