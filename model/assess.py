"""From files to files: a trained network and test subsets in, an evaluation with its maps and summary out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from xtalpriors.errors import XtalpriorsError
from xtalpriors.model.evaluate import evaluate
from xtalpriors.model.evaluation import Evaluation, write_evaluation
from xtalpriors.model.experimental import read_structures
from xtalpriors.model.projection import projections, write_projections
from xtalpriors.model.runs import Protocol, reflections_of
from xtalpriors.model.summary import Summary, summarise
from xtalpriors.model.tables import describe_network, score_text
from xtalpriors.model.weights import load_model
from xtalpriors.priors.canonical import canonical_json, write_atomically
from xtalpriors.progress import Progress, silent

__all__ = ["Assessment", "assess", "maps_path", "summary_path"]


@dataclass(frozen=True, slots=True)
class Assessment:
    """What `assess` found and wrote."""

    path: Path
    evaluation: Evaluation
    summary: Summary

    def __str__(self) -> str:
        """The scores as lines, the baselines beside them."""
        network = self.summary.network.get("name", "network")
        lines = [f"{network} on {self.summary.n:,} structures ({self.summary.n_refused:,} refused)"]
        lines += [f"  {name:24} {score_text(score)}" for name, score in self.summary.scores.items()]
        if self.summary.n_u_assumed:
            lines.append(f"  {self.summary.n_u_assumed:,} structures have atoms with an assumed U_iso")
        return "\n".join(lines)


def maps_path(evaluation: Path) -> Path:
    """File of the density projections beside an evaluation: `x.parquet` has `x.maps.parquet`."""
    return evaluation.with_name(evaluation.name.removesuffix(".parquet") + ".maps.parquet")


def summary_path(evaluation: Path) -> Path:
    """File of the summary beside an evaluation: `x.parquet` has `x.json`."""
    return evaluation.with_name(evaluation.name.removesuffix(".parquet") + ".json")


def assess(
    model: Path,
    subsets: Sequence[Path],
    output: Path,
    protocol: Protocol | None = None,
    *,
    volume_range_angstrom3: tuple[float, float] | None = None,
    device: torch.device | str = "cpu",
    progress: Progress = silent,
) -> Assessment:
    """Evaluate a trained network on the union of subsets and write what came out.

    Parameters
    ----------
    model
        A run's folder or its `model.safetensors`.
    subsets
        `NAME.parquet` of `xtalpriors subset`, of one or several corpora.
    output
        `NAME.parquet`: a row per structure (`evaluation.COLUMNS`). Beside it `NAME.json`, the summary, and
        `NAME.maps.parquet`, the density projections of Fig. 7.
    protocol
        Null: that of Melgalvis & Reķis 2026.
    volume_range_angstrom3
        Only structures with volumes within; for a network of small cells.
    device
        Where the network runs.
    progress
        Opens a progress bar.

    Raises
    ------
    XtalpriorsError, UsageError
        An input cannot be read, there is no structure, or the output cannot be written. Nothing half written
        stays.
    """
    output = Path(output)
    network, card = load_model(model)
    reflections = reflections_of(card)
    structures = read_structures(subsets, reflections.group)
    if volume_range_angstrom3 is not None:
        low, high = volume_range_angstrom3
        inside = np.flatnonzero((structures.volume_angstrom3 >= low) & (structures.volume_angstrom3 <= high))
        if len(inside) == 0:
            volumes = structures.volume_angstrom3
            raise XtalpriorsError(
                f"None of the {len(structures):,} structures has a volume from {low:g} to {high:g} Å³; they "
                f"go from {volumes.min():.0f} to {volumes.max():.0f} Å³. Widen the range."
            )
        structures = structures.subset(inside)
    evaluation = evaluate(
        network,
        reflections,
        structures,
        protocol,
        scaling=card.scaling,
        device=device,
        description={**describe_network(card), "subsets": sorted({Path(s).stem for s in subsets})},
        progress=progress,
    )
    summary = summarise(evaluation)
    write_evaluation(evaluation, output)
    write_projections(projections(evaluation, structures, reflections), evaluation, maps_path(output))
    text = canonical_json(summary.model_dump(mode="json"), indent=1) + "\n"
    try:
        write_atomically(summary_path(output), text)
    except OSError as error:
        raise XtalpriorsError(
            f"{summary_path(output)} cannot be written: {error.strerror or error}."
        ) from error
    return Assessment(output, evaluation, summary)
