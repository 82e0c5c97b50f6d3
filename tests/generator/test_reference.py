"""Kernels and reference agree in distribution: counts, special positions, drops, distances, U_iso."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from xtalpriors.crystal.cells.cell import orthogonalization_matrices
from xtalpriors.generator.config import configure
from xtalpriors.generator.counters import COUNTERS, GENERAL
from xtalpriors.generator.generate import generate
from xtalpriors.generator.reference.reference import Reference, number_of_atoms, number_of_hydrogens
from xtalpriors.generator.structures import Structure
from xtalpriors.priors.bundle import published_bundle

CASES = [
    ({"filling": "random"}, 700),
    ({"filling": "molecules"}, 600),
    ({"filling": "equal-atoms", "cell": "axes-uniform"}, 900),
    ({"filling": "molecules", "cell": "axes-uniform", "length_max_angstrom": 6.0}, 800),
    (
        {
            "filling": "random",
            "special_positions": True,
            "space_group": "P m m m",
            "special_probability": 0.2,
        },
        500,
    ),
    ({"filling": "molecules", "space_group": "C 1 2/m 1", "special_probability": 0.2}, 300),
]


def _nearest(structure: Structure) -> float:
    """Smallest distance between two atoms of the asymmetric unit, nearest images, Å; −1 for a single atom."""
    if len(structure.element) < 2:
        return -1.0
    matrix = orthogonalization_matrices(np.array([structure.cell.parameters]))[0]
    i, j = np.triu_indices(len(structure.element), 1)
    difference = structure.fract[i] - structure.fract[j]
    difference -= np.round(difference)
    return float(np.linalg.norm(difference @ matrix.T, axis=1).min())


def _summary(structure: Structure, counters: dict[str, int]) -> list[float]:
    volume, elements = structure.cell.volume, structure.element
    mean = float(structure.u_iso.mean())
    return [
        volume,
        structure.cell.beta,
        float(max(structure.cell.parameters[:3])),
        float((elements > 1).sum()),
        float((elements == 1).sum()),
        float((structure.site != GENERAL).sum()),
        float(np.isin(elements, (6, 7, 8)).sum()),
        float(elements.astype(float).sum()) / len(elements),
        mean,
        float(structure.u_iso[0]) - mean,
        _nearest(structure),
        *(float(counters[name]) for name in COUNTERS),
    ]


@pytest.mark.parametrize(("options", "n"), CASES, ids=lambda x: str(x) if isinstance(x, dict) else "")
def test_kernels_and_reference_agree(options: dict[str, object], n: int) -> None:
    config = configure(**options)
    reference, rng = Reference(published_bundle(), config), np.random.default_rng(21)
    slow = np.array([_summary(reference.structure(rng), reference.counters) for _ in range(n)])
    batch = generate(published_bundle(), config, 3, 0, 4000)
    fast = np.array(
        [
            _summary(s, dict(zip(COUNTERS, row.tolist(), strict=True)))
            for s, row in zip(batch, batch.counters, strict=True)
        ]
    )
    # 6 cases × 19 statistics: 1e-5 each keeps the whole below 0.12 %
    for k in range(fast.shape[1]):
        assert stats.ks_2samp(fast[:, k], slow[:, k]).pvalue > 1e-5, k
    assert np.ptp(slow[:, 3]) > 0


def test_equations_18_and_19_by_hand() -> None:
    assert number_of_atoms(420.0, 14.5, 4) == 7  # 7.24
    assert number_of_hydrogens(7, 0.45) == 5  # 5.73
    assert number_of_hydrogens(7, 0.0) == 0
