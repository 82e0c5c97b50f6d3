"""Structures solved from measured reflections whose structure is known, beside charge flipping of cctbx.

Each set is solved from its reflections, cell and elements; the space group is not given. cctbx's charge
flipping (Oszlányi & Sütő, smtbx) gets the same reflections and the same time, and the right group besides:
its density is placed in that group and its strongest peaks, as many as the known structure has atoms and a
fifth more, count as atoms. Solved: at least 75 % of the known structure's atoms that are there in more than
half of the cells, without hydrogen, are found within 0.5 Å, and at least 60 % of what was found is known,
after the best origin and hand. Times are processor time of one thread, and so is the limit.

    python benchmarks/phasing/solving.py FOLDER … [--time 20] [--only NAME] [--no-cctbx] [--network NAME]
    python benchmarks/phasing/solving.py FOLDER … --d-min 1.2 1.4 1.6 2.0 [--network NAME] [--solve]

The second form cuts the lists and prints, in the right group, the map correlation of charge flipping, of the
dual-space network alone and of the network after charge flipping, eight trials each, for crystals that are
neither twins nor grossly disordered and whose grid the network takes; with `--solve` also how many of them
are solved, the group not given, without and with the network. `measured_crystals` says what a folder has.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from measured_crystals import PRECISION, RECALL, Known, in_cell, known_crystals, recall_and_precision
from torch import Tensor

from xtalpriors.crystal.scattering.reciprocal import s_squared, systematic_absences
from xtalpriors.errors import XtalpriorsError
from xtalpriors.model.charge_flipping.map_correlation import map_correlation
from xtalpriors.model.charge_flipping.trials import phase_by_charge_flipping
from xtalpriors.model.dual_space.phasing import (
    grid_of_crystal,
    listed,
    phase_by_network,
    phase_with_network,
    places_of,
)
from xtalpriors.model.measured.merging import laue_rotations, merge_equivalents
from xtalpriors.model.measured.read_data import MeasuredCrystal
from xtalpriors.model.prediction.named_network import SHIPPED
from xtalpriors.model.solving import Solution, SolveSettings, solve_crystal
from xtalpriors.model.solving.derivatives import Reflections, calculated
from xtalpriors.model.solving.network_phases import DualSpacePhases, PhasingNetwork, phasing_network
from xtalpriors.model.solving.phasing import group_grid
from xtalpriors.model.solving.prepare import data_of_group, unique_data
from xtalpriors.model.solving.space_groups import proper_rotations

CUT_TRIALS = 8
"""Trials of each side on a cut list."""

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


def by_cctbx(known: Known, seconds: float) -> tuple[bool, float]:
    """Whether cctbx solves it, and its seconds; NaN where it fails."""
    o, truth = known.crystal.observations, known.truth
    keep = o.hkl.any(axis=1) & ~systematic_absences(truth.group, o.hkl)
    merged = merge_equivalents(
        o.hkl[keep], o.intensity[keep], o.sigma[keep], laue_rotations(truth.group.rotations)
    )
    question = {
        "cell": truth.cell.parameters,
        "hall": truth.group.hall,
        "hkl": merged.hkl.tolist(),
        "f": np.sqrt(np.maximum(merged.intensity, 0.0)).tolist(),
        "seconds": seconds,
        "atoms": int(np.ceil(1.2 * len(truth.atoms))),
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
        return False, float("nan")
    found = in_cell(truth.group, truth.cell, np.array(answer["peaks"]).reshape(-1, 3))
    recall, precision = recall_and_precision(truth, found)
    return recall >= RECALL and precision >= PRECISION, answer["seconds"]


@dataclass(frozen=True, slots=True)
class Row:
    """One crystal by both sides; `why` says in a few words why it is not solved."""

    probe: str
    kind: str
    d_min: float
    solved: bool
    claimed: bool
    group: bool
    tried: bool
    seconds: float
    cctbx: bool
    why: str


def solve_one(
    known: Known, seconds: float, network: PhasingNetwork | None = None
) -> tuple[Solution | str, float]:
    """The solution, or why it was refused; and its seconds."""
    begun = time.process_time()
    try:
        found: Solution | str = solve_crystal(
            known.crystal,
            settings=SolveSettings(seconds=seconds, clock=time.process_time),
            network=network,
        )
    except XtalpriorsError as error:
        found = f"refused: {error}"
    return found, time.process_time() - begun


def is_solved(known: Known, found: Solution | str) -> tuple[float, float, bool]:
    """Recall, precision, and whether both are large enough."""
    if isinstance(found, str):
        return 0.0, 0.0, False
    atoms = in_cell(found.group, known.truth.cell, found.fract)
    recall, precision = recall_and_precision(known.truth, atoms)
    return recall, precision, recall >= RECALL and precision >= PRECISION


def why_not(known: Known, found: Solution, recall: float, precision: float) -> str:
    """Why a crystal is not solved, from what is known of it and what was tried."""
    truth = known.truth
    if truth.kind == "twin":
        return "a twin"
    if truth.kind == "disordered":
        return f"{100 * truth.disordered:.0f} % of the atoms are disordered"
    if found.unique.completeness < 0.5:
        return f"only {100 * found.unique.completeness:.0f} % of the reflections were measured"
    numbers = [truth.has_group(c.group) for c in found.candidates]
    if not any(numbers):
        return "the right group is not among those of the Laue class that was found"
    right = [t.r1 for t in found.tried if truth.has_group(t.candidate.group)]
    if not right:
        return f"the right group has rank {numbers.index(True) + 1} and was not tried"
    if not truth.has_group(found.group):
        return f"tried in the right group: R1 {min(right):.3f}"
    return f"right group; {100 * recall:.0f} % of the atoms found, {100 * precision:.0f} % of them right"


def line(known: Known, seconds: float, cctbx: bool, network: PhasingNetwork | None) -> Row:
    """One crystal by both sides."""
    found, spent = solve_one(known, seconds, network)
    truth, probe = known.truth, known.crystal.probe or "x-ray"
    o = known.crystal.observations
    finest = float(s_squared(o.hkl, [truth.cell.parameters]).max() ** -0.5)
    if isinstance(found, str):
        print(f"{known.name:34s} {found}", flush=True)
        return Row(probe, truth.kind, finest, False, False, False, False, spent, False, found)
    recall, precision, solved = is_solved(known, found)
    right = truth.has_group(found.group)
    tried = right or any(truth.has_group(t.candidate.group) for t in found.tried)
    their, their_seconds = by_cctbx(known, seconds) if cctbx else (False, 0.0)
    why = "" if solved else why_not(known, found, recall, precision)
    print(
        f"{known.name:34s} {'solved' if solved else '-':7s}{'group ' if right else '- ':6s} "
        f"{truth.group.hm or truth.group.number!s:12s} {found.group.hm or '?':12s} "
        f"recall {recall:.2f} precision {precision:.2f} R1 {found.r1:.3f} says {found.verdict:9s} "
        f"{spent:6.1f} s"
        + (f" | cctbx {'solved' if their else '-':7s}{their_seconds:6.1f} s" if cctbx else "")
        + (f"   {why}" if why else ""),
        flush=True,
    )  # fmt: skip
    claimed = found.verdict == "solved"
    return Row(probe, truth.kind, finest, solved, claimed, right, tried, spent, their, why)


def total(name: str, rows: list[Row], cctbx: bool) -> None:
    """One line of sums."""
    if not rows:
        return
    print(
        f"{name}: N = {len(rows)}; solved {sum(r.solved for r in rows)}, group right "
        f"{sum(r.group for r in rows)}, among the groups tried {sum(r.tried for r in rows)}, called solved "
        f"wrongly {sum(r.claimed and not r.solved for r in rows)}, solved and not called so "
        f"{sum(r.solved and not r.claimed for r in rows)}, "
        f"median {statistics.median(r.seconds for r in rows):.1f} s"
        + (f"; cctbx with the group given solved {sum(r.cctbx for r in rows)}" if cctbx else "")
    )


def totals(rows: list[Row], cctbx: bool) -> None:
    """Sums by probe, and of the X-ray sets to 1.05 Å by what the crystals are."""
    for probe in ("x-ray", "electron", "neutron"):
        total(probe, [r for r in rows if r.probe == probe], cctbx)
    for kind in ("ordered", "disordered", "twin"):
        some = [r for r in rows if r.probe == "x-ray" and r.d_min <= 1.05 and r.kind == kind]
        total(f"x-ray to 1.05 Å, {kind}", some, cctbx)
    total("all", rows, cctbx)


def cut(crystal: MeasuredCrystal, d_min_angstrom: float) -> MeasuredCrystal:
    """The crystal with its reflections to a resolution only."""
    o, cell = crystal.observations, crystal.cell
    assert cell is not None
    kept = s_squared(o.hkl, [cell.parameters])[0] <= d_min_angstrom**-2.0
    part = replace(o, hkl=o.hkl[kept], intensity=o.intensity[kept], sigma=o.sigma[kept])
    return replace(crystal, observations=part)


def map_correlations(known: Known, helper: DualSpacePhases) -> dict[str, tuple[float, float]]:
    """r of the trial chosen by charge flipping, the network, and both, each with its seconds."""
    truth, probe = known.truth, known.crystal.probe or "x-ray"
    group, cell = truth.group, truth.cell
    observations = known.crystal.observations
    unique = unique_data(observations, cell, proper_rotations(group), group.centring, probe)
    data = data_of_group(unique, group, cell)
    grid = grid_of_crystal(group, cell.parameters, unique.d_min_angstrom)
    amplitudes = torch.from_numpy(data.amplitude).float()
    own = group_grid(group, data.hkl)
    place = torch.from_numpy(places_of(grid, data.hkl))
    known_f = calculated(Reflections(group, data.hkl, data.s2, probe), truth.atoms)
    true = torch.from_numpy(known_f.astype(np.complex64))
    full = listed(grid, data.hkl, amplitudes)
    shape = grid, cell.parameters, full

    def flipping(rng: np.random.Generator) -> Tensor:
        found = phase_by_charge_flipping(own, amplitudes, cell.parameters, trials=CUT_TRIALS, rng=rng)
        return found.f[found.best]

    def alone(rng: np.random.Generator) -> Tensor:
        found = phase_by_network(helper.network, *shape, trained=helper.trained, starts=CUT_TRIALS, rng=rng)
        return found.f[found.best, place]

    def both(rng: np.random.Generator) -> Tensor:
        found = phase_with_network(helper.network, *shape, trained=helper.trained, trials=CUT_TRIALS, rng=rng)
        return found.f[found.best, place]

    sides: dict[str, Callable[[np.random.Generator], Tensor]] = {
        "flipping": flipping, "network": alone, "both": both
    }  # fmt: skip
    result = {}
    for name, side in sides.items():
        begun = time.process_time()
        f = side(np.random.default_rng(1))
        spent = time.process_time() - begun
        result[name] = float(map_correlation(own, f[None], true, amplitudes)[0]), spent
    return result


def cut_table(crystals: list[Known], d_min: float, seconds: float | None, network: DualSpacePhases) -> None:
    """One resolution: mean r and shares of r ≥ 0.8 by side; with seconds, how many are solved."""
    found: list[dict[str, tuple[float, float]]] = []
    solved = {"without": 0, "with": 0}
    for whole in crystals:
        known = replace(whole, crystal=cut(whole.crystal, d_min))
        try:
            found.append(map_correlations(known, network))
        except XtalpriorsError:
            continue
        r = ", ".join(f"{name} {value:.2f}" for name, (value, _) in found[-1].items())
        answers = []
        for name, helper in (("without", None), ("with", network)):
            if seconds is None:
                continue
            solution, _ = solve_one(known, seconds, helper)
            right = is_solved(known, solution)[2]
            solved[name] += right
            answers.append(f"{'solved' if right else '-'} {name}")
        print(f"  {d_min:.1f} Å {known.name:34s} r: {', '.join([r, *answers])}", flush=True)
    n = len(found)
    if not n:
        return
    shares = f"; solved without the network {solved['without']}, with it {solved['with']}"
    print(f"{d_min:.1f} Å, N = {n}{shares if seconds else ''}")
    for name in found[0]:
        r = np.array([one[name][0] for one in found])
        base = np.array([one["flipping"][0] for one in found])
        spent = statistics.median(one[name][1] for one in found)
        print(
            f"  {name:9s} mean r {r.mean():.3f} "
            f"(Δ {(r - base).mean():+.3f} ± {(r - base).std() / n**0.5:.3f}), "
            f"r ≥ 0.8: {int((r >= 0.8).sum())}, median {spent:.2f} s",
            flush=True,
        )  # fmt: skip


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--time", type=float, default=20.0)
    parser.add_argument("--only", default="")
    parser.add_argument("--d-min", type=float, nargs="+", default=[])
    parser.add_argument("--solve", action="store_true", help="with --d-min: solve the cut lists too")
    parser.add_argument(
        "--network", metavar="NAME", default=SHIPPED, help="shipped, the folder of a run, or none"
    )
    parser.add_argument("--no-cctbx", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    crystals = [k for f in arguments.folders for k in known_crystals(f) if arguments.only in k.name]
    if arguments.d_min:
        network = phasing_network(arguments.network)
        if not isinstance(network, DualSpacePhases):
            parser.error(f"--d-min compares with a dual-space network, and {arguments.network} is PhAI")
        ordered = [k for k in crystals if k.truth.kind == "ordered"]
        for d_min in arguments.d_min:
            cut_table(ordered, d_min, arguments.time if arguments.solve else None, network)
        return
    helper = None if arguments.network == "none" else phasing_network(arguments.network)
    rows = [line(known, arguments.time, not arguments.no_cctbx, helper) for known in crystals]
    totals(rows, not arguments.no_cctbx)


if __name__ == "__main__":
    main()
