"""Metric constraints of every setting: generated cells are invariant under the operators and within the
bounds."""

from __future__ import annotations

import gemmi
import numpy as np
import pytest

from xtalpriors.crystal.cells.cell import metric_tensors
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError
from xtalpriors.generator.config import configure, space_group_of
from xtalpriors.generator.generate import Generator
from xtalpriors.generator.kernels.cell import cells
from xtalpriors.generator.kernels.random import new_stream
from xtalpriors.generator.specification.kernel_inputs import CUBIC, MONOCLINIC, RHOMBOHEDRAL, UNIAXIAL
from xtalpriors.generator.specification.lattice import metric_constraints
from xtalpriors.generator.specification.specify import specify
from xtalpriors.priors.bundle import published_bundle


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("P 1 21/c 1", (MONOCLINIC, 1)),
        ("P 1 1 21/b", (MONOCLINIC, 2)),
        ("P 21/b 1 1", (MONOCLINIC, 0)),
        ("R -3 m:H", (UNIAXIAL, 2)),
        ("R -3 m:R", (RHOMBOHEDRAL, 0)),
        ("I 41/a m d:2", (UNIAXIAL, 2)),
        ("F d -3 m:2", (CUBIC, 0)),
    ],
)
def test_constraints_of_some_settings(symbol: str, expected: tuple[int, int]) -> None:
    assert metric_constraints(space_group_of(symbol))[:2] == expected


@pytest.mark.parametrize("cell", ["axes-uniform", "volume-lognormal"])
def test_cells_of_every_setting_keep_the_metric_and_the_bounds(cell: str) -> None:
    bundle, seen = published_bundle(), set()
    for setting in gemmi.spacegroup_table():
        generator = Generator(
            bundle,
            configure(
                cell=cell,
                space_group=setting.xhm(),
                special_positions=False,
                scale_with_order=True,
                length_min_angstrom=4,
                length_max_angstrom=40,
            ),
            seed=1,
        )
        spec = generator.specification.spec.cell
        drawn = cells(spec, new_stream(generator.key), 0, 8)
        seen.add((spec.system, spec.axis))
        g = metric_tensors(drawn)
        w = generator.specification.group.rotations.astype(float)
        moved = np.einsum("kji,njl,klm->nkim", w, g, w)
        assert np.abs(moved - g[:, None]).max() < 1e-6 * np.abs(g).max(), setting.xhm()
        assert drawn[:, :3].min() >= 4.0
        assert drawn[:, :3].max() <= 40.0
    assert len(seen) == 8  # triclinic, monoclinic × 3, orthorhombic, uniaxial, cubic, rhombohedral


def test_a_primitive_cell_of_a_centred_lattice_is_refused() -> None:
    group = SpaceGroup.from_operators(["x,y,z", "y,x,-z", "-x,-y,-z", "-y,-x,z"])  # C 2/m, primitive
    with pytest.raises(UsageError, match="conventional setting"):
        metric_constraints(group)


def test_lengths_grow_with_the_cube_root_of_the_volume() -> None:
    """P4/nmm has 16 operators, four times the 4 of P2₁/c: volumes × 4, lengths × 4^⅓ = 1.5874."""
    bundle = published_bundle()
    p21c, larger = (
        specify(bundle, configure(space_group=symbol, scale_with_order=True))
        for symbol in ("P 1 21/c 1", "P 4/n m m:2")
    )
    assert (p21c.volume_scale, larger.volume_scale) == (1.0, 4.0)
    for bound in ("length_min", "length_max"):
        ratio = getattr(larger.spec.cell, bound) / getattr(p21c.spec.cell, bound)
        assert ratio == pytest.approx(1.5874, abs=1e-4)
