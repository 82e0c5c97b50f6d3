"""Reads the crystal to be phased: decides what its file holds, and puts amplitudes in the network's order."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from xtalpriors.arrays import F64, Bool
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.model.measured.check_observations import Doubt, check_observations
from xtalpriors.model.measured.read_data import is_cif
from xtalpriors.model.measured.read_reflections import HklFormat, Observations, read_hkl
from xtalpriors.model.network.reflections import Reflections
from xtalpriors.model.prediction.merge_reflections import (
    InNetworkSetting,
    MergedReflections,
    merge,
    network_setting,
)
from xtalpriors.model.prediction.read_cif import CifInput, read_cif
from xtalpriors.model.scoring.diffraction import calculate
from xtalpriors.model.scoring.read_structures import ASSUMED_U_ISO_ANGSTROM2
from xtalpriors.outputs import content_of

__all__ = ["PredictionInput", "read_input"]

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


def read_input(
    path: Path,
    reflections: Reflections,
    *,
    hkl_format: HklFormat | None = None,
    cell: UnitCell | None = None,
    space_group: SpaceGroup | None = None,
    block: str | None = None,
    d_min_angstrom: float | None = 1.0,
    calculated: bool = False,
    accept: Collection[Doubt] = (),
) -> PredictionInput:
    """Read a crystal.

    Parameters
    ----------
    path
        A CIF (`.cif`, `.fcf`, `.mmcif`, or text that begins like one), else a list of reflections.
    reflections
        Of the network.
    hkl_format
        What a list holds; null is `f`: h k l |F| [σ].
    cell, space_group
        The crystal's, for a list, or for a CIF that does not say. The group must be known; without a cell
        there is no map.
    block
        Name of the CIF's block; null: the first that can be used.
    d_min_angstrom
        Reflections with a smaller d are left out where the cell is known; None keeps all. The networks of the
        papers were trained on data to 1.0 Å.
    calculated
        Take amplitudes calculated from the structure even where the CIF has measured ones.
    accept
        Doubts about measured reflections that are no error; see `check_observations`.

    Raises
    ------
    XtalpriorsError, UsageError
        Nothing that can be phased, no space group, or measured reflections that contradict the group or
        the format; the message says why.
    """
    path = Path(path)
    if d_min_angstrom is not None and not d_min_angstrom > 0:
        raise UsageError(f"d_min is {d_min_angstrom} Å: a resolution limit must be a positive number.")
    if not is_cif(path):
        if path.is_file() and b"\0" in path.read_bytes()[:4096]:
            raise XtalpriorsError(
                f"{path} is {content_of(path)}, and neither a CIF nor a list of reflections."
            )
        if calculated:
            raise UsageError(
                f"{path} is a list of reflections: there is no structure to calculate amplitudes from."
            )
        form = hkl_format or "f"
        observations = read_hkl(path, form)
        return _measured(
            path.stem,
            f"{path}, format {form}",
            observations,
            reflections,
            space_group,
            cell,
            d_min_angstrom,
            accept,
        )
    if hkl_format is not None:
        raise UsageError(
            f"{path} is a CIF, which says itself what its reflections are: leave the format out."
        )
    found = read_cif(path, block=block, cell=cell, space_group=space_group, measured=not calculated)
    if found.observations is None:
        return _calculated(found, reflections, d_min_angstrom)
    given = _measured(
        found.name,
        found.observations.source,
        found.observations,
        reflections,
        found.group,
        found.cell,
        d_min_angstrom,
        accept,
    )
    if found.rows is None:
        return given
    truth = calculate(reflections, found.structure(reflections.group).crystals)
    return replace(given, true_positive=truth.positive[0], true_magnitudes=truth.magnitudes[0])


def _measured(
    name: str,
    source: str,
    observations: Observations,
    reflections: Reflections,
    group: SpaceGroup | None,
    cell: UnitCell | None,
    d_min_angstrom: float | None,
    accept: Collection[Doubt],
) -> PredictionInput:
    """Measured reflections, tested and merged; the true phases are not known."""
    setting = _setting(observations.source, reflections, group, cell)
    found = check_observations(observations, setting.group, accept)
    data = merge(observations, reflections, setting, d_min_angstrom=d_min_angstrom)
    notes = (*found, *_notes(data))
    return PredictionInput(name, source, data, setting.cell, setting.change.triplet, None, None, notes)


def _setting(
    where: str, reflections: Reflections, group: SpaceGroup | None, cell: UnitCell | None
) -> InNetworkSetting:
    """The way to the network's setting; errors name the file."""
    if group is None:
        raise UsageError(
            f"{where}: the space group is not known. Give the crystal's, in the setting of its indices, as "
            "in --space-group 'P 1 21/c 1'."
        )
    try:
        return network_setting(reflections, group, cell)
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error


def _calculated(found: CifInput, reflections: Reflections, d_min_angstrom: float | None) -> PredictionInput:
    """Amplitudes calculated from the structure, as if they had been measured."""
    if found.rows is None:
        raise XtalpriorsError(
            f"{found.where} has neither measured reflections nor a structure to calculate them from"
            f"{f' ({found.reason})' if found.reason else ''}."
        )
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
    notes = _notes(data)
    assumed = int(structure.n_u_assumed[0])
    if assumed:
        notes += (f"{assumed} atoms without U_iso: {ASSUMED_U_ISO_ANGSTROM2} Å² assumed",)
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
        notes.append(f"{len(data.outside):,} unique reflections outside the network's box: {first}{more}")
    if data.n_beyond_d_min:
        notes.append(f"{data.n_beyond_d_min:,} unique reflections beyond d_min left out")
    if data.r_int is not None:
        doubt = "; they contradict each other: are they |F| or |F|², and is the group right?"
        notes.append(
            f"R_int = {data.r_int:.3f} of {data.n_repeated:,} observations of reflections measured more than "
            f"once{doubt if data.r_int > DOUBTFUL_R_INT else ''}"
        )
    return tuple(notes)
