"""Measured crystals whose structure is known, and how much of a structure was found.

A folder has `manifest.tsv` with the columns hkl_file and struct_file, or a folder for each crystal with
`data.*`, `truth.cif` or `truth.res`, and perhaps `start.ins`; its manifest may have columns name, probe and
notes.

A disordered atom stands in several places with a part each. Atoms that are there in more than half of the
cells are to be found; a place with less counts as right when it was found, and as nothing when it was not.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import gemmi
import numpy as np

from xtalpriors.arrays import F64, I64, Bool
from xtalpriors.crystal import SpaceGroup, UnitCell
from xtalpriors.crystal.chemistry.elements import ATOMIC_NUMBER
from xtalpriors.model.measured.read_data import MeasuredCrystal, block_cell, block_group, read_data
from xtalpriors.model.measured.shelx_instructions import read_shelx_instructions
from xtalpriors.model.solving.model import Atoms

FOUND_ANGSTROM = 0.5
RECALL, PRECISION = 0.75, 0.6
MOSTLY_THERE = 0.5
"""Occupancy above which an atom is to be found."""
FULLY_THERE = 0.9
USUAL_U_ANGSTROM2 = 0.03
"""Where the structure's file has none."""
GROSSLY_DISORDERED = 0.25
"""Share of the atoms that stand in places of smaller occupancy than 0.9."""
ENANTIOMORPHS = {
    76: 78, 91: 95, 92: 96, 144: 145, 151: 153, 152: 154, 169: 170, 171: 172, 178: 179, 180: 181, 212: 213,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Truth:
    """A known structure without hydrogen.

    Attributes
    ----------
    fract, occupancy
        All places of the cell (n, 3) and (n,).
    group, cell
        Of it.
    atoms
        Places of the asymmetric unit; those on special positions and partly occupied ones weigh less than 1.
    twin
        It was refined as a twin.
    """

    fract: F64
    occupancy: F64
    group: SpaceGroup
    cell: UnitCell
    atoms: Atoms
    twin: bool

    @property
    def wanted(self) -> Bool:
        """Places (n,) that are to be found: all, where no atom is there in more than half of the cells."""
        most = self.occupancy > MOSTLY_THERE
        return most if most.any() else np.ones_like(most)

    @property
    def disordered(self) -> float:
        """Share of the atoms that stand in several places."""
        partly = self.occupancy < FULLY_THERE
        return float(self.occupancy[partly].sum() / self.occupancy.sum())

    @property
    def kind(self) -> str:
        """`twin`, `disordered` (grossly) or `ordered`."""
        return "twin" if self.twin else "disordered" if self.disordered > GROSSLY_DISORDERED else "ordered"

    def has_group(self, other: SpaceGroup) -> bool:
        """Whether a group is the right one or its enantiomorph."""
        own, number = self.group.number, other.number
        return own == number or ENANTIOMORPHS.get(own) == number or ENANTIOMORPHS.get(number) == own


@dataclass(frozen=True, slots=True)
class Known:
    """A measured crystal and its structure."""

    name: str
    crystal: MeasuredCrystal
    truth: Truth


def known_crystals(folder: Path) -> Iterator[Known]:
    """Crystals of a folder; those without a known structure are passed over."""
    manifest = folder / "manifest.tsv"
    rows = list(csv.DictReader(manifest.open(encoding="utf-8"), delimiter="\t")) if manifest.is_file() else []
    if rows and "hkl_file" in rows[0]:
        for row in rows:
            yield _of_pair(folder / row["hkl_file"], folder / row["struct_file"])
        return
    said = {row["name"]: row for row in rows}
    for place in sorted(folder.iterdir()):
        known = next((place / n for n in ("truth.cif", "truth.res") if (place / n).is_file()), None)
        data = next(iter(sorted(place.glob("data.*"))), None) if place.is_dir() else None
        if known is None or data is None:
            continue
        instructions = place / "start.ins"
        crystal = read_data(data, instructions=instructions if instructions.is_file() else None)
        row = said.get(place.name, {})
        crystal = replace(crystal, name=place.name, probe=row.get("probe") or crystal.probe)  # type: ignore[arg-type]
        truth = structure(known)
        twin = truth.twin or "twin" in (row.get("notes") or "").lower()
        yield Known(place.name, crystal, replace(truth, twin=twin))


def _of_pair(data: Path, known: Path) -> Known:
    """A list of reflections whose cell and elements the structure's file has."""
    truth = structure(known)
    symbols = {a.element.name for a in gemmi.make_small_structure_from_block(_block(known)).sites}
    crystal = replace(
        read_data(data), name=data.stem, cell=truth.cell, group=None, elements=tuple(sorted(symbols)),
        counts=(), probe="x-ray",
    )  # fmt: skip
    return Known(data.stem, crystal, truth)


def structure(path: Path) -> Truth:
    """A structure of a CIF or a `.res`."""
    text = path.read_text(encoding="utf-8", errors="replace")
    twin = re.search(r"^(TWIN|HKLF +5)", text, re.MULTILINE | re.IGNORECASE) is not None
    if path.suffix == ".res":
        said = read_shelx_instructions(path)
        group, cell, sites = said.group, said.cell, _shelx_atoms(text, said.elements)
    else:
        block = _block(path)
        cell = block_cell(block)
        group = block_group(block, cell)
        sites = [
            [a.fract.x, a.fract.y, a.fract.z, a.occ, a.element.atomic_number, a.u_iso]
            for a in gemmi.make_small_structure_from_block(block).sites
            if a.element.name not in ("H", "D")
        ]
    assert group is not None and cell is not None
    table = _on_one_place(cell, np.array(sites, dtype=np.float64).reshape(-1, 6))
    fract, occupancy = table[:, :3], np.minimum(table[:, 3], 1.0)
    positions, whose = _images(group, cell, fract)
    n = len(table)
    weights = occupancy * np.bincount(whose, minlength=n) / group.order
    u = np.where(table[:, 5] > 0, table[:, 5], USUAL_U_ANGSTROM2)
    atoms = Atoms(table[:, 4].astype(np.int64), fract, u, weights, np.tile(np.eye(3), (n, 1, 1)))
    return Truth(positions, occupancy[whose], group, cell, atoms, twin)


def _block(path: Path) -> gemmi.cif.Block:
    return next(b for b in gemmi.cif.read(str(path)) if b.find_values("_atom_site_fract_x"))


def _shelx_atoms(text: str, elements: tuple[str, ...]) -> list[list[float]]:
    """Coordinates of a `.res`, 10 taken off where a parameter is fixed; all count as fully there."""
    instructions = {"TITL", "CELL", "ZERR", "LATT", "SYMM", "SFAC", "UNIT", "FVAR", "WGHT", "REM", "TWIN"}
    atoms = []
    for line in text.replace("=\n", " ").splitlines():
        words = line.split()
        if words and words[0].upper() == "HKLF":
            break
        if len(words) < 6 or line[0] == " " or words[0][:4].upper() in instructions or not words[1].isdigit():
            continue
        try:
            values = [float(word) for word in words[2:5]]
        except ValueError:
            continue
        element = elements[int(words[1]) - 1]
        if element != "H":
            atoms.append([*(v - 10.0 if v > 5.0 else v for v in values), 1.0, ATOMIC_NUMBER[element], 0.0])
    return atoms


def _on_one_place(cell: UnitCell, sites: F64) -> F64:
    """Rows x, y, z, occupancy, atomic number and U, those of several elements on one place taken together."""
    kept: list[F64] = []
    for site in sites:
        near = next((other for other in kept if _apart(site[:3] - other[:3], cell) < 0.2), None)
        if near is None:
            kept.append(site.copy())
        else:
            near[3] += site[3]
    return np.array(kept).reshape(-1, 6)


def _apart(difference: F64, cell: UnitCell) -> F64:
    """Lengths in Å of differences of positions (…, 3), to the nearest lattice point."""
    difference = difference - np.rint(difference)
    length: F64 = np.sqrt(((difference @ cell.orthogonalization.T) ** 2).sum(axis=-1))
    return length


def _images(group: SpaceGroup, cell: UnitCell, fract: F64) -> tuple[F64, I64]:
    """All equivalent positions in the cell, each once, and whose each is."""
    every = (np.einsum("nij,mj->mni", group.rotations, fract) + group.translations).reshape(-1, 3) % 1.0
    kept: list[int] = []
    for i, x in enumerate(every):
        if not (_apart(every[kept] - x, cell) < 0.2).any():
            kept.append(i)
    return every[kept], np.array(kept, dtype=np.int64) // group.order


def in_cell(group: SpaceGroup, cell: UnitCell, fract: F64) -> F64:
    """All equivalent positions in the cell, each once."""
    return _images(group, cell, fract)[0] if len(fract) else np.zeros((0, 3))


def recall_and_precision(truth: Truth, found: F64) -> tuple[float, float]:
    """Shares of the wanted places that were found, and of the found ones that are known; best origin."""
    if len(found) == 0:
        return 0.0, 0.0
    to_angstrom, places, wanted = truth.cell.orthogonalization.T, truth.fract, truth.wanted
    best = (0.0, 0.0)
    for hand in (1.0, -1.0):
        points = hand * found
        shifts = (places[wanted][None] - points[:5, None]).reshape(-1, 3) % 1.0
        near = [(_squared(points[:14] + s, places, to_angstrom).min(axis=1) < 0.25).sum() for s in shifts]
        for i in np.argsort(-np.array(near), kind="stable")[:25]:
            shift = shifts[i]
            for _ in range(2):
                squared = _squared(points + shift, places, to_angstrom)
                hit = squared.min(axis=1) < FOUND_ANGSTROM**2
                if not hit.any():
                    break
                moves = places[squared.argmin(axis=1)[hit]] - points[hit] - shift
                shift = shift + (moves - np.rint(moves)).mean(axis=0)
            squared = _squared(points + shift, places, to_angstrom)
            shares = (
                float((squared.min(axis=0)[wanted] < FOUND_ANGSTROM**2).mean()),
                float((squared.min(axis=1) < FOUND_ANGSTROM**2).mean()),
            )
            best = max(best, shares, key=sum)
    return best


def _squared(points: F64, others: F64, to_angstrom: F64) -> F64:
    apart = points[:, None] - others[None]
    apart -= np.rint(apart)
    squared: F64 = ((apart @ to_angstrom) ** 2).sum(axis=2)
    return squared
