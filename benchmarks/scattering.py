"""Structure factors of generated P2₁/c crystals, 4–10 Å, to d_min 1.0 Å: µs a structure.

Every side works on the same structures in the same run, in turn; CPU time of one process with one thread,
median of the rounds. `plain NumPy` is one structure at a time, vectorised over reflections and atoms, as one
would write it from the formula; `gemmi` is its StructureFactorCalculatorX, which has no batches.

    python benchmarks/scattering.py [--structures 512] [--rounds 7]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import gemmi
import numpy as np
import torch

from xtalpriors.crystal import (
    CrystalArrays,
    SpaceGroup,
    StructureFactorCalculator,
    TorchStructureFactors,
    asymmetric_box,
    form_factor_table,
)
from xtalpriors.generator import Generator, StructureStream, configure, crystal_arrays
from xtalpriors.priors import published_bundle

D_MIN_ANGSTROM = 1.0
SLOW_SIDE = 24  # structures for the sides that take milliseconds


def plain_numpy(group: SpaceGroup, crystals: CrystalArrays, hkl: np.ndarray, n: int) -> np.ndarray:
    """F (n, m) of the first n crystals, float64."""
    table = form_factor_table()
    f = np.zeros((n, len(hkl)))
    for i in range(n):
        a, b, c, _, beta, _ = crystals.cells[i]
        cos, sin = np.cos(np.radians(beta)), np.sin(np.radians(beta))
        h, k, l = hkl.T
        s2 = (h**2 / a**2 + l**2 / c**2 - 2 * h * l * cos / (a * c)) / sin**2 + k**2 / b**2
        inside = np.flatnonzero(s2 <= D_MIN_ANGSTROM**-2)
        s2, index = s2[inside], hkl[inside]
        atoms = slice(crystals.offsets[i], crystals.offsets[i + 1])
        coefficients = table[crystals.numbers[atoms]]
        form = coefficients[:, 8, None] + sum(
            coefficients[:, g, None] * np.exp(-coefficients[:, 4 + g, None] * s2) for g in range(4)
        )
        form *= np.exp(-2 * np.pi**2 * crystals.u_iso[atoms, None] * s2) * crystals.weights[atoms, None]
        images = (
            np.einsum("nij,aj->nai", group.rotations, crystals.fract[atoms]) + group.translations[:, None]
        )
        f[i, inside] = (form * np.cos(2 * np.pi * (images @ index.T)).sum(axis=0)).sum(axis=0)
    return f


def by_gemmi(crystals: CrystalArrays, hkl: np.ndarray, n: int) -> np.ndarray:
    """F (n, m) of the first n crystals."""
    f = np.zeros((n, len(hkl)))
    for i in range(n):
        small = gemmi.SmallStructure()
        small.cell = gemmi.UnitCell(*crystals.cells[i])
        small.spacegroup = gemmi.SpaceGroup("P 1 21/c 1")
        small.setup_cell_images()
        for j in range(crystals.offsets[i], crystals.offsets[i + 1]):
            site = gemmi.SmallStructure.Site()
            site.element = gemmi.Element(int(crystals.numbers[j]))
            site.fract = gemmi.Fractional(*crystals.fract[j])
            site.u_iso, site.occ = float(crystals.u_iso[j]), float(crystals.weights[j])
            small.add_site(site)
        calculator = gemmi.StructureFactorCalculatorX(small.cell)
        limit = D_MIN_ANGSTROM**-2
        for p, index in enumerate(hkl.tolist()):
            if small.cell.calculate_1_d2(index) <= limit:
                f[i, p] = calculator.calculate_sf_from_small_structure(small, index).real
    return f


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--structures", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    bundle, n = published_bundle(), arguments.structures
    generator = Generator(bundle, configure(filling="molecules"), 1)
    crystals = crystal_arrays(generator.batch(0, n))
    group = SpaceGroup.from_hm("P 1 21/c 1")
    box = asymmetric_box(group, 10)
    index = box.miller_indices
    wanted = np.any(index != 0, axis=1).reshape(box.shape)
    hkl = index[wanted.ravel()]
    separable = StructureFactorCalculator(group, box, wanted)
    general = StructureFactorCalculator(group, box, wanted)
    general.operators = general.operators._replace(separable=None)
    on_torch = TorchStructureFactors(group, box, wanted)
    arrays = np.empty((n, *box.shape), np.float32), np.empty((n, *box.shape), np.float32)
    few = min(SLOW_SIDE, n)
    sides: dict[str, tuple[int, Callable[[], object]]] = {
        "numba, separable in 2/m": (
            n, lambda: separable.amplitudes_and_phases(crystals, D_MIN_ANGSTROM, out=arrays)),
        "numba, any group": (n, lambda: general.amplitudes_and_phases(crystals, D_MIN_ANGSTROM, out=arrays)),
        "torch, CPU, one thread": (n, lambda: on_torch.structure_factors(crystals, D_MIN_ANGSTROM)),
        "gemmi": (few, lambda: by_gemmi(crystals, hkl, few)),
        "plain NumPy": (few, lambda: plain_numpy(group, crystals, hkl, few)),
        "generator alone": (n, lambda: generator.batch(0, n)),
        "stream (generator + separable)": (n, lambda: stream.batch(0)),
    }  # fmt: skip
    stream = StructureStream(bundle, configure(filling="molecules"), seed=1, batch_size=n)
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(arguments.rounds + 1):  # the first compiles
        for name, (count, run) in sides.items():
            start = time.process_time()
            run()
            times[name].append((time.process_time() - start) / count * 1e6)
    microseconds = {name: statistics.median(values[1:]) for name, values in times.items()}
    reference = plain_numpy(group, crystals, hkl, few)
    seen = np.count_nonzero(reference, axis=1).mean()
    print(
        f"{n} structures, {np.diff(crystals.offsets).mean():.1f} atoms and about {seen:.0f} reflections each"
    )
    print(f"{'':32s}{'µs/structure':>14s}{'plain NumPy ÷':>16s}")
    for name, value in microseconds.items():
        print(f"{name:32s}{value:14.1f}{microseconds['plain NumPy'] / value:16.1f}")
    found = separable.structure_factors(crystals, D_MIN_ANGSTROM).real.reshape(n, -1)[:few, wanted.ravel()]
    error = np.abs(found - reference).max(axis=1) / np.abs(reference).max(axis=1)
    print(f"largest |ΔF| / max |F| between separable and plain NumPy: {error.max():.1e}")


if __name__ == "__main__":
    main()
