"""Structure factors of a batch in torch, on any device: the same numbers as `structure_factors`.

Atoms are padded to the largest structure of a chunk (weight 0), reflections are those of the box that are
wanted and not absent. T being Debye-Waller, G the sum over images, F = Σ_elements f Σ_atoms w·T·G,
and the sum over the atoms of each element is a batched matrix product. Not made to be differentiated.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from xtalpriors.crystal.form_factors import form_factor_table
from xtalpriors.crystal.reciprocal import SPHERE_TOLERANCE, IndexBox, systematic_absences
from xtalpriors.crystal.reduced_operators import reduce_operators
from xtalpriors.crystal.scattering_input import CrystalArrays, nearest_first, resolution_limits
from xtalpriors.crystal.space_group import SpaceGroup

__all__ = ["TorchStructureFactors"]

_TWO_PI_SQUARED = 2.0 * math.pi**2


class TorchStructureFactors:
    """Structure factors of any number of structures of one space group, in one box of reflections.

    Parameters
    ----------
    group, box, wanted
        As `StructureFactorCalculator`.
    device
        Where to compute; the results stay there.
    dtype
        float32, or float64 for results exact to rounding. Phase angles are float64 either way.
    elements_per_chunk
        Structures × atoms × reflections at once, which bounds the memory (20 bytes each); null: what fits
        a processor's cache, or 2²⁵ on a GPU.
    """

    def __init__(
        self,
        group: SpaceGroup,
        box: IndexBox,
        wanted: npt.NDArray[np.bool_] | None = None,
        *,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
        elements_per_chunk: int | None = None,
    ) -> None:
        self.group, self.box = group, box
        self.device, self.dtype = torch.device(device), dtype
        self.operators = reduce_operators(group)
        hkl = box.miller_indices
        present = ~systematic_absences(group, hkl)
        if wanted is not None:
            present &= np.asarray(wanted, dtype=bool).ravel()
        self._hkl = hkl[present]
        self._positions = torch.from_numpy(np.flatnonzero(present)).to(self.device)
        pairs, pair_of = np.unique(self._hkl[:, :2], axis=0, return_inverse=True)
        ls, l_of = np.unique(self._hkl[:, 2], return_inverse=True)
        squares = np.einsum("mi,mj->ijm", self._hkl, self._hkl).reshape(9, -1)
        self._pairs, self._ls, self._squares = (
            torch.from_numpy(a.astype(np.float64)).to(self.device) for a in (pairs.T, ls, squares)
        )
        self._pair_of, self._l_of = (torch.from_numpy(a.ravel()).to(self.device) for a in (pair_of, l_of))
        self._limit = elements_per_chunk or (1 << 18 if self.device.type == "cpu" else 1 << 25)

    def structure_factors(self, crystals: CrystalArrays, d_min_angstrom: npt.ArrayLike) -> torch.Tensor:
        """F in electrons, complex (n, h, k, l), for |s| ≤ 1/d_min; 0 elsewhere.

        Raises
        ------
        XtalpriorsError
            As `StructureFactorCalculator.structure_factors`.
        """
        crystals = crystals.checked()
        hkl = nearest_first(self._hkl)
        limits, metrics = resolution_limits(crystals.cells, d_min_angstrom, hkl)
        shape = (len(limits), *self.box.shape)
        complex_dtype = torch.complex64 if self.dtype == torch.float32 else torch.complex128
        result = torch.zeros(shape, dtype=complex_dtype, device=self.device)
        flat = result.view(len(limits), math.prod(self.box.shape))
        atoms = np.diff(crystals.offsets)
        step = max(1, self._limit // max(1, int(atoms.max(initial=0)) * len(self._hkl)))
        for start in range(0, len(limits), step):
            stop = min(start + step, len(limits))
            f = self._chunk(crystals, start, stop, limits[start:stop], metrics[start:stop])
            flat[start:stop, self._positions] = f.to(complex_dtype)
        return result

    def _chunk(
        self,
        crystals: CrystalArrays,
        start: int,
        stop: int,
        limits: npt.NDArray[np.float64],
        metrics: npt.NDArray[np.float64],
    ) -> torch.Tensor:
        """F (b, reflections) of the structures start … stop - 1."""
        first, last = crystals.offsets[start], crystals.offsets[stop]
        counts = np.diff(crystals.offsets[start : stop + 1])
        rows = np.repeat(np.arange(stop - start), counts)
        columns = np.arange(first, last) - np.repeat(crystals.offsets[start:stop], counts)
        shape = (stop - start, int(counts.max(initial=0)))

        def padded(values: npt.NDArray[np.generic]) -> torch.Tensor:
            array = np.zeros((*shape, *values.shape[1:]), dtype=np.float64)
            array[rows, columns] = values[first:last]
            return torch.from_numpy(array).to(self.device)

        reciprocal = torch.from_numpy(metrics).to(self.device)
        # |s|² = Σ G*ᵢⱼ hᵢ hⱼ as a matrix product, in float64: every implementation has the same sphere
        s2 = reciprocal.reshape(-1, 9) @ self._squares
        inside = s2 <= torch.from_numpy(limits * (1.0 + SPHERE_TOLERANCE)).to(self.device)[:, None]
        s2 = s2.to(self.dtype)
        exponent = -_TWO_PI_SQUARED * padded(crystals.u_iso).to(self.dtype)
        damping = torch.exp_(exponent[:, :, None] * s2[:, None, :])
        re, im = self._geometric(padded(crystals.fract))
        numbers, which = np.unique(crystals.numbers[first:last], return_inverse=True)
        share = torch.zeros((shape[0], len(numbers), shape[1]), dtype=self.dtype, device=self.device)
        at = tuple(torch.from_numpy(a.astype(np.int64)).to(self.device) for a in (rows, which, columns))
        weights = padded(crystals.weights).to(self.dtype) * self.operators.representatives.factor
        share[at] = weights[at[0], at[2]]
        form = self._form_factors(numbers, s2)
        total_re = (form * torch.bmm(share, re.mul_(damping))).sum(dim=1) * inside
        if im is None:
            return total_re
        total_im = (form * torch.bmm(share, im.mul_(damping))).sum(dim=1) * inside
        return torch.complex(total_re, total_im)

    def _form_factors(self, numbers: npt.NDArray[np.uint8], s2: torch.Tensor) -> torch.Tensor:
        """f (b, elements, reflections) of these atomic numbers."""
        table = torch.from_numpy(form_factor_table()[numbers]).to(self.device, self.dtype)
        form = table[None, :, 8, None].expand(len(s2), -1, s2.shape[1]).clone()
        for g in range(4):
            form += torch.exp_(-table[:, 4 + g, None] * s2[:, None, :]).mul_(table[:, g, None])
        return form

    def _geometric(self, fract: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Real and imaginary part (b, atoms, reflections) of the sum over images; None: F is real.

        exp(2πi h·x) is a product of three factors, each looked up in a table of one index.
        """
        re: torch.Tensor | None = None
        im: torch.Tensor | None = None
        operators = self.operators.representatives
        for rotation, shift in zip(operators.rotations, operators.translations, strict=True):
            image = fract @ torch.from_numpy(rotation.T.copy()).to(self.device)
            image += torch.from_numpy(shift).to(self.device)
            (cos_hk, sin_hk), (cos_l, sin_l) = self._waves(image)
            part = cos_hk * cos_l - sin_hk * sin_l
            re = part if re is None else re.add_(part)
            if not self.operators.real:
                part = sin_hk * cos_l + cos_hk * sin_l
                im = part if im is None else im.add_(part)
        assert re is not None
        return re, im

    def _waves(self, image: torch.Tensor) -> Any:
        """cos and sin of 2π(hx + ky) and of 2πlz, each (b, atoms, reflections)."""
        # whole turns go in float64, so that float32 keeps the angle to 1e-7 whatever the index
        turns = image[..., :2] @ self._pairs
        angle = ((turns - turns.round()) * (2.0 * math.pi)).to(self.dtype)
        cos_hk, sin_hk = (f(angle)[..., self._pair_of] for f in (torch.cos, torch.sin))
        turns = image[..., 2:] * self._ls
        angle = ((turns - turns.round()) * (2.0 * math.pi)).to(self.dtype)
        cos_l, sin_l = (f(angle)[..., self._l_of] for f in (torch.cos, torch.sin))
        return (cos_hk, sin_hk), (cos_l, sin_l)
