"""Structure factors of a batch in torch, on any device: the same numbers as `structure_factors`.

Atoms are padded to the largest structure of a chunk (weight 0), reflections are those of the box that are
wanted and not absent. T being Debye-Waller, G the sum over images, F = Σ_elements f Σ_atoms w·T·G,
and the sum over the atoms of each element is a batched matrix product. Not made to be differentiated.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch

from xtalpriors.arrays import F64, I64, U8, Bool
from xtalpriors.crystal.chemistry.form_factors import form_factor_table
from xtalpriors.crystal.scattering.arrays import CrystalArrays, nearest_first, resolution_limits
from xtalpriors.crystal.scattering.reciprocal import SPHERE_TOLERANCE, IndexBox, systematic_absences
from xtalpriors.crystal.scattering.reduced_operators import reduce_operators
from xtalpriors.crystal.symmetry.space_group import SpaceGroup

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
        wanted: Bool | None = None,
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
        squares = np.einsum("mi,mj->ijm", self._hkl, self._hkl).reshape(9, -1)
        self._indices, self._squares = (
            torch.from_numpy(a.astype(np.float64)).to(self.device) for a in (self._hkl.T, squares)
        )
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
        counts = np.diff(crystals.offsets)
        # structures of like size together, because each is padded to the largest of its chunk
        order = np.argsort(counts, kind="stable")
        start = 0
        while start < len(order):
            stop = start + 1
            while stop < len(order) and (stop - start) * counts[order[stop]] * len(self._hkl) < self._limit:
                stop += 1
            which = order[start:stop]
            f = self._chunk(crystals, which, limits[which], metrics[which]).to(complex_dtype)
            at = torch.from_numpy(which).to(self.device)
            flat[at[:, None], self._positions] = f
            start = stop
        return result

    def _chunk(
        self,
        crystals: CrystalArrays,
        which: I64,
        limits: F64,
        metrics: F64,
    ) -> torch.Tensor:
        """F (b, reflections) of some of the structures, with their limits and reciprocal metric tensors."""
        counts = crystals.offsets[which + 1] - crystals.offsets[which]
        rows = np.repeat(np.arange(len(which)), counts)
        columns = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        atoms = np.repeat(crystals.offsets[which], counts) + columns
        shape = (len(which), int(counts.max(initial=0)))

        def padded(values: npt.NDArray[np.generic]) -> torch.Tensor:
            """Values of all atoms (m, …) by structure, (n, most atoms, …), with zeros behind the last."""
            array = np.zeros((*shape, *values.shape[1:]), dtype=np.float64)
            array[rows, columns] = values[atoms]
            return torch.from_numpy(array).to(self.device)

        # |s|² = Σ G*ᵢⱼ hᵢ hⱼ as a matrix product, in float64: every implementation has the same sphere
        s2 = torch.from_numpy(metrics.reshape(-1, 9)).to(self.device) @ self._squares
        inside = s2 <= torch.from_numpy(limits * (1.0 + SPHERE_TOLERANCE)).to(self.device)[:, None]
        s2 = s2.to(self.dtype)
        exponent = -_TWO_PI_SQUARED * padded(crystals.u_iso).to(self.dtype)
        damping = torch.exp_(exponent[:, :, None] * s2[:, None, :])
        re, im = self._geometric(padded(crystals.fract))
        numbers, element = _elements(rows, crystals.numbers[atoms], len(which))
        share = np.zeros((shape[0], numbers.shape[1], shape[1]))
        share[rows, element, columns] = crystals.weights[atoms] * self.operators.representatives.factor
        shares = torch.from_numpy(share).to(self.device, self.dtype)
        form = self._form_factors(numbers, s2)
        total_re = (form * torch.bmm(shares, re.mul_(damping))).sum(dim=1) * inside
        if im is None:
            return total_re
        total_im = (form * torch.bmm(shares, im.mul_(damping))).sum(dim=1) * inside
        return torch.complex(total_re, total_im)

    def _form_factors(self, numbers: I64, s2: torch.Tensor) -> torch.Tensor:
        """f (b, elements, reflections) of atomic numbers (b, elements), 0 for element 0."""
        table = torch.from_numpy(form_factor_table()[numbers]).to(self.device, self.dtype)
        form = table[:, :, 8, None].expand(-1, -1, s2.shape[1]).clone()
        for g in range(4):
            form += torch.exp_(-table[:, :, 4 + g, None] * s2[:, None, :]).mul_(table[:, :, g, None])
        return form

    def _geometric(self, fract: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Real and imaginary part (b, atoms, reflections) of the sum over images; None: F is real."""
        re: torch.Tensor | None = None
        im: torch.Tensor | None = None
        operators = self.operators.representatives
        for rotation, shift in zip(operators.rotations, operators.translations, strict=True):
            image = fract @ torch.from_numpy(rotation.T.copy()).to(self.device)
            turns = (image + torch.from_numpy(shift).to(self.device)) @ self._indices
            # whole turns go in float64, so that float32 keeps the angle to 1e-7 whatever the index
            angle = (turns - turns.round()).to(self.dtype).mul_(2.0 * math.pi)
            part = torch.cos(angle)
            re = part if re is None else re.add_(part)
            if not self.operators.real:
                part = torch.sin_(angle)
                im = part if im is None else im.add_(part)
        assert re is not None
        return re, im


def _elements(rows: I64, numbers: U8, n: int) -> tuple[I64, I64]:
    """Atomic numbers (n, elements) of each structure, padded by 0, and which of them each atom (m,) is."""
    keys, which = np.unique(rows * 128 + numbers, return_inverse=True)
    owners = keys // 128
    place = np.arange(len(keys)) - np.searchsorted(owners, owners)
    table = np.zeros((n, int(place.max(initial=0)) + 1), dtype=np.int64)
    table[owners, place] = keys % 128
    return table, place[which.ravel()]
