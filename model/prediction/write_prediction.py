"""A prediction as files: phases as CIF, the map as CCP4; each appears whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from xtalpriors.atomic_write import write_text
from xtalpriors.counted import counted
from xtalpriors.errors import UsageError
from xtalpriors.model.charge_flipping.density_map import DensityMap, density_map
from xtalpriors.model.density_files import map_kind, phases_document, phases_kind, write_ccp4
from xtalpriors.model.prediction.predict import Prediction
from xtalpriors.model.prediction.predict_in_group import GroupPrediction

__all__ = ["MAP", "PHASES", "electron_density", "prediction_cif", "write_map", "write_phases"]

_CREATED = "xtalpriors predict"
PHASES = phases_kind(_CREATED)
MAP = map_kind(_CREATED)

MAP_SPACING_ANGSTROM = 0.25
"""Largest distance of two points of a map along an axis: a quarter of the resolution."""


def prediction_cif(prediction: Prediction | GroupPrediction) -> str:
    """The phases as CIF text.

    `_refln_phase_calc` is in degrees; `_refln_F_meas` is the merged amplitude on the scale of the data,
    unknown where nothing was measured; `_refln_include_status` is `o` for what the network was given, `-`
    for systematic absences (whose phase is unknown), `x` for the others: their phases are phase extension.
    PhAI's file has every reflection of its list and the probability of each phase, a dual-space network's
    the unique reflections to d_min and how certain each phase is, from 0 to 1.
    """
    if isinstance(prediction, Prediction):
        crystal, group, certainty = prediction.input, prediction.reflections.group, "probability"
        name, cell, rows = crystal.name, crystal.cell, _listed_rows(prediction)
    else:
        name, cell, group, certainty = prediction.name, prediction.cell, prediction.group, "certainty"
        rows = _group_rows(prediction)
    document, block = phases_document(
        name, _CREATED, group, cell, nameless="prediction", details=_details(prediction)
    )
    tags = ["index_h", "index_k", "index_l", "F_meas", "phase_calc", "include_status"]
    loop = block.init_loop("_refln_", [*tags, f"xtalpriors_{certainty}"])
    for row in rows:
        loop.add_row(row)
    return document.as_string()


def _listed_rows(prediction: Prediction) -> Iterator[list[str]]:
    """Rows of PhAI's list."""
    given, reflections = prediction.input, prediction.reflections
    columns = zip(
        reflections.hkl.tolist(),
        given.data.amplitudes.tolist(),
        given.data.measured.tolist(),
        reflections.absent.tolist(),
        prediction.positive.tolist(),
        prediction.probability.tolist(),
        strict=True,
    )
    for h, f, measured, absent, positive, p in columns:
        yield [
            *map(str, h),
            f"{f:.6g}" if measured else "?",
            "?" if absent else "0" if positive else "180",
            "-" if absent else "o" if measured else "x",
            "?" if absent else f"{p:.4f}",
        ]


def _group_rows(prediction: GroupPrediction) -> Iterator[list[str]]:
    """Rows of the unique reflections of a group."""
    degrees = np.degrees(np.angle(prediction.phasors)) % 360.0
    for h, f, phase, certainty in zip(
        prediction.hkl.tolist(),
        prediction.amplitudes.tolist(),
        degrees.tolist(),
        np.abs(prediction.phasors).tolist(),
        strict=True,
    ):
        measured = f > 0
        yield [
            *map(str, h),
            f"{f:.6g}" if measured else "?",
            f"{round(phase, 1) % 360.0:.1f}",
            "o" if measured else "x",
            f"{certainty:.4f}",
        ]


def _details(prediction: Prediction | GroupPrediction) -> str:
    if isinstance(prediction, GroupPrediction):
        doubt = () if prediction.doubt is None else (f"Doubtful: {prediction.doubt}.",)
        lines = [
            f"Amplitudes: {prediction.source}.",
            f"The network expects r = {prediction.expected_r:.4f}.",
            *doubt,
            *(f"{note}." for note in prediction.notes),
        ]
        if prediction.r is not None:
            lines.append(f"Map correlation with the known structure: r = {prediction.r:.4f}.")
        return "\n".join(lines)
    given = prediction.input
    lines = [
        f"Amplitudes: {given.source}.",
        f"Change of coordinates from the setting of the input to this one: {given.change}.",
        f"Run: start {prediction.start}, {counted(prediction.cycles, 'cycle')}; "
        + ", ".join(f"{name} {value:.4f}" for name, value in prediction.merit.items())
        + ".",
        *(f"{note}." for note in given.notes),
    ]
    if prediction.r is not None:
        lines.append(
            f"Map correlation with the known structure, of the {counted(prediction.n_given, 'amplitude')} "
            f"given: r = {prediction.r:.4f}."
        )
    return "\n".join(lines)


def write_phases(prediction: Prediction | GroupPrediction, path: Path) -> None:
    """Write the phases as CIF (also where the name ends in `.fcf`).

    Raises
    ------
    XtalpriorsError
        The file cannot be written.
    """
    write_text(path, prediction_cif(prediction), PHASES)


def electron_density(prediction: Prediction | GroupPrediction) -> DensityMap:
    """The density of the measured amplitudes with the predicted phases.

    In electrons per Å³ where the amplitudes are in electrons, without F(000), so its mean is 0.

    Raises
    ------
    UsageError
        No cell is known.
    """
    if isinstance(prediction, GroupPrediction):
        length = np.abs(prediction.phasors)
        unit = np.divide(prediction.phasors, length, out=np.zeros_like(prediction.phasors), where=length > 0)
        group, cell, hkl, f = prediction.group, prediction.cell, prediction.hkl, prediction.amplitudes * unit
    else:
        given, reflections = prediction.input, prediction.reflections
        if given.cell is None:
            raise UsageError(f"{given.source}: a map needs the cell, and there is none. Give the cell.")
        unique = reflections.counted
        f = np.where(prediction.positive, given.data.amplitudes, -given.data.amplitudes)[unique]
        group, cell, hkl = reflections.group, given.cell, reflections.hkl[unique]
    return density_map(group, cell, hkl, f, MAP_SPACING_ANGSTROM)


def write_map(prediction: Prediction | GroupPrediction, path: Path) -> None:
    """Write the density as a CCP4 map of the whole cell; errors as `electron_density` and `write_phases`."""
    values, group, cell = electron_density(prediction)
    write_ccp4(path, MAP, values, cell, group, _CREATED)
