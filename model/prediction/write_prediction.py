"""A prediction as files: phases as CIF, the map as CCP4; each appears whole or not at all."""

from __future__ import annotations

from pathlib import Path

import gemmi
import numpy as np
import torch

from xtalpriors.atomic_write import replacing, write_text
from xtalpriors.errors import UsageError
from xtalpriors.model.prediction.predict import Prediction
from xtalpriors.model.scoring.density import DensityMaps, good_size
from xtalpriors.outputs import FileKind, text_with

__all__ = ["MAP", "PHASES", "electron_density", "prediction_cif", "write_map", "write_phases"]

_CREATED = "xtalpriors predict"
_LABEL = slice(224, 304)
"""Bytes of the first label in the header of a CCP4 map."""
PHASES = FileKind("a CIF of phases", text_with(f"_audit_creation_method '{_CREATED}'"))
MAP = FileKind("a density map", lambda path: _CREATED.encode() in _header(path)[_LABEL])

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
    document = gemmi.cif.Document()
    block = document.add_new_block(_block_name(given.name))
    pairs = {
        "_audit_creation_method": _CREATED,
        "_space_group_name_H-M_alt": group.hm,
        "_space_group_name_Hall": group.hall,
        "_space_group_IT_number": str(group.number),
    }
    if given.cell is not None:
        names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
        pairs |= {f"_cell_{n}": f"{v:.6g}" for n, v in zip(names, given.cell.parameters, strict=True)}
    pairs["_refln_special_details"] = _details(prediction)
    for tag, value in pairs.items():
        if value:
            block.set_pair(tag, gemmi.cif.quote(value))
    operators = block.init_loop("_space_group_symop_", ["operation_xyz"])
    for triplet in group.operators:
        operators.add_row([gemmi.cif.quote(triplet)])
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


def _block_name(name: str) -> str:
    """Printable ASCII without blanks, as a block's name must be."""
    return "".join(c if "!" <= c <= "~" else "_" for c in name)[:70] or "prediction"


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
    density = electron_density(prediction, spacing_angstrom).numpy().astype(np.float32)
    cell, group = prediction.input.cell, prediction.reflections.group
    assert cell is not None
    ccp4 = gemmi.Ccp4Map()
    ccp4.grid = gemmi.FloatGrid(
        np.ascontiguousarray(density),
        gemmi.UnitCell(*cell.parameters),
        gemmi.find_spacegroup_by_ops(gemmi.GroupOps([gemmi.Op(t) for t in group.operators])),
    )
    ccp4.update_ccp4_header()
    ccp4.set_header_i32(56, 1)  # number of labels
    ccp4.set_header_str(57, _CREATED.ljust(80))
    with replacing(path, MAP) as part:
        try:
            ccp4.write_ccp4_map(str(part))
        except RuntimeError as error:  # gemmi's, of the disk
            raise OSError(str(error)) from error


def _header(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(1024)
