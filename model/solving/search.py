"""Solve a crystal structure: measured reflections in, a model ready for refinement out.

The order is that of SHELXT (Sheldrick 2015, doi 10.1107/S2053273314026370) with charge flipping for its dual
space: phases without symmetry first, the space group from them and from the intensities, then the structure
again in each of the likeliest groups with symmetry enforced, and the group whose model explains the data.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from xtalpriors.arrays import I64
from xtalpriors.counted import counted
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError
from xtalpriors.model.measured.read_data import MeasuredCrystal, Probe
from xtalpriors.model.solving.attempts import Attempts
from xtalpriors.model.solving.candidates import Candidate, mean_e2_minus_1
from xtalpriors.model.solving.doubts import data_doubts, model_doubts
from xtalpriors.model.solving.elements import Composition
from xtalpriors.model.solving.network_phases import PhasingNetwork
from xtalpriors.model.solving.phasing import (
    Trials,
    flip_trials,
    group_grid,
    placed_in_group,
)
from xtalpriors.model.solving.prepare import (
    UniqueData,
    data_of_group,
)
from xtalpriors.model.solving.solution import Solution
from xtalpriors.model.solving.space_groups import (
    expanded,
    lattice_group,
)
from xtalpriors.model.solving.symmetry import Symmetry, symmetry_of

__all__ = ["SolveSettings", "solve_crystal"]

GROUPS_TRIED = 3
GROUPS_COMPARED = 8
"""Candidates whose symmetry is looked for in the density found without symmetry."""
UNLIKELY = 14.0
"""A candidate whose log likelihood is lower than the best one's by more is not looked at."""
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
        Random starts without symmetry, at most; 1 or more.
    cycles
        At most so many of each.
    clock
        What the seconds are counted by: time that passes, or `time.process_time`.

    Raises
    ------
    UsageError
        There are to be no trials.
    """

    seconds: float = 60.0
    seed: int = 1
    trials: int = 24
    cycles: int = 180
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        if self.trials < 1:
            raise UsageError(
                f"trials = {self.trials} is too few: phasing without symmetry needs at least 1 random start. "
                "Leave `trials` out for 24."
            )


def solve_crystal(
    crystal: MeasuredCrystal,
    *,
    space_group: SpaceGroup | None = None,
    laue: SpaceGroup | None = None,
    settings: SolveSettings | None = None,
    network: PhasingNetwork | None = None,
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
    network
        Whose phases are tried where charge flipping does not solve the structure.
    say
        Told what is being done.

    Raises
    ------
    UsageError
        The cell is not known or does not fit the group, or no space group has the Laue class and the
        centring together.
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
    search = _Search(crystal, cell, probe, settings, network, begun, say)
    return search.run(space_group, laue)


class _Search:
    """One crystal being solved."""

    def __init__(
        self,
        crystal: MeasuredCrystal,
        cell: UnitCell,
        probe: Probe,
        settings: SolveSettings,
        network: PhasingNetwork | None,
        begun: float,
        say: Callable[[str], None],
    ) -> None:
        self.crystal, self.cell, self.probe = crystal, cell, probe
        self.settings, self.network, self.begun, self.say = settings, network, begun, say
        self.rng = np.random.default_rng(settings.seed)
        composition = Composition.of(crystal.elements, crystal.counts, cell, probe)
        self.attempts = Attempts(cell, probe, composition, self.rng, say)

    @property
    def time_left(self) -> float:
        """Seconds left of those allowed."""
        return self.settings.seconds - (self.settings.clock() - self.begun)

    def run(self, space_group: SpaceGroup | None, laue: SpaceGroup | None) -> Solution:
        """Phase without symmetry and try the groups that fit best, with more trials while time is left."""
        symmetry = symmetry_of(self.crystal, self.cell, self.probe, space_group=space_group, laue=laue)
        candidates, ranked = symmetry.candidates, symmetry.data_of
        hkl, trials = self._without_symmetry(symmetry.data[-1], symmetry.letter)
        shortlist = self._shortlist(symmetry, hkl, trials)
        round_ = 0
        while True:
            for i, (score, candidate, seen, start) in enumerate(shortlist):
                if self.attempts.tried and self.time_left < 0:
                    break
                self.attempts.try_group(candidate, ranked[candidate.group], seen, start, round_)
                lead = score - max((other[0] for other in shortlist[i + 1 :]), default=-np.inf)
                if self.attempts.decided(candidate.group, lead):
                    break
            if self.network is not None and round_ == 0 and not self.attempts.explained:
                for _, candidate, seen, _ in shortlist:
                    if self.time_left < 0:
                        break
                    self.attempts.try_network(candidate, ranked[candidate.group], seen, self.network)
            self.attempts.raise_symmetry(candidates, ranked, hkl)
            if self.attempts.explained or self.time_left < 0.2 * self.settings.seconds:
                break
            round_ += 1
            self.say(f"round {round_ + 1}: best R1 {self.attempts.best_r1:.3f}")
            shortlist = [(score, c, s, None) for score, c, s, _ in shortlist]
        order = self.attempts.ordered()
        order[0] = self.attempts.assembled_model(order[0])
        e2 = data_of_group(symmetry.data[0], lattice_group(symmetry.letter), self.cell)
        statistic = mean_e2_minus_1(e2.intensity / symmetry.data[0].expected)
        chosen = order[0].candidate.group
        verdict, doubts = model_doubts(order, self.crystal, self.probe)
        doubts = data_doubts(self.crystal, self.cell, ranked[chosen], order[0], statistic) + doubts
        if verdict == "solved" and any(d.serious for d in doubts):
            verdict = "doubtful"
        return Solution(
            self.crystal.name,
            verdict,
            (*(d.text for d in doubts), *self.attempts.network_notes),
            self.crystal,
            self.cell,
            self.probe,
            ranked[chosen],
            order[0],
            tuple(order),
            candidates,
            symmetry.absences,
            statistic,
            self.settings.clock() - self.begun,
        )

    def _without_symmetry(self, unique: UniqueData, letter: str) -> tuple[I64, Trials]:
        """Flipping with the symmetry of the lattice: reflections, one of each Friedel pair, and trials."""
        lattice = lattice_group(letter)
        data = data_of_group(unique, lattice, self.cell)
        hkl, source = expanded(data.hkl, unique.laue)
        grid = group_grid(lattice, hkl)
        self.say(f"charge flipping without symmetry: {counted(len(hkl), 'reflection')}, grid {grid.shape}")
        until = (1.0 - FIRST_SHARE) * self.settings.seconds
        trials: Trials | None = None
        for _ in range(max(1, self.settings.trials // TRIALS_AT_ONCE)):
            more = flip_trials(
                grid,
                data.amplitude[source],
                data.e[source],
                unique.d_min_angstrom,
                self.rng,
                trials=min(TRIALS_AT_ONCE, self.settings.trials),
                cycles=self.settings.cycles,
            )
            trials = more if trials is None else trials.joined(more)
            if trials.converged or self.time_left < until:
                break
        assert trials is not None
        return hkl, trials

    def _shortlist(
        self, symmetry: Symmetry, hkl: I64, trials: Trials
    ) -> list[tuple[float, Candidate, float | None, torch.Tensor | None]]:
        """The groups to solve in, with the density placed at an origin of each."""
        likeliest = symmetry.candidates
        order = [c for c in likeliest if c.log_likelihood > likeliest[0].log_likelihood - UNLIKELY][
            :GROUPS_COMPARED
        ]
        scored = []
        for candidate in order:
            data = data_of_group(symmetry.data_of[candidate.group], candidate.group, self.cell)
            grid = group_grid(candidate.group, data.hkl)
            placed, seen = placed_in_group(grid, data.e, hkl, trials.f[:1])
            score = candidate.log_likelihood - (20.0 if candidate.refuted else 0.0)
            if trials.converged and candidate.group.order > 1:
                score += SYMMETRY_WEIGHT * min(0.0, float(seen[0]) - ENOUGH_SYMMETRY)
            scored.append((score, candidate, float(seen[0]), placed))
        scored.sort(key=lambda row: -row[0])
        return [row for row in scored[:GROUPS_TRIED] if row[0] > scored[0][0] - UNLIKELY]
