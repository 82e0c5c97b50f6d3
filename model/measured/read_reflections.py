"""Measured reflections from lists of h k l and |F|, and of SHELX's HKLF 3, 4 and 5.

|F| and |F|² cannot be told apart by looking at a line, and taking one for the other ruins the phases. So a
plain list is |F| unless its caller says otherwise, and what looks like a SHELX file is refused until it does;
`intensity_statistics` then tests what was said on the values.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, get_args

import numpy as np

from xtalpriors.arrays import F64, I64
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.model.measured.intensity_statistics import Quantity

__all__ = [
    "HKL_FORMATS",
    "HklFormat",
    "Observations",
    "Row",
    "form_of_hklf",
    "observations_of_lines",
    "observations_of_rows",
    "read_hkl",
    "turned",
]

HklFormat = Literal["f", "f2", "hklf3", "hklf4", "hklf5"]
"""`f`: columns h k l |F| [σ] with blanks between; `f2`: the same with |F|²; `hklf3`, `hklf4`: SHELX’s 3I4,2F8
with |F| or |F|²; `hklf5`: HKLF 4 with the number of the twin component after σ, negative where the next line
adds to the same measurement."""
HKL_FORMATS: Final[tuple[HklFormat, ...]] = get_args(HklFormat)

_LARGEST = 1e5, 1e100
"""A larger index or measurement is a mistake, and would overflow further on."""


@dataclass(frozen=True, slots=True, eq=False)
class Observations:
    """Reflections as measured, equivalents and repeats not merged.

    Attributes
    ----------
    hkl
        (m, 3), in the setting of the file.
    intensity
        |F|² on any scale, (m,); may be negative where the file holds |F|².
    sigma
        Standard uncertainty of it, (m,), NaN where unknown.
    n_unmeasured
        Rows that the file marks as not measured (σ below 0), left out.
    source
        The file, and what was taken from it.
    read_as
        What its column was taken for.
    n_overlapped
        Reflections of HKLF 5 that were measured together with one of another component, left out.
    """

    hkl: I64
    intensity: F64
    sigma: F64
    n_unmeasured: int
    source: str
    read_as: Quantity
    n_overlapped: int = 0


class Row(NamedTuple):
    """Fields of one reflection, h k l, value and perhaps σ, and where they stand."""

    where: str
    fields: tuple[str, ...]


def read_hkl(path: Path, form: HklFormat = "f") -> Observations:
    """Read a text list of reflections.

    Blank lines and lines that begin with `#` are passed over. A SHELX list ends at 0 0 0, at a blank line, or
    where instructions follow.

    Raises
    ------
    UsageError
        The format is unknown, or the file looks like SHELX's and the format does not say which.
    XtalpriorsError
        The file cannot be read, holds no reflection, or has a line that is not one: a value that is not a
        number, or a negative |F|.
    """
    path = Path(path)
    if form not in HKL_FORMATS:
        raise UsageError(f"There is no reflection format '{form}'; there are {', '.join(HKL_FORMATS)}.")
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise XtalpriorsError(f"{path} cannot be read: {error.strerror or error}.") from error
    return observations_of_lines(str(path), lines, form)


def observations_of_lines(path: str, lines: list[str], form: HklFormat) -> Observations:
    """Reflections of a text: whole columns at once where every line has SHELX's form, else line by line."""
    columns = _shelx_columns(lines) if form.startswith("hklf") else None
    if columns is not None:
        return _from_columns(*columns, form, path)
    if form == "hklf5":
        raise XtalpriorsError(
            f"{path}: an HKLF 5 list must have its five numbers and the component in the columns 3I4,2F8,I4."
        )
    rows = _text_rows(path, lines, form)
    if not rows:
        raise XtalpriorsError(f"{path} holds no reflection. {_usual_line(form)}")
    return observations_of_rows(rows, form, path)


def _usual_line(form: HklFormat) -> str:
    """What a line of a list has, in a sentence."""
    if form.startswith("hklf"):
        return "A line of a SHELX list has h, k, l, the measurement and σ in the columns 3I4,2F8."
    return (
        "A line has h k l and |F| with blanks between, and may have its standard uncertainty after them. For "
        "a SHELX list say `--hkl hklf4` (|F|²) or `--hkl hklf3` (|F|)."
    )


