"""One crystal's measured reflections with all that its files say of it, in any of the usual formats.

`x.hkl` with `x.ins` or `x.res` beside it, a CIF or an fcf with measured reflections, or an MTZ. What a caller
gives (cell, group, formula, wavelength) counts before what the files say.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, get_args

import gemmi
import numpy as np

from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.chemistry.formula import parse_formula
from xtalpriors.crystal.symmetry.resolve import Resolution, resolve_space_group
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.model.measured.formula_units import likely_formula_units
from xtalpriors.model.measured.read_cif_reflections import read_cif_reflections
from xtalpriors.model.measured.read_reflections import (
    HklFormat,
    Observations,
    form_of_hklf,
    read_hkl,
    turned,
)
from xtalpriors.model.measured.shelx_instructions import (
    ShelxInstructions,
    parse_shelx_instructions,
    read_shelx_instructions,
)

__all__ = [
    "PROBES",
    "MeasuredCrystal",
    "Probe",
    "block_cell",
    "block_group",
    "check_probe",
    "is_cif",
    "read_data",
]

Probe = Literal["x-ray", "electron", "neutron"]
PROBES: Final[tuple[Probe, ...]] = get_args(Probe)
ELECTRON_WAVELENGTH_ANGSTROM = 0.06
"""Shorter waves are electrons': 0.0370 Å at 100 kV, 0.0197 Å at 300 kV."""

_CELL_TAGS = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
_OPERATOR_TAGS = ("_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz")


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredCrystal:
    """Reflections of a crystal and what is known of it; null where nobody said.

    Attributes
    ----------
    name
        The file's name without its ending.
    files
        Files that were read.
    observations
        As measured.
    cell
        In the setting of the reflections.
    cell_errors
        Standard uncertainties of its six parameters.
    group
        The space group that the files declare: many a file declares one that is wrong, or a place holder.
    elements
        Symbols of the elements that may be there.
    counts
        Atoms of each per cell, in that order; empty where nobody said.
    wavelength_angstrom, probe
        Of the radiation.
    notes
        What a user should know of the reading.
    """

    name: str
    files: tuple[Path, ...]
    observations: Observations
    cell: UnitCell | None = None
    cell_errors: tuple[float, ...] | None = None
    group: SpaceGroup | None = None
    elements: tuple[str, ...] = ()
    counts: tuple[float, ...] = ()
    wavelength_angstrom: float | None = None
    probe: Probe | None = None
    notes: tuple[str, ...] = ()


