"""Bonds of an atom and the angles between them, of crystals whose shells are known."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest

from xtalpriors.arrays import F64
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.cells.distances import StructureArrays
from xtalpriors.crystal.cells.shells import MOST_BONDS, shell_counts
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.priors.fitting.as_measured import coordination
from xtalpriors.priors.fitting.as_measured.bonds import BOND_MAX

BINS = 180


def crystal(
    number: int, cell: list[float], fract: F64, elements: list[int], radii: list[float], **others: list[float]
) -> StructureArrays:
    """One structure; all sites are on general positions and fully occupied unless `others` says so."""
    group, n = SpaceGroup.from_number(number), len(elements)
    return StructureArrays(
        cells=np.array([cell]),
        offsets=np.array([0, n]),
        fract=np.array(fract),
        atomic_number=np.array(elements),
        occupancy=np.array(others.get("occupancy", [1.0] * n)),
        multiplicity=np.array(others.get("multiplicity", [group.order] * n)),
        radius_angstrom=np.array(radii),
        group_of=np.array([0]),
        group_offsets=np.array([0, group.order]),
        rotations=group.rotations,
        translations=group.translations,
    )


def step_of(degree: float) -> int:
    """Step of the cosine that an angle falls into."""
    return min(int(0.5 * (math.cos(math.radians(degree)) + 1.0) * BINS), BINS - 1)


def test_diamond_has_four_bonds_at_the_tetrahedral_angle() -> None:
    """a = 3.567 Å: 1.545 Å, arccos(−1/3); no other atom within 1.9 Å."""
    diamond = crystal(227, [3.567] * 3 + [90.0] * 3, np.full((1, 3), 0.125), [6], [0.76], multiplicity=[8])
    found = shell_counts(diamond, np.array([0.5]), np.array([0]), 1, bond_max=BOND_MAX, n_bins=BINS)
    assert found.numbers[0].tolist() == [0.0] * 4 + [4.0] + [0.0] * (MOST_BONDS - 4)
    assert found.angles[0].sum() == pytest.approx(4.0)
    assert found.angles[0, step_of(math.degrees(math.acos(-1 / 3)))] == pytest.approx(4.0)


def test_hydrogen_and_partly_occupied_sites_are_not_counted() -> None:
    """O–C–O along a, 1.2 Å each, with H at 1.0 Å beside C and half an O on top."""
    x, y = 1.2 / 20, 1.0 / 20
    fract = np.array(
        [[0.5, 0.5, 0.5], [0.5 + x, 0.5, 0.5], [0.5 - x, 0.5, 0.5], [0.5, 0.5 + y, 0.5], [0.5, 0.5, 0.56]]
    )
    occupancy = [1.0, 1.0, 1.0, 1.0, 0.5]
    molecule = crystal(
        1,
        [20.0] * 3 + [90.0] * 3,
        fract,
        [6, 8, 8, 1, 8],
        [0.76, 0.66, 0.66, 0.31, 0.66],
        occupancy=occupancy,
    )
    code = np.array([0, 1, 1, 2, 1])
    found = shell_counts(molecule, np.ones(1), code, 3, bond_max=BOND_MAX, n_bins=BINS)
    assert found.numbers[0, 2] == found.numbers[0].sum() == 1.0
    assert found.numbers[1, 1] == found.numbers[1].sum() == 2.0
    assert found.angles[0, 0] == 1.0 and found.angles.sum() == 1.0  # 180°
    assert found.numbers[2].sum() == 0.0


def test_shells_are_those_of_a_search_over_all_images() -> None:
    """Random atoms in P2₁/c against a plain search in the cells around."""
    rng, group = np.random.default_rng(4), SpaceGroup.from_number(14)
    shifts = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3), -1).reshape(-1, 3)
    for _ in range(5):
        fract, cell = rng.random((4, 3)), [7.1, 6.3, 8.2, 90.0, 104.0, 90.0]
        made = crystal(14, cell, fract, [14] * 4, [1.11] * 4)
        found = shell_counts(made, np.ones(1), np.arange(4), 4, bond_max=BOND_MAX, n_bins=BINS)
        images = np.concatenate([(group.rotations @ x + group.translations) % 1.0 for x in fract])
        everywhere = (images[:, None] + shifts).reshape(-1, 3)
        for i, x in enumerate(fract):
            vectors = (everywhere - x) @ UnitCell(*cell).orthogonalization.T
            d = np.linalg.norm(vectors, axis=1)
            bonds = vectors[(d > 0.1) & (d < BOND_MAX * 2.22)]
            assert found.numbers[i, len(bonds)] == 4.0
            expected = np.zeros(BINS)
            pairs = list(combinations(bonds / np.linalg.norm(bonds, axis=1)[:, None], 2))
            for a, b in pairs:
                expected[min(int(0.5 * (a @ b + 1.0) * BINS), BINS - 1)] += 4.0 / len(pairs)
            assert found.angles[i] == pytest.approx(expected)


def test_a_rare_element_has_the_shell_of_its_kind() -> None:
    """Mg in 60 clusters has six bonds; Be in two has four: too few, so that both kinds of atoms count."""
    n = len(coordination._KNOWN)
    numbers, angles = np.zeros((n, MOST_BONDS + 1)), np.zeros((n, BINS))
    numbers[12, 6], numbers[4, 4] = 90.0, 10.0
    angles[12, step_of(90.5)] = 90.0
    clusters = {12: {str(k) for k in range(60)}, 4: {"x", "y"}}
    sums = coordination._Sums(numbers, angles, clusters)
    common, rare = (coordination._shell(z, sums, sums, [4, 12]) for z in (12, 4))
    assert common is not None and rare is not None
    assert not common.of_kind and common.numbers.values.tolist() == [0.0] * 6 + [1.0]
    assert rare.of_kind and rare.n_clusters == 62
    assert rare.numbers.values[[4, 6]] == pytest.approx([0.1, 0.9])
    assert rare.angle_table is not None
    assert rare.angle_table.quantile(0.5) == pytest.approx(90.5, abs=0.6)
    assert coordination._shell(8, sums, sums, [8]) is None