_END_OF_LIST = re.compile(r"\s*$|\s*0\s+0\s+0\s|\s*[A-Za-z_;]")


def _shelx_columns(lines: list[str]) -> tuple[I64, F64, F64, I64] | None:
    """Indices, values, σ and components of a list in 3I4,2F8,I4, None unless all lines are plain ones.

    The columns of a list of 100,000 are read in a tenth of the time that lines take.
    """
    start = next((i for i, line in enumerate(lines) if line.strip() and not line.startswith("#")), len(lines))
    stop = next((i for i, line in enumerate(lines[start:], start) if _END_OF_LIST.match(line)), len(lines))
    if start >= stop or not all(map(str.isascii, lines[start:stop])):
        return None
    table = np.array([line[:32] for line in lines[start:stop]], dtype="S32")
    text = table.view("S1").reshape(len(table), 32)

    def column(first: int, last: int) -> Any:
        """Characters `first` … `last` of every line, as bytes (n,)."""
        return np.ascontiguousarray(text[:, first:last]).view(f"S{last - first}").ravel()

    try:
        h, k, l = (column(4 * i, 4 * i + 4).astype(np.int64) for i in range(3))
        value, sigma = (column(a, a + 8).astype(np.float64) for a in (12, 20))
        component = column(28, 32)
        blank = np.char.strip(component) == b""
        component[blank] = b"1"
        batch = component.astype(np.int64)
    except ValueError:
        return None
    if not (np.isfinite(value).all() and (np.abs(value) < _LARGEST[1]).all() and np.isfinite(sigma).all()):
        return None
    return np.stack([h, k, l], axis=1), value, sigma, batch


def _from_columns(
    hkl: I64, values: F64, sigmas: F64, components: I64, form: HklFormat, source: str
) -> Observations:
    """Observations of columns; errors as `read_hkl`."""
    overlapped = np.zeros(len(hkl), dtype=bool)
    if form == "hklf5":
        # −m: the next line adds to the same measurement
        overlapped = components < 0
        overlapped[1:] |= components[:-1] < 0
        if overlapped.all():
            raise XtalpriorsError(
                f"{source}: all lines of the HKLF 5 list ({len(hkl):,}) are overlapped with another "
                "twin component. Give a list of one component (HKLF 4, detwinned)."
            )
        overlapped |= components != components[~overlapped].min()
    measured = (sigmas >= 0) & ~overlapped
    negative = np.flatnonzero(measured & (values < 0))
    if form == "hklf3":
        if len(negative):
            h = " ".join(map(str, hkl[negative[0]].tolist()))
            raise XtalpriorsError(
                f"{source}, reflection {h}: the amplitude |F| is {values[negative[0]]:g}, which is negative. "
                "If the list holds |F|², say so: `--hkl hklf4`."
            )
        values, sigmas = values * values, 2.0 * values * sigmas
    return Observations(
        hkl[measured],
        values[measured],
        sigmas[measured],
        int((sigmas < 0).sum()),
        source,
        "|F|" if form == "hklf3" else "|F|²",
        int(overlapped.sum()),
    )


def _text_rows(path: str, lines: list[str], form: HklFormat) -> list[Row]:
    """Fields h, k, l, value, sigma of each line."""
    shelx = form.startswith("hklf")
    rows: list[Row] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            if shelx and rows and not line.strip():
                break
            continue
        if shelx and rows and line[:1].isalpha():
            break
        where = f"{path}, line {number}"
        fields = _fixed(line) if shelx else tuple(line.split()[:5])
        if fields[:3] == ("0", "0", "0"):
            if not shelx and all(_is_zero(x) for x in fields[3:5]):
                raise UsageError(
                    f"{where} is the 0 0 0 line that ends a SHELX list, which may hold |F| (HKLF 3) or |F|² "
                    "(HKLF 4, by far the commonest). Say which: `--hkl hklf3` or `--hkl hklf4`."
                )
            if shelx:
                break
            continue
        if len(fields) < 4:
            shown = "".join(c if c.isprintable() else "�" for c in line.strip()[:60])
            raise XtalpriorsError(f"{where}: '{shown}' is no reflection. {_usual_line(form)}")
        rows.append(Row(where, fields))
    return rows


