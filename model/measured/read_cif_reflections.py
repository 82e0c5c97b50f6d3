"""Measured reflections of a CIF: `_refln` and `_diffrn_refln` loops, and lists that were embedded."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import gemmi

from xtalpriors.errors import XtalpriorsError
from xtalpriors.model.measured.read_reflections import (
    Observations,
    Row,
    form_of_hklf,
    observations_of_lines,
    observations_of_rows,
    turned,
)
from xtalpriors.model.measured.shelx_instructions import Hklf, parse_hklf

__all__ = ["read_cif_reflections"]

_MISSING = ("", ".", "?")
_LOOPS: Final = (
    ("F_squared_meas", "F_squared_sigma", "f2"),
    ("F_meas", "F_sigma", "f"),
    ("intensity_meas", "intensity_sigma", "f2"),
    ("F_meas_au", "F_meas_sigma_au", "f"),
    ("F_squared_meas_au", "F_squared_sigma_au", "f2"),
)
"""Columns of a reflection loop that hold a measurement, the first that is there counts."""


def read_cif_reflections(path: Path, block: gemmi.cif.Block, *, turn: bool = True) -> Observations | None:
    """Measured reflections of a CIF block: its `_refln` loop, or the list embedded by SHELXL.

    Parameters
    ----------
    path, block
        The file, for messages, and its block.
    turn
        Whether the matrix of the embedded HKLF instruction changes the indices of an embedded list; not where
        a matrix that the caller knows is to do it instead.

    Returns
    -------
    Observations or None
        None where the block has no measured reflections; calculated ones do not count.

    Raises
    ------
    XtalpriorsError
        A row does not hold three indices and a number, or the matrix of HKLF makes no whole indices.
    UsageError
        The embedded file is of another HKLF type than 3, 4 or 5.
    """
    where = f"{path}, block {block.name}"
    for prefix in ("_refln_", "_refln."):
        for value, sigma, form in _LOOPS:
            table = block.find(prefix, ["index_h", "index_k", "index_l", value, f"?{sigma}"])
            if found := _of_table(table, form, f"{where}, {prefix}{value}"):
                return found
    for prefix in ("_diffrn_refln_", "_diffrn_refln."):
        tags = ["index_h", "index_k", "index_l", "intensity_net", "?intensity_u", "?intensity_sigma"]
        table = block.find(prefix, tags)
        if found := _of_table(table, "f2", f"{where}, {prefix}intensity_net"):
            return found
    text = block.find_value("_shelx_hkl_file") or block.find_value("_iucr_refine_reflections_details")
    if not text:
        return None
    lines = gemmi.cif.as_string(text).splitlines()
    if any(line.lower().startswith("data_") for line in lines[:100]):
        return _embedded_cif(path, where, "\n".join(lines))
    return _embedded_list(where, block, lines, turn)


def _of_table(table: gemmi.cif.Table, form: str, where: str) -> Observations | None:
    """Rows that hold a measurement; null where none does. `form` is `f` or `f2`."""
    rows = [Row(f"{where}, row {i}", _cif_fields(row)) for i, row in enumerate(table, start=1)]
    kept = [row for row in rows if row.fields[3] not in _MISSING]
    return observations_of_rows(kept, form, where, len(rows) - len(kept)) if kept else None


def _embedded_cif(path: Path, where: str, text: str) -> Observations | None:
    """Reflections of a CIF inside a text field, as the IUCr's journals keep them."""
    try:
        inner = gemmi.cif.read_string(text)
    except (ValueError, RuntimeError) as error:
        raise XtalpriorsError(f"{where}: the embedded reflections are no valid CIF: {error}.") from error
    found = (read_cif_reflections(path, block) for block in inner)
    return next((one for one in found if one is not None), None)


def _cif_fields(row: gemmi.cif.Table.Row) -> tuple[str, ...]:
    values = [str(row[i]) for i in range(4)]
    present = [i for i in range(4, len(row)) if row.has(i)]
    sigma = str(row[present[0]]) if present else ""
    return (*values, sigma) if sigma not in _MISSING else tuple(values)


def _embedded_list(where: str, block: gemmi.cif.Block, lines: list[str], turn: bool) -> Observations:
    """A SHELX list as the HKLF instruction embedded beside it says, and as HKLF 4 without one."""
    text = block.find_value("_shelx_res_file") or block.find_value("_iucr_refine_instructions_details") or ""
    said = f"{where}, embedded instructions"
    hklf = parse_hklf(gemmi.cif.as_string(text), said) or Hklf(4, None)
    found = observations_of_lines(f"{where}, embedded reflections", lines, form_of_hklf(hklf.number, said))
    return turned(found, hklf.matrix, said) if turn and hklf.matrix is not None else found
