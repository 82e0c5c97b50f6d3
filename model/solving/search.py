"""Solve a crystal structure: measured reflections in, a model ready for refinement out.

The order is that of SHELXT (Sheldrick 2015, doi 10.1107/S2053273314026370) with charge flipping for its dual
space: phases without symmetry first, the space group from them and from the intensities, then the structure
again in each of the likeliest groups with symmetry enforced, and the group whose model explains the data.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from xtalpriors.arrays import F64, I64
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.scattering.reciprocal import s_squared
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError
from xtalpriors.model.measured.read_data import MeasuredCrystal, Probe
from xtalpriors.model.solving.assemble import assembled
from xtalpriors.model.solving.build import Built, build_model
from xtalpriors.model.solving.candidates import AbsenceClass, Candidate, mean_e2_minus_1, rank_groups
from xtalpriors.model.solving.derivatives import Reflections, calculated
from xtalpriors.model.solving.doubts import GOOD_R1, data_doubts, model_doubts
from xtalpriors.model.solving.elements import Composition
from xtalpriors.model.solving.laue import LaueClass, choose_laue_classes, metric_rotations
from xtalpriors.model.solving.least_squares import Observed
from xtalpriors.model.solving.phasing import Trials, flip_trials, group_grid, placed_in_group
from xtalpriors.model.solving.prepare import (
    CONTAMINATION,
    GroupData,
    UniqueData,
    data_of_group,
    friedel_merged,
    lattice_of,
    unique_data,
)
from xtalpriors.model.solving.solution import Solution, TriedGroup
from xtalpriors.model.solving.space_groups import centring_vectors, groups_of_laue_class

__all__ = ["SolveSettings", "solve_crystal"]

GROUPS_TRIED = 3
GROUPS_COMPARED = 8
"""Candidates whose symmetry is looked for in the density found without symmetry."""
UNLIKELY = 14.0
"""A candidate whose log likelihood is lower than the best one's by more is not looked at."""
DECISIVE = 8.0
"""A group that solves the structure and whose score leads by so much needs no comparison."""
NEARLY_DECISIVE = 4.0, 0.1
"""Nor does one that leads by less with a smaller R1 than this."""
SEEN_SYMMETRY = 0.45
"""Correlation of a solved density with its image by a group above which the group is tried on it."""
SYMMETRY_WEIGHT = 12.0
ENOUGH_SYMMETRY = 0.7
"""Correlation of a density with its image above which the symmetry counts as seen."""


TRIALS_AT_ONCE = 4
FIRST_SHARE = 0.35
"""Share of the time that phasing without symmetry may take."""


@dataclass(frozen=True, slots=True)
class SolveSettings:
    """How long and how hard to try.

    Attributes
    ----------
    seconds
        After which no new trial is begun.
    seed
        Of the random phases.
    trials
        Random starts without symmetry, at most.
    cycles
        At most so many of each.
    clock
        What the seconds are counted by: time that passes, or `time.process_time`.
    """

    seconds: float = 60.0
    seed: int = 1
    trials: int = 24
    cycles: int = 180
    clock: Callable[[], float] = time.monotonic


