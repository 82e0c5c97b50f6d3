"""Structures solved from measured reflections whose structure is known, beside charge flipping of cctbx.

Each set is solved from its reflections, cell and elements; the space group is not given. cctbx's charge
flipping (Oszlányi & Sütő, smtbx) gets the same reflections and the same time, and the right group besides:
its density is placed in that group and its strongest peaks, as many as the known structure has atoms and a
fifth more, count as atoms. Solved: at least 75 % of the atoms of the known structure, without hydrogen and
partly occupied ones below 0.2, are found within 0.5 Å, and at least 60 % of what was found is right, after
the best origin and hand. Times are processor time of one thread, and so is the limit.

    python benchmarks/solving.py FOLDER [FOLDER …] [--time 20] [--only NAME] [--d-min 1.2] [--no-cctbx]

A folder has `manifest.tsv` with the columns hkl_file and struct_file, or a folder for each crystal with
`data.*`, `truth.cif` or `truth.res`, and perhaps `start.ins`.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import gemmi
import numpy as np
import torch

from xtalpriors.arrays import F64
from xtalpriors.crystal import SpaceGroup, UnitCell
from xtalpriors.crystal.scattering.reciprocal import s_squared
from xtalpriors.errors import XtalpriorsError
from xtalpriors.model.measured.read_data import MeasuredCrystal, block_cell, block_group, read_data
from xtalpriors.model.measured.shelx_instructions import read_shelx_instructions
from xtalpriors.model.solving import SolveSettings, solve_crystal

FOUND_ANGSTROM = 0.5
RECALL, PRECISION = 0.75, 0.6
SMALLEST_OCCUPANCY = 0.2
PAIRS = {
    76: 78, 91: 95, 92: 96, 144: 145, 151: 153, 152: 154, 169: 170, 171: 172, 178: 179, 180: 181, 212: 213,
}  # fmt: skip
"""Enantiomorphic groups."""

CCTBX = """
import time
from cctbx import crystal, miller, maptbx
from cctbx.array_family import flex
from smtbx.ab_initio import charge_flipping
symmetry = crystal.symmetry(unit_cell=question["cell"], space_group_symbol="Hall: " + question["hall"])
f = miller.array(
    miller.set(symmetry, flex.miller_index([tuple(h) for h in question["hkl"]]), anomalous_flag=False),
    data=flex.double(question["f"]),
).set_observation_type_xray_amplitude().map_to_asu()
begun, attempt, solutions = time.process_time(), 0, []
while not solutions and time.process_time() - begun < question["seconds"]:
    # new random phases, in turn from |F| and from quasi-|E|; a third attempt of one iterator would end in a
    # ValueError of smtbx, which then has a fraction as its number of cycles
    flex.set_random_seed(attempt)
    options = {"normalisations_for": charge_flipping.amplitude_quasi_normalisations} if attempt % 2 else {}
    solving = charge_flipping.solving_iterator(
        charge_flipping.weak_reflection_improved_iterator(delta=None), f,
        yield_during_delta_guessing=True, yield_solving_interval=5,
        max_attempts_to_get_phase_transition=2, max_attempts_to_get_sharp_correlation_map=2, **options)
    attempt += 1
    for _ in solving:
        if time.process_time() - begun > question["seconds"]:
            break
    solutions = solving.f_calc_solutions
peaks = []
if solutions:
    f_calc = solutions[0][0]
    density = f_calc.fft_map(symmetry_flags=maptbx.use_space_group_symmetry, resolution_factor=0.25)
    found = density.peak_search(
        parameters=maptbx.peak_search_parameters(
            min_distance_sym_equiv=0.6, min_cross_distance=0.8, max_clusters=question["atoms"]),
        verify_symmetry=False).all()
    peaks = [list(x) for x in found.sites()]
