"""Scores a network on structures in memory: r of every run, of the chosen one, and of trivial phases.

The protocol of Melgalvis & Reķis (2026, doi 10.1107/S2053273325009428): every structure is phased from phases
all zero and from random ones, with one to ten cycles. The paper reports the best of all these runs; no user
can pick it, so the run that a figure of merit picks is scored beside it, and trivial phases too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from xtalpriors.errors import XtalpriorsError
from xtalpriors.model.charge_flipping.grids import ReflectionGrid, grid_shape
from xtalpriors.model.charge_flipping.trials import phase_by_charge_flipping
from xtalpriors.model.network.inputs import Scaling
from xtalpriors.model.network.phai import PhAI
from xtalpriors.model.network.reflections import Reflections
from xtalpriors.model.network.score import map_correlation
from xtalpriors.model.scoring.baselines import Baselines, trivial_baselines
from xtalpriors.model.scoring.diffraction import Diffraction, keyed_rng, network_input
from xtalpriors.model.scoring.evaluation_table import Evaluation, diffraction_of, make_evaluation
from xtalpriors.model.scoring.figure_of_merit import FIGURES
from xtalpriors.model.scoring.runs import Protocol, Runs, check_size, first_largest, phase_runs
from xtalpriors.model.scoring.structures import ExperimentalStructures
from xtalpriors.progress import Progress, silent

__all__ = ["evaluate"]


def evaluate(
    model: PhAI,
    reflections: Reflections,
    structures: ExperimentalStructures,
    protocol: Protocol | None = None,
    *,
    scaling: Scaling = "maximum",
    device: torch.device | str = "cpu",
    description: dict[str, Any] | None = None,
    progress: Progress = silent,
) -> Evaluation:
    """Phase structures by the protocol and score every run.

    Parameters
    ----------
    model
        A trained network of any size.
    reflections
        The group and list it was trained for.
    structures
        Structures described in that group (`read_structures.read_structures`).
    protocol
        Null: that of the paper.
    scaling
        What the network was trained with (its model card).
    device
        Where the network runs.
    description
        Anything JSON that says which network this is; kept in the result.
    progress
        Opens a progress bar.

    Returns
    -------
    Evaluation
        A row per structure, in the order given, and what was left out.

    Raises
    ------
    UsageError
        The network is of another size.
    XtalpriorsError
        The list of structures is empty, or they are described in another group than the network's.
    """
    protocol = protocol or Protocol()
    check_size(model, reflections)
    if len(structures) == 0:
        raise XtalpriorsError("The test set is empty: there is no structure to evaluate the network on.")
    if structures.group.operators != reflections.group.operators:
        raise XtalpriorsError(
            f"The structures are described in {structures.group.hm}, the network is for "
            f"{reflections.group.hm}: read them with `read_structures(…, group=reflections.group)`."
        )
    rows: list[dict[str, Any]] = []
    with progress("phasing", len(structures), "structure") as advance:
        for start in range(0, len(structures), protocol.batch):
            part = structures.subset(range(start, min(start + protocol.batch, len(structures))))
            rows += _rows(model, reflections, part, protocol, scaling, device)
            advance(len(part))
    return make_evaluation(rows, structures.refused, reflections, protocol, description or {})


def _rows(
    model: PhAI,
    reflections: Reflections,
    part: ExperimentalStructures,
    protocol: Protocol,
    scaling: Scaling,
    device: torch.device | str,
) -> list[dict[str, Any]]:
    diffraction = diffraction_of(part, reflections, protocol)
    amplitudes = torch.from_numpy(diffraction.amplitudes)
    inputs = network_input(
        reflections, amplitudes, scaling=scaling, cells=part.crystals.cells, robust=protocol.robust_scale
    )
    runs = phase_runs(model, reflections, inputs, amplitudes, protocol, part.entry_id, device=device)
    score = _Score(reflections, diffraction)
    baselines = trivial_baselines(
        score.true, amplitudes, score.signs, score.once, part.entry_id, protocol.seed
    )
    rows = _as_rows(part, diffraction, runs, score, baselines, reflections, protocol)
    if protocol.charge_flipping_trials:
        for row, chosen, best in zip(rows, *_flipped(reflections, part, score, protocol), strict=True):
            row |= {"r_charge_flipping": chosen, "r_charge_flipping_best": best}
    return rows


def _flipped(
    reflections: Reflections, part: ExperimentalStructures, score: _Score, protocol: Protocol
) -> tuple[list[float | None], list[float | None]]:
    """r of charge flipping: of the trial that `Trials.best` picks, and of the best one."""
    counted = reflections.counted
    hkl = reflections.hkl[counted]
    grid = ReflectionGrid(reflections.group, hkl, grid_shape(reflections.group, (reflections.max_index,) * 3))
    trials = protocol.charge_flipping_trials
    positive = torch.zeros(len(part), trials, len(counted), dtype=torch.bool)
    chosen = torch.zeros(len(part), 1, dtype=torch.int64)
    for i, key in enumerate(part.entry_id):
        amplitudes = score.amplitudes[i, torch.from_numpy(counted)].float()
        if not bool((amplitudes > 0).any()):
            continue  # r of nothing is not a number, whatever the phases
        found = phase_by_charge_flipping(
            grid,
            amplitudes,
            tuple(part.crystals.cells[i].tolist()),
            trials=trials,
            rng=keyed_rng(key, protocol.seed, "charge flipping"),
        )
        positive[i][:, torch.from_numpy(counted)] = found.f.real >= 0
        chosen[i] = found.best
    by_trial = torch.stack([score.unique(p) for p in positive.unbind(1)], dim=1)
    return _plain(by_trial.gather(1, chosen)[:, 0]), _plain(by_trial.amax(dim=1))


class _Score:
    """r of candidates, both forms and over the whole list."""

    def __init__(self, reflections: Reflections, diffraction: Diffraction) -> None:
        self.true = torch.from_numpy(diffraction.positive)
        self.amplitudes = torch.from_numpy(diffraction.amplitudes)
        self.magnitudes = torch.from_numpy(diffraction.magnitudes)
        self.signs = torch.from_numpy(reflections.origin_signs)
        self.once = torch.from_numpy(reflections.counted.astype(np.float64))
        self.often = torch.from_numpy((reflections.counted * reflections.multiplicity).astype(np.float64))

    def unique(self, positive: Tensor) -> Tensor:
        """r over the unique list, as in the papers."""
        return map_correlation(positive, self.true, self.amplitudes, self.signs, self.once)

    def multiplicity(self, positive: Tensor) -> Tensor:
        """r weighted by multiplicity: the correlation of the two maps."""
        return map_correlation(positive, self.true, self.amplitudes, self.signs, self.often)

    def extended(self, positive: Tensor) -> Tensor:
        """r over the unique list with the true |F| of every reflection of it: phase extension."""
        return map_correlation(positive, self.true, self.magnitudes, self.signs, self.once)


def _as_rows(
    part: ExperimentalStructures,
    diffraction: Diffraction,
    runs: Runs,
    score: _Score,
    baselines: Baselines,
    reflections: Reflections,
    protocol: Protocol,
) -> list[dict[str, Any]]:
    by_run = torch.stack([score.unique(p) for p in runs.positive.unbind(1)], dim=1)
    picks = {"best": first_largest(by_run)} | {name: runs.choose(name) for name in FIGURES}
    columns: dict[str, Any] = {
        "entry_id": part.entry_id,
        "corpus": part.corpus,
        "compound_class": part.compound_class,
        "n_special": part.n_special,
        "volume_angstrom3": part.volume_angstrom3,
        "d_min_angstrom": [protocol.d_min_angstrom] * len(part),
        "n_measured": (diffraction.measured & reflections.counted).sum(axis=1),
        "u_origin": part.u_origin,
        "n_u_assumed": part.n_u_assumed,
        "r_zero": baselines.zero,
        "r_random": baselines.random,
        "r_random_best": baselines.random_best,
        "r_by_run": by_run.float(),
    }
    for name in FIGURES:
        columns[f"r_by_{name}"] = by_run.gather(1, picks[name][:, None])[:, 0]
    for prefix, pick in (("best", picks["best"]), ("chosen", picks[protocol.merit])):
        positive = runs.positive[torch.arange(len(part)), pick]
        columns[f"{prefix}_r"] = score.unique(positive)
        columns[f"{prefix}_r_multiplicity"] = score.multiplicity(positive)
        columns[f"{prefix}_r_extended"] = score.extended(positive)
        columns[f"{prefix}_start"] = [protocol.run(int(i))[0] for i in pick]
        columns[f"{prefix}_cycles"] = [protocol.run(int(i))[1] for i in pick]
        columns[f"{prefix}_positive"] = [np.packbits(p).tobytes() for p in positive.numpy()]
    for name in FIGURES:
        columns[f"chosen_{name}"] = runs.merit[name].gather(1, picks[protocol.merit][:, None])[:, 0]
    lists = {name: _plain(values) for name, values in columns.items()}
    return [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]


def _plain(values: Any) -> list[Any]:
    """Python values; NaN, the score of a structure without reflections, is missing."""
    items = values.tolist() if hasattr(values, "tolist") else list(values)
    return [None if isinstance(x, float) and np.isnan(x) else x for x in items]
