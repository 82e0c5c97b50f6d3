"""The crystal to be phased as PhAI takes it: its setting, and amplitudes in the order of its list."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from xtalpriors.arrays import F64, Bool
from xtalpriors.counted import counted
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError, XtalpriorsError, naming
from xtalpriors.model.measured.check_observations import Doubt, check_observations
from xtalpriors.model.measured.read_reflections import Observations
from xtalpriors.model.network.reflections import Reflections
from xtalpriors.model.prediction.merge_reflections import (
    InNetworkSetting,
    MergedReflections,
    merge,
    network_setting,
)
from xtalpriors.model.prediction.read_crystal import CrystalFile
from xtalpriors.model.scoring.diffraction import calculate
from xtalpriors.model.scoring.read_structures import ASSUMED_U_ISO_ANGSTROM2

__all__ = [
    "FINEST_PHASED_ANGSTROM",
    "PredictionInput",
    "assumed_note",
    "check_d_min",
    "known_group",
    "merging_notes",
    "prediction_input",
]

FINEST_PHASED_ANGSTROM = 1.0
"""Reflections beyond get no phase unless asked for: the networks are trained with 1 to 2 Å."""
DOUBTFUL_R_INT = 0.3
"""A larger R_int means that the equivalents do not belong together; usable data have less than 0.15."""


@dataclass(frozen=True, slots=True, eq=False)
class PredictionInput:
    """One crystal as the network takes it.

    Attributes
    ----------
    name
        What it is called in the output.
    source
        Where the amplitudes come from, in words.
    data
        Amplitudes in the order of the network's list, and what was left out.
    cell
        Cell in the network's setting; null where none is known.
    change
        Change of coordinates from the input's setting, as a triplet.
    true_positive
        True phases (N,), where the structure is known: only to say how good the prediction is.
    true_magnitudes
        The structure's own |F| of the whole list (N,), 0 of absences; known where the true phases are.
    notes
        What a user should know: assumed displacements, reflections outside the box, …
    """

    name: str
    source: str
    data: MergedReflections
    cell: UnitCell | None
    change: str
    true_positive: Bool | None
    true_magnitudes: F64 | None
    notes: tuple[str, ...]


def prediction_input(
    found: CrystalFile,
    reflections: Reflections,
    *,
    d_min_angstrom: float | None = 1.0,
    accept: Collection[Doubt] = (),
) -> PredictionInput:
    """A crystal for PhAI.

    Parameters
    ----------
    found
        The crystal, whose group must be known; without a cell there is no map.
    reflections
        Of the network.
    d_min_angstrom
        Reflections with a smaller d are left out where the cell is known; None keeps all. The networks of the
        papers were trained on data to 1.0 Å.
    accept
        Doubts about measured reflections that are no error; see `check_observations`.

    Raises
    ------
    XtalpriorsError, UsageError
        Nothing that can be phased, no space group, or measured reflections that contradict the group or
        the format; the message says why.
    """
    check_d_min(d_min_angstrom)
    if found.observations is None:
        return _calculated(found, reflections, d_min_angstrom)
    given = _measured(found, found.observations, reflections, d_min_angstrom, accept)
    if found.rows is None:
        return given
    truth = calculate(reflections, found.structure(reflections.group).crystals)
    return replace(given, true_positive=truth.positive[0], true_magnitudes=truth.magnitudes[0])


def check_d_min(d_min_angstrom: float | None) -> None:
    """UsageError where a resolution limit is not a positive number."""
    if d_min_angstrom is not None and not d_min_angstrom > 0:
        raise UsageError(f"d_min is {d_min_angstrom} Å: a resolution limit must be a positive number.")


def _measured(
    found: CrystalFile,
    observations: Observations,
    reflections: Reflections,
    d_min_angstrom: float | None,
    accept: Collection[Doubt],
) -> PredictionInput:
    """Measured reflections, tested and merged; the true phases are not known."""
    setting = _setting(observations.source, reflections, found.group, found.cell)
    said = check_observations(observations, setting.group, accept)
    data = merge(observations, reflections, setting, d_min_angstrom=d_min_angstrom)
    notes = (*said, *_notes(data))
    source, change = observations.source, setting.change.triplet
    return PredictionInput(found.name, source, data, setting.cell, change, None, None, notes)


def _setting(
    where: str, reflections: Reflections, group: SpaceGroup | None, cell: UnitCell | None
) -> InNetworkSetting:
    """The way to the network's setting; errors name the file."""
    group = known_group(where, group)
    with naming(where):
        return network_setting(reflections, group, cell)


def known_group(where: str, group: SpaceGroup | None) -> SpaceGroup:
    """The group; UsageError, which says how to give it, where it is not known."""
    if group is None:
        raise UsageError(
            f"{where}: the space group is not known. Give the crystal's, in the setting of its indices, as "
            "in --space-group 'P 1 21/c 1'."
        )
    return group


def _calculated(
    found: CrystalFile, reflections: Reflections, d_min_angstrom: float | None
) -> PredictionInput:
    """Amplitudes calculated from the structure, as if they had been measured."""
    setting = _setting(found.where, reflections, found.group, found.cell)
    structure = found.structure(reflections.group)
    diffraction = calculate(reflections, structure.crystals, d_min_angstrom=d_min_angstrom or 1e-3)
    measured = diffraction.measured[0]
    if not measured.any():
        raise XtalpriorsError(
            f"{found.where}: no reflection of the network's list is within d_min = {d_min_angstrom:g} Å in "
            f"its cell. Lower d_min."
        )
    beyond = (diffraction.magnitudes[0] > 0) & ~measured & reflections.unique
    data = MergedReflections(
        diffraction.amplitudes[0], measured, 0, np.zeros((0, 3), np.int64), int(beyond.sum())
    )
    notes = (*_notes(data), *assumed_note(int(structure.n_u_assumed[0])))
    cell = UnitCell(*structure.crystals.cells[0].tolist())
    return PredictionInput(
        found.name,
        f"{found.where}, amplitudes calculated from the structure",
        data,
        cell,
        setting.change.triplet,
        diffraction.positive[0],
        diffraction.magnitudes[0],
        notes,
    )


def _notes(data: MergedReflections) -> tuple[str, ...]:
    """What was left out, in words."""
    notes = []
    if len(data.outside):
        first = ", ".join(" ".join(map(str, h)) for h in data.outside[:3].tolist())
        more = ", …" if len(data.outside) > 3 else ""
        notes.append(
            f"{counted(len(data.outside), 'unique reflection')} outside the network's box: {first}{more}"
        )
    notes += merging_notes(data.n_beyond_d_min, data.r_int, data.n_repeated)
    return tuple(notes)


def assumed_note(n_atoms: int) -> tuple[str, ...]:
    """How many displacements were assumed, in words; nothing where all are known."""
    if n_atoms == 0:
        return ()
    return (f"{counted(n_atoms, 'atom')} without U_iso: {ASSUMED_U_ISO_ANGSTROM2} Å² assumed",)


def merging_notes(n_beyond_d_min: int, r_int: float | None, n_repeated: int) -> list[str]:
    """Of merged data: what was left out, and how well equivalents agree where some were measured twice."""
    notes = []
    if n_beyond_d_min:
        notes.append(f"{counted(n_beyond_d_min, 'unique reflection')} beyond d_min left out")
    if r_int is not None:
        doubt = "; they contradict each other: are they |F| or |F|², and is the group right?"
        notes.append(
            f"R_int = {r_int:.3f} of {n_repeated:,} observations of reflections measured more than once"
            f"{doubt if r_int > DOUBTFUL_R_INT else ''}"
        )
    return notes