answer = {"peaks": peaks, "seconds": time.process_time() - begun}
"""


@dataclass(frozen=True, slots=True)
class Known:
    """A measured crystal and its structure: all atoms of the cell (n, 3), and atoms per asymmetric unit."""

    name: str
    crystal: MeasuredCrystal
    fract: F64
    group: SpaceGroup
    cell: UnitCell
    n_asymmetric: int


def known_crystals(folder: Path) -> Iterator[Known]:
    """Crystals of a folder; those without a known structure are passed over."""
    manifest = folder / "manifest.tsv"
    rows = list(csv.DictReader(manifest.open(encoding="utf-8"), delimiter="\t")) if manifest.is_file() else []
    if rows and "hkl_file" in rows[0]:
        for row in rows:
            yield _of_pair(folder / row["hkl_file"], folder / row["struct_file"])
        return
    probes = {row["name"]: row.get("probe") for row in rows}
    for place in sorted(folder.iterdir()):
        truth = next((place / n for n in ("truth.cif", "truth.res") if (place / n).is_file()), None)
        data = next(iter(sorted(place.glob("data.*"))), None) if place.is_dir() else None
        if truth is None or data is None:
            continue
        instructions = place / "start.ins"
        crystal = read_data(data, instructions=instructions if instructions.is_file() else None)
        probe = probes.get(place.name) or crystal.probe
        crystal = replace(crystal, name=place.name, probe=probe)  # type: ignore[arg-type]
        yield Known(place.name, crystal, *structure(truth))


def _of_pair(data: Path, truth: Path) -> Known:
    """A list of reflections whose cell and elements the structure's file has."""
    fract, group, cell, n = structure(truth)
    block = next(b for b in gemmi.cif.read(str(truth)) if b.find_values("_atom_site_fract_x"))
    symbols = {a.element.name for a in gemmi.make_small_structure_from_block(block).sites}
    crystal = replace(
        read_data(data), name=data.stem, cell=cell, group=None, elements=tuple(sorted(symbols)), counts=(),
        probe="x-ray",
    )  # fmt: skip
    return Known(data.stem, crystal, fract, group, cell, n)


def structure(path: Path) -> tuple[F64, SpaceGroup, UnitCell, int]:
    """All atoms of the cell without hydrogen, group, cell, and the number in the asymmetric unit."""
    if path.suffix == ".res":
        said = read_shelx_instructions(path)
        group, cell, atoms = said.group, said.cell, _shelx_atoms(path, said.elements)
    else:
        block = next(b for b in gemmi.cif.read(str(path)) if b.find_values("_atom_site_fract_x"))
        cell = block_cell(block)
        group = block_group(block, cell)
        atoms = [
            [a.fract.x, a.fract.y, a.fract.z]
            for a in gemmi.make_small_structure_from_block(block).sites
            if a.element.name not in ("H", "D") and a.occ > SMALLEST_OCCUPANCY
        ]
    assert group is not None and cell is not None
    return in_cell(group, cell, np.array(atoms)), group, cell, len(atoms)


def _shelx_atoms(path: Path, elements: tuple[str, ...]) -> list[list[float]]:
    """Coordinates of a .res, 10 taken off where a parameter is fixed."""
    instructions = {"TITL", "CELL", "ZERR", "LATT", "SYMM", "SFAC", "UNIT", "FVAR", "WGHT", "REM", "TWIN"}
    atoms = []
    for line in path.read_text(encoding="utf-8", errors="replace").replace("=\n", " ").splitlines():
        words = line.split()
        if words and words[0].upper() == "HKLF":
            break
        if len(words) < 6 or line[0] == " " or words[0][:4].upper() in instructions or not words[1].isdigit():
            continue
        try:
            values = [float(word) for word in words[2:5]]
        except ValueError:
            continue
        if elements[int(words[1]) - 1] != "H":
            atoms.append([v - 10.0 if v > 5.0 else v for v in values])
    return atoms


