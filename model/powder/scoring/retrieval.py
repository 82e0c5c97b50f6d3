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
from xtalpriors.crystal.chemistry.form_factors import form_factors
from xtalpriors.model.powder.composition import Composition
from xtalpriors.model.powder.crystals import PowderCrystals
from xtalpriors.model.powder.density_maps import POINTS, U_ISO_ANGSTROM2, fourier_coefficients, map_of
from xtalpriors.model.powder.structures.indexing import index_cubic
from xtalpriors.model.powder.structures.shells import (
    LARGEST_N,
    cubic_shells,
    observed_shells,
)

__all__ = ["METHODS", "Method", "Retrieval"]

Method = Literal["mean-map", "raw", "smoothed", "shells", "stoichiometry", "stoichiometry-phases"]
METHODS: Final[tuple[Method, ...]] = get_args(Method)
_SMOOTHING_BINS: Final = 1.5
_MEAN_OF: Final = 300
"""Densities, evenly through the training set, of which the mean map is made."""
_LARGEST_CHANGE: Final = 2.0


class Retrieval:
    """Looks up densities of cubic training crystals.

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
                observed_shells(p, a).spectrum()
                for p, a in zip(train.patterns, train.lattice[:, 0].tolist(), strict=True)
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
        largest cosine of square roots. `shells`: the same of √(I/LP) by N = h² + k² + l², for the best of the
        cells that the indexing offers. `stoichiometry`: by shells among crystals of the same numbers of atoms
        in the formula, scaled to the electrons of the composition in the cell. `stoichiometry-phases`: that,
        its amplitudes replaced shell by shell by the measured ones.

        Raises
        ------
        UsageError
            The pattern has no peaks, or no cubic cell explains it (the last three).
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
        i, a = self._nearest(pattern, rows if len(rows) else np.arange(len(self.train)))
        atoms = int(self.train.offsets[i + 1] - self.train.offsets[i])
        units = max(1, round(atoms / composition.atoms))
        coefficients = fourier_coefficients(self.train.cell(i), *self.train.atoms(i), POINTS)
        coefficients *= units * composition.electrons / a**3 / coefficients[0, 0, 0].real
        if method == "stoichiometry-phases":
            coefficients *= _measured_amplitudes(pattern, composition, units, a, coefficients)
        return map_of(coefficients)

    def _nearest(self, pattern: F32, rows: I64) -> tuple[int, float]:
        """The crystal among some whose shells are nearest for one of the cells, and the a of that cell."""
        best = (-1.0, 0, 0.0)
        for cell in index_cubic(pattern):
            observed = observed_shells(pattern, cell.a_angstrom)
            cosines = self._shells[rows] @ observed.spectrum()
            k = int(cosines.argmax())
            # a cell that leaves lines unexplained has the shells of the rest only
            explained = 1.0 - observed.unexplained
            best = max(best, (float(cosines[k]) * explained, int(rows[k]), cell.a_angstrom))
        return best[1], best[2]


def _unit(rows: F64 | F32) -> F64:
    """Rows of unit length."""
    wide = np.asarray(rows, dtype=np.float64)
    result: F64 = wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-12)
    return result


def _measured_amplitudes(
    pattern: F32, composition: Composition, units: int, a: float, coefficients: npt.NDArray[np.complex128]
) -> F64:
    """Factors on the half grid that give the shells of a map the measured sums of |F|².

    The scale of the pattern is Wilson's: over the shells that lie alone in their bins the sum of |F|² is that
    of f² of the atoms, of which the cell has `units` formula units. Shells of one bin share a factor. Factors
    are kept within 0 to 2, and are 1 beyond the measured shells.
    """
    shells, observed = cubic_shells(), observed_shells(pattern, a)
    h = np.rint(np.fft.fftfreq(POINTS) * POINTS).astype(np.int64)
    n = h[:, None, None] ** 2 + h[None, :, None] ** 2 + np.arange(POINTS // 2 + 1)[None, None, :] ** 2
    weights = np.full(POINTS // 2 + 1, 2.0)
    weights[0] = 1.0
    squares = np.bincount(n.ravel(), (np.abs(coefficients) ** 2 * weights).ravel(), minlength=LARGEST_N + 1)
    smearing = np.exp(-4.0 * np.pi**2 * U_ISO_ANGSTROM2 * shells.n / a**2)
    calculated = observed.binned(squares[shells.n] * a**6 / smearing)
    f = form_factors(np.array(composition.numbers), shells.n / a**2)
    expected = units * (np.array(composition.counts) @ f**2) * np.add.reduceat(shells.sizes, shells.starts)
    alone = (np.bincount(observed.bins)[observed.bins] == 1) & (observed.factors > 0)
    measured = (observed.amplitudes[observed.bins[alone]] ** 2 / observed.factors[alone]).sum()
    scale = math.sqrt(expected[alone].sum() / max(float(measured), 1e-30))
    ratios = np.ones(len(calculated))
    strong = calculated > 1e-3 * calculated.max()
    ratios[strong] = np.clip(scale * observed.amplitudes[strong] / calculated[strong], 0.0, _LARGEST_CHANGE)
    factors = np.ones(int(n.max()) + 1)
    factors[shells.n] = np.where(observed.factors > 0, ratios[observed.bins], 1.0)
    result: F64 = factors[n]
    return result
