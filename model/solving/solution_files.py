"""A solution as files: `.res` and `.hkl` for SHELXL, map, phases as CIF and MTZ, and the list of peaks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import gemmi
import numpy as np

from xtalpriors.atomic_write import replacing, write_text
from xtalpriors.crystal.chemistry.elements import SYMBOLS
from xtalpriors.model.charge_flipping.density_map import DensityMap, density_map
from xtalpriors.model.density_files import (
    gemmi_group,
    map_kind,
    phases_document,
    phases_kind,
    write_ccp4,
)
from xtalpriors.model.solving.derivatives import phase_factors
from xtalpriors.model.solving.shelx_output import atom_labels, shelx_hkl, shelx_res
from xtalpriors.model.solving.solution import Solution
from xtalpriors.outputs import FileKind, check_outputs, text_with

__all__ = ["output_files", "solution_map", "write_solution"]

_CREATED = "xtalpriors solve"
_PEAKS = "kind,label,element,x,y,z,u_iso_angstrom2,height_electrons_per_angstrom3"


def _tail_with(mark: str) -> Callable[[Path], bool]:
    """Recognise a file by words near its end."""

    def is_own(path: Path) -> bool:
        """Whether the words stand in the last bytes of the file."""
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 4096))
            return mark.encode() in file.read()

    return is_own


KINDS: Final[dict[str, FileKind]] = {
    ".res": FileKind("a structure for SHELXL", text_with(f"REM {_CREATED}")),
    ".hkl": FileKind("a list of reflections", _tail_with(_CREATED)),
    ".ccp4": map_kind(_CREATED),
    ".phases.cif": phases_kind(_CREATED),
    ".mtz": FileKind("an MTZ file", _tail_with(_CREATED)),
    ".peaks.csv": FileKind("a table of peaks", text_with(_PEAKS)),
}
"""Files of a solution by the ending of their names, and how one that is to be replaced is recognised."""


def output_files(folder: Path, name: str) -> list[tuple[Path, FileKind]]:
    """The files that `write_solution` makes, and their kinds."""
    return [(folder / f"{name}{ending}", kind) for ending, kind in KINDS.items()]


def solution_map(solution: Solution) -> DensityMap:
    """|Fo| with the phases of the model, electrons per Å³ without F(000)."""
    chosen = solution.chosen
    fo = chosen.data.amplitude / np.sqrt(chosen.built.fit.scale)
    return density_map(solution.group, solution.cell, chosen.data.hkl, fo * phase_factors(chosen.built.f))


def write_solution(solution: Solution, folder: Path) -> list[Path]:
    """Write all files; each appears whole or not at all.

    Raises
    ------
    UsageError
        A file is one that was read, or somebody else's.
    XtalpriorsError
        A file cannot be written.
    """
    outputs = output_files(folder, solution.name)
    check_outputs(outputs, solution.crystal.files)
    res, hkl, ccp4, cif, mtz, csv = (path for path, _ in outputs)
    write_text(res, shelx_res(solution), KINDS[".res"])
    write_text(hkl, shelx_hkl(solution.crystal.observations), KINDS[".hkl"])
    _write_map(solution, ccp4)
    write_text(cif, phases_cif(solution), KINDS[".phases.cif"])
    _write_mtz(solution, mtz)
    write_text(csv, peaks_csv(solution), KINDS[".peaks.csv"])
    return [path for path, _ in outputs]


def _write_map(solution: Solution, path: Path) -> None:
    density = solution_map(solution).values
    label = f"{_CREATED}: {solution.name}"
    write_ccp4(path, KINDS[".ccp4"], density, solution.cell, solution.group, label)


def phases_cif(solution: Solution) -> str:
    """Reflections with |Fo|, |Fc| and the phase of the model in degrees."""
    fit = solution.chosen.built.fit
    document, block = phases_document(
        solution.name, _CREATED, solution.group, solution.cell, nameless="solution"
    )
    sites = block.init_loop(
        "_atom_site_",
        ["label", "type_symbol", "fract_x", "fract_y", "fract_z", "U_iso_or_equiv", "occupancy"],
    )
    for label, z, x, u in zip(
        atom_labels(fit.atoms.numbers),
        fit.atoms.numbers.tolist(),
        fit.atoms.fract,
        fit.atoms.u_iso.tolist(),
        strict=True,
    ):
        sites.add_row([label, SYMBOLS[z], *(f"{v:.5f}" for v in x), f"{u:.4f}", "1"])
    loop = block.init_loop(
        "_refln_", ["index_h", "index_k", "index_l", "F_meas", "F_sigma", "F_calc", "phase_calc"]
    )
    data, scale = solution.chosen.data, np.sqrt(fit.scale)
    phases = np.degrees(np.angle(solution.chosen.built.f)) % 360.0
    for h, fo, sigma, fc, phase in zip(
        data.hkl.tolist(),
        (data.amplitude / scale).tolist(),
        (data.amplitude_sigma / scale).tolist(),
        np.abs(solution.chosen.built.f).tolist(),
        phases.tolist(),
        strict=True,
    ):
        loop.add_row([*map(str, h), f"{fo:.3f}", f"{sigma:.3f}", f"{fc:.3f}", f"{phase:.1f}"])
    return document.as_string()


def _write_mtz(solution: Solution, path: Path) -> None:
    mtz = gemmi.Mtz(with_base=True)
    mtz.title = f"{_CREATED}: {solution.name}"[:70]
    mtz.spacegroup = gemmi_group(solution.group)
    mtz.set_cell_for_all(gemmi.UnitCell(*solution.cell.parameters))
    mtz.add_dataset("solution")
    for label, kind in (("FP", "F"), ("SIGFP", "Q"), ("FC", "F"), ("PHIC", "P")):
        mtz.add_column(label, kind)
    data, scale = solution.chosen.data, np.sqrt(solution.chosen.built.fit.scale)
    f = solution.chosen.built.f
    columns = [
        data.hkl,
        (data.amplitude / scale)[:, None],
        (data.amplitude_sigma / scale)[:, None],
        np.abs(f)[:, None],
        (np.degrees(np.angle(f)) % 360.0)[:, None],
    ]
    mtz.set_data(np.concatenate(columns, axis=1).astype(np.float32))
    with replacing(path, KINDS[".mtz"]) as part:
        try:
            mtz.write_to_file(str(part))
        except RuntimeError as error:  # gemmi's, of the disk
            raise OSError(str(error)) from error


def peaks_csv(solution: Solution) -> str:
    """Atoms and the strongest peaks of the difference map: kind, label, element, x, y, z, U, height."""
    fit, difference = solution.chosen.built.fit, solution.chosen.built.difference
    lines = [_PEAKS]
    for label, z, x, u in zip(
        atom_labels(fit.atoms.numbers),
        fit.atoms.numbers.tolist(),
        fit.atoms.fract,
        fit.atoms.u_iso.tolist(),
        strict=True,
    ):
        lines.append(f"atom,{label},{SYMBOLS[z]},{x[0]:.5f},{x[1]:.5f},{x[2]:.5f},{u:.4f},")
    for i, (x, height) in enumerate(zip(difference.fract, difference.heights.tolist(), strict=True), start=1):
        lines.append(f"difference,Q{i},,{x[0]:.5f},{x[1]:.5f},{x[2]:.5f},,{height:.2f}")
    return "\n".join([*lines, ""])