def in_cell(group: SpaceGroup, cell: UnitCell, fract: F64) -> F64:
    """All equivalent positions in the cell, each once."""
    if len(fract) == 0:
        return np.zeros((0, 3))
    every = (np.einsum("nij,mj->mni", group.rotations, fract) + group.translations).reshape(-1, 3) % 1.0
    kept: list[F64] = []
    for x in every:
        apart = np.array(kept).reshape(-1, 3) - x
        apart -= np.rint(apart)
        if not (((apart @ cell.orthogonalization.T) ** 2).sum(axis=1) < 0.2**2).any():
            kept.append(x)
    return np.array(kept)


def recall_and_precision(known: Known, found: F64) -> tuple[float, float]:
    """Shares of the known atoms that were found and of the found ones that are known, at the best origin."""
    if len(found) == 0:
        return 0.0, 0.0
    to_angstrom, truth = known.cell.orthogonalization.T, known.fract
    best = (0.0, 0.0)
    for hand in (1.0, -1.0):
        points = hand * found
        shifts = (truth[None] - points[:5, None]).reshape(-1, 3) % 1.0
        near = [(_squared(points[:14] + s, truth, to_angstrom).min(axis=1) < 0.25).sum() for s in shifts]
        for i in np.argsort(-np.array(near), kind="stable")[:25]:
            shift = shifts[i]
            for _ in range(2):
                squared = _squared(points + shift, truth, to_angstrom)
                hit = squared.min(axis=1) < FOUND_ANGSTROM**2
                if not hit.any():
                    break
                moves = truth[squared.argmin(axis=1)[hit]] - points[hit] - shift
                shift = shift + (moves - np.rint(moves)).mean(axis=0)
            squared = _squared(points + shift, truth, to_angstrom)
            shares = (
                float((squared.min(axis=0) < FOUND_ANGSTROM**2).mean()),
                float((squared.min(axis=1) < FOUND_ANGSTROM**2).mean()),
            )
            best = max(best, shares, key=sum)
    return best


def _squared(points: F64, others: F64, to_angstrom: F64) -> F64:
    apart = points[:, None] - others[None]
    apart -= np.rint(apart)
    squared: F64 = ((apart @ to_angstrom) ** 2).sum(axis=2)
    return squared


