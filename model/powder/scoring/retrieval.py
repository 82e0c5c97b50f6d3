"""Densities that are looked up: what a network must beat to have learnt more than its training set holds.

Every method returns a density of the training set, or one rescaled, for a pattern and a composition. None has
the true cell: a comes from the indexing of the pattern, and the electrons of the cell from the composition.
"""

from __future__ import annotations

import math
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from xtalpriors.arrays import F32, F64, I64
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.chemistry.form_factors import form_factors
from xtalpriors.model.powder.composition import Composition
from xtalpriors.model.powder.crystals import PowderCrystals
from xtalpriors.model.powder.density_maps import (
    POINTS,
    U_ISO_ANGSTROM2,
    fourier_coefficients,
    map_of,
    s_squared_of,
)
from xtalpriors.model.powder.structures.cells import possible_cells
from xtalpriors.model.powder.structures.shells import observed_shells, shells_of

__all__ = ["METHODS", "Method", "Retrieval"]

Method = Literal["mean-map", "raw", "smoothed", "shells", "stoichiometry", "stoichiometry-phases"]
METHODS: Final[tuple[Method, ...]] = get_args(Method)
_SMOOTHING_BINS: Final = 1.5
_MEAN_OF: Final = 300
"""Densities, evenly through the training set, of which the mean map is made."""
_LARGEST_CHANGE: Final = 2.0
_SAME_SPACING: Final = 1e-9
"""Relative difference of 1/d² within a shell."""


class Retrieval:
    """Looks up densities of training crystals.

    Parameters
    ----------
    train
        Training crystals.
    """

    def __init__(self, train: PowderCrystals) -> None:
        self.train = train
        roots = np.sqrt(train.patterns)
        self._raw = _unit(roots)
        self._smoothed = _unit(gaussian_filter1d(roots, _SMOOTHING_BINS, axis=1))
        self._shells = np.stack(
            [
                observed_shells(pattern, shells_of(train.cell(i))).spectrum()
                for i, pattern in enumerate(train.patterns)
            ]
        )
        rows = np.unique(np.linspace(0, len(train) - 1, _MEAN_OF).astype(np.int64))
        total = np.zeros((POINTS,) * 3)
        for i in rows.tolist():
            total += train.density(i)
        self._mean: F32 = (total / len(rows)).astype(np.float32)

    def density(self, method: Method, pattern: F32, composition: Composition) -> F32:
        """A density (50, 50, 50) in e/Å³ for a pattern (1024,) and a composition.

        `mean-map`: the mean of the training. `raw` and `smoothed`: of the crystal whose pattern has the
        largest cosine of square roots. `shells`: the same of √(I/LP) by shells, for the best of the cells
        that the indexing offers. `stoichiometry`: by shells among crystals of the same numbers of atoms in
        the formula, scaled to the electrons of the composition in the cell. `stoichiometry-phases`: that,
        its amplitudes replaced shell by shell by the measured ones.

        Raises
        ------
        UsageError
            The pattern has no peaks, or no cell of the system explains it (the last three).
        """
        if method == "mean-map":
            return self._mean
        if method in ("raw", "smoothed"):
            root = np.sqrt(pattern.astype(np.float64))[None]
            own = self._raw if method == "raw" else self._smoothed
            asked = _unit(root if method == "raw" else gaussian_filter1d(root, _SMOOTHING_BINS, axis=1))
            return self.train.density(int((own @ asked[0]).argmax()))
        if method == "shells":
            i, _ = self._nearest(pattern, np.arange(len(self.train)))
            return self.train.density(i)
        rows = np.flatnonzero(self.train.stoichiometry == composition.stoichiometry)
        i, cell = self._nearest(pattern, rows if len(rows) else np.arange(len(self.train)))
        atoms = int(self.train.offsets[i + 1] - self.train.offsets[i])
        units = max(1, round(atoms / composition.atoms))
        coefficients = fourier_coefficients(self.train.cell(i), *self.train.atoms(i), POINTS)
        coefficients *= units * composition.electrons / cell.volume / coefficients[0, 0, 0].real
        if method == "stoichiometry-phases":
            coefficients *= _measured_amplitudes(pattern, composition, units, cell, coefficients)
        return map_of(coefficients)

    def _nearest(self, pattern: F32, rows: I64) -> tuple[int, UnitCell]:
        """The crystal among some whose shells are nearest for one of the cells, and that cell."""
        cells = possible_cells(pattern, self.train.system)
        best = (-1.0, 0, cells[0])
        for cell in cells:
            observed = observed_shells(pattern, shells_of(cell))
            cosines = self._shells[rows] @ observed.spectrum()
            k = int(cosines.argmax())
            # a cell that leaves lines unexplained has the shells of the rest only
            explained = 1.0 - observed.unexplained
            best = max(best, (float(cosines[k]) * explained, int(rows[k]), cell), key=lambda one: one[:2])
        return best[1], best[2]


def _unit(rows: F64 | F32) -> F64:
    """Rows of unit length."""
    wide = np.asarray(rows, dtype=np.float64)
    result: F64 = wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-12)
    return result


def _measured_amplitudes(
    pattern: F32,
    composition: Composition,
    units: int,
    cell: UnitCell,
    coefficients: npt.NDArray[np.complex128],
) -> F64:
    """Factors on the half grid that give the shells of a map the measured sums of |F|².

    The scale of the pattern is Wilson's: over the shells that lie alone in their bins the sum of |F|² is that
    of f² of the atoms, of which the cell has `units` formula units. Shells of one bin share a factor. Factors
    are kept within 0 to 2, and are 1 beyond the measured shells.
    """
    shells = shells_of(cell)
    observed = observed_shells(pattern, shells)
    shell_at = _shell_of_each(s_squared_of(cell, POINTS), shells.s_squared)
    weights = np.full(POINTS // 2 + 1, 2.0)
    weights[0] = 1.0
    count = len(shells.s_squared)
    powers = (np.abs(coefficients) ** 2 * weights).ravel()
    squares = np.bincount(shell_at.ravel(), powers, minlength=count + 1)[:count]
    smearing = np.exp(-4.0 * np.pi**2 * U_ISO_ANGSTROM2 * shells.s_squared)
    calculated = observed.binned(squares * cell.volume**2 / smearing)
    f = form_factors(np.array(composition.numbers), shells.s_squared)
    sizes = np.add.reduceat(shells.reflections.sizes, shells.reflections.starts)
    expected = units * (np.array(composition.counts) @ f**2) * sizes
    alone = (np.bincount(observed.bins)[observed.bins] == 1) & (observed.factors > 0)
    measured = (observed.amplitudes[observed.bins[alone]] ** 2 / observed.factors[alone]).sum()
    scale = math.sqrt(expected[alone].sum() / max(float(measured), 1e-30))
    ratios = np.ones(len(calculated))
    strong = calculated > 1e-3 * calculated.max()
    ratios[strong] = np.clip(scale * observed.amplitudes[strong] / calculated[strong], 0.0, _LARGEST_CHANGE)
    factors = np.append(np.where(observed.factors > 0, ratios[observed.bins], 1.0), 1.0)
    result: F64 = factors[shell_at]
    return result


def _shell_of_each(s_squared: F64, shells: F64) -> I64:
    """Shell, by its 1/d² (s,), of each place of a grid; s where it has none."""
    place = np.searchsorted(shells * (1.0 - _SAME_SPACING), s_squared) - 1
    known = (place >= 0) & (s_squared <= shells[place] * (1.0 + _SAME_SPACING))
    found: I64 = np.where(known, place, len(shells))
    return found