def read_data(
    path: Path,
    *,
    instructions: Path | None = None,
    hkl_format: HklFormat | None = None,
    block: str | None = None,
) -> MeasuredCrystal:
    """Read a crystal.

    Parameters
    ----------
    path
        `.hkl`, `.ins` or `.res` (the list is beside it), `.cif`, `.fcf`, `.mtz`, or a list of another name.
    instructions
        `.ins` or `.res` of the list; null: of the same name beside it, if there is one.
    hkl_format
        What a list holds; null: what its HKLF instruction says, and HKLF 4 without one.
    block
        Name of a CIF's block; null: the first with measured reflections.

    Raises
    ------
    XtalpriorsError, UsageError
        A file that cannot be read or holds no measured reflections; the message says why.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind == ".mtz" or (kind not in (".ins", ".res") and is_cif(path)):
        said = ShelxInstructions() if instructions is None else read_shelx_instructions(instructions)
        found = _from_mtz(path) if kind == ".mtz" else _from_cif(path, block, turn=said.index_matrix is None)
        return _completed(found, said, instructions)
    if kind in (".ins", ".res"):
        instructions, path = path, path.with_suffix(".hkl")
    elif instructions is None:
        beside = (path.with_suffix(ending) for ending in (".ins", ".res"))
        instructions = next((file for file in beside if file.is_file()), None)
    said = ShelxInstructions() if instructions is None else read_shelx_instructions(instructions)
    form = hkl_format or ("hklf4" if said.hklf is None else form_of_hklf(said.hklf, str(instructions)))
    notes = _note(hkl_format, said)
    found = MeasuredCrystal(name=path.stem, files=(path,), observations=read_hkl(path, form), notes=notes)
    return _completed(found, said, instructions)


def is_cif(path: Path) -> bool:
    """By its name, or because the first word is `data_` or a comment of a CIF."""
    if path.suffix.lower() in (".cif", ".fcf", ".mmcif", ".mcif"):
        return True
    try:
        with path.open(encoding="utf-8", errors="replace") as opened:
            for line in opened:
                if line.strip() and not line.startswith("#"):
                    return line.lower().startswith("data_")
    except OSError as error:
        raise XtalpriorsError(f"{path} cannot be read: {error.strerror or error}.") from error
    return False


def _note(hkl_format: HklFormat | None, said: ShelxInstructions) -> tuple[str, ...]:
    if hkl_format is None and said.hklf is None:
        return ("nothing says whether the list holds |F| or |F|²: it was read as HKLF 4, |F|²",)
    return ()


def _completed(
    crystal: MeasuredCrystal, said: ShelxInstructions, instructions: Path | None
) -> MeasuredCrystal:
    """What a separate file of instructions says counts before what the data file says."""
    observations = crystal.observations
    if said.index_matrix is not None:
        observations = turned(observations, said.index_matrix, str(instructions))
    return replace(
        crystal,
        files=(*crystal.files, *([instructions] if instructions else [])),
        observations=observations,
        cell=said.cell or crystal.cell,
        cell_errors=said.cell_errors or crystal.cell_errors,
        group=said.group or crystal.group,
        elements=said.elements or crystal.elements,
        counts=said.counts if said.elements else crystal.counts,
        wavelength_angstrom=said.wavelength_angstrom or crystal.wavelength_angstrom,
        probe=crystal.probe or _probe_of(said.wavelength_angstrom),
    )


def _probe_of(wavelength_angstrom: float | None) -> Probe | None:
    if wavelength_angstrom is None or not wavelength_angstrom > 0:
        return None
    return "electron" if wavelength_angstrom < ELECTRON_WAVELENGTH_ANGSTROM else None


def _from_cif(path: Path, block: str | None, *, turn: bool) -> MeasuredCrystal:
    try:
        document = gemmi.cif.read_string(path.read_bytes().decode("utf-8", errors="replace"))
    except OSError as error:
        raise XtalpriorsError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RuntimeError) as error:
        raise XtalpriorsError(f"{path} is no valid CIF: {error}.") from error
    for candidate in document:
        if block is not None and candidate.name != block:
            continue
        observations = read_cif_reflections(path, candidate, turn=turn)
        if observations is not None:
            return _of_block(path, candidate, observations, document)
    names = ", ".join(b.name for b in document) or "none"
    raise XtalpriorsError(
        f"{path} has no measured reflections{f' in block {block}' if block else ''} (blocks: {names}): "
        "neither a _refln loop with |F|, |F|² or intensity, nor an unmerged _diffrn_refln loop, nor a list "
        "that SHELXL embedded."
    )


def _of_block(
    path: Path, block: gemmi.cif.Block, observations: Observations, document: gemmi.cif.Document
) -> MeasuredCrystal:
    """A block with reflections; cell and group may stand in another block of the document."""
    cell = block_cell(block) or next((c for b in document if (c := block_cell(b))), None)
    group = block_group(block, cell) or next((g for b in document if (g := block_group(b, cell))), None)
    formula = parse_formula(_text(block, "_chemical_formula_sum"))
    z = _number(block, "_cell_formula_units_Z") or likely_formula_units(formula or (), cell)
    wavelength = _number(block, "_diffrn_radiation_wavelength")
    crystal = MeasuredCrystal(
        name=path.stem,
        files=(path,),
        observations=observations,
        cell=cell,
        group=group,
        elements=tuple(e for e, _ in formula or ()),
        counts=tuple(n * z for _, n in formula) if formula and z else (),
        wavelength_angstrom=wavelength,
        probe=_cif_probe(block) or _probe_of(wavelength),
    )
    embedded = _text(block, "_shelx_res_file")
    if embedded and (not formula or cell is None):
        said = parse_shelx_instructions(embedded, f"{path}, embedded instructions")
        crystal = replace(
            crystal,
            cell=crystal.cell or said.cell,
            group=crystal.group or said.group,
            elements=crystal.elements or said.elements,
            counts=crystal.counts or said.counts,
        )
    return crystal


def _text(block: gemmi.cif.Block, tag: str) -> str | None:
    value = block.find_value(tag)
    return gemmi.cif.as_string(value) if value else None


def _number(block: gemmi.cif.Block, tag: str) -> float | None:
    values = [value for value in block.find_values(tag) if value]
    number = gemmi.cif.as_number(values[0]) if values else float("nan")
    return number if np.isfinite(number) and number > 0 else None


def _cif_probe(block: gemmi.cif.Block) -> Probe | None:
    for tag in ("_diffrn_radiation_probe", "_diffrn_radiation_type", "_diffrn_source"):
        text = (_text(block, tag) or "").lower()
        for probe in PROBES:
            if probe in text:
                return probe
    return None


def block_cell(block: gemmi.cif.Block) -> UnitCell | None:
    """Cell of a CIF block, None where it is missing or impossible."""
    values = [block.find_value(f"_cell_{tag}") or block.find_value(f"_cell.{tag}") for tag in _CELL_TAGS]
    if None in values:
        return None
    cell = UnitCell(*(gemmi.cif.as_number(value) for value in values if value is not None))
    return cell if cell.is_valid else None


def block_group(block: gemmi.cif.Block, cell: UnitCell | None) -> SpaceGroup | None:
    """Space group of a CIF block, from its operators or its symbols; None where neither can be read."""
    operators: tuple[str, ...] = ()
    for tag in _OPERATOR_TAGS:
        operators = operators or tuple(gemmi.cif.as_string(x) for x in block.find_values(tag))
    texts = {
        "hall": ("_space_group_name_Hall", "_symmetry_space_group_name_Hall"),
        "hm": ("_space_group_name_H-M_alt", "_symmetry_space_group_name_H-M"),
        "number": ("_space_group_IT_number", "_symmetry_Int_Tables_number"),
        "code": ("_space_group_IT_coordinate_system_code",),
    }
    given = {
        key: next((gemmi.cif.as_string(v) for tag in tags if (v := block.find_value(tag))), None)
        for key, tags in texts.items()
    }
    if not operators and not any(given[key] for key in ("hall", "hm", "number")):
        return None
    angles = None if cell is None else (cell.alpha, cell.beta, cell.gamma)
    stated = (given["hall"], given["hm"], given["number"], angles, given["code"])
    found = resolve_space_group(operators, *stated)
    return found.group if isinstance(found, Resolution) else None


def _from_mtz(path: Path) -> MeasuredCrystal:
    """Intensities of an MTZ, unmerged or merged, else amplitudes."""
    try:
        mtz = gemmi.read_mtz_file(str(path))
    except (RuntimeError, OSError, ValueError) as error:
        raise XtalpriorsError(f"{path} cannot be read as MTZ: {error}.") from error
    if mtz.column_with_label("M/ISYM") is not None:
        mtz.switch_to_original_hkl()
    columns = list(mtz.columns)
    chosen = next(
        (c for kind in "JFG" for c in columns if c.type == kind and "calc" not in c.label.lower()), None
    )
    if chosen is None:
        raise XtalpriorsError(
            f"{path} has neither a column of intensities (type J) nor of amplitudes (type F); it has "
            f"{', '.join(f'{c.label} ({c.type})' for c in columns)}."
        )
    data = np.array(mtz.array, dtype=np.float64)
    after = columns[chosen.idx + 1] if chosen.idx + 1 < len(columns) else None
    value = data[:, chosen.idx]
    sigma = data[:, after.idx] if after is not None and after.type in "QMLK" else np.full(len(value), np.nan)
    seen = np.isfinite(value)
    if chosen.type != "J":
        value, sigma = value * np.abs(value), 2.0 * np.abs(value) * sigma
    observations = Observations(
        np.rint(data[seen, :3]).astype(np.int64),
        value[seen],
        sigma[seen],
        int((~seen).sum()),
        f"{path}, column {chosen.label}",
        "|F|²" if chosen.type == "J" else "|F|",
    )
    cell = UnitCell(*mtz.cell.parameters)
    group = None
    if mtz.spacegroup is not None:
        group = SpaceGroup.from_operators(op.triplet() for op in mtz.spacegroup.operations())
    wavelength = next((d.wavelength for d in mtz.datasets if d.wavelength > 0), None)
    return MeasuredCrystal(
        name=path.stem,
        files=(path,),
        observations=observations,
        cell=cell if cell.is_valid else None,
        group=group,
        wavelength_angstrom=wavelength,
        probe=_probe_of(wavelength),
    )


def check_probe(text: str) -> Probe:
    """The probe of a name; UsageError for another text."""
    for probe in PROBES:
        if probe == text:
            return probe
    raise UsageError(f"There is no probe '{text}'; there are {', '.join(PROBES)}.")