def by_cctbx(known: Known, seconds: float) -> tuple[float, float, float]:
    """Recall, precision and seconds of cctbx; 0, 0 and NaN where it fails."""
    o = known.crystal.observations
    from xtalpriors.crystal.scattering.reciprocal import systematic_absences
    from xtalpriors.model.measured.merging import laue_rotations, merge_equivalents

    keep = o.hkl.any(axis=1) & ~systematic_absences(known.group, o.hkl)
    merged = merge_equivalents(
        o.hkl[keep], o.intensity[keep], o.sigma[keep], laue_rotations(known.group.rotations)
    )
    question = {
        "cell": known.cell.parameters,
        "hall": known.group.hall,
        "hkl": merged.hkl.tolist(),
        "f": np.sqrt(np.maximum(merged.intensity, 0.0)).tolist(),
        "seconds": seconds,
        "atoms": int(np.ceil(1.2 * known.n_asymmetric)),
    }
    code = f"import json, sys\nquestion = json.load(sys.stdin)\n{CCTBX}\nprint(json.dumps(answer))"
    try:
        run = subprocess.run(
            [sys.executable, "-c", code], input=json.dumps(question), capture_output=True, text=True,
            timeout=40 * seconds, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        answer = json.loads(run.stdout.splitlines()[-1])
    except (subprocess.TimeoutExpired, IndexError, json.JSONDecodeError) as error:
        print(f"cctbx failed on {known.name}: {type(error).__name__}", file=sys.stderr)
        return 0.0, 0.0, float("nan")
    found = in_cell(known.group, known.cell, np.array(answer["peaks"]).reshape(-1, 3))
    return *recall_and_precision(known, found), answer["seconds"]


def cut(crystal: MeasuredCrystal, d_min_angstrom: float) -> MeasuredCrystal:
    """The crystal with its reflections to a resolution only."""
    o, cell = crystal.observations, crystal.cell
    assert cell is not None
    kept = s_squared(o.hkl, [cell.parameters])[0] <= d_min_angstrom**-2.0
    part = replace(o, hkl=o.hkl[kept], intensity=o.intensity[kept], sigma=o.sigma[kept])
    return replace(crystal, observations=part)


def line(known: Known, seconds: float, cctbx: bool) -> dict[str, object]:
    """One crystal by both sides."""
    begun = time.process_time()
    try:
        solution = solve_crystal(
            known.crystal, settings=SolveSettings(seconds=seconds, clock=time.process_time)
        )
    except XtalpriorsError as error:
        print(f"{known.name:34s} refused: {error}", flush=True)
        spent = time.process_time() - begun
        return {"probe": known.crystal.probe, "seconds": spent} | dict.fromkeys(
            ("solved", "claimed", "group", "top3", "cctbx"), False
        )
    spent = time.process_time() - begun
    recall, precision = recall_and_precision(known, in_cell(solution.group, known.cell, solution.fract))
    same = {known.group.number, PAIRS.get(known.group.number, known.group.number)}
    same |= {a for a, b in PAIRS.items() if b == known.group.number}
    right = solution.group.number in same
    top3 = right or any(t.candidate.group.number in same for t in solution.tried)
    solved = recall >= RECALL and precision >= PRECISION
    other = by_cctbx(known, seconds) if cctbx else (0.0, 0.0, float("nan"))
    their = other[0] >= RECALL and other[1] >= PRECISION
    print(
        f"{known.name:34s} {'solved' if solved else '-':7s}{'group ' if right else '- ':6s} "
        f"{known.group.hm or known.group.number!s:12s} {solution.group.hm or '?':12s} "
        f"recall {recall:.2f} precision {precision:.2f} R1 {solution.r1:.3f} says {solution.verdict:9s} "
        f"{spent:6.1f} s" + (f" | cctbx {'solved' if their else '-':7s}{other[2]:6.1f} s" if cctbx else ""),
        flush=True,
    )
    return {"probe": known.crystal.probe, "solved": solved, "claimed": solution.verdict == "solved",
            "group": right, "top3": top3, "seconds": spent, "cctbx": their}  # fmt: skip


def total(name: str, rows: list[dict[str, object]], cctbx: bool) -> None:
    """One line of sums."""
    if not rows:
        return
    n = len(rows)
    median = statistics.median(float(str(r["seconds"])) for r in rows)
    wrong = sum(bool(r["claimed"]) and not r["solved"] for r in rows)
    print(
        f"{name}: N = {n}; solved {sum(bool(r['solved']) for r in rows)}, group right "
        f"{sum(bool(r['group']) for r in rows)}, in the groups tried {sum(bool(r['top3']) for r in rows)}, "
        f"called solved wrongly {wrong}, median {median:.1f} s"
        + (f"; cctbx with the group given solved {sum(bool(r['cctbx']) for r in rows)}" if cctbx else "")
    )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--time", type=float, default=20.0)
    parser.add_argument("--only", default="")
    parser.add_argument("--d-min", type=float)
    parser.add_argument("--no-cctbx", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for folder in arguments.folders:
        for known in known_crystals(folder):
            if arguments.only not in known.name:
                continue
            if arguments.d_min:
                known = replace(known, crystal=cut(known.crystal, arguments.d_min))
            rows.append(line(known, arguments.time, not arguments.no_cctbx))
    for probe in ("x-ray", "electron", "neutron"):
        total(probe, [r for r in rows if (r["probe"] or "x-ray") == probe], not arguments.no_cctbx)
    total("all", rows, not arguments.no_cctbx)


if __name__ == "__main__":
    main()
