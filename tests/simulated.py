"""A simulated experiment: a crystal of the generator and its reflections with noise, as SHELX files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xtalpriors.arrays import F64, I64
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.chemistry.elements import SYMBOLS
from xtalpriors.crystal.scattering.arrays import CrystalArrays
from xtalpriors.crystal.scattering.reciprocal import IndexBox, s_squared
from xtalpriors.crystal.scattering.structure_factors import structure_factors
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.generator.config import configure
from xtalpriors.generator.generate import generate
from xtalpriors.generator.stream import crystal_arrays
from xtalpriors.model.charge_flipping.known_crystals import one_of
from xtalpriors.priors.bundle import published_bundle


@dataclass(frozen=True)
class Simulated:
    """A crystal and its measurement: every reflection of the sphere once, absences among them."""

    group: SpaceGroup
    crystal: CrystalArrays
    hkl: I64
    intensity: F64
    sigma: F64

    @property
    def cell(self) -> UnitCell:
        return UnitCell(*self.crystal.cells[0].tolist())

    @property
    def positions(self) -> F64:
        """All atoms of the cell but hydrogen, (n, 3)."""
        fract = self.crystal.fract[self.crystal.numbers > 1]
        every = np.einsum("nij,mj->mni", self.group.rotations, fract) + self.group.translations
        return every.reshape(-1, 3) % 1.0

    def contents(self) -> tuple[list[str], list[float]]:
        """SFAC and UNIT."""
        numbers, index = np.unique(self.crystal.numbers, return_inverse=True)
        counts = np.bincount(index, self.crystal.weights) * self.group.order
        return [SYMBOLS[z] for z in numbers.tolist()], counts.tolist()

    def write(self, folder: Path, name: str = "made", *, instructions: bool = True) -> Path:
        """`name.hkl`, as HKLF 4, and `name.ins` without symmetry."""
        scale = 9000.0 / self.intensity.max()
        rows = [
            f"{h:4d}{k:4d}{l:4d}{i * scale:8.2f}{max(s * scale, 0.01):8.2f}"
            for (h, k, l), i, s in zip(self.hkl.tolist(), self.intensity, self.sigma, strict=True)
        ]
        path = folder / f"{name}.hkl"
        path.write_text("\n".join([*rows, "   0   0   0    0.00    0.00", ""]))
        if instructions:
            elements, counts = self.contents()
            cell = " ".join(f"{x:.4f}" for x in self.cell.parameters)
            lines = [f"TITL {name}", f"CELL 0.71073 {cell}", "SFAC " + " ".join(elements)]
            lines += ["UNIT " + " ".join(f"{n:g}" for n in counts), "HKLF 4", "END", ""]
            (folder / f"{name}.ins").write_text("\n".join(lines))
        return path


def simulated(
    symbol: str,
    *,
    seed: int = 0,
    d_min_angstrom: float = 0.85,
    volume_angstrom3: float = 500.0,
    noise: float = 0.03,
) -> Simulated:
    """A molecule in a cell of about a volume, measured with σ = noise·|F|² and a floor."""
    group = SpaceGroup.from_hm(symbol)
    config = configure(
        space_group=symbol,
        cell="volume-uniform",
        volume_min_angstrom3=volume_angstrom3,
        volume_max_angstrom3=1.1 * volume_angstrom3,
        scale_with_order=False,
    )
    crystal = one_of(crystal_arrays(generate(published_bundle(), config, seed=seed, count=1)), 0)
    lengths = crystal.cells[0, :3]
    top = np.floor(lengths / d_min_angstrom).astype(int)
    box = IndexBox(*(int(x) for t in top for x in (-t, t)))
    hkl = box.miller_indices
    inside = (s_squared(hkl, crystal.cells)[0] <= d_min_angstrom**-2.0) & hkl.any(axis=1)
    f = structure_factors(group, crystal, box, d_min_angstrom)[0].ravel()[inside]
    true = np.abs(f).astype(np.float64) ** 2
    rng = np.random.default_rng(seed)
    sigma = noise * true + 0.01 * true.mean()
    return Simulated(group, crystal, hkl[inside], true + sigma * rng.standard_normal(len(true)), sigma)


def share_found(truth: F64, cell: UnitCell, found: F64, tolerance: float = 0.3) -> tuple[float, float]:
    """Shares of true positions (n, 3) that were found and of found ones (m, 3) that are true, at the best
    origin and hand."""
    best = (0.0, 0.0)
    to_angstrom = cell.orthogonalization.T
    for hand in (1.0, -1.0):
        points = hand * found
        for shift in (truth[None] - points[:3, None]).reshape(-1, 3):
            apart = points[:, None] + shift - truth[None]
            apart -= np.rint(apart)
            near = ((apart @ to_angstrom) ** 2).sum(axis=2) < tolerance**2
            best = max(best, (float(near.any(axis=0).mean()), float(near.any(axis=1).mean())), key=sum)
    return best
