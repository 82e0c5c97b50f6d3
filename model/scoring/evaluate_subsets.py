"""Scores a network on subset files: writes one evaluation of their union, with its maps and its summary."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from xtalpriors.atomic_write import write_text
from xtalpriors.canonical_json import canonical_json
from xtalpriors.counted import counted
from xtalpriors.errors import UsageError
from xtalpriors.frozen_model import Frozen
from xtalpriors.mining.subsets.files import read_metadata, sites_path
from xtalpriors.model.network.card import ModelCard, lineage_rows
from xtalpriors.model.network.curve import CURVE_FILE, read_curve
from xtalpriors.model.network.device import pick_device, torch_threads
from xtalpriors.model.network.weights import load_model, weights_file
from xtalpriors.model.scoring.evaluate import evaluate
from xtalpriors.model.scoring.evaluation_table import (
    EVALUATION,
    Evaluation,
    maps_path,
    summary_path,
    write_evaluation,
)
from xtalpriors.model.scoring.projection import MAPS, projections, write_projections
from xtalpriors.model.scoring.read_structures import read_structures
from xtalpriors.model.scoring.runs import Protocol, reflections_of
from xtalpriors.model.scoring.structures import EmptyTestSet, ExperimentalStructures
from xtalpriors.model.scoring.summary import SUMMARY, Summary, score_text, summarise
from xtalpriors.outputs import FileKind, check_outputs
from xtalpriors.progress import Progress, silent

__all__ = ["EvaluatedSubsets", "Selection", "evaluate_subsets", "evaluation_files"]


@dataclass(frozen=True, slots=True)
class EvaluatedSubsets:
    """What `evaluate_subsets` found and wrote."""

    path: Path
    evaluation: Evaluation
    summary: Summary

    def __str__(self) -> str:
        """The scores as lines, the baselines beside them."""
        network = self.summary.network.get("name", "network")
        lines = [f"{network} on {counted(self.summary.n, 'structure')} ({self.summary.n_refused:,} refused)"]
        lines += [f"  {name:24} {score_text(score)}" for name, score in self.summary.scores.items()]
        if self.summary.n_u_assumed:
            lines.append(
                f"  with an assumed U_iso: atoms of {counted(self.summary.n_u_assumed, 'structure')}"
            )
        return "\n".join(lines)


class Selection(Frozen):
    """Which structures of the subsets are tested; by default all of them."""

    structures: int | None = Field(default=None, ge=1)
    """At most so many: those with the smallest hash of `entry_id`, which stay when a corpus grows."""
    one_per_cluster: bool = False
    """Of redeterminations of one crystal only the best, so that the structures are independent."""
    volume_range_angstrom3: tuple[float, float] | None = None
    """Only cells with a volume in this range, for a network of small cells."""


def evaluate_subsets(
    model: Path,
    subsets: Sequence[Path],
    output: Path,
    protocol: Protocol | None = None,
    *,
    selection: Selection | None = None,
    device: str | None = None,
    progress: Progress = silent,
) -> EvaluatedSubsets:
    """Evaluate a trained network on the union of subsets and write what came out.

    Parameters
    ----------
    model
        A run's folder or its `model.safetensors`.
    subsets
        `NAME.parquet` of `xtalpriors subset`, of one or several corpora.
    output
        `NAME.parquet`: a row per structure (`evaluation_table.COLUMNS`). Beside it `NAME.json`, the summary,
        and `NAME.maps.parquet`, the density projections of Fig. 7.
    protocol
        Null: that of Melgalvis & Reķis 2026.
    selection
        Which of their structures; null: all.
    device
        `cpu`, `cuda` or `cuda:N`; null: CUDA where there is one.
    progress
        Opens a progress bar.

    Raises
    ------
    EmptyTestSet
        The subsets hold no structure that can be tested, or the selection leaves none of them.
    XtalpriorsError, UsageError
        An input cannot be read or would be replaced, the output cannot be written, or there is no such
        device. Nothing half written stays.
    """
    output = Path(output)
    read = [weights_file(model), *(path for s in map(Path, subsets) for path in (s, sites_path(s)))]
    check_outputs(evaluation_files(output), read)
    volumes = selection.volume_range_angstrom3 if selection else None
    if volumes and volumes[0] >= volumes[1]:
        raise UsageError(
            f"the volumes go from {volumes[0]:g} to {volumes[1]:g} Å³: the lower one comes first."
        )
    chosen = pick_device(device)
    network, card = load_model(model)
    reflections = reflections_of(card)
    selection = selection or Selection()
    structures = _select(
        read_structures(subsets, reflections.group, one_per_cluster=selection.one_per_cluster), selection
    )
    description = {
        **_describe(card),
        "subsets": sorted({Path(s).stem for s in subsets}),
        "subset_digests": sorted(definitions := _definitions(subsets)),
        "definitions": definitions,
        "selection": selection.model_dump(mode="json"),
    }
    with torch_threads(card.training.get("threads")):
        evaluation = evaluate(
            network,
            reflections,
            structures,
            protocol,
            scaling=card.scaling,
            device=chosen,
            description=description,
            progress=progress,
        )
    training = read_curve(weights_file(model).with_name(CURVE_FILE), card).model_dump(mode="json")
    evaluation = replace(evaluation, metadata=evaluation.metadata | {"training": training})
    summary = summarise(evaluation)
    write_evaluation(evaluation, output)
    write_projections(projections(evaluation, structures, reflections), evaluation, maps_path(output))
    write_text(
        summary_path(output), canonical_json(summary.model_dump(mode="json"), indent=1) + "\n", SUMMARY
    )
    return EvaluatedSubsets(output, evaluation, summary)


def evaluation_files(output: Path) -> list[tuple[Path, FileKind]]:
    """The three files of an evaluation and their kinds."""
    return [(output, EVALUATION), (maps_path(output), MAPS), (summary_path(output), SUMMARY)]


def _select(structures: ExperimentalStructures, selection: Selection) -> ExperimentalStructures:
    """Those within the volumes, and of them at most so many, in their order."""
    places = np.arange(len(structures))
    if selection.volume_range_angstrom3 is not None:
        low, high = selection.volume_range_angstrom3
        volumes = structures.volume_angstrom3
        places = np.flatnonzero((volumes >= low) & (volumes <= high))
        if len(places) == 0:
            raise EmptyTestSet(
                f"None of {counted(len(structures), 'structure')} has a volume from {low:g} to "
                f"{high:g} Å³; they go from {volumes.min():.0f} to {volumes.max():.0f} Å³. Widen the range."
            )
    if selection.structures is not None:
        ids = structures.entry_id
        hashes = {int(i): hashlib.blake2b(ids[i].encode(), digest_size=8).digest() for i in places}
        places = np.array(sorted(sorted(hashes, key=lambda i: hashes[i])[: selection.structures]))
    return structures.subset(places)


def _definitions(subsets: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """Definition of each subset, by the digest of its structures."""
    found = [read_metadata(Path(subset)) for subset in subsets]
    return {str(one["subset_digest"]): one["definition"] for one in found}


def _describe(card: ModelCard) -> dict[str, Any]:
    """What an evaluation keeps of the network: its name, size, training and strategy."""
    generator = {} if card.lineage is None else card.lineage.generator
    return {
        "name": card.name,
        "parameters": card.parameters,
        "max_index": card.max_index,
        "structures": card.structures,
        "steps": card.steps,
        "scaling": card.scaling,
        "averaged": card.averaged,
        "weights_digest": card.weights_digest,
        "cell": generator.get("cell"),
        "filling": generator.get("filling"),
        "volume_min_angstrom3": generator.get("volume_min_angstrom3"),
        "volume_max_angstrom3": generator.get("volume_max_angstrom3"),
        "bundle": None if card.lineage is None else card.lineage.bundle,
        "priors_digest": None if card.lineage is None else card.lineage.priors_digest,
        "generator_digest": None if card.lineage is None else card.lineage.generator_digest,
        "code_commit": None if card.lineage is None else card.lineage.code_commit,
        "lineage": [list(row) for row in lineage_rows(card)],
    }
