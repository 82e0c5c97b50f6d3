"""From file to files: a crystal phased by a trained network."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError
from xtalpriors.model.dual_space.weights import DualSpaceCard
from xtalpriors.model.measured.check_observations import Doubt
from xtalpriors.model.measured.read_reflections import HklFormat
from xtalpriors.model.network.card import ModelCard
from xtalpriors.model.network.device import pick_device
from xtalpriors.model.network.phai import PhAI
from xtalpriors.model.prediction.named_network import network_file_named, network_named
from xtalpriors.model.prediction.predict import Prediction, predict
from xtalpriors.model.prediction.predict_in_group import GroupPrediction, predict_in_group
from xtalpriors.model.prediction.prediction_input import prediction_input
from xtalpriors.model.prediction.read_crystal import read_crystal
from xtalpriors.model.prediction.write_prediction import MAP, PHASES, write_map, write_phases
from xtalpriors.model.scoring.runs import Protocol, reflections_of
from xtalpriors.outputs import check_outputs

__all__ = ["phase_crystal"]


def phase_crystal(
    model: Path | str,
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
) -> Prediction | GroupPrediction:
    """Phase a crystal and write its phases and, if wanted, its map.

    Parameters
    ----------
    model
        As in `network_file_named`: `shipped`, a run's folder, or a file of weights. A dual-space network
        phases the crystal in its own group, PhAI in the network's.
    source
        A CIF or a list of reflections; see `read_crystal` for it and the options.
    output
        CIF (or `.fcf`) of the phases.
    density_map
        CCP4 file of the map; needs the cell.
    protocol, device
        As `predict`, for PhAI; the device is `cpu`, `cuda` or `cuda:N`, null is CUDA where there is one. A
        dual-space network phases one crystal on the CPU.

    Raises
    ------
    XtalpriorsError, UsageError
        Nothing that can be phased, a device that is not there, an output that is one of the inputs, or cannot
        be written; nothing half written stays.
    """
    outputs = [(Path(output), PHASES), *([(Path(density_map), MAP)] if density_map else [])]
    check_outputs(outputs, [source, network_file_named(str(model))])
    chosen = pick_device(device)
    network, card = network_named(str(model))
    found = read_crystal(
        source,
        hkl_format=hkl_format,
        cell=cell,
        space_group=space_group,
        block=block,
        calculated=calculated,
    )
    if density_map is not None and found.cell is None:
        raise UsageError(f"{source}: a map needs the cell, and there is none. Give the cell, or no map.")
    prediction: Prediction | GroupPrediction
    if isinstance(network, PhAI):
        assert isinstance(card, ModelCard)
        given = prediction_input(found, reflections_of(card), d_min_angstrom=d_min_angstrom, accept=accept)
        prediction = predict(network, card, given, protocol, device=chosen)
    else:
        assert isinstance(card, DualSpaceCard)
        prediction = predict_in_group(network, card, found, d_min_angstrom=d_min_angstrom, accept=accept)
    write_phases(prediction, Path(output))
    if density_map is not None:
        write_map(prediction, Path(density_map))
    return prediction
