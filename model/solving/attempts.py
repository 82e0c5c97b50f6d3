"""Groups in which a structure is solved: flipping with their symmetry, models, and the choice among them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch

from xtalpriors.arrays import I64
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.scattering.reciprocal import s_squared
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import XtalpriorsError
from xtalpriors.model.measured.read_data import Probe
from xtalpriors.model.solving.assemble import assembled
from xtalpriors.model.solving.build import agreement, build_model
from xtalpriors.model.solving.candidates import Candidate
from xtalpriors.model.solving.derivatives import Reflections, calculated, phase_factors
from xtalpriors.model.solving.doubts import GOOD_R1, LARGEST_R_WEAK
from xtalpriors.model.solving.elements import Composition
from xtalpriors.model.solving.least_squares import Observed
from xtalpriors.model.solving.network_phases import PhasingNetwork
from xtalpriors.model.solving.phasing import flip_trials, group_grid, placed_in_group
from xtalpriors.model.solving.prepare import GroupData, UniqueData, data_of_group
from xtalpriors.model.solving.solution import TriedGroup

__all__ = ["Attempts"]

GROUPS_RAISED = 3
"""Groups that are tried on the density of a solved one, at most."""
DECISIVE = 8.0
"""A group that solves the structure and whose score leads by so much needs no comparison."""
NEARLY_DECISIVE = 4.0, 0.1
"""Nor does one that leads by less with a smaller R1 than this."""
MENDABLE_R1 = 0.13, 0.4
"""Of models that another composition may mend."""
CROWDED_GAIN = 0.6
"""Twice as many atoms always fit better; as much better as this they do where they are there."""
R1_WEIGHT = 200.0
"""Log likelihood that 1 in R1 is worth between groups of as much symmetry: 0.01 outweighs 2."""
SEEN_SYMMETRY = 0.45
"""Correlation of a solved density with its image by a group above which the group is tried on it."""


class Attempts:
    """What was tried on one crystal, by group.

    Parameters
    ----------
    cell, probe, composition
        Of the crystal.
    rng
        Of the random phases.
    say
        Told what is being done.
    """

    def __init__(
        self,
        cell: UnitCell,
        probe: Probe,
        composition: Composition,
        rng: np.random.Generator,
        say: Callable[[str], None],
    ) -> None:
        self.cell, self.probe, self.composition = cell, probe, composition
        self.rng, self.say = rng, say
        self.network_rng = rng.spawn(1)[0]
        """So that charge flipping has the same random phases with a network and without."""
        self.tried: dict[SpaceGroup, TriedGroup] = {}
        self.network_notes: list[str] = []
        """Sentences on groups in which the network could not be used, or should not be believed."""

    @property
    def best_r1(self) -> float:
        """The smallest R1; 1 where nothing was tried."""
        return min((t.r1 for t in self.tried.values()), default=1.0)

    @property
    def explained(self) -> bool:
        """Whether a model explains strong and weak reflections."""
        return any(self._explains(t) for t in self.tried.values())

    def _explains(self, tried: TriedGroup | None) -> bool:
        return tried is not None and tried.r1 < GOOD_R1[self.probe] and tried.r_weak < LARGEST_R_WEAK

    def decided(self, group: SpaceGroup, lead: float) -> bool:
        """Whether a tried group solves the structure, and leads the others by enough to try none of them."""
        r1 = self.tried[group].r1
        if r1 >= GOOD_R1[self.probe]:
            return False
        return lead > DECISIVE or (lead > NEARLY_DECISIVE[0] and r1 < NEARLY_DECISIVE[1])

    def raise_symmetry(
        self, candidates: Sequence[Candidate], ranked: dict[SpaceGroup, UniqueData], hkl: I64
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
        for candidate in sorted(likelier, key=lambda c: -c.log_likelihood)[:GROUPS_RAISED]:
            data = data_of_group(ranked[candidate.group], candidate.group, self.cell)
            grid = group_grid(candidate.group, data.hkl)
            placed, symmetry = placed_in_group(grid, data.e, hkl, f)
            if symmetry[0] > SEEN_SYMMETRY:
                self.say(f"{candidate.group.hm} fits the solution in {best.candidate.group.hm}")
                self._build(candidate, data, float(symmetry[0]), [(0.0, phase_factors(placed[0].numpy()))])

    def _density_of(self, tried: TriedGroup, hkl: I64) -> torch.Tensor:
        """Structure factors (1, m) of a model for reflections of no symmetry."""
        s2 = s_squared(hkl, [self.cell.parameters])[0]
        f = calculated(Reflections(tried.candidate.group, hkl, s2, self.probe), tried.built.fit.atoms)
        return torch.from_numpy(f.astype(np.complex64))[None]

    def try_group(
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
        starts = [(float(trials.gain[0]), phase_factors(trials.f[0].numpy()))]
        if start is not None:
            starts.append((0.0, phase_factors(start[0].numpy())))
        self._build(candidate, data, symmetry, starts)

    def try_network(
        self, candidate: Candidate, unique: UniqueData, symmetry: float | None, network: PhasingNetwork
    ) -> None:
        """Build models of phases that a network finds; a group that it was not made for is passed over."""
        data = data_of_group(unique, candidate.group, self.cell)
        try:
            phases, doubt = network.phases(candidate.group, self.cell, data, self.network_rng)
        except XtalpriorsError as error:
            self.say(f"no network for {candidate.group.hm}: {error}")
            self.network_notes.append(f"the network was not used in {candidate.group.hm}: {error}")
            return
        if doubt is not None:
            self.network_notes.append(f"phases of the network in {candidate.group.hm} are doubtful: {doubt}")
        self.say(f"phases of the network in {candidate.group.hm}")
        self._build(candidate, data, symmetry, [(0.0, one) for one in phases])

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
            if self._explains(before):
                break
            built = build_model(reflections, observed, self.cell, self.composition, phases)
            if MENDABLE_R1[0] < built.fit.r1 < MENDABLE_R1[1]:
                for other, gain_needed in self._other_compositions():
                    again = build_model(reflections, observed, self.cell, other, phases)
                    built = again if again.fit.r1 < gain_needed * built.fit.r1 else built
            merits = ((gain, built.fit.r1), *(before.merits if before else ()))
            if before is not None and before.r1 <= built.fit.r1:
                self.tried[group] = replace(before, merits=merits)
            else:
                self.tried[group] = TriedGroup(
                    candidate, data, symmetry, built, *agreement(data, built), merits
                )

    def _other_compositions(self) -> list[tuple[Composition, float]]:
        """Compositions to try where the usual one explains the data half, and by how much R1 has to fall."""
        others = []
        if self.composition.counts:
            # many a formula is a place holder: the density may know better
            others.append((replace(self.composition, counts=()), 1.0))
        elif 6 not in self.composition.numbers:
            others.append((replace(self.composition, crowded=True), CROWDED_GAIN))
        return others

    def ordered(self) -> list[TriedGroup]:
        """Tried groups, the one to report first.

        A group with less symmetry always fits better: of groups whose R1 is about as good as the best those
        with the most symmetry are taken, and of these the one for which intensities and R1 together speak.
        Where none is good the best leads.
        """
        tried = list(self.tried.values())
        best = min(t.r1 for t in tried)
        if best >= GOOD_R1[self.probe]:
            return sorted(tried, key=lambda t: t.r1)
        good = [t for t in tried if t.r1 <= 1.25 * best + 0.02]
        chosen = max(
            good, key=lambda t: (t.candidate.group.order, t.candidate.log_likelihood - R1_WEIGHT * t.r1)
        )
        return [chosen, *sorted((t for t in tried if t is not chosen), key=lambda t: t.r1)]

    def assembled_model(self, tried: TriedGroup) -> TriedGroup:
        """The model with bonded atoms together; F does not change."""
        fit = tried.built.fit
        atoms = assembled(tried.candidate.group, self.cell, fit.atoms)
        return replace(tried, built=replace(tried.built, fit=replace(fit, atoms=atoms)))
