"""|F|² of a list of reflections and its derivatives by every parameter of an isotropic model, compiled.

F(h) = Σⱼ wⱼ fⱼ(h) exp(−2π²Uⱼ|s|²) Σ exp(2πi h·(R x + t)), as in `crystal.scattering.structure_factors`, for
any list instead of a box, in float64, for X-rays, electrons or neutrons.
"""

from __future__ import annotations

from typing import Any, Final

import gemmi
import numpy as np

from xtalpriors.arrays import F64, I64
from xtalpriors.compilation import kernel
from xtalpriors.crystal.chemistry.form_factors import form_factors
from xtalpriors.crystal.scattering.reduced_operators import reduce_operators
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.model.measured.read_data import Probe
from xtalpriors.model.solving.model import Atoms

__all__ = ["Reflections", "calculated", "phase_factors", "squared_with_derivatives"]

PARAMETERS: Final = 5
"""Of an atom: x, y, z, U and a factor of its scattering power."""


class Reflections:
    """Reflections of a group, ready for sums over atoms.

    Parameters
    ----------
    group
        Space group.
    hkl
        (m, 3).
    s2
        1/d² in Å⁻², (m,).
    probe
        What was scattered.
    """

    def __init__(self, group: SpaceGroup, hkl: I64, s2: F64, probe: Probe) -> None:
        reduced = reduce_operators(group)
        self.group, self.hkl, self.s2, self.probe = group, hkl, s2, probe
        representatives = reduced.representatives
        self.real, self.factor = reduced.real, representatives.factor
        self.rotations, self.translations = representatives.rotations, representatives.translations
        self.largest = int(np.abs(hkl).max(initial=0))
        self._known: dict[int, F64] = {}

    def scattering(self, number: int) -> F64:
        """Scattering power of an element at every reflection, (m,)."""
        if number not in self._known:
            self._known[number] = scattering_power(number, self.s2, self.probe)
        return self._known[number]


def scattering_power(number: int, s2: F64, probe: Probe) -> F64:
    """f of an element at 1/d² (m,): electrons, Å (Peng et al. 1996) or fm."""
    if probe == "x-ray":
        return form_factors(number, s2)
    element = gemmi.Element(number)
    if probe == "neutron":
        return np.full(len(s2), element.neutron92.calculate_sf(0.0))
    return np.array([element.c4322.calculate_sf(x / 4.0) for x in s2.tolist()])


def squared_with_derivatives(reflections: Reflections, atoms: Atoms) -> tuple[F64, F64]:
    """|F|² (m,) and its derivatives (m, n, 5) by x, y, z, U and the factor of scattering power."""
    squared = np.empty(len(reflections.hkl))
    rows = np.empty((len(reflections.hkl), len(atoms), PARAMETERS))
    _derivatives(*_arguments(reflections, atoms), reflections.rotations, squared, rows)
    return squared, rows


def calculated(reflections: Reflections, atoms: Atoms) -> np.ndarray:
    """F (m,), complex."""
    f = np.empty(len(reflections.hkl), dtype=np.complex128)
    _sum(*_arguments(reflections, atoms), f)
    return f


def phase_factors(f: np.ndarray) -> np.ndarray:
    """exp(iφ) of structure factors (m,), 1 where one is 0."""
    values = f.astype(np.complex128)
    size = np.abs(values)
    return np.where(size > 0, values / np.where(size > 0, size, 1.0), 1.0)


def _arguments(reflections: Reflections, atoms: Atoms) -> tuple[Any, ...]:
    """What both sums need; among it exp(2πi h x) of all images of the atoms for all h (n, ops, 3, 2H + 1)."""
    elements, of_atom = np.unique(atoms.numbers, return_inverse=True)
    table = np.stack([reflections.scattering(int(z)) for z in elements])
    images = np.einsum("nij,aj->ani", reflections.rotations, atoms.fract) + reflections.translations
    orders = np.arange(-reflections.largest, reflections.largest + 1)
    turns = np.exp(2j * np.pi * images[..., None] * orders)
    sizes = reflections.factor * atoms.weights
    return (
        reflections.hkl, reflections.largest, reflections.s2, reflections.real, turns, sizes, atoms.u_iso,
        of_atom.ravel(), table,
    )  # fmt: skip