def _fixed(line: str) -> tuple[str, ...]:
    """Fields of 3I4,2F8; by blanks where the columns do not hold numbers (lists written by hand)."""
    fixed = tuple(line[a:b].strip() for a, b in ((0, 4), (4, 8), (8, 12), (12, 20), (20, 28)))
    if all(_number(x) is not None for x in fixed[:4]) and (not fixed[4] or _number(fixed[4]) is not None):
        return fixed if fixed[4] else fixed[:4]
    return tuple(line.split()[:5])


def _is_zero(text: str) -> bool:
    return _number(text) == 0.0


def _number(text: str) -> float | None:
    """A number as files write it, `5.123(4)` → 5.123; None where the text is not a number."""
    try:
        return float(text.split("(")[0])
    except ValueError:
        return None


def form_of_hklf(number: int, where: str) -> HklFormat:
    """The format of a list by the number of its HKLF instruction.

    Raises
    ------
    UsageError
        Of another type than 3, 4 and 5: its lines are not one crystal's |F| or |F|² of h k l.
    """
    forms: dict[int, HklFormat] = {3: "hklf3", 4: "hklf4", 5: "hklf5"}
    if number not in forms:
        raise UsageError(
            f"{where}: the reflections are of the type HKLF {number}. Only HKLF 3, 4 and 5 hold one "
            "crystal's |F| or |F|² for each h k l. Give a merged list instead; of a known structure the "
            "amplitudes of its model can be phased (calculated)."
        )
    return forms[number]


def turned(observations: Observations, matrix: tuple[float, ...], where: str) -> Observations:
    """Indices changed by the nine numbers of HKLF, a matrix M row by row: h′ = M h.

    Raises
    ------
    XtalpriorsError
        They are not whole numbers then.
    """
    indices = observations.hkl @ np.array(matrix).reshape(3, 3).T
    if np.abs(indices - np.rint(indices)).max(initial=0.0) > 1e-3:
        raise XtalpriorsError(
            f"{where}: the matrix of HKLF makes indices that are not whole numbers. Give a list in the "
            "setting of CELL."
        )
    return replace(observations, hkl=np.rint(indices).astype(np.int64))


def observations_of_rows(rows: list[Row], form: str, source: str, n_missing: int = 0) -> Observations:
    """Observations of rows in a format of `HklFormat`; `n_missing` more were marked as not measured.

    Raises
    ------
    XtalpriorsError
        A row does not hold three indices and a measurement, or a negative |F|.
    """
    squared = form in ("f2", "hklf4", "hklf5")
    hkl, values, sigmas = [], [], []
    unmeasured = n_missing
    for row in rows:
        indices = [_number(x) for x in row.fields[:3]]
        value = _number(row.fields[3])
        sigma = _number(row.fields[4]) if len(row.fields) > 4 else math.nan
        if any(x is None or not x.is_integer() or abs(x) > _LARGEST[0] for x in indices):
            raise XtalpriorsError(f"{row.where}: '{' '.join(row.fields[:3])}' are no Miller indices.")
        if value is None or not abs(value) < _LARGEST[1] or sigma is None:
            raise XtalpriorsError(
                f"{row.where}: '{' '.join(row.fields[3:])}' is no measurement of {' '.join(row.fields[:3])}. "
                "Take the line out where it was not measured."
            )
        if sigma < 0:
            unmeasured += 1
            continue
        if value < 0 and not squared:
            raise XtalpriorsError(
                f"{row.where}: the amplitude |F| of {' '.join(row.fields[:3])} is {value:g}, which is "
                "negative. If the list holds |F|², say so: `--hkl f2`, or `--hkl hklf4` for a SHELX file."
            )
        hkl.append([int(x) for x in indices if x is not None])
        values.append(value if squared else value * value)
        sigmas.append(sigma if squared else 2.0 * value * sigma)
    return Observations(
        np.array(hkl, dtype=np.int64).reshape(-1, 3),
        np.array(values, dtype=np.float64),
        np.array(sigmas, dtype=np.float64),
        unmeasured,
        source,
        "|F|²" if squared else "|F|",
    )
