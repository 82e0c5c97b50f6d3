"""From phases to a refined model: peaks, elements, least squares, and the maps of the model again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xtalpriors.arrays import F64
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.model.charge_flipping.density_map import density_map
from xtalpriors.model.solving.derivatives import Reflections, calculated, phase_factors
from xtalpriors.model.solving.elements import Composition, assign_elements, peak_powers
from xtalpriors.model.solving.least_squares import Fit, Observed, refine
from xtalpriors.model.solving.model import Atoms, nearest_images
from xtalpriors.model.solving.peaks import Peaks, find_peaks
from xtalpriors.model.solving.prepare import GroupData

__all__ = ["Built", "agreement", "build_model"]

EQUAL = 1e-6
"""Standard deviation over the mean of amplitudes below which they count as equal."""
START_U_ANGSTROM2 = 0.04
LARGEST_U = 3.0
"""Atoms with a larger U, in units of the median, are taken out."""
SMALLEST_POWER = 0.4
"""Atoms that scatter less, in units of the lightest element, are taken out."""
SETTLED = 0.003
"""A round that improves R1 by less is the last."""
SURPLUS = 1.3
"""Peaks that are looked for, over the atoms that are expected."""
SLACK = 0.3
"""More of them, at most half an atom: a small cell may hold one more than its volume lets expect."""


@dataclass(frozen=True, slots=True, eq=False)
class Built:
    """A model and what it explains.

    Attributes
    ----------
    fit
        Refined model.
    f
        Its structure factors on the scale of the model, complex (m,).
    difference
        Strongest peaks of the last difference map, electrons per Å³.
    """

    fit: Fit
    f: np.ndarray
    difference: Peaks


def build_model(
    reflections: Reflections,
    observed: Observed,
    cell: UnitCell,
    composition: Composition,
    phases: np.ndarray,
    *,
    rounds: int = 5,
) -> Built:
    """Build and refine.

    Parameters
    ----------
    reflections, observed
        Unique measured reflections.
    cell, composition
        Of the crystal.
    phases
        exp(iφ) of every reflection, complex (m,).
    rounds
        Of refinement and new maps.
    """
    group = reflections.group
    expected = composition.atoms_expected(cell.volume, group.order)
    most = int(np.ceil(SURPLUS * expected)) + 3
    peaks = find_peaks(density_map(group, cell, reflections.hkl, observed.amplitude * phases), 2 * most)
    room = SURPLUS * expected + min(0.5, SLACK * expected)
    atoms = _first_atoms(peaks, group, cell, composition, room)
    fit, factors = refine(reflections, observed, cell, atoms, cycles=3, what="power")
    best: Fit | None = None
    for turn in range(rounds):
        atoms = _reassigned(fit.atoms, factors, composition, group.order)
        fit, _ = refine(reflections, observed, cell, atoms, cycles=3)
        atoms = _pruned(fit.atoms)
        if len(atoms) < len(fit.atoms):
            fit, _ = refine(reflections, observed, cell, atoms, cycles=2)
        settled = best is not None and fit.r1 > best.r1 - SETTLED
        if best is None or fit.r1 < best.r1:
            best = fit
        if turn == rounds - 1 or (settled and turn > 1):
            break
        f = calculated(reflections, fit.atoms)
        left = room - float(fit.atoms.weights.sum())
        atoms = _with_difference(reflections, observed, cell, composition, fit, f, left)
        fit, factors = refine(reflections, observed, cell, atoms, cycles=2, what="power")
    assert best is not None
    f = calculated(reflections, best.atoms)
    return Built(best, f, _difference_peaks(reflections, observed, cell, best, f, 20))


def _first_atoms(
    peaks: Peaks, group: SpaceGroup, cell: UnitCell, composition: Composition, most: float
) -> Atoms:
    """The strongest peaks, as many as there is room for, as atoms."""
    kept = np.cumsum(peaks.weights) <= most
    kept[:1] = True
    strong = peaks.integrals > 0.08 * peaks.integrals.max(initial=0.0)
    kept &= strong | (np.arange(len(kept)) < 1)
    peaks = Peaks(*(column[kept] for column in peaks))
    powers = peak_powers(group, cell, peaks.fract, peaks.integrals, composition)
    numbers = assign_elements(powers, peaks.weights, composition, group.order)
    u = np.full(len(numbers), START_U_ANGSTROM2)
    return Atoms(numbers, peaks.fract, u, peaks.weights, peaks.projections)


def _reassigned(atoms: Atoms, factors: F64, composition: Composition, order: int) -> Atoms:
    """Elements anew from refined scattering powers; atoms that hardly scatter are taken out."""
    own = np.array([composition.powers[composition.numbers.index(int(z))] for z in atoms.numbers])
    powers = own * factors
    kept = powers > SMALLEST_POWER * min(composition.powers)
    if not kept.any():
        kept = powers >= powers.max()
    atoms, powers = atoms.take(kept), powers[kept]
    return atoms.with_numbers(assign_elements(powers, atoms.weights, composition, order))


def _pruned(atoms: Atoms) -> Atoms:
    kept = atoms.u_iso <= max(LARGEST_U * float(np.median(atoms.u_iso)), 0.08)
    return atoms.take(kept) if kept.any() else atoms


def _difference_peaks(
    reflections: Reflections, observed: Observed, cell: UnitCell, fit: Fit, f: np.ndarray, most: int
) -> Peaks:
    size = np.abs(f)
    fo = observed.amplitude / np.sqrt(fit.scale)
    difference = (fo - size) * phase_factors(f)
    return find_peaks(density_map(reflections.group, cell, reflections.hkl, difference), most)


def _with_difference(
    reflections: Reflections,
    observed: Observed,
    cell: UnitCell,
    composition: Composition,
    fit: Fit,
    f: np.ndarray,
    room: float,
) -> Atoms:
    """The model with the strongest peaks of the difference map that are near no atom of it."""
    atoms = fit.atoms
    if room < 0.5 / reflections.group.order:
        return atoms
    peaks = _difference_peaks(
        reflections,
        observed,
        cell,
        fit,
        f,
        int(room * (reflections.group.order if room < 1.0 else 2)) + 4,
    )
    if len(peaks.fract) == 0:
        return atoms
    free = np.array(
        [nearest_images(reflections.group, cell, x, atoms.fract).min() > 0.8 for x in peaks.fract]
    )
    lightest = int(np.argmin(composition.powers))
    # a whole atom of the lightest element has about a third of its electrons within the sphere
    free &= peaks.integrals > 0.12 * composition.powers[lightest]
    free &= np.cumsum(peaks.weights * free) <= room
    if not free.any():
        return atoms
    n = int(free.sum())
    u = float(np.median(atoms.u_iso))
    new = Atoms(
        np.full(n, composition.numbers[lightest]),
        peaks.fract[free],
        np.full(n, u),
        peaks.weights[free],
        peaks.projections[free],
    )
    return atoms.joined(new)


def agreement(data: GroupData, built: Built) -> tuple[float, float]:
    """R_weak, and the correlation of |Fo| and |Fc| in %, 0 where one of them does not vary."""
    fc = np.abs(built.f)
    e2 = fc**2 / np.maximum(data.amplitude / np.maximum(data.e, 1e-9), 1e-9) ** 2
    e2 /= e2.mean()
    weak = np.argsort(data.e, kind="stable")[: max(1, len(data.e) // 10)]
    varies = min(float(x.std() / x.mean()) for x in (data.amplitude, fc)) > EQUAL
    correlation = float(np.corrcoef(data.amplitude, fc)[0, 1]) if varies else 0.0
    return float(e2[weak].mean()), 100.0 * correlation
