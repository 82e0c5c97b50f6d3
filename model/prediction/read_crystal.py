"""One crystal from a file: a list of reflections, or a CIF.

The structure of a CIF is read as `mining` reads it, and its measured reflections as gemmi does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import gemmi
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xtalpriors.arrays import CELL
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.mining.cif import Extracted, extract
from xtalpriors.model.measured.read_cif_reflections import read_cif_reflections
from xtalpriors.model.measured.read_data import block_cell, block_group, is_cif
from xtalpriors.model.measured.read_reflections import HklFormat, Observations, read_hkl
from xtalpriors.model.scoring.read_structures import structures_of_rows
from xtalpriors.model.scoring.structures import ExperimentalStructures
from xtalpriors.outputs import content_of

__all__ = ["CrystalFile", "read_crystal"]

CELL_TOLERANCE = 0.005
"""How far a cell that is given may be from the file's, relatively: more than rounding and expansion."""


@dataclass(frozen=True, slots=True, eq=False)
class CrystalFile:
    """What a file holds of one crystal.

    Attributes
    ----------
    name, where
        What it is called in the output, and file and block for messages.
    group, cell
        As the file says, else as the caller did; null where neither does.
    observations
        Measured reflections; None where there are none, or the caller did not ask for them.
    rows
        Its rows of the tables `entry` and `site`; None where there is no structure.
    reason
        Why there is no structure.
    """

    name: str
    where: str
    group: SpaceGroup | None
    cell: UnitCell | None
    observations: Observations | None
    rows: tuple[pa.Table, pa.Table] | None
    reason: str

    def structure(self, group: SpaceGroup) -> ExperimentalStructures:
        """The structure described in a group; XtalpriorsError where it cannot be."""
        if self.rows is None:
            raise XtalpriorsError(
                f"{self.where} has neither measured reflections nor a structure to calculate them from"
                f"{f' ({self.reason})' if self.reason else ''}."
            )
        return structures_of_rows([(*self.rows, "file")], group, self.where)


def read_crystal(
    path: Path,
    *,
    hkl_format: HklFormat | None = None,
    cell: UnitCell | None = None,
    space_group: SpaceGroup | None = None,
    block: str | None = None,
    calculated: bool = False,
) -> CrystalFile:
    """Read a crystal.

    Parameters
    ----------
    path
        A CIF (`.cif`, `.fcf`, `.mmcif`, or text that begins like one), else a list of reflections.
    hkl_format
        What a list holds; null is `f`: h k l |F| [σ].
    cell, space_group
        The crystal's, for a list, or for a CIF that does not say.
    block
        Name of the CIF's block; null: the first with a structure or measured reflections.
    calculated
        Leave measured reflections of a CIF aside.

    Raises
    ------
    XtalpriorsError
        The file cannot be read, or no block can be used.
    UsageError
        An option that does not fit the file, or contradicts what it says.
    """
    path = Path(path)
    if is_cif(path):
        if hkl_format is not None:
            raise UsageError(
                f"{path} is a CIF, which says itself what its reflections are: leave the format out."
            )
        return _of_cif(path, block, cell, space_group, measured=not calculated)
    if path.is_file() and b"\0" in path.read_bytes()[:4096]:
        raise XtalpriorsError(f"{path} is {content_of(path)}, and neither a CIF nor a list of reflections.")
    if calculated:
        raise UsageError(
            f"{path} is a list of reflections: there is no structure to calculate amplitudes from."
        )
    form = hkl_format or "f"
    observations = replace(read_hkl(path, form), source=f"{path}, format {form}")
    reason = "it is a list of reflections"
    return CrystalFile(path.stem, str(path), space_group, cell, observations, None, reason)


def _of_cif(
    path: Path, block: str | None, cell: UnitCell | None, space_group: SpaceGroup | None, *, measured: bool
) -> CrystalFile:
    try:
        data = path.read_bytes()
        document = gemmi.cif.read_string(data.decode("utf-8", errors="replace"))
    except OSError as error:
        raise XtalpriorsError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RuntimeError) as error:
        raise XtalpriorsError(f"{path} is no valid CIF: {error}.") from error
    extracted = extract("file", None, "original", [(path.name, data)])
    reasons = []
    for candidate in document:
        if block is not None and candidate.name != block:
            continue
        found = _of_block(path, candidate, extracted, cell, space_group, measured)
        if found.observations is not None or found.rows is not None:
            return found
        reasons.append(f"{candidate.name}: {found.reason}")
    names = ", ".join(b.name for b in document)
    if block is not None and not reasons:
        raise XtalpriorsError(f"{path} has no block '{block}'; it has {names or 'none'}.")
    raise XtalpriorsError(
        f"{path} holds neither a structure nor measured reflections "
        f"({'; '.join(reasons[:3]) or 'no block'}). Give a CIF with atoms or a _refln loop, or a list of "
        "h k l and |F|."
    )


def _of_block(
    path: Path,
    block: gemmi.cif.Block,
    extracted: Extracted,
    cell: UnitCell | None,
    space_group: SpaceGroup | None,
    measured: bool,
) -> CrystalFile:
    where = f"{path}, block {block.name}"
    entries = extracted.entries.filter(pc.equal(extracted.entries["block"], block.name))
    observations = read_cif_reflections(path, block) if measured else None
    if entries.num_rows and entries["n_sites"][0].as_py():
        entry = entries.slice(0, 1)
        row = entry.to_pylist()[0]
        sites = extracted.sites.filter(pc.equal(extracted.sites["entry_id"], row["entry_id"]))
        group = SpaceGroup.from_operators(row["operators"].split(";"))
        own = UnitCell(*(row[name] for name in CELL))
        _agree(where, group, own, space_group, cell)
        return CrystalFile(block.name, where, group, own, observations, (entry, sites), "")
    own_cell = block_cell(block)
    own_group = block_group(block, own_cell or cell)
    _agree(where, own_group, own_cell, space_group, cell)
    reason = next(
        (str(r["detail"]) for r in extracted.rejections.to_pylist() if r["block"] in (block.name, None)),
        "no atom sites",
    )
    return CrystalFile(
        block.name, where, own_group or space_group, own_cell or cell, observations, None, reason
    )


def _agree(
    where: str,
    group: SpaceGroup | None,
    cell: UnitCell | None,
    given_group: SpaceGroup | None,
    given_cell: UnitCell | None,
) -> None:
    """UsageError where the caller gives another group or cell than the block has: neither is left unsaid."""
    if group is not None and given_group is not None and group is not given_group:
        names = [one.hm or f"no. {one.number}" for one in (group, given_group)]
        raise UsageError(
            f"{where} says the space group {names[0]}, and {names[1]} was given. Leave the option out, or "
            "correct the file."
        )
    if cell is None or given_cell is None:
        return
    if not np.allclose(cell.parameters, given_cell.parameters, rtol=CELL_TOLERANCE):
        cells = [" ".join(f"{x:g}" for x in one.parameters) for one in (cell, given_cell)]
        raise UsageError(
            f"{where} says the cell {cells[0]}, and {cells[1]} was given. Leave the option out, or correct "
            "the file."
        )
