"""The instructions of a SHELX `.ins` or `.res` file that say what the crystal is.

An instruction is a line; `=` at its end continues it on the next one, `!` begins a comment. What is not known
here is passed over, atoms among it: solving a structure needs none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.chemistry.elements import ATOMIC_NUMBER
from xtalpriors.crystal.symmetry.closure import NotAGroupError, close_group
from xtalpriors.crystal.symmetry.space_group import CENTRING_VECTORS, SpaceGroup, space_group
from xtalpriors.crystal.symmetry.triplets import IDENTITY, Operator, TripletError, parse_triplet
from xtalpriors.errors import XtalpriorsError

__all__ = [
    "LATTICE_LETTERS",
    "Hklf",
    "ShelxInstructions",
    "parse_hklf",
    "parse_shelx_instructions",
    "read_shelx_instructions",
]

LATTICE_LETTERS: Final = "PIRFABC"
"""Letters of LATT 1 to 7; a negative number says that there is no inversion."""

_INVERSION: Final[Operator] = ((-1, 0, 0, 0, -1, 0, 0, 0, -1), (0, 0, 0))


class Hklf(NamedTuple):
    """The HKLF instruction: `number` says what the list holds, `matrix` changes its indices.

    The matrix has nine numbers, row by row; it is null where there is none or it changes nothing.
    """

    number: int
    matrix: tuple[float, ...] | None


@dataclass(frozen=True, slots=True)
class ShelxInstructions:
    """What the instructions say; null or empty where one is missing.

    Attributes
    ----------
    wavelength_angstrom, cell
        Of CELL.
    cell_errors
        The six standard uncertainties of ZERR.
    group
        Of LATT and SYMM; null where LATT is missing and there is no SYMM.
    elements
        Symbols of SFAC in their order, each once.
    counts
        Atoms per cell, of UNIT, in the order of `elements`.
    hklf
        1 to 6, of HKLF.
    index_matrix
        The nine numbers of HKLF that change the indices; null where there are none or they change nothing.
    """

    wavelength_angstrom: float | None = None
    cell: UnitCell | None = None
    cell_errors: tuple[float, ...] | None = None
    group: SpaceGroup | None = None
    elements: tuple[str, ...] = ()
    counts: tuple[float, ...] = ()
    hklf: int | None = None
    index_matrix: tuple[float, ...] | None = None


def read_shelx_instructions(path: Path) -> ShelxInstructions:
    """Read a file of instructions.

    Raises
    ------
    XtalpriorsError
        The file cannot be read, or an instruction that is needed cannot be understood: the message names it.
    """
    try:
        text = Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise XtalpriorsError(f"{path} cannot be read: {error.strerror or error}.") from error
    return parse_shelx_instructions(text, str(path))


def parse_shelx_instructions(text: str, where: str) -> ShelxInstructions:
    """The same of a text; `where` is the file in messages."""
    found: dict[str, object] = {}
    lattice: int | None = None
    symmetry: list[Operator] = []
    elements: list[str] = []
    counts: list[float] = []
    for name, words, line in _instructions(text):
        if name == "CELL":
            numbers = _numbers(where, line, words, 7)
            found["wavelength_angstrom"] = numbers[0]
            found["cell"] = _cell(where, line, numbers[1:7])
        elif name == "ZERR":
            numbers = _numbers(where, line, words, 1)
            found["cell_errors"] = tuple(numbers[1:7]) if len(numbers) >= 7 else None
        elif name == "LATT":
            lattice = int(_numbers(where, line, words, 1)[0])
        elif name == "SYMM":
            symmetry.append(_operator(where, line, " ".join(words)))
        elif name == "SFAC":
            elements += _elements(where, line, words)
        elif name == "UNIT":
            counts = _numbers(where, line, words, 0)
        elif name == "HKLF":
            found["hklf"], found["index_matrix"] = _hklf(where, line, words)
            break  # what follows, peaks for example, belongs to no crystal
    if lattice is not None or symmetry:
        found["group"] = _group(where, 1 if lattice is None else lattice, symmetry)
    single = list(dict.fromkeys(elements))
    if len(counts) == len(elements):
        found["counts"] = tuple(
            sum(n for e, n in zip(elements, counts, strict=True) if e == s) for s in single
        )
    return ShelxInstructions(**found, elements=tuple(single))  # type: ignore[arg-type]


def parse_hklf(text: str, where: str) -> Hklf | None:
    """The HKLF instruction alone, None where a text has none; what stands before it may be of any kind."""
    return next(
        (_hklf(where, line, words) for name, words, line in _instructions(text) if name == "HKLF"), None
    )


def _instructions(text: str) -> Iterator[tuple[str, list[str], str]]:
    """Name, words and whole line of each instruction."""
    pending = ""
    for raw in text.splitlines():
        line = raw.split("!")[0].rstrip()
        if pending:
            line = pending + " " + line.strip()
            pending = ""
        if line.endswith("=") and not line[:4].upper().startswith("TITL"):
            pending = line[:-1]
            continue
        if line.strip() and not line.startswith(" "):
            words = line.split()
            name = words[0].upper().split("_")[0]
            if name == "END":
                return
            yield name[:4], words[1:], line.strip()


def _numbers(where: str, line: str, words: list[str], least: int) -> list[float]:
    numbers = []
    for word in words:
        try:
            numbers.append(float(word))
        except ValueError:
            break
    if len(numbers) < least or not all(math.isfinite(x) for x in numbers):
        raise XtalpriorsError(f"{where}: '{line[:70]}' needs {least} numbers after its name.")
    return numbers


def _cell(where: str, line: str, numbers: list[float]) -> UnitCell:
    cell = UnitCell(*numbers)
    if not cell.is_valid:
        raise XtalpriorsError(
            f"{where}: '{line[:70]}' is no cell: after the wavelength in Å it needs a, b, c in Å and α, β, γ "
            "in degrees, with a volume."
        )
    return cell


def _operator(where: str, line: str, text: str) -> Operator:
    try:
        return parse_triplet(text)
    except TripletError as error:
        raise XtalpriorsError(
            f"{where}: '{line[:70]}' cannot be read as a symmetry operator, such as -X, 1/2+Y, 1/2-Z."
        ) from error


def _elements(where: str, line: str, words: list[str]) -> list[str]:
    """Symbols of an SFAC; the one symbol of an SFAC with scattering factors of its own."""
    found = []
    for word in words:
        symbol = word.lstrip("$").rstrip("0123456789+-").capitalize()
        symbol = {"D": "H"}.get(symbol, symbol)
        if symbol in ATOMIC_NUMBER:
            found.append(symbol)
        elif word[0].isdigit() or word[0] in "-.":
            break
        else:
            raise XtalpriorsError(f"{where}: '{line[:70]}' names '{word}', which is no element.")
    return found


def _hklf(where: str, line: str, words: list[str]) -> Hklf:
    numbers = _numbers(where, line, words, 1)
    matrix = tuple(numbers[2:11]) if len(numbers) >= 11 else None
    plain = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    return Hklf(abs(int(numbers[0])), None if matrix == plain else matrix)


def _group(where: str, lattice: int, symmetry: list[Operator]) -> SpaceGroup:
    if not 1 <= abs(lattice) <= 7:
        raise XtalpriorsError(
            f"{where}: LATT {lattice} is no lattice: there are 1 P, 2 I, 3 R, 4 F, 5 A, 6 B, 7 C."
        )
    generators = [(IDENTITY[0], shift) for shift in CENTRING_VECTORS[LATTICE_LETTERS[abs(lattice) - 1]]]
    generators += [*symmetry, *([_INVERSION] if lattice > 0 else [])]
    try:
        operators = close_group(generators)
        if operators is None:
            raise NotAGroupError("too-many", "they make more than 192 operators")
        return space_group(operators)
    except NotAGroupError as error:
        raise XtalpriorsError(
            f"{where}: LATT {lattice} and the {len(symmetry)} SYMM lines make no space group "
            f"({error.detail}). Leave them out, or give --space-group."
        ) from error
