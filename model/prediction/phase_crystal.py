"""From file to files: a crystal phased by a trained network."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError
from xtalpriors.model.measured.check_observations import Doubt
from xtalpriors.model.measured.read_reflections import HklFormat
from xtalpriors.model.network.device import pick_device
from xtalpriors.model.network.weights import load_model, weights_file
from xtalpriors.model.prediction.predict import Prediction, predict
from xtalpriors.model.prediction.read_input import read_input
from xtalpriors.model.prediction.write_prediction import MAP, PHASES, write_map, write_phases
from xtalpriors.model.scoring.runs import Protocol, reflections_of
from xtalpriors.outputs import check_outputs

__all__ = ["phase_crystal"]


def phase_crystal(
    model: Path,
    source: Path,
    output: Path,
    *,
    density_map: Path | None = None,
    hkl_format: HklFormat | None = None,
    cell: UnitCell | None = None,
    space_group: SpaceGroup | None = None,
    block: str | None = None,
    d_min_angstrom: float | None = 1.0,
    calculated: bool = False,
    accept: Collection[Doubt] = (),
    protocol: Protocol | None = None,
    device: str | None = None,
) -> Prediction:
    """Phase a crystal and write its phases and, if wanted, its map.

    Parameters
    ----------
    model
        A run's folder or its `model.safetensors`.
    source
        A CIF or a list of reflections; see `read_input.read_input` for it and the options.
    output
        CIF (or `.fcf`) of the phases.
    density_map
        CCP4 file of the map; needs the cell.
    protocol
        As `predict`.
    device
        `cpu`, `cuda` or `cuda:N`; null: CUDA where there is one.

    Raises
    ------
    XtalpriorsError, UsageError
        Nothing that can be phased, a device that is not there, an output that is one of the inputs, or cannot
        be written; nothing half written stays.
    """
    outputs = [(Path(output), PHASES), *([(Path(density_map), MAP)] if density_map else [])]
    check_outputs(outputs, [source, weights_file(model)])
    chosen = pick_device(device)
    network, card = load_model(model)
    given = read_input(
        source,
        reflections_of(card),
        hkl_format=hkl_format,
        cell=cell,
        space_group=space_group,
        block=block,
        d_min_angstrom=d_min_angstrom,
        calculated=calculated,
        accept=accept,
    )
    if density_map is not None and given.cell is None:
        raise UsageError(f"{source}: a map needs the cell, and there is none. Give the cell, or no map.")
    prediction = predict(network, card, given, protocol, device=chosen)
    write_phases(prediction, Path(output))
    if density_map is not None:
        write_map(prediction, Path(density_map))
    return prediction
