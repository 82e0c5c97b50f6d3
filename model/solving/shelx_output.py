"""A solution for SHELXL: the `.res` file and the reflections beside it."""

from __future__ import annotations

import math
import textwrap
from collections import Counter

import numpy as np

from xtalpriors.arrays import I64
from xtalpriors.counted import counted
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.chemistry.elements import SYMBOLS
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.crystal.symmetry.triplets import parse_triplet
from xtalpriors.model.measured.read_reflections import Observations
from xtalpriors.model.measured.shelx_instructions import LATTICE_LETTERS
from xtalpriors.model.solving.prepare import known_sigma
from xtalpriors.model.solving.solution import Solution, TriedGroup

__all__ = ["atom_labels", "lattice_and_operators", "shelx_hkl", "shelx_res"]

_SPELT = str.maketrans(
    {
        "²": "^2",
        "³": "^3",
        "σ": "sigma",
        "Å": "A",
        "⟨": "<",
        "⟩": ">",
        "−": "-",
        "–": "-",
        "≤": "<=",
        "≥": ">=",
    }
)
MOST_DIGITS = 99999.99
"""Of a value in eight columns with two decimals."""


def lattice_and_operators(group: SpaceGroup) -> tuple[int, list[str]]:
    """The number of LATT and the operators of SYMM: without the identity, centring, and inversion."""
    lattice = LATTICE_LETTERS.index(group.centring) + 1
    inversion = "-x,-y,-z" in group.operators
    kept: list[str] = []
    seen: set[tuple[int, ...]] = set()
    for operator in group.operators:
        rotation = parse_triplet(operator)[0]
        if rotation in seen:
            continue  # the same with a centring vector
        seen.add(rotation)
        if inversion:
            seen.add(tuple(-x for x in rotation))
        if operator != "x,y,z":
            kept.append(", ".join(part.upper() for part in operator.split(",")))
    return (lattice if inversion else -lattice), kept


def atom_labels(numbers: I64) -> list[str]:
    """Labels of at most four characters: the element and its number, `C12`."""
    count: Counter[int] = Counter()
    labels = []
    for z in numbers.tolist():
        count[z] += 1
        symbol, n = SYMBOLS[z], count[z]
        digits = str(n) if n < 10 ** (4 - len(symbol)) else _letters(n, 4 - len(symbol))
        labels.append(symbol + digits)
    return labels


def _letters(number: int, width: int) -> str:
    """A number in letters, for the atoms after the 999th of an element: digits are used up."""
    text = ""
    for _ in range(width):
        number, place = divmod(number, 26)
        text = chr(ord("A") + place) + text
    return text


def shelx_res(solution: Solution) -> str:
    """The model as a SHELXL file that refines as it stands, with what speaks for and against it as REM."""
    group, cell, atoms = solution.group, solution.cell, solution.chosen.built.fit.atoms
    crystal = solution.crystal
    elements, unit = _contents(solution)
    lattice, operators = lattice_and_operators(group)
    wavelength = crystal.wavelength_angstrom or 0.71073
    errors = crystal.cell_errors or _assumed_errors(cell)
    lines = [
        f"TITL {solution.name[:40]} in {group.hm or f'no. {group.number}'}",
        "REM xtalpriors solve",
        *(f"REM {line}" for line in remarks(solution)),
        f"CELL {wavelength:.5f} " + " ".join(f"{x:.4f}" for x in cell.parameters),
        f"ZERR {_formula_units(solution):g} " + " ".join(f"{x:.4f}" for x in errors),
        f"LATT {lattice}",
        *(f"SYMM {operator}" for operator in operators),
        *(["NEUT"] if solution.probe == "neutron" else []),
        "SFAC " + " ".join(SYMBOLS[z] for z in elements),
        "UNIT " + " ".join(f"{n:g}" for n in unit),
        "L.S. 10",
        "BOND",
        "FMAP 2",
        "PLAN 20",
        "WGHT 0.1",
        f"FVAR {math.sqrt(solution.chosen.built.fit.scale * _hkl_scale(crystal.observations)):.5f}",
    ]
    place = {z: i + 1 for i, z in enumerate(elements)}
    for label, z, x, u, weight in zip(
        atom_labels(atoms.numbers),
        atoms.numbers.tolist(),
        atoms.fract,
        atoms.u_iso.tolist(),
        atoms.weights.tolist(),
        strict=True,
    ):
        coordinates = " ".join(f"{v:9.6f}" for v in x)
        lines.append(f"{label:4s} {place[z]:2d} {coordinates} {10.0 + weight:9.5f} {u:8.5f}")
    return "\n".join([*lines, "HKLF 4", "END", ""])


