"""A prediction as files: phases as CIF, the map as CCP4; each appears whole or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from xtalpriors.atomic_write import write_text
from xtalpriors.errors import UsageError
from xtalpriors.model.density_files import map_kind, phases_document, phases_kind, write_ccp4
from xtalpriors.model.prediction.predict import Prediction
from xtalpriors.model.scoring.density import DensityMaps, good_size

__all__ = ["MAP", "PHASES", "electron_density", "prediction_cif", "write_map", "write_phases"]

_CREATED = "xtalpriors predict"
PHASES = phases_kind(_CREATED)
MAP = map_kind(_CREATED)

MAP_SPACING_ANGSTROM = 0.25
"""Largest distance of two points of a map along an axis: a quarter of the resolution."""


def prediction_cif(prediction: Prediction) -> str:
    """The phases as CIF text: every reflection of the list, in its order.

    `_refln_phase_calc` is 0 or 180; `_refln_F_meas` is the merged amplitude on the scale of the data,
    unknown where nothing was measured; `_refln_include_status` is `o` for what the network was given, `-`
    for systematic absences (whose phase is unknown), `x` for the others: their phases are phase extension.
    """
    given, reflections = prediction.input, prediction.reflections
    group = reflections.group
    document, block = phases_document(
        given.name, _CREATED, group, given.cell, nameless="prediction", details=_details(prediction)
    )
    tags = ["index_h", "index_k", "index_l", "F_meas", "phase_calc", "include_status"]
    loop = block.init_loop("_refln_", [*tags, "xtalpriors_probability"])
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
        loop.add_row(
            [
                *map(str, h),
                f"{f:.6g}" if measured else "?",
                "?" if absent else "0" if positive else "180",
                "-" if absent else "o" if measured else "x",
                "?" if absent else f"{p:.4f}",
            ]
        )
    return document.as_string()


def _details(prediction: Prediction) -> str:
    given = prediction.input
    lines = [
        f"Amplitudes: {given.source}.",
        f"Change of coordinates from the setting of the input to this one: {given.change}.",
        f"Run: start {prediction.start}, {prediction.cycles} cycles; "
        + ", ".join(f"{name} {value:.4f}" for name, value in prediction.merit.items())
        + ".",
        *(f"{note}." for note in given.notes),
    ]
    if prediction.r is not None:
        lines.append(
            f"Map correlation with the known structure, of the {prediction.n_given} amplitudes that were "
            f"given: r = {prediction.r:.4f}."
        )
    return "\n".join(lines)


def write_phases(prediction: Prediction, path: Path) -> None:
    """Write the phases as CIF (also where the name ends in `.fcf`).

    Raises
    ------
    XtalpriorsError
        The file cannot be written.
    """
    write_text(path, prediction_cif(prediction), PHASES)


def electron_density(prediction: Prediction, spacing_angstrom: float = MAP_SPACING_ANGSTROM) -> torch.Tensor:
    """The density of the measured amplitudes with the predicted phases, (nx, ny, nz).

    In electrons per Å³ where the amplitudes are in electrons, without F(000), so its mean is 0.

    Raises
    ------
    UsageError
        No cell is known.
    """
    given, reflections = prediction.input, prediction.reflections
    if given.cell is None:
        raise UsageError(f"{given.source}: a map needs the cell, and there is none. Give the cell.")
    least = 2 * reflections.max_index + 1
    lengths = (given.cell.a, given.cell.b, given.cell.c)
    nx, ny, nz = (good_size(max(least, int(np.ceil(x / spacing_angstrom)))) for x in lengths)
    maps = DensityMaps(reflections, (nx, ny, nz))
    f = np.where(prediction.positive, given.data.amplitudes, -given.data.amplitudes)
    return maps(torch.from_numpy(f)[None])[0] / given.cell.volume


def write_map(prediction: Prediction, path: Path, spacing_angstrom: float = MAP_SPACING_ANGSTROM) -> None:
    """Write the density as a CCP4 map of the whole cell; errors as `electron_density` and `write_phases`."""
    density = electron_density(prediction, spacing_angstrom).numpy()
    cell, group = prediction.input.cell, prediction.reflections.group
    assert cell is not None
    write_ccp4(path, MAP, density, cell, group, _CREATED)
