"""What a user should know before trusting a solution, as sentences; and the verdict that follows."""

from __future__ import annotations

from dataclasses import dataclass

from xtalpriors.counted import counted
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.chemistry.elements import SYMBOLS
from xtalpriors.crystal.chemistry.formula import hill_formula
from xtalpriors.model.measured.intensity_statistics import intensity_statistics
from xtalpriors.model.measured.read_data import MeasuredCrystal, Probe
from xtalpriors.model.measured.read_reflections import Observations
from xtalpriors.model.solving.elements import VOLUMES_PER_ATOM_ANGSTROM3
from xtalpriors.model.solving.laue import metric_rotations
from xtalpriors.model.solving.prepare import UniqueData
from xtalpriors.model.solving.solution import TriedGroup, Verdict
from xtalpriors.model.solving.space_groups import centring_vectors

__all__ = ["GOOD_R1", "LARGEST_R_WEAK", "data_doubts", "model_doubts"]

GOOD_R1: dict[Probe, float] = {"x-ray": 0.25, "neutron": 0.28, "electron": 0.32}
"""A smaller R1 of a quick isotropic refinement ends the search."""
SURE_R1: dict[Probe, float] = {"x-ray": 0.21, "neutron": 0.25, "electron": 0.3}
"""A smaller R1 is that of a right model. Between this and `GOOD_R1` there are wrong models of twins and right
ones of disordered crystals."""
DOUBTFUL_R1 = 0.1
"""How much larger R1 may be for `doubtful` instead of `unsolved`."""
LARGEST_R_WEAK = 0.3
"""Of models that explain the weak reflections too."""
FEWEST_PER_PARAMETER = 3.0
"""Strong reflections per parameter below which a small R1 proves little."""
OVERFITTED_R1 = 0.18
MEANINGLESS_PER_PARAMETER = 1.5
"""Strong reflections per parameter below which even random intensities are fitted to any R1."""
EXPLAINED_R1 = 0.08
"""Of a model that proves that the data are what they were read as."""
SMALLEST_COMPLETENESS = 0.5
SMALLEST_STRONG = 0.1
"""Share of observations stronger than 3 σ; the weakest data that were ever solved here have 0.27."""
SMALLEST_SPREAD = 0.1
"""Standard deviation of the intensities over their mean; Wilson's statistics have 1, or 1.4 with a centre."""
TWIN_STATISTIC = 0.66
"""⟨|E² − 1|⟩ below the 0.736 of a structure without a centre by as much as twins have."""
OTHER_CONTENTS = 0.25
"""Share of an element's atoms by which a model may differ from the formula without a word, or one atom."""
NEAR_R1 = 0.02
"""Two groups whose R1 differ by less are both named."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A sentence, and whether it forbids the word `solved`."""

    text: str
    serious: bool = False


def data_doubts(
    crystal: MeasuredCrystal, cell: UnitCell, unique: UniqueData, chosen: TriedGroup, e2_statistic: float
) -> list[Doubt]:
    """Doubts about what was read, `chosen` being the model that is reported."""
    found = [Doubt(note) for note in crystal.notes]
    observations = crystal.observations
    if observations.n_overlapped:
        found.append(
            Doubt(
                f"left out: {counted(observations.n_overlapped, 'reflection')} of the HKLF 5 list, "
                "overlapped with another twin component"
            )
        )
    if unique.completeness < SMALLEST_COMPLETENESS:
        text = f"only {100 * unique.completeness:.0f} % of the reflections to {unique.d_min_angstrom:.2f} Å"
        found.append(Doubt(f"{text} were measured: a model may be wrong in parts", True))
    wavelength = crystal.wavelength_angstrom
    finest = float(unique.s2.max() ** -0.5)
    if wavelength is not None and crystal.probe != "electron" and finest < 0.49 * wavelength:
        found.append(
            Doubt(
                f"there are reflections to {finest:.2f} Å, but a wavelength of {wavelength:g} Å reaches only "
                f"{wavelength / 2:.2f} Å: the cell or the wavelength is wrong"
            )
        )
    declared = crystal.group
    if declared is not None and declared.centring != unique.letter:
        found.append(
            Doubt(
                f"the file declares the centring {declared.centring}, the reflections have {unique.letter}: "
                "is the list in the setting of the cell?"
            )
        )
    rotations = len(metric_rotations(cell, centring_vectors(unique.letter)))
    if 2 * rotations > len(unique.laue) and chosen.r1 > GOOD_R1[crystal.probe or "x-ray"]:
        found.append(
            Doubt(
                f"the lattice has {rotations} rotations, the intensities {len(unique.laue) // 2} of them: is "
                "the list in the setting of the cell?"
            )
        )
    if e2_statistic < TWIN_STATISTIC:
        found.append(
            Doubt(
                f"⟨|E² − 1|⟩ = {e2_statistic:.2f} is below the 0.74 of any single crystal: it may be twinned"
            )
        )
    found += _value_doubts(observations, chosen)
    found += _formula_doubts(crystal, cell, chosen)
    return found


