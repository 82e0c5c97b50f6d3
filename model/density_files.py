"""Phases and densities as files for other programs: the head of a CIF of phases, and maps in CCP4 format."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import gemmi
import numpy as np

from xtalpriors.arrays import F32, F64
from xtalpriors.atomic_write import replacing
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.outputs import FileKind, text_with

__all__ = ["gemmi_group", "map_kind", "phases_document", "phases_kind", "write_ccp4"]

_LABEL_LENGTH: Final = 80
_LABELS_WORD, _FIRST_LABEL_WORD = 56, 57
"""Words of a CCP4 header, counted from 1: the number of its labels, and where the first one begins."""
_LABEL: Final = slice(4 * (_FIRST_LABEL_WORD - 1), 4 * (_FIRST_LABEL_WORD - 1) + _LABEL_LENGTH)
"""The bytes of the first label."""


def phases_kind(created: str) -> FileKind:
    """A CIF of phases that the command `created` wrote."""
    return FileKind("a CIF of phases", text_with(f"_audit_creation_method '{created}'"))


def map_kind(created: str) -> FileKind:
    """A CCP4 map whose first label names the command `created`."""

    def is_own(path: Path) -> bool:
        """Whether the first label of the map names the command."""
        with path.open("rb") as file:
            return created.encode() in file.read(_LABEL.stop)[_LABEL]

    return FileKind("a density map", is_own)


def phases_document(
    name: str,
    created: str,
    group: SpaceGroup,
    cell: UnitCell | None,
    *,
    nameless: str,
    details: str | None = None,
) -> tuple[gemmi.cif.Document, gemmi.cif.Block]:
    """A CIF with what stands before its reflections, and its block, to which the caller adds loops.

    Parameters
    ----------
    name
        Of the crystal; the block has it in printable ASCII without blanks.
    created
        The command, for `_audit_creation_method`.
    group, cell
        In the setting of the reflections; the cell is left out where it is not known.
    nameless
        Name of the block of a crystal whose name is empty.
    details
        For `_refln_special_details`.
    """
    document = gemmi.cif.Document()
    printable = "".join(c if "!" <= c <= "~" else "_" for c in name)[:70]
    block = document.add_new_block(printable or nameless)
    pairs: dict[str, str | None] = {
        "_audit_creation_method": created,
        "_space_group_name_H-M_alt": group.hm,
        "_space_group_name_Hall": group.hall,
        "_space_group_IT_number": str(group.number),
    }
    if cell is not None:
        names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
        pairs |= {f"_cell_{n}": f"{v:.6g}" for n, v in zip(names, cell.parameters, strict=True)}
    pairs["_refln_special_details"] = details
    for tag, value in pairs.items():
        if value:
            block.set_pair(tag, gemmi.cif.quote(value))
    operators = block.init_loop("_space_group_symop_", ["operation_xyz"])
    for triplet in group.operators:
        operators.add_row([gemmi.cif.quote(triplet)])
    return document, block


def gemmi_group(group: SpaceGroup) -> gemmi.SpaceGroup | None:
    """The entry of a group's setting in gemmi's table, None where it has none."""
    return gemmi.find_spacegroup_by_ops(gemmi.GroupOps([gemmi.Op(t) for t in group.operators]))


def write_ccp4(
    path: Path, kind: FileKind, density: F32 | F64, cell: UnitCell, group: SpaceGroup, label: str
) -> None:
    """Write a density (nx, ny, nz) of the whole cell as a CCP4 map with one label.

    Raises
    ------
    XtalpriorsError
        The file cannot be written.
    """
    ccp4 = gemmi.Ccp4Map()
    values = np.ascontiguousarray(density, dtype=np.float32)
    ccp4.grid = gemmi.FloatGrid(values, gemmi.UnitCell(*cell.parameters), gemmi_group(group))
    ccp4.update_ccp4_header()
    ascii_label = label.encode("ascii", "replace").decode()[:_LABEL_LENGTH]
    ccp4.set_header_i32(_LABELS_WORD, 1)
    ccp4.set_header_str(_FIRST_LABEL_WORD, ascii_label.ljust(_LABEL_LENGTH))
    with replacing(path, kind) as part:
        try:
            ccp4.write_ccp4_map(str(part))
        except RuntimeError as error:  # gemmi's, of the disk
            raise OSError(str(error)) from error
