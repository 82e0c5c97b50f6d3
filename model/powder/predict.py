"""A powder pattern from a file to ranked densities, and the files of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from xtalpriors.arrays import F32
from xtalpriors.atomic_write import write_text
from xtalpriors.canonical_json import canonical_json
from xtalpriors.counted import counted
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.model.density_files import map_kind, write_ccp4
from xtalpriors.model.powder.composition import Composition, read_composition
from xtalpriors.model.powder.displacement import displacement_of, sharpened
from xtalpriors.model.powder.read_pattern import MeasuredPattern, network_vector, read_pattern
from xtalpriors.model.powder.residual import Agreement, agreement
from xtalpriors.model.powder.runs import TrainedRun, load_run
from xtalpriors.model.powder.scoring.evaluate import MOST_TRIES
from xtalpriors.model.powder.scoring.methods import Try
from xtalpriors.model.powder.structures.cells import possible_cells
from xtalpriors.outputs import FileKind, check_folder, check_outputs, json_with, text_with

__all__ = [
    "PAGE_NAME",
    "PowderPrediction",
    "RankedTry",
    "check_prediction",
    "lengths",
    "predict_pattern",
    "write_prediction",
]

SAME_R: Final = 0.02
"""Tries whose R is above the least by no more than this stay in the order of the network."""
_CREATED: Final = "xtalpriors powder predict"
MAP: Final = map_kind(_CREATED)
TRIES_NAME, PAGE_NAME = "tries.json", "report.html"
TRIES: Final = FileKind("tries of a powder pattern", json_with("pattern", "tries"))
PAGE: Final = FileKind("a page on a powder pattern", text_with(f'content="{_CREATED}'))


@dataclass(frozen=True, slots=True)
class RankedTry:
    """A density and how its pattern agrees.

    Attributes
    ----------
    density
        e/Å³, (points, points, points).
    source
        What it was made from.
    cell
        Its unit cell.
    agreement
        Its lines beside the measured ones, and R.
    """

    density: F32
    source: str
    cell: UnitCell
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class PowderPrediction:
    """Densities of a pattern, by their R; those of nearly the least one in the order of the network.

    Attributes
    ----------
    name
        Of the file.
    pattern
        As read.
    formula
        Composition as it was given.
    method
        Name of the network.
    u_iso_angstrom2
        Displacement of all atoms, by the lines of a first answer; the answer is for the pattern without it.
    tries
        At least one.
    """

    name: str
    pattern: MeasuredPattern
    formula: str
    method: str
    u_iso_angstrom2: float
    tries: tuple[RankedTry, ...]

    def __str__(self) -> str:
        head = (
            f"{self.name}: {self.pattern.kind} with {counted(len(self.pattern.lines.two_theta), 'line')} to "
            f"{self.pattern.d_min_angstrom:.2f} Å, {self.formula}, {self.method}, "
            f"U = {self.u_iso_angstrom2:.3f} Å²"
        )
        lines = [
            f"  {k}. R {one.agreement.residual:.3f}, {lengths(one.cell)}, {one.source}"
            for k, one in enumerate(self.tries, 1)
        ]
        return "\n".join([head, *lines])


def predict_pattern(
    path: Path,
    wavelength_angstrom: float | None,
    formula: str,
    model: Path,
    *,
    second_angstrom: float | None = None,
    points: int = 50,
    device: str | None = None,
) -> PowderPrediction:
    """Densities of a cubic or trigonal crystal from its pattern and composition.

    Parameters
    ----------
    path
        As `read_pattern` reads it.
    wavelength_angstrom
        Of the radiation.
    formula
        Such as `Na Cl`.
    model
        Folder of a run of `powder train`.
    second_angstrom
        Wavelength of Kα₂, where a profile has it too.
    points
        Edge of the maps.
    device
        Of CrystalNet.

    Raises
    ------
    UsageError
        As `read_pattern` and `read_composition`; or no cell of the system that the network is for explains
        the lines.
    XtalpriorsError
        The network cannot be read, or has no answer.
    """
    pattern = read_pattern(path, wavelength_angstrom, second_angstrom)
    composition = read_composition(formula)
    run = load_run(model, device=device)
    vector = network_vector(pattern)
    tries = _tries(run, vector, composition, points)
    u = displacement_of(tries[0].agreement)
    if u:
        tries = _tries(run, sharpened(vector, u), composition, points)
    return PowderPrediction(path.name, pattern, formula, run.method.name, u, tuple(tries))


def _tries(run: TrainedRun, vector: F32, composition: Composition, points: int) -> list[RankedTry]:
    """Tries for a pattern (1024,), by their R."""
    cells = possible_cells(vector, run.data.system)
    tries = [_ranked(one, vector, cells) for one in run.method.tries(vector, composition, points)]
    least = min(one.agreement.residual for one in tries)
    return sorted(tries, key=lambda one: max(0.0, one.agreement.residual - least - SAME_R))


def _ranked(one: Try, vector: F32, cells: Sequence[UnitCell]) -> RankedTry:
    """A try in its own cell, or in that of the pattern's cells in which it agrees best."""
    likely = cells if one.cell is None else [one.cell]
    found = [(agreement(one.density, vector, cell), cell) for cell in likely]
    best, cell = min(found, key=lambda pair: pair[0].residual)
    return RankedTry(one.density, one.source, cell, best)


def lengths(cell: UnitCell) -> str:
    """The lattice parameters that are free, in words: `a = 4.913 Å, c = 5.405 Å`."""
    return f"a = {cell.a:.3f} Å" + ("" if cell.a == cell.c else f", c = {cell.c:.3f} Å")


def _map_name(k: int) -> str:
    return f"try-{k}.ccp4"


def check_prediction(folder: Path) -> None:
    """Check that the files of an answer may be written; UsageError says which is somebody else's."""
    check_folder(folder)
    maps = [(folder / _map_name(k), MAP) for k in range(1, MOST_TRIES + 1)]
    check_outputs([*maps, (folder / TRIES_NAME, TRIES), (folder / PAGE_NAME, PAGE)])


def write_prediction(found: PowderPrediction, folder: Path, page: str) -> None:
    """Write a CCP4 map of each try (`try-1.ccp4` is the first), `tries.json` and the page.

    Maps of an earlier answer that had more tries are removed.
    """
    check_prediction(folder)
    p1 = SpaceGroup.from_hm("P 1")
    for k in range(1, MOST_TRIES + 1):
        path = folder / _map_name(k)
        if k > len(found.tries):
            path.unlink(missing_ok=True)
            continue
        one = found.tries[k - 1]
        label = f"{_CREATED}: {found.name}, try {k}, R {one.agreement.residual:.3f}"
        write_ccp4(path, MAP, np.asarray(one.density), one.cell, p1, label)
    content = {
        "pattern": found.name,
        "wavelength_angstrom": found.pattern.wavelength_angstrom,
        "formula": found.formula,
        "u_iso_angstrom2": round(found.u_iso_angstrom2, 4),
        "network": found.method,
        "tries": [
            {
                "map": _map_name(k),
                "r": float(f"{one.agreement.residual:.4g}"),
                "cell": [float(f"{value:.6g}") for value in one.cell.parameters],
                "source": one.source,
            }
            for k, one in enumerate(found.tries, 1)
        ],
    }
    write_text(folder / TRIES_NAME, canonical_json(content, indent=1) + "\n", TRIES)
    write_text(folder / PAGE_NAME, page, PAGE)
