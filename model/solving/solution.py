"""What solving a crystal found: the chosen group and model, what else was tried, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from xtalpriors.arrays import F64
from xtalpriors.counted import counted
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.chemistry.elements import SYMBOLS
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.model.measured.read_data import MeasuredCrystal, Probe
from xtalpriors.model.solving.build import Built
from xtalpriors.model.solving.candidates import AbsenceClass, Candidate
from xtalpriors.model.solving.prepare import GroupData, UniqueData

__all__ = ["Solution", "TriedGroup", "Verdict"]

Verdict = Literal["solved", "doubtful", "unsolved"]


@dataclass(frozen=True, slots=True, eq=False)
class TriedGroup:
    """A candidate group in which the structure was solved again.

    Attributes
    ----------
    candidate
        The group and what speaks for it before phasing.
    data
        Its reflections.
    symmetry
        How well the density found without symmetry has the group's, −1 to 1; None where there was none.
    built
        The best model.
    r_weak
        ⟨|Ec|²⟩ of the weakest tenth of the reflections: near 0 for a right structure, near 1 for a wrong one.
    correlation
        Correlation of |Fo| and |Fc| in %, over all reflections.
    merits
        (skewness gain, R1) of each model built.
    """

    candidate: Candidate
    data: GroupData
    symmetry: float | None
    built: Built
    r_weak: float
    correlation: float
    merits: tuple[tuple[float, float], ...]

    @property
    def r1(self) -> float:
        """Of the quick refinement."""
        return self.built.fit.r1


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """The result of `solve`.

    Attributes
    ----------
    name
        Of the crystal.
    verdict
        `solved`, `doubtful` or `unsolved`.
    reasons
        Why not `solved`, as sentences; and what else a user should know.
    crystal, cell, probe
        What was read.
    unique
        Merged data of the Laue class.
    chosen
        Group and model that are reported.
    tried
        All that was tried, the chosen one first.
    candidates
        All groups of the Laue class, the likeliest before phasing first.
    absences
        Classes of reflections that some group extinguishes.
    mean_e2_minus_1
        ⟨|E² − 1|⟩.
    seconds
        Spent.
    """

    name: str
    verdict: Verdict
    reasons: tuple[str, ...]
    crystal: MeasuredCrystal
    cell: UnitCell
    probe: Probe
    unique: UniqueData
    chosen: TriedGroup
    tried: tuple[TriedGroup, ...]
    candidates: tuple[Candidate, ...]
    absences: tuple[AbsenceClass, ...]
    mean_e2_minus_1: float
    seconds: float

    @property
    def group(self) -> SpaceGroup:
        """The chosen group."""
        return self.chosen.candidate.group

    @property
    def symbols(self) -> list[str]:
        """Elements of the atoms."""
        return [SYMBOLS[z] for z in self.chosen.built.fit.atoms.numbers.tolist()]

    @property
    def fract(self) -> F64:
        """Fractional coordinates of the atoms (n, 3)."""
        return self.chosen.built.fit.atoms.fract

    @property
    def r1(self) -> float:
        """R1 of the quick isotropic refinement."""
        return self.chosen.r1

    def __str__(self) -> str:
        hm = self.group.hm or f"no. {self.group.number}"
        lines = [
            f"{self.name}: {self.verdict} in {hm}, R1 = {self.r1:.3f}, {counted(len(self.symbols), 'atom')}, "
            f"{self.seconds:.1f} s"
        ]
        if len(self.tried) > 1:
            other = self.tried[1]
            lines.append(f"  next: {other.candidate.group.hm}, R1 = {other.r1:.3f}")
        return "\n".join([*lines, *(f"  {reason}" for reason in self.reasons)])
