"""Random crystals in any space group, and their structure factors by gemmi and by a plain sum, for tests."""

from __future__ import annotations

import gemmi
import numpy as np
import numpy.typing as npt

from xtalpriors.crystal.chemistry.form_factors import form_factors
from xtalpriors.crystal.scattering import CrystalArrays
from xtalpriors.crystal.symmetry.space_group import SpaceGroup

Complex = npt.NDArray[np.complex128]
ELEMENTS = (1, 6, 7, 8, 17, 26, 53)


def random_cell(group: SpaceGroup, rng: np.random.Generator) -> list[float]:
    """A cell that the operators leave as it is: the metric of a random cell averaged over the rotations."""
    a, b, c = rng.uniform(5.0, 9.0, 3)
    angles = np.radians(rng.uniform(75.0, 110.0, 3))
    cos = np.cos(angles)
    metric = np.array(
        [
            [a * a, a * b * cos[2], a * c * cos[1]],
            [a * b * cos[2], b * b, b * c * cos[0]],
            [a * c * cos[1], b * c * cos[0], c * c],
        ]
    )
    metric = np.mean([r.T @ metric @ r for r in group.rotations], axis=0)
    lengths = np.sqrt(np.diag(metric))
    cosines = metric / np.outer(lengths, lengths)
    cell = [*lengths, *np.degrees(np.arccos([cosines[1, 2], cosines[0, 2], cosines[0, 1]]))]
    # averaged right angles are 90 to rounding only
    return [float(x) if i < 3 else float(round(x, 9)) for i, x in enumerate(cell)]


def multiplicity(group: SpaceGroup, fract: npt.NDArray[np.float64]) -> int:
    """Distinct images of a point modulo the lattice."""
    images = (group.rotations @ fract + group.translations) % 1.0
    return len({tuple(np.rint(image * 1e6).astype(int) % 1_000_000) for image in images})


def random_crystals(group: SpaceGroup, n: int, seed: int) -> CrystalArrays:
    """`n` crystals of 3 to 7 atoms, of which one or two lie on special positions where the group has any."""
    rng = np.random.default_rng(seed)
    cells, counts, numbers, points = [], [], [], []
    for _ in range(n):
        cells.append(random_cell(group, rng))
        atoms = [rng.random(3) * 3.0 - 1.0 for _ in range(rng.integers(2, 6))]
        # the centre of an operator's orbit is a fixed point of it: on a point, an axis or a plane
        for _ in range(2):
            rotation, shift = (x[rng.integers(group.order)] for x in (group.rotations, group.translations))
            images = [rng.random(3)]
            while not np.allclose(image := rotation @ images[-1] + shift, images[0]) and len(images) < 6:
                images.append(image)
            atoms.append(np.mean(images, axis=0))
        points.extend(atoms)
        counts.append(len(atoms))
        numbers.extend(rng.choice(ELEMENTS, len(atoms)))
    fract = np.array(points)
    weights = np.array([multiplicity(group, x) / group.order for x in fract])
    occupancy = np.where(rng.random(len(fract)) < 0.3, rng.uniform(0.3, 1.0, len(fract)), 1.0)
    return CrystalArrays(
        cells=np.array(cells),
        offsets=np.concatenate([[0], np.cumsum(counts)]),
        numbers=np.array(numbers, dtype=np.uint8),
        fract=fract,
        u_iso=rng.uniform(0.005, 0.1, len(fract)).astype(np.float32),
        weights=weights * occupancy,
    )


def gemmi_structure_factors(
    group: SpaceGroup, crystals: CrystalArrays, i: int, hkl: npt.NDArray[np.int64]
) -> Complex:
    """F (m,) of crystal i by gemmi's StructureFactorCalculatorX."""
    small = gemmi.SmallStructure()
    small.cell = gemmi.UnitCell(*crystals.cells[i])
    found = gemmi.find_spacegroup_by_ops(gemmi.GroupOps([gemmi.Op(t) for t in group.operators]))
    assert found is not None
    small.spacegroup = found
    small.setup_cell_images()
    assert len(small.cell.images) == group.order - 1
    for j in range(crystals.offsets[i], crystals.offsets[i + 1]):
        site = gemmi.SmallStructure.Site()
        site.label = f"A{j}"
        site.element = gemmi.Element(int(crystals.numbers[j]))
        site.fract = gemmi.Fractional(*crystals.fract[j])
        site.u_iso = float(crystals.u_iso[j])
        site.occ = float(crystals.weights[j])
        small.add_site(site)
    calculator = gemmi.StructureFactorCalculatorX(small.cell)
    return np.array([calculator.calculate_sf_from_small_structure(small, h) for h in hkl.tolist()])


def summed_structure_factors(
    group: SpaceGroup, crystals: CrystalArrays, i: int, hkl: npt.NDArray[np.int64]
) -> Complex:
    """F (m,) of crystal i as a plain sum over every image of every atom, in float64."""
    a, b, c, *angles = crystals.cells[i]
    ca, cb, cg = np.cos(np.radians(angles))
    metric = np.array(
        [[a * a, a * b * cg, a * c * cb], [a * b * cg, b * b, b * c * ca], [a * c * cb, b * c * ca, c * c]]
    )
    s2 = np.einsum("mi,ij,mj->m", hkl, np.linalg.inv(metric), hkl)
    total = np.zeros(len(hkl), dtype=complex)
    for j in range(crystals.offsets[i], crystals.offsets[i + 1]):
        images = group.rotations @ crystals.fract[j] + group.translations
        waves = np.exp(2j * np.pi * (hkl @ images.T)).sum(axis=1)
        debye_waller = np.exp(-2.0 * np.pi**2 * float(crystals.u_iso[j]) * s2)
        total += crystals.weights[j] * form_factors(crystals.numbers[j], s2) * debye_waller * waves
    return total