def remarks(solution: Solution) -> list[str]:
    """Lines of at most 74 characters: verdict, figures of merit, absences, what else was tried."""
    chosen = solution.chosen
    lines = [
        f"{solution.verdict}: R1 = {chosen.r1:.4f}, R_weak = {chosen.r_weak:.3f}, "
        f"correlation = {chosen.correlation:.1f} %",
        f"{counted(len(chosen.data.hkl), 'unique reflection')} to {solution.unique.d_min_angstrom:.2f} A, "
        f"completeness {solution.unique.completeness:.2f}, <|E^2-1|> = {solution.mean_e2_minus_1:.3f}",
    ]
    candidate = chosen.candidate
    if candidate.mean_i_over_sigma is not None:
        lines.append(
            f"absences: {counted(candidate.n_absent, 'reflection')} with mean I/sigma "
            f"{candidate.mean_i_over_sigma:.2f}"
        )
    lines += [_alternative(tried) for tried in solution.tried[1:]]
    lines += [part for text in solution.reasons for part in textwrap.wrap(_ascii(text), 74)]
    if solution.probe == "electron":
        lines.append("electron diffraction: give SFAC with electron scattering factors before refining")
    return [_ascii(line)[:74] for line in lines]


def _ascii(text: str) -> str:
    """Text for SHELXL, which reads no other characters."""
    return text.translate(_SPELT).encode("ascii", "replace").decode()


def _alternative(tried: TriedGroup) -> str:
    group = tried.candidate.group
    return f"alternative {group.hm or group.number}: R1 = {tried.r1:.4f}, R_weak = {tried.r_weak:.3f}"


def _contents(solution: Solution) -> tuple[list[int], list[float]]:
    """Elements of SFAC and atoms per cell of UNIT: those of the model, and hydrogen as the formula has it."""
    model = solution.chosen.built.fit.atoms.counts()
    counts = {z: n * solution.group.order for z, n in model.items()}
    crystal = solution.crystal
    given = dict(zip(crystal.elements, crystal.counts, strict=False))
    if "H" in crystal.elements:
        counts[1] = given.get("H", 0.0)
    elements = sorted(counts, key=lambda z: (z != 6, z != 1, z))
    return elements, [max(round(counts[z], 2), 1.0) for z in elements]


def _formula_units(solution: Solution) -> float:
    """Z of ZERR: the order of the group, which refinement does not need to be anything else."""
    return float(solution.group.order)


def _assumed_errors(cell: UnitCell) -> tuple[float, ...]:
    lengths = [0.0002 * x for x in cell.parameters[:3]]
    return (*lengths, *(0.0 if a in (90.0, 120.0) else 0.01 for a in cell.parameters[3:]))


def _hkl_scale(observations: Observations) -> float:
    """Factor on |F|² that makes the largest fit into eight columns with two decimals, a power of ten."""
    largest = float(np.abs(observations.intensity).max(initial=1.0))
    smallest_wanted = 9999.0
    return 10.0 ** math.floor(math.log10(smallest_wanted * 9.0 / max(largest, 1e-30)))


def shelx_hkl(observations: Observations) -> str:
    """The observations as HKLF 4, not merged, on a scale that fits the columns."""
    scale = _hkl_scale(observations)
    value = np.clip(observations.intensity * scale, -MOST_DIGITS / 10, MOST_DIGITS)
    sigma = known_sigma(observations.intensity, observations.sigma) * scale
    sigma = np.clip(sigma, 0.01, MOST_DIGITS)
    rows = [
        f"{h:4d}{k:4d}{l:4d}{i:8.2f}{s:8.2f}"
        for (h, k, l), i, s in zip(observations.hkl.tolist(), value.tolist(), sigma.tolist(), strict=True)
    ]
    return "\n".join([*rows, "   0   0   0    0.00    0.00", "REM xtalpriors solve", ""])
