"""What the intensities alone say of the symmetry: centring, Laue class, space groups by likelihood."""

from __future__ import annotations

from dataclasses import dataclass, replace

from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.symmetry.space_group import CENTRING_VECTORS, SpaceGroup
from xtalpriors.errors import UsageError
from xtalpriors.model.measured.merging import Merged
from xtalpriors.model.measured.read_data import MeasuredCrystal, Probe
from xtalpriors.model.solving.candidates import AbsenceClass, Candidate, rank_groups
from xtalpriors.model.solving.laue import LaueClass, choose_laue_classes, metric_rotations
from xtalpriors.model.solving.prepare import (
    CONTAMINATION,
    UniqueData,
    friedel_merged,
    lattice_of,
    unique_data,
)
from xtalpriors.model.solving.space_groups import (
    centring_vectors,
    groups_of_laue_class,
    has_groups,
    proper_rotations,
)

__all__ = ["Symmetry", "symmetry_of"]

SECOND_CLASS = 2.0
"""Taken off the log likelihood of groups of the second Laue class."""


@dataclass(frozen=True, slots=True, eq=False)
class Symmetry:
    """Symmetry by the intensities.

    Attributes
    ----------
    letter
        Centring.
    data
        Reflections merged in each Laue class that is possible, the likeliest first.
    candidates
        Space groups of these classes, the likeliest first, refuted ones last.
    absences
        Classes of reflections of the likeliest Laue class that some group extinguishes.
    data_of
        Reflections of each candidate.
    """

    letter: str
    data: tuple[UniqueData, ...]
    candidates: tuple[Candidate, ...]
    absences: tuple[AbsenceClass, ...]
    data_of: dict[SpaceGroup, UniqueData]


def symmetry_of(
    crystal: MeasuredCrystal,
    cell: UnitCell,
    probe: Probe,
    *,
    space_group: SpaceGroup | None = None,
    laue: SpaceGroup | None = None,
) -> Symmetry:
    """Rank the space groups.

    Parameters
    ----------
    crystal, cell, probe
        What was measured.
    space_group
        The only candidate, where the group is known.
    laue
        Any group of the Laue class, where only that is known.

    Raises
    ------
    UsageError
        No space group has the Laue class and the centring together.
    XtalpriorsError
        There are no reflections to work with.
    """
    merged = friedel_merged(crystal.observations)
    letter = space_group.centring if space_group else lattice_of(merged, cell, probe)
    if letter not in CENTRING_VECTORS:
        raise UsageError(
            f"{space_group} has a centring that is no letter. Describe the cell and the reflections on "
            "conventional axes."
        )
    data: list[UniqueData] = []
    candidates: list[Candidate] = []
    absences: list[AbsenceClass] = []
    data_of: dict[SpaceGroup, UniqueData] = {}
    for one in _laue_classes(crystal, cell, merged, letter, space_group, laue):
        unique = unique_data(crystal.observations, cell, one.rotations, letter, probe)
        groups = [space_group] if space_group else groups_of_laue_class(one.rotations, letter)
        found, seen = _ranked(crystal, probe, groups, unique)
        if data:
            found = [replace(c, log_likelihood=c.log_likelihood - SECOND_CLASS) for c in found]
        data.append(unique)
        candidates += found
        absences = absences or seen
        data_of |= {c.group: unique for c in found}
    candidates.sort(key=lambda c: (c.refuted, -c.log_likelihood))
    return Symmetry(letter, tuple(data), tuple(candidates), tuple(absences), data_of)


def _laue_classes(
    crystal: MeasuredCrystal,
    cell: UnitCell,
    merged: Merged,
    letter: str,
    space_group: SpaceGroup | None,
    laue: SpaceGroup | None,
) -> list[LaueClass]:
    """The Laue class that was given, else the likeliest ones; UsageError where no space group has one."""
    if space_group is not None:
        return [LaueClass(proper_rotations(space_group), None)]
    source = crystal.observations.source
    if laue is not None:
        rotations = proper_rotations(laue)
        if not has_groups(rotations, letter):
            raise UsageError(
                f"{source}: by their absences the reflections have the centring {letter}, and no space "
                f"group of the Laue class of {laue.hm or f'no. {laue.number}'} has it on these axes. "
                "Leave --laue out, or give --space-group."
            )
        return [LaueClass(rotations, None)]
    rotations = metric_rotations(cell, centring_vectors(letter))
    declared = None if crystal.group is None else proper_rotations(crystal.group)
    classes = choose_laue_classes(merged, rotations, letter, declared)
    if not classes:
        parameters = " ".join(f"{x:g}" for x in cell.parameters)
        raise UsageError(
            f"{source}: by their absences the reflections have the centring {letter}, and no space group "
            f"with it fits the cell {parameters} and the intensities. Describe the cell and the reflections "
            "on conventional axes, or give --space-group."
        )
    return classes


def _ranked(
    crystal: MeasuredCrystal, probe: Probe, groups: list[SpaceGroup], unique: UniqueData
) -> tuple[list[Candidate], list[AbsenceClass]]:
    return rank_groups(
        groups,
        unique.hkl,
        unique.intensity / unique.expected,
        unique.intensity / unique.sigma,
        unique.sigma / unique.expected,
        unique.possible,
        contamination=CONTAMINATION[probe],
        with_carbon=("C" in crystal.elements) if crystal.elements else None,
    )
