"""Solve the crystal of a file; what the caller says counts before what the file says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.chemistry.formula import parse_formula
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError, XtalpriorsError, naming
from xtalpriors.model.measured.as_powder import PowderLike, powder_observations
from xtalpriors.model.measured.check_cell import check_cell
from xtalpriors.model.measured.formula_units import likely_formula_units
from xtalpriors.model.measured.read_data import MeasuredCrystal, Probe, read_data
from xtalpriors.model.measured.read_reflections import HklFormat
from xtalpriors.model.prediction.named_network import SHIPPED
from xtalpriors.model.solving.network_phases import phasing_network
from xtalpriors.model.solving.search import SolveSettings, solve_crystal
from xtalpriors.model.solving.solution import Solution

__all__ = ["check_wavelength", "crystal_of", "solve"]

WAVELENGTHS_ANGSTROM = 0.005, 20.0
"""Of electrons of some MeV, and of cold neutrons."""
SAME_CELL = 0.002
"""Relative difference of lengths and angles that a change of temperature or of the instrument makes."""


def solve(
    data: Path,
    *,
    instructions: Path | None = None,
    hkl_format: HklFormat | None = None,
    cell: UnitCell | None = None,
    space_group: SpaceGroup | None = None,
    laue: SpaceGroup | None = None,
    formula: str | None = None,
    wavelength_angstrom: float | None = None,
    probe: Probe | None = None,
    name: str | None = None,
    network: str | None = SHIPPED,
    as_powder: PowderLike | None = None,
    seconds: float = 60.0,
    seed: int = 1,
    say: Callable[[str], None] = lambda _: None,
) -> Solution:
    """Solve a structure.

    Parameters
    ----------
    data
        Reflections in any format of `measured.read_data`.
    instructions
        SHELX `.ins` or `.res` of them.
    hkl_format
        What a list holds.
    cell, formula, wavelength_angstrom, probe
        Of the crystal, where the files do not say or say wrong.
    space_group
        The group where it is known; the structure is solved in it alone.
    laue
        A group of its Laue class, where that is known.
    name
        Of the solution; null: of the file.
    network
        `shipped`, or folder or file of a dual-space network or of PhAI: its phases are tried where charge
        flipping does not solve the structure at once. Null: none are.
    as_powder
        Solve from amplitudes as the crystal's powder would give them: to try what overlap costs. Null: from
        those that were measured.
    seconds, seed
        As `SolveSettings`.
    say
        Told what is being done.

    Raises
    ------
    UsageError
        The cell is not known, has no volume or not the symmetry of the group, or the formula cannot be read.
    XtalpriorsError
        The files cannot be read or hold too few reflections.
    """
    check_wavelength(wavelength_angstrom)
    helper = None if network is None else phasing_network(network)
    crystal = crystal_of(
        read_data(Path(data), instructions=instructions, hkl_format=hkl_format),
        cell=cell,
        formula=formula,
        wavelength_angstrom=wavelength_angstrom,
        probe=probe,
        name=name,
    )
    where = crystal.observations.source
    if crystal.cell is None:
        raise UsageError(f"{where}: the cell is not known. Give --cell, or an .ins file with --ins.")
    for group in (space_group, laue, SpaceGroup.from_number(1)):
        if group is not None:
            with naming(where):
                check_cell(group, crystal.cell)
    if len(crystal.observations.hkl) == 0 or not (crystal.observations.intensity > 0).any():
        raise XtalpriorsError(f"{where}: no reflection has an intensity above 0. Are the columns right?")
    if as_powder is not None:
        crystal = _like_powder(crystal, space_group or laue, as_powder)
    settings = SolveSettings(seconds=seconds, seed=seed)
    return solve_crystal(
        crystal, space_group=space_group, laue=laue, settings=settings, network=helper, say=say
    )


def check_wavelength(wavelength_angstrom: float | None) -> None:
    """UsageError unless a wavelength is one that crystals are measured with; null is none."""
    low, high = WAVELENGTHS_ANGSTROM
    if wavelength_angstrom is not None and not low <= wavelength_angstrom <= high:
        raise UsageError(
            f"The wavelength is {wavelength_angstrom:g} Å: it must be between {low:g} Å (fast electrons) and "
            f"{high:g} Å (cold neutrons). Cu Kα has 1.5418 Å, Mo Kα .71073 Å."
        )


def _other_cell(cell: UnitCell | None, crystal: MeasuredCrystal) -> tuple[str, ...]:
    """A note where the caller's cell is not that of the files, which may be a slip or meant so."""
    if cell is None or crystal.cell is None:
        return ()
    if np.allclose(cell.parameters, crystal.cell.parameters, rtol=SAME_CELL, atol=0.0):
        return ()
    given, read = (" ".join(f"{x:g}" for x in c.parameters) for c in (cell, crystal.cell))
    return (f"the cell is that of the call, {given}; the files say {read}",)


def _like_powder(crystal: MeasuredCrystal, group: SpaceGroup | None, like: PowderLike) -> MeasuredCrystal:
    """The crystal with amplitudes as of its powder, and a note on it."""
    if group is None:
        raise UsageError(
            "A powder tells no Laue classes of one metric apart: --as-powder needs --space-group or --laue."
        )
    assert crystal.cell is not None
    made, share = powder_observations(
        crystal.observations, crystal.cell, group, crystal.wavelength_angstrom, like
    )
    note = (
        f"Amplitudes are as of a powder: {100 * share:.0f} % of the reflections overlap within "
        f"{like.width_degree:g}° of 2θ."
    )
    return replace(crystal, observations=made, notes=(*crystal.notes, note))


def crystal_of(
    crystal: MeasuredCrystal,
    *,
    cell: UnitCell | None = None,
    formula: str | None = None,
    wavelength_angstrom: float | None = None,
    probe: Probe | None = None,
    name: str | None = None,
) -> MeasuredCrystal:
    """What was read, with what the caller says in its place."""
    found = replace(
        crystal,
        cell=cell or crystal.cell,
        wavelength_angstrom=wavelength_angstrom or crystal.wavelength_angstrom,
        probe=probe or crystal.probe,
        name=name or crystal.name,
        notes=(*crystal.notes, *_other_cell(cell, crystal)),
    )
    if formula is None:
        return found
    parsed = parse_formula(formula)
    if parsed is None:
        raise UsageError(f"--formula '{formula}' cannot be read. Write it as in 'C12 H10 N2 O2'.")
    elements, z = tuple(e for e, _ in parsed), likely_formula_units(parsed, found.cell)
    return replace(found, elements=elements, counts=tuple(n * z for _, n in parsed) if z else ())