@kernel(nogil=True, fastmath=True, error_model="numpy")
def _sum(
    hkl: Any, top: int, s2: Any, real: bool, turns: Any, sizes: Any, u_iso: Any, of_atom: Any, table: Any,
    out: Any,
) -> None:  # fmt: skip
    for i in range(hkl.shape[0]):
        h, k, l = hkl[i, 0] + top, hkl[i, 1] + top, hkl[i, 2] + top
        a, b = 0.0, 0.0
        for j in range(sizes.size):
            c, s = 0.0, 0.0
            for n in range(turns.shape[1]):
                wave = turns[j, n, 0, h] * turns[j, n, 1, k] * turns[j, n, 2, l]
                c += wave.real
                s += wave.imag
            size = sizes[j] * table[of_atom[j], i] * np.exp(-2.0 * np.pi**2 * u_iso[j] * s2[i])
            a += size * c
            b += size * s
        out[i] = complex(a, 0.0 if real else b)


@kernel(nogil=True, fastmath=True, error_model="numpy")
def _derivatives(
    hkl: Any, top: int, s2: Any, real: bool, turns: Any, sizes: Any, u_iso: Any, of_atom: Any, table: Any,
    rotations: Any, squared: Any, rows: Any,
) -> None:  # fmt: skip
    n_atoms, n_images = sizes.size, turns.shape[1]
    parts = np.empty((n_atoms, 8))
    moved = np.empty((n_images, 3))
    for i in range(hkl.shape[0]):
        h, k, l = hkl[i, 0] + top, hkl[i, 1] + top, hkl[i, 2] + top
        for n in range(n_images):
            for axis in range(3):
                moved[n, axis] = (
                    hkl[i, 0] * rotations[n, 0, axis]
                    + hkl[i, 1] * rotations[n, 1, axis]
                    + hkl[i, 2] * rotations[n, 2, axis]
                )
        a, b = 0.0, 0.0
        for j in range(n_atoms):
            c, s, cx, cy, cz, sx, sy, sz = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
            for n in range(n_images):
                wave = turns[j, n, 0, h] * turns[j, n, 1, k] * turns[j, n, 2, l]
                cosine, sine = wave.real, wave.imag
                c += cosine
                s += sine
                cx += moved[n, 0] * cosine
                cy += moved[n, 1] * cosine
                cz += moved[n, 2] * cosine
                sx += moved[n, 0] * sine
                sy += moved[n, 1] * sine
                sz += moved[n, 2] * sine
            size = sizes[j] * table[of_atom[j], i] * np.exp(-2.0 * np.pi**2 * u_iso[j] * s2[i])
            turn = 2.0 * np.pi * size
            parts[j, 0] = size * c
            parts[j, 1] = size * s
            parts[j, 2], parts[j, 3], parts[j, 4] = turn * cx, turn * cy, turn * cz
            parts[j, 5], parts[j, 6], parts[j, 7] = turn * sx, turn * sy, turn * sz
            a += parts[j, 0]
            b += parts[j, 1]
        if real:
            b = 0.0
        squared[i] = a * a + b * b
        for j in range(n_atoms):
            # dA/dx = −Σ h sin, dB/dx = Σ h cos
            rows[i, j, 0] = 2.0 * (-a * parts[j, 5] + b * parts[j, 2])
            rows[i, j, 1] = 2.0 * (-a * parts[j, 6] + b * parts[j, 3])
            rows[i, j, 2] = 2.0 * (-a * parts[j, 7] + b * parts[j, 4])
            along = 2.0 * (a * parts[j, 0] + b * parts[j, 1])
            rows[i, j, 3] = -2.0 * np.pi**2 * s2[i] * along
            rows[i, j, 4] = along
