"""Structure factors of batches of crystals on the CPU, and the amplitudes and phases made from them.

F(h) = Σⱼ wⱼ fⱼ(|s|) exp(-2π²Uⱼ|s|²) Σ exp(2πi h·(Rx + t)) over the operators of the group, with |s| = 1/d
and w = occupancy × site multiplicity / order of the group: an atom on a special position comes several times
in the inner sum, and the weight makes up for it. Form factors are those of `form_factors`. In float32 the
error is below 5e-6 of the largest |F|.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import F32, F64, Bool
from xtalpriors.compilation import kernel
from xtalpriors.crystal.chemistry.form_factors import form_factor_table
from xtalpriors.crystal.scattering.amplitudes import take_amplitudes
from xtalpriors.crystal.scattering.arrays import (
    CrystalArrays,
    largest_counts,
    nearest_first,
    resolution_limits,
)
from xtalpriors.crystal.scattering.kernels_common import aligned_row
from xtalpriors.crystal.scattering.kernels_general import general_scratch, general_structure
from xtalpriors.crystal.scattering.kernels_monoclinic import monoclinic_scratch, monoclinic_structure
from xtalpriors.crystal.scattering.lanes import LANES
from xtalpriors.crystal.scattering.reciprocal import IndexBox, systematic_absences
from xtalpriors.crystal.scattering.reduced_operators import reduce_operators
from xtalpriors.crystal.symmetry.space_group import SpaceGroup

__all__ = ["AmplitudesAndPhases", "Scale", "StructureFactorCalculator", "structure_factors"]

Scale = Literal["maximum", "rms", "none"]

SMALLEST_AMPLITUDE_ELECTRONS = 0.01
"""Amplitudes below are set to 0: their sign is noise."""

_CHUNK = 64
"""Structures whose F stay in the second-level cache until their amplitudes are taken."""


class AmplitudesAndPhases(NamedTuple):
    """What a diffraction experiment gives, and what it does not.

    Attributes
    ----------
    amplitudes
        |F| / scale, float32 (n, h, k, l); 0 where there is no reflection.
    phases
        Radians, float32 (n, h, k, l): 0 or π where F is real, else in (-π, π]; 0 where the amplitude is.
    scale
        What |F| was divided by, electrons, float32 (n,).
    """

    amplitudes: F32
    phases: F32
    scale: F32


class StructureFactorCalculator:
    """Structure factors of any number of structures of one space group, in one box of reflections.

    Parameters
    ----------
    group
        Space group, in any setting.
    box
        Reflections to compute.
    wanted
        Which of them, bool (h, k, l); null: all, 0 0 0 included. The others and the absences are 0.
    """

    def __init__(self, group: SpaceGroup, box: IndexBox, wanted: Bool | None = None) -> None:
        self.group = group
        self.box = box
        self.operators = reduce_operators(group)
        hkl = box.miller_indices
        present = ~systematic_absences(group, hkl)
        if wanted is not None:
            present &= np.asarray(wanted, dtype=bool).ravel()
        self._hkl = nearest_first(hkl[present])
        self._mask = present.astype(np.float32)
        self._table = form_factor_table()

    @property
    def real(self) -> bool:
        """F is real: an inversion centre lies at the origin."""
        return self.operators.real

    def structure_factors(
        self, crystals: CrystalArrays, d_min_angstrom: npt.ArrayLike
    ) -> npt.NDArray[np.complex64]:
        """F in electrons, complex64 (n, h, k, l), for |s| ≤ 1/d_min; 0 elsewhere.

        Raises
        ------
        XtalpriorsError
            As `CrystalArrays.checked` and `resolution_limits` of `arrays`.
        """
        crystals = crystals.checked()
        limits, metrics = resolution_limits(crystals.cells, d_min_angstrom, self._hkl)
        result = np.empty((len(limits), *self.box.shape), dtype=np.complex64)
        flat = result.reshape(len(limits), len(self._mask))
        for chunk, re, im in self._chunks(crystals, limits, metrics):
            flat[chunk].real = re * self._mask
            flat[chunk].imag = im * self._mask if im.size else 0.0
        return result

    def amplitudes_and_phases(
        self,
        crystals: CrystalArrays,
        d_min_angstrom: npt.ArrayLike,
        *,
        kept: Bool | None = None,
        scale: Scale = "maximum",
        out: tuple[F32, F32] | None = None,
    ) -> AmplitudesAndPhases:
        """Amplitudes on a common scale, and phases.

        Parameters
        ----------
        crystals
            The structures.
        d_min_angstrom
            One number, or one for each structure (n,), Å.
        kept
            Which reflections were measured, (n, h, k, l); null: all.
        scale
            Divide by the largest amplitude that is kept, by the root mean square of the amplitudes above 0
            (robust where the strongest reflection is missing), or by nothing.
        out
            Arrays for amplitudes and phases to write to, C-contiguous float32 (n, h, k, l).
        """
        crystals = crystals.checked()
        limits, metrics = resolution_limits(crystals.cells, d_min_angstrom, self._hkl)
        n = len(limits)
        shape = (n, *self.box.shape)
        amplitudes, phases = out or (np.empty(shape, np.float32), np.empty(shape, np.float32))
        flat_amplitudes, flat_phases = (x.reshape(n, len(self._mask)) for x in (amplitudes, phases))
        kept_flat = (
            np.ones((0, 0), bool) if kept is None else np.ascontiguousarray(kept).reshape(n, len(self._mask))
        )
        scales = np.empty(n, dtype=np.float32)
        mode = ("maximum", "rms", "none").index(scale)
        for chunk, re, im in self._chunks(crystals, limits, metrics):
            kept_here = kept_flat[chunk] if kept is not None else kept_flat
            outputs = (flat_amplitudes[chunk], flat_phases[chunk], scales[chunk])
            take_amplitudes(re, im, self._mask, kept_here, SMALLEST_AMPLITUDE_ELECTRONS, mode, *outputs)
        return AmplitudesAndPhases(amplitudes, phases, scales)

    def _chunks(self, crystals: CrystalArrays, limits: F64, metrics: F64) -> Any:
        """Slices of the batch with their F: (slice, re (c, box), im (c, box) or empty); reused memory."""
        size = int(np.prod(self.box.shape))
        n_atoms, n_elements = largest_counts(crystals)
        rows = min(_CHUNK, len(limits))
        re = aligned_row(rows * size + LANES)
        im = aligned_row(0 if self.real else rows * size + LANES)
        atoms, separable = crystals.atoms, self.operators.separable
        fits = separable and self.box.k_min >= 0 and self.box.l_min >= 0
        if fits and np.all(crystals.cells[:, [3, 5]] == 90.0):
            scratch: Any = monoclinic_scratch(n_atoms, n_elements, self.box)
        else:
            separable = None
            r = len(self.operators.representatives.translations)
            scratch = general_scratch(n_atoms, n_elements, r, self.box)
        for start in range(0, len(limits), _CHUNK):
            stop = min(start + _CHUNK, len(limits))
            c = stop - start
            if separable:
                _monoclinic(
                    start, stop, atoms, metrics, limits, separable, self.box, self._table, scratch, re
                )
            else:
                _general(
                    start, stop, atoms, metrics, limits, self.operators.representatives, self.real, self.box,
                    self._table, scratch, re, im,
                )  # fmt: skip
            yield (
                slice(start, stop),
                re[: c * size].reshape(c, size),
                im[: c * size].reshape(c, -1) if im.size > LANES else im[:0].reshape(c, 0),
            )


def structure_factors(
    group: SpaceGroup, crystals: CrystalArrays, box: IndexBox, d_min_angstrom: npt.ArrayLike
) -> npt.NDArray[np.complex64]:
    """F in electrons, complex64 (n, h, k, l), of every reflection of a box with d ≥ d_min; 0 elsewhere."""
    return StructureFactorCalculator(group, box).structure_factors(crystals, d_min_angstrom)


@kernel(nogil=True)
def _monoclinic(
    start: int, stop: int, atoms: Any, metrics: Any, limits: Any, operators: Any, box: Any, table: Any,
    scratch: Any, target: Any,
) -> None:  # fmt: skip
    size = (box.h_max - box.h_min + 1) * (box.k_max - box.k_min + 1) * (box.l_max - box.l_min + 1)
    for i in range(start, stop):
        here = target[(i - start) * size : (i - start + 1) * size]
        here[:] = np.float32(0.0)
        monoclinic_structure(i, atoms, metrics[i], limits[i], operators, box, table, scratch, here)


@kernel(nogil=True)
def _general(
    start: int, stop: int, atoms: Any, metrics: Any, limits: Any, operators: Any, real: bool, box: Any,
    table: Any, scratch: Any, target_re: Any, target_im: Any,
) -> None:  # fmt: skip
    size = (box.h_max - box.h_min + 1) * (box.k_max - box.k_min + 1) * (box.l_max - box.l_min + 1)
    for i in range(start, stop):
        re, im = target_re[(i - start) * size :], target_im[(i - start) * size :]
        general_structure(i, atoms, metrics[i], limits[i], operators, real, box, table, scratch, re, im)