def solve_crystal(
    crystal: MeasuredCrystal,
    *,
    space_group: SpaceGroup | None = None,
    laue: SpaceGroup | None = None,
    settings: SolveSettings | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Solution:
    """Solve.

    Parameters
    ----------
    crystal
        Reflections and what is known of the crystal.
    space_group
        The group, where it is known; it is taken as it is.
    laue
        Any group of the Laue class, where only that is known.
    settings
        Time and trials.
    say
        Told what is being done.

    Raises
    ------
    UsageError
        The cell is not known or does not fit the group.
    XtalpriorsError
        There are no reflections to work with.
    """
    settings = settings or SolveSettings()
    begun = settings.clock()
    if crystal.cell is None:
        raise UsageError(
            f"{crystal.observations.source}: the cell is not known. Give --cell or an .ins file."
        )
    cell, probe = crystal.cell, crystal.probe or "x-ray"
    search = _Search(crystal, cell, probe, settings, begun, say)
    return search.run(space_group, laue)


class _Search:
    """One crystal being solved."""

    def __init__(
        self,
        crystal: MeasuredCrystal,
        cell: UnitCell,
        probe: Probe,
        settings: SolveSettings,
        begun: float,
        say: Callable[[str], None],
    ) -> None:
        self.crystal, self.cell, self.probe = crystal, cell, probe
        self.settings, self.begun, self.say = settings, begun, say
        self.composition = Composition.of(crystal.elements, crystal.counts, cell, probe)
        self.rng = np.random.default_rng(settings.seed)
        self.tried: dict[SpaceGroup, TriedGroup] = {}

    @property
    def time_left(self) -> float:
        return self.settings.seconds - (self.settings.clock() - self.begun)

    def run(self, space_group: SpaceGroup | None, laue: SpaceGroup | None) -> Solution:
        merged = friedel_merged(self.crystal.observations)
        given = space_group or laue
        letter = given.centring if given else lattice_of(merged, self.cell, self.probe)
        if given is not None:
            classes = [LaueClass(_proper(given), None)]
        else:
            rotations = metric_rotations(self.cell, centring_vectors(letter))
            declared = None if self.crystal.group is None else _proper(self.crystal.group)
            classes = choose_laue_classes(merged, rotations, declared)
        data = [self._unique(c.rotations, letter) for c in classes]
        candidates: list[Candidate] = []
        absences: list[AbsenceClass] = []
        ranked: dict[SpaceGroup, UniqueData] = {}
        for i, (one, unique) in enumerate(zip(classes, data, strict=True)):
            groups = [space_group] if space_group else groups_of_laue_class(one.rotations, letter)
            found, seen = self._rank(groups, unique)
            if i:
                found = [replace(c, log_likelihood=c.log_likelihood - 2.0) for c in found]
            candidates += found
            absences = absences or seen
            ranked |= {c.group: unique for c in found}
        hkl, trials = self._without_symmetry(data[-1], letter)
        shortlist = self._shortlist(candidates, ranked, hkl, trials)
        round_ = 0
        while True:
            for i, (score, candidate, symmetry, start) in enumerate(shortlist):
                if self.tried and self.time_left < 0:
                    break
                self._try_group(candidate, ranked[candidate.group], symmetry, start, round_)
                lead = score - max((other[0] for other in shortlist[i + 1 :]), default=-np.inf)
                if self._decided(candidate.group, lead):
                    break
            self._raise_symmetry(candidates, ranked, hkl)
            best = min(self.tried.values(), key=lambda t: t.r1)
            if best.r1 < GOOD_R1[self.probe] or self.time_left < 0.2 * self.settings.seconds:
                break
            round_ += 1
            self.say(f"round {round_ + 1}: best R1 {best.r1:.3f}")
            shortlist = [(score, c, s, None) for score, c, s, _ in shortlist]
        order = self._order()
        order[0] = self._assembled(order[0])
        e2 = data_of_group(data[0], _lattice_group(letter), self.cell)
        statistic = mean_e2_minus_1(e2.intensity / data[0].expected)
        chosen = order[0].candidate.group
        verdict, doubts = model_doubts(order, self.crystal, self.probe)
        doubts = data_doubts(self.crystal, self.cell, ranked[chosen], chosen, statistic) + doubts
        if verdict == "solved" and any(d.serious for d in doubts):
            verdict = "doubtful"
        return Solution(
            self.crystal.name,
            verdict,
            tuple(d.text for d in doubts),
            self.crystal,
            self.cell,
            self.probe,
            ranked[chosen],
            order[0],
            tuple(order),
            tuple(candidates),
            tuple(absences),
            statistic,
            float(trials.gain[0]),
            self.settings.clock() - self.begun,
        )

    def _assembled(self, tried: TriedGroup) -> TriedGroup:
        """The model with bonded atoms together; F does not change."""
        fit = tried.built.fit
        atoms = assembled(tried.candidate.group, self.cell, fit.atoms)
        return replace(tried, built=replace(tried.built, fit=replace(fit, atoms=atoms)))

    def _decided(self, group: SpaceGroup, lead: float) -> bool:
        r1 = self.tried[group].r1
        if r1 >= GOOD_R1[self.probe]:
            return False
        return lead > DECISIVE or (lead > NEARLY_DECISIVE[0] and r1 < NEARLY_DECISIVE[1])

    def _raise_symmetry(
        self, candidates: list[Candidate], ranked: dict[SpaceGroup, UniqueData], hkl: I64
    ) -> None:
        """Where a structure was solved in one group, try likelier groups on its density."""
        best = min(self.tried.values(), key=lambda t: t.r1)
        if best.r1 >= GOOD_R1[self.probe]:
            return
        likelier = [
            c
            for c in candidates
            if c.log_likelihood > best.candidate.log_likelihood - 1.0
            and not c.refuted
            and (c.group not in self.tried or self.tried[c.group].r1 >= GOOD_R1[self.probe])
        ]
        if not likelier:
            return
        f = self._density_of(best, hkl)
        for candidate in sorted(likelier, key=lambda c: -c.log_likelihood)[:GROUPS_TRIED]:
            data = data_of_group(ranked[candidate.group], candidate.group, self.cell)
            grid = group_grid(candidate.group, data.hkl)
            placed, symmetry = placed_in_group(grid, data.e, hkl, f)
            if symmetry[0] > SEEN_SYMMETRY:
                self.say(f"{candidate.group.hm} fits the solution in {best.candidate.group.hm}")
                self._build(candidate, data, float(symmetry[0]), [(0.0, _phases(placed[0]))])

    def _density_of(self, tried: TriedGroup, hkl: I64) -> torch.Tensor:
        """Structure factors (1, m) of a model for reflections of no symmetry."""
        s2 = s_squared(hkl, [self.cell.parameters])[0]
        f = calculated(Reflections(tried.candidate.group, hkl, s2, self.probe), tried.built.fit.atoms)
        return torch.from_numpy(f.astype(np.complex64))[None]

    def _unique(self, rotations: I64, letter: str) -> UniqueData:
        return unique_data(self.crystal.observations, self.cell, rotations, letter, self.probe)

    def _rank(
        self, groups: list[SpaceGroup], unique: UniqueData
    ) -> tuple[list[Candidate], list[AbsenceClass]]:
        carbon = ("C" in self.crystal.elements) if self.crystal.elements else None
        return rank_groups(
            groups,
            unique.hkl,
            unique.intensity / unique.expected,
            unique.intensity / unique.sigma,
            unique.sigma / unique.expected,
            unique.possible,
            contamination=CONTAMINATION[self.probe],
            with_carbon=carbon,
        )

    def _without_symmetry(self, unique: UniqueData, letter: str) -> tuple[I64, Trials]:
        """Flipping with the symmetry of the lattice: reflections, one of each Friedel pair, and trials."""
        lattice = _lattice_group(letter)
        data = data_of_group(unique, lattice, self.cell)
        hkl, source = _expanded(data.hkl, unique.laue)
        grid = group_grid(lattice, hkl)
        self.say(f"charge flipping without symmetry: {len(hkl)} reflections, grid {grid.shape}")
        until = (1.0 - FIRST_SHARE) * self.settings.seconds
        trials: Trials | None = None
        for _ in range(self.settings.trials // TRIALS_AT_ONCE):
            more = flip_trials(
                grid,
                data.amplitude[source],
                data.e[source],
                unique.d_min_angstrom,
                self.rng,
                trials=TRIALS_AT_ONCE,
                cycles=self.settings.cycles,
            )
            trials = more if trials is None else trials.joined(more)
            if trials.converged or self.time_left < until:
                break
        assert trials is not None
        return hkl, trials

    def _shortlist(
        self, candidates: list[Candidate], ranked: dict[SpaceGroup, UniqueData], hkl: I64, trials: Trials
    ) -> list[tuple[float, Candidate, float | None, torch.Tensor | None]]:
        """The groups to solve in, with the density placed at an origin of each."""
        order = sorted(candidates, key=lambda c: (c.refuted, -c.log_likelihood))
        order = [c for c in order if c.log_likelihood > order[0].log_likelihood - UNLIKELY][:GROUPS_COMPARED]
        scored = []
        for candidate in order:
            data = data_of_group(ranked[candidate.group], candidate.group, self.cell)
            grid = group_grid(candidate.group, data.hkl)
            placed, symmetry = placed_in_group(grid, data.e, hkl, trials.f[:1])
            score = candidate.log_likelihood - (20.0 if candidate.refuted else 0.0)
            if trials.converged and candidate.group.order > 1:
                score += SYMMETRY_WEIGHT * min(0.0, float(symmetry[0]) - ENOUGH_SYMMETRY)
            scored.append((score, candidate, float(symmetry[0]), placed))
        scored.sort(key=lambda row: -row[0])
        return [row for row in scored[:GROUPS_TRIED] if row[0] > scored[0][0] - UNLIKELY]

    def _try_group(
        self,
        candidate: Candidate,
        unique: UniqueData,
        symmetry: float | None,
        start: torch.Tensor | None,
        round_: int,
    ) -> None:
        """Flip with the symmetry of a group, build a model of the best trial, and keep the best model."""
        group = candidate.group
        self.say(f"solving in {group.hm}")
        data = data_of_group(unique, group, self.cell)
        grid = group_grid(group, data.hkl)
        factor = (1.0, 0.92, 1.08, 0.85)[round_ % 4]
        trials = flip_trials(
            grid,
            data.amplitude,
            data.e,
            unique.d_min_angstrom,
            self.rng,
            trials=2 if round_ == 0 else 6,
            cycles=150 if round_ == 0 else 400,
            start=start,
            threshold_factor=factor,
        )
        starts = [(float(trials.gain[0]), _phases(trials.f[0]))]
        if start is not None:
            starts.append((0.0, _phases(start[0])))
        self._build(candidate, data, symmetry, starts)

    def _build(
        self,
        candidate: Candidate,
        data: GroupData,
        symmetry: float | None,
        starts: list[tuple[float, np.ndarray]],
    ) -> None:
        """Models from phases, until one explains the data; the best of the group is kept."""
        group = candidate.group
        reflections = Reflections(group, data.hkl, data.s2, self.probe)
        observed = Observed(data.intensity, data.sigma, data.amplitude)
        for gain, phases in starts:
            before = self.tried.get(group)
            if before is not None and before.r1 < GOOD_R1[self.probe]:
                break
            built = build_model(reflections, observed, self.cell, self.composition, phases)
            if self.composition.counts and 0.13 < built.fit.r1 < 0.4:
                # many a formula is a place holder: the density may know better
                free = replace(self.composition, counts=())
                other = build_model(reflections, observed, self.cell, free, phases)
                built = min(built, other, key=lambda b: b.fit.r1)
            merits = ((gain, built.fit.r1), *(before.merits if before else ()))
            if before is not None and before.r1 <= built.fit.r1:
                self.tried[group] = replace(before, merits=merits)
            else:
                self.tried[group] = TriedGroup(
                    candidate, data, symmetry, built, phases, *_explained(data, built), merits
                )

    def _order(self) -> list[TriedGroup]:
        """Tried groups, the one to report first.

        A group with less symmetry always fits better: of groups whose R1 is about as good as the best the one
        with the most symmetry is taken, and of equal ones the likeliest.
        """
        tried = list(self.tried.values())
        best = min(t.r1 for t in tried)
        good = [t for t in tried if t.r1 <= 1.25 * best + 0.02]
        chosen = max(good, key=lambda t: (t.candidate.group.order, t.candidate.log_likelihood))
        return [chosen, *sorted((t for t in tried if t is not chosen), key=lambda t: t.r1)]


def _proper(group: SpaceGroup) -> I64:
    """The proper rotations R or −R of a group's operators (n, 3, 3)."""
    sign = np.rint(np.linalg.det(group.rotations)).astype(np.int64)
    turned = group.rotations * sign[:, None, None]
    return np.unique(turned.reshape(-1, 9), axis=0).reshape(-1, 3, 3)


def _lattice_group(letter: str) -> SpaceGroup:
    from fractions import Fraction

    triplets = ["x,y,z"]
    for vector in centring_vectors(letter):
        parts = [str(Fraction(v).limit_denominator(12)) for v in vector]
        triplets.append(",".join(f"{axis}+{part}" for axis, part in zip("xyz", parts, strict=True)))
    return SpaceGroup.from_operators(triplets)


def _expanded(hkl: I64, laue: I64) -> tuple[I64, I64]:
    """All equivalents of unique reflections, one of each Friedel pair, and whose each is."""
    images = np.einsum("mi,nij->nmj", hkl, laue).reshape(-1, 3)
    source = np.tile(np.arange(len(hkl)), len(laue))
    h, k, l = images.T
    half = (l > 0) | ((l == 0) & ((k > 0) | ((k == 0) & (h > 0))))
    unique, first = np.unique(images[half], axis=0, return_index=True)
    return unique, source[half][first]


def _phases(f: torch.Tensor) -> np.ndarray:
    values = f.numpy().astype(np.complex128)
    size = np.abs(values)
    return np.where(size > 0, values / np.where(size > 0, size, 1.0), 1.0)


def _explained(data: GroupData, built: Built) -> tuple[float, float]:
    """R_weak and the correlation of |Fo| and |Fc| in %."""
    fc = np.abs(built.f)
    e2 = fc**2 / np.maximum(data.amplitude / np.maximum(data.e, 1e-9), 1e-9) ** 2
    e2 /= e2.mean()
    weak = np.argsort(data.e, kind="stable")[: max(1, len(data.e) // 10)]
    correlation: F64 = np.corrcoef(data.amplitude, fc)
    return float(e2[weak].mean()), float(100.0 * correlation[0, 1])
