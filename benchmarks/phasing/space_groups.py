"""How often the right space group is the likeliest, or among the three likeliest, by the intensities alone.

`xtalpriors solve` begins with this ranking (`model.solving.symmetry`): centring, Laue class, absences,
⟨|E² − 1|⟩ and the frequency of groups; no phases. The phases that follow choose among the first three and
others of the same absences (`benchmarks/phasing/solving.py` has the groups of whole solutions).

Simulated: molecules of the generator in the 60 commonest groups (`space_group_counts.tsv`), each group alike,
1.0 Å, all reflections of the sphere. Each crystal is measured several times:

- exact: σ = 1 % of |F|²; noisy: 10 %, and a twentieth of the mean beside
- lost: noisy at 3 %, merged in the true Laue class, and every systematic absence left out of the list
- partial: 3 %, 60 % of the unique reflections
- contaminated: 3 %, and 4 % of the mean intensity on every tenth reflection (λ/2, Renninger)
- twin: 3 %; the twin law is a rotation of the lattice that the Laue class lacks, the second component has
  15, 30 or 45 %; only of groups whose lattice has such a rotation

    python benchmarks/phasing/space_groups.py [FOLDER …] [--each 4] [--seed 1]

FOLDERs of measured crystals are those of `measured_crystals`.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import numpy as np
from measured_crystals import ENANTIOMORPHS, known_crystals

from xtalpriors.arrays import F64, I64
from xtalpriors.crystal import SpaceGroup, UnitCell
from xtalpriors.crystal.scattering.reciprocal import IndexBox, s_squared, systematic_absences
from xtalpriors.crystal.scattering.structure_factors import structure_factors
from xtalpriors.errors import XtalpriorsError
from xtalpriors.generator.config import configure
from xtalpriors.generator.generate import generate
from xtalpriors.generator.stream import crystal_arrays
from xtalpriors.model.charge_flipping.known_crystals import one_of
from xtalpriors.model.measured.merging import laue_rotations, merge_equivalents
from xtalpriors.model.measured.read_data import MeasuredCrystal
from xtalpriors.model.measured.read_reflections import Observations
from xtalpriors.model.solving.laue import metric_rotations
from xtalpriors.model.solving.space_groups import centring_vectors
from xtalpriors.model.solving.symmetry import symmetry_of
from xtalpriors.priors.bundle import published_bundle
from xtalpriors.reports.statistics import wilson

COMMONEST = 60
D_MIN_ANGSTROM = 1.0
VOLUME_OF_ASYMMETRIC_UNIT = 130.0
LARGEST_VOLUME = 1600.0
TWIN_FRACTIONS = 0.15, 0.3, 0.45


def commonest_groups() -> list[int]:
    """Numbers of the groups that most entries have."""
    text = (files("xtalpriors.model.solving") / "space_group_counts.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line[:1].isdigit()]
    rows.sort(key=lambda row: -(int(row[1]) + int(row[2])))
    return [int(row[0]) for row in rows[:COMMONEST]]


def same(a: int, b: int) -> bool:
    """Whether two numbers are of one group or of an enantiomorphic pair."""
    return a == b or ENANTIOMORPHS.get(a) == b or ENANTIOMORPHS.get(b) == a


def rank_of(crystal: MeasuredCrystal, number: int) -> int:
    """Rank of the right group, from 1; 0 where it is not among the candidates."""
    assert crystal.cell is not None
    try:
        found = symmetry_of(crystal, crystal.cell, crystal.probe or "x-ray").candidates
    except XtalpriorsError:
        return 0
    return next((i for i, c in enumerate(found, start=1) if same(c.group.number, number)), 0)


def observed(
    cell: UnitCell, hkl: I64, value: F64, noise: float, floor: float, rng: np.random.Generator
) -> MeasuredCrystal:
    """Intensities with errors that are normally distributed."""
    sigma = noise * value + floor * value.mean()
    seen = Observations(hkl, value + sigma * rng.standard_normal(len(value)), sigma, 0, "simulated", "|F|²")
    return MeasuredCrystal("simulated", (), seen, cell, elements=("C", "N", "O"))


def measurements(
    group: SpaceGroup, cell: UnitCell, hkl: I64, true: F64, rng: np.random.Generator
) -> Iterator[tuple[str, MeasuredCrystal]]:
    """A crystal (all hkl of the sphere and their |F|²) measured in several ways."""
    yield "exact", observed(cell, hkl, true, 0.01, 0.002, rng)
    yield "noisy", observed(cell, hkl, true, 0.1, 0.05, rng)
    usual = observed(cell, hkl, true, 0.03, 0.01, rng).observations
    laue = laue_rotations(group.rotations)
    merged = merge_equivalents(usual.hkl, usual.intensity, usual.sigma, laue)
    for name, kept in (
        ("lost", ~systematic_absences(group, merged.hkl)),
        ("partial", rng.random(len(merged.hkl)) < 0.6),
    ):
        seen = Observations(
            merged.hkl[kept], merged.intensity[kept], merged.sigma[kept], 0, "simulated", "|F|²"
        )
        yield name, MeasuredCrystal("simulated", (), seen, cell, group=group, elements=("C", "N", "O"))
    dirty = true + 0.04 * true.mean() * (rng.random(len(true)) < 0.1)
    yield "contaminated", observed(cell, hkl, dirty, 0.03, 0.01, rng)
    law = twin_law(group, cell)
    if law is not None:
        top = int(np.abs(hkl).max())
        place = np.full((2 * top + 1,) * 3, -1, dtype=np.int64)
        place[tuple((hkl + top).T)] = np.arange(len(hkl))
        other = true[place[tuple((hkl @ law + top).T)]]
        for fraction in TWIN_FRACTIONS:
            mixed = (1.0 - fraction) * true + fraction * other
            yield f"twin {fraction:.2f}", observed(cell, hkl, mixed, 0.03, 0.01, rng)


def twin_law(group: SpaceGroup, cell: UnitCell) -> I64 | None:
    """A rotation of the lattice that the Laue class of a group lacks, in whole numbers."""
    own = {tuple(r.ravel().tolist()) for r in laue_rotations(group.rotations)}
    lattice = metric_rotations(cell, centring_vectors(group.centring))
    return next((r for r in lattice if tuple(r.ravel().tolist()) not in own), None)


def simulated(number: int, each: int, seed: int) -> Iterator[tuple[str, int]]:
    """Kind of disturbance and rank of the right group."""
    group = SpaceGroup.from_number(number)
    volume = min(VOLUME_OF_ASYMMETRIC_UNIT * group.order, LARGEST_VOLUME)
    config = configure(
        space_group=str(number), cell="volume-uniform", volume_min_angstrom3=volume,
        volume_max_angstrom3=1.5 * volume, scale_with_order=False,
        length_min_angstrom=4.0, length_max_angstrom=25.0,
    )  # fmt: skip
    crystals = crystal_arrays(generate(published_bundle(), config, seed=seed, count=each))
    for i in range(each):
        crystal = one_of(crystals, i)
        cell = UnitCell(*crystal.cells[0].tolist())
        top = np.floor(crystal.cells[0, :3] / D_MIN_ANGSTROM).astype(int) + 1
        box = IndexBox(*(int(x) for t in top for x in (-t, t)))
        hkl = box.miller_indices
        inside = (s_squared(hkl, crystal.cells)[0] <= D_MIN_ANGSTROM**-2.0) & hkl.any(axis=1)
        f = structure_factors(group, crystal, box, D_MIN_ANGSTROM)[0].ravel()[inside]
        rng = np.random.default_rng((seed, number, i))
        for kind, measured in measurements(group, cell, hkl[inside], np.abs(f).astype(np.float64) ** 2, rng):
            yield kind, rank_of(measured, number)


def printed(name: str, ranks: list[int]) -> None:
    """Shares of the first and of the first three, with Wilson intervals."""
    parts = []
    for most in (1, 3):
        share = wilson(sum(0 < r <= most for r in ranks), len(ranks))
        parts.append(f"top {most}: {share.value:.3f} [{share.low:.3f}, {share.high:.3f}]")
    lacking = sum(r == 0 for r in ranks)
    print(f"{name:24s} N = {len(ranks):4d}   {'   '.join(parts)}   not a candidate: {lacking}", flush=True)


def main() -> None:
    """Both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--each", type=int, default=4, help="crystals of each group")
    parser.add_argument("--seed", type=int, default=1)
    a = parser.parse_args()
    measured: dict[str, list[int]] = defaultdict(list)
    for folder in a.folders:
        for known in known_crystals(folder):
            kind = f"{known.crystal.probe or 'x-ray'}, {known.truth.kind}"
            measured[kind].append(rank_of(known.crystal, known.truth.group.number))
            if measured[kind][-1] != 1:
                print(f"  {known.name}: {known.truth.group.hm} has rank {measured[kind][-1]}")
    for kind, ranks in measured.items():
        printed(f"measured, {kind}", ranks)
    if measured:
        printed("measured, all", [r for ranks in measured.values() for r in ranks])
    made: dict[str, list[int]] = defaultdict(list)
    for number in commonest_groups():
        for kind, rank in simulated(number, a.each, a.seed):
            made[kind].append(rank)
    for kind, ranks in made.items():
        printed(f"simulated, {kind}", ranks)
    printed("simulated, all", [r for ranks in made.values() for r in ranks])


if __name__ == "__main__":
    main()