def _value_doubts(observations: Observations, chosen: TriedGroup) -> list[Doubt]:
    """Doubts about the columns that were read: no model explains wrong ones well."""
    found: list[Doubt] = []
    serious = chosen.r1 > EXPLAINED_R1
    intensity, sigma = observations.intensity, observations.sigma
    known = sigma > 0
    if not known.any():
        text = "no reflection has a standard uncertainty: 5 % of |F|² was assumed, and R1 counts all"
        found.append(Doubt(text))
    elif (strong := float((intensity > 3.0 * sigma)[known].mean())) < SMALLEST_STRONG:
        text = f"only {100 * strong:.0f} % of the observations are stronger than 3 σ: are the columns of the "
        found.append(Doubt(f"{text}intensity and of its σ exchanged?", serious))
    if float(intensity.std()) < SMALLEST_SPREAD * float(intensity.mean()):
        text = "all intensities are nearly equal, as those of no crystal are: is it the right column?"
        found.append(Doubt(text, True))
    # a few heavy atoms have other statistics than Wilson's
    group = chosen.candidate.group
    statistics = intensity_statistics(observations.hkl, intensity, group, observations.read_as)
    if statistics.contradict:
        found.append(Doubt(f"the values look like {statistics.verdict} and were {statistics}", serious))
    return found


def _formula_doubts(crystal: MeasuredCrystal, cell: UnitCell, chosen: TriedGroup) -> list[Doubt]:
    counts = {e: n for e, n in zip(crystal.elements, crystal.counts, strict=False) if e != "H"}
    total = sum(counts.values())
    if total <= 0:
        return []
    each = cell.volume / total
    if VOLUMES_PER_ATOM_ANGSTROM3[0] <= each <= VOLUMES_PER_ATOM_ANGSTROM3[1]:
        return []
    return [
        Doubt(
            f"the contents {hill_formula(counts)} leave {each:.1f} Å³ an atom in a cell of "
            f"{cell.volume:.0f} Å³, which no crystal has: the formula or Z is wrong, and only its elements "
            "were used",
            chosen.r1 > EXPLAINED_R1,
        )
    ]


def model_doubts(
    order: list[TriedGroup], crystal: MeasuredCrystal, probe: Probe
) -> tuple[Verdict, list[Doubt]]:
    """The verdict of the model alone, and doubts about it; `order` has the chosen group first."""
    chosen = order[0]
    atoms, r1 = chosen.built.fit.atoms, chosen.r1
    strong = int((chosen.data.intensity > 2.0 * chosen.data.sigma).sum())
    ratio = strong / (4.0 * len(atoms) + 1.0)
    found: list[Doubt] = []
    if r1 >= SURE_R1[probe]:
        found.append(Doubt(f"R1 = {r1:.3f}; right models reach less than {SURE_R1[probe]:.2f}", True))
    if chosen.r_weak > LARGEST_R_WEAK:
        found.append(
            Doubt(
                f"the weakest reflections are calculated too strong (R_weak = {chosen.r_weak:.2f}; right "
                f"models have less than {LARGEST_R_WEAK})",
                True,
            )
        )
    if ratio < MEANINGLESS_PER_PARAMETER or (ratio < FEWEST_PER_PARAMETER and r1 > OVERFITTED_R1):
        found.append(
            Doubt(f"only {ratio:.1f} strong reflections per parameter: R1 = {r1:.3f} proves little", True)
        )
    for other in order[1:]:
        if other.r1 < r1 + NEAR_R1:
            name = other.candidate.group.hm or f"no. {other.candidate.group.number}"
            as_much = other.candidate.group.order >= chosen.candidate.group.order
            kind = "other" if as_much else "less"
            text = f"{name} explains the data about as well (R1 = {other.r1:.3f}) with {kind} symmetry"
            # less symmetry always fits as well; as much of another kind does not
            found.append(Doubt(text, as_much))
    found += _composition_doubts(chosen, crystal)
    if not any(d.serious for d in found):
        return "solved", found
    return ("doubtful" if r1 < GOOD_R1[probe] + DOUBTFUL_R1 else "unsolved"), found


def _composition_doubts(chosen: TriedGroup, crystal: MeasuredCrystal) -> list[Doubt]:
    """Elements of the formula that the model lacks, or has in other numbers."""
    have = {SYMBOLS[z]: n for z, n in chosen.built.fit.atoms.counts().items()}
    lacking = [e for e in crystal.elements if e != "H" and e not in have]
    if lacking:
        return [Doubt(f"no atom was found to be {', '.join(lacking)}")]
    order = chosen.candidate.group.order
    want = {e: n / order for e, n in zip(crystal.elements, crystal.counts, strict=False) if e != "H"}
    if all(abs(have[e] - n) <= max(1.0, OTHER_CONTENTS * n) for e, n in want.items()):
        return []
    shown = [hill_formula({e: round(n, 2) for e, n in one.items()}) for one in (have, want)]
    return [
        Doubt(
            f"the asymmetric unit has {shown[0]} in the model and {shown[1]} by the formula: neighbours in "
            "the periodic table may be exchanged, or Z is another"
        )
    ]
