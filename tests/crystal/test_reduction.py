"""Niggli cells against gemmi and moyopy, and what hostile cells give."""

from __future__ import annotations

import json
import re
import sqlite3
from importlib.metadata import PackageNotFoundError, distribution

import gemmi
import numpy as np
import pytest
from oracle import ask

from xtalpriors.crystal.cells.cell import cell_volumes, metric_tensors, orthogonalization_matrices
from xtalpriors.crystal.cells.niggli import niggli_reduce
from xtalpriors.crystal.symmetry.primitive import primitive_basis
from xtalpriors.crystal.symmetry.resolve import Resolution, resolve_space_group
from xtalpriors.crystal.symmetry.space_group import SpaceGroup

SPECIAL = [
    (5, 5, 5, 90, 90, 90),
    (5, 5, 5, 60, 60, 60),
    (5, 5, 9, 90, 90, 120),
    (4, 5, 6, 90, 90, 90),
    (5, 5, 5, 70, 70, 70),
    (9, 7, 6, 90, 91, 90),
    (9, 7, 6, 90, 170, 90),
    (4, 4, 30, 90, 90, 60),
    (3, 21.27, 53, 98.6, 94.1, 90.2),
]


def _random_cells(n: int) -> np.ndarray:
    rng = np.random.default_rng(7)
    cells = np.c_[rng.uniform(3, 40, (n, 3)), rng.uniform(45, 135, (n, 3))]
    return np.r_[cells[np.isfinite(cell_volumes(cells))], np.array(SPECIAL, dtype=float)]


def test_agrees_with_gemmi_and_moyopy() -> None:
    cells = _random_cells(3000)
    assert len(cells) > 2000
    found = niggli_reduce(cells)
    assert found.reduced.all()
    for cell, reduced in zip(cells, found.cells, strict=True):
        oracle = gemmi.GruberVector(gemmi.UnitCell(*cell), "P")
        oracle.niggli_reduce(1e-7)
        np.testing.assert_allclose(reduced, oracle.get_cell().parameters, atol=1e-6)
    script = "import moyopy; answer = [moyopy.niggli_reduce(b)[0] for b in question]"
    bases = orthogonalization_matrices(cells).transpose(0, 2, 1)
    oracle_bases = np.array(ask("moyopy", script, bases.tolist()))
    lengths = np.linalg.norm(oracle_bases, axis=2)
    np.testing.assert_allclose(found.cells[:, :3], lengths, rtol=1e-6)


def test_the_change_of_basis_gives_the_cell() -> None:
    cells = _random_cells(500)
    found = niggli_reduce(cells)
    metric = np.einsum("nji,njk,nkl->nil", found.bases, metric_tensors(cells), found.bases)
    np.testing.assert_allclose(metric, metric_tensors(found.cells), rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(np.linalg.det(found.bases), 1.0)
    np.testing.assert_array_equal(found.bases, np.rint(found.bases))


def test_a_lattice_has_one_reduced_cell_whatever_its_axes() -> None:
    cells = _random_cells(300)
    expected = niggli_reduce(cells).cells
    rng = np.random.default_rng(3)
    for _ in range(4):
        turn = np.eye(3)
        for _ in range(3):
            i, j = rng.permutation(3)[:2]
            step = np.eye(3)
            step[i, j] = rng.integers(-2, 3)
            turn = turn @ step
        np.testing.assert_allclose(niggli_reduce(cells, turn).cells, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("symbol", "cell"),
    [
        ("F m -3 m", (5, 5, 5, 90, 90, 90)),
        ("I m -3 m", (5, 5, 5, 90, 90, 90)),
        ("C 1 2/c 1", (9, 7, 6, 90, 101, 90)),
        ("A 1 2/n 1", (9, 7, 6, 90, 101, 90)),
        ("R -3 m:H", (5, 5, 13, 90, 90, 120)),
        ("I 41/a:2", (5, 5, 11, 90, 90, 90)),
        ("B 1 1 2/b", (9, 7, 6, 90, 90, 101)),
    ],
)
def test_centred_lattices(symbol: str, cell: tuple[float, ...]) -> None:
    group = SpaceGroup.from_hm(symbol)
    found = niggli_reduce([cell], primitive_basis(group)).cells[0]
    oracle = gemmi.GruberVector(gemmi.UnitCell(*cell), group.centring)
    oracle.niggli_reduce(1e-7)
    np.testing.assert_allclose(found, oracle.get_cell().parameters, atol=1e-6)
    n_points = sum(1 for r in group.rotations if (r == np.eye(3)).all())
    assert cell_volumes([found])[0] == pytest.approx(cell_volumes([cell])[0] / n_points)


def test_real_cells_of_the_amcsd() -> None:
    try:
        path = distribution("larixite").locate_file("larixite/amcsd_cif1.db")
    except PackageNotFoundError:
        pytest.skip("needs larixite, which `make setup` installs")
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        operators = dict(connection.execute("SELECT id, symmetry_xyz FROM spacegroups"))
        rows = connection.execute("SELECT spacegroup_id, a, b, c, alpha, beta, gamma FROM cif").fetchall()
    cells, bases, centrings = [], [], []
    for group_id, *cell in rows:
        resolution = resolve_space_group(tuple(json.loads(operators[group_id])))
        is_numbers = all(re.fullmatch(r"\d+\.?\d*", x) for x in cell)  # `3,2518` and `6.4235.` occur too
        if is_numbers and isinstance(resolution, Resolution) and resolution.group.centring != "X":
            cells.append([float(x) for x in cell])
            bases.append(primitive_basis(resolution.group))
            centrings.append(resolution.group.centring)
    found = niggli_reduce(cells, np.array(bases))
    assert len(cells) > 9000
    assert set("PABCIFR") <= set(centrings)
    assert found.reduced.all()
    for cell, centring, reduced in zip(cells, centrings, found.cells, strict=True):
        # the hexagonal centring vectors are those of the obverse setting in both
        oracle = gemmi.GruberVector(gemmi.UnitCell(*cell), centring)
        oracle.niggli_reduce(1e-5 * oracle.get_cell().volume ** (2 / 3))
        np.testing.assert_allclose(reduced, oracle.get_cell().parameters, rtol=1e-3)


def test_face_centred_cube_by_hand() -> None:
    found = niggli_reduce([[4, 4, 4, 90, 90, 90]], primitive_basis(SpaceGroup.from_number(225)))
    np.testing.assert_allclose(found.cells[0], [4 / 2**0.5] * 3 + [60.0] * 3)


@pytest.mark.parametrize(
    "cell",
    [
        (5, 6, 7, 80, np.nan, 90),
        (0, 1, 1, 90, 90, 90),
        (-5, 5, 5, 90, 90, 90),
        (5, 5, 5, 120, 120, 120),
        (5, 5, 5, 180, 90, 90),
        (5, 5, 5, 90, -90, 90),
        (5, 5, 5, 90, 270, 90),
        (np.inf, 5, 5, 90, 90, 90),
        (1e300, 1, 1, 90, 90, 90),
        (5, 5, 5, 60, 60, 130),
        (5, 5, 5, 0, 90, 90),
    ],
)
def test_what_is_no_cell_is_said_and_does_not_spoil_its_neighbours(cell: tuple[float, ...]) -> None:
    found = niggli_reduce([(5, 6, 7, 90, 90, 90), cell, (7, 6, 5, 90, 90, 90)])
    assert found.reduced.tolist() == [True, False, True]
    assert np.isnan(found.cells[1]).all()
    np.testing.assert_allclose(found.cells[[0, 2]], [(5, 6, 7, 90, 90, 90)] * 2)


def test_extreme_but_valid_cells_end() -> None:
    found = niggli_reduce(
        [(5, 6, 7, 90, 179.9, 90), (0.01, 6, 700, 90, 100, 90), (1e-3, 1e3, 1e5, 90, 90, 90)]
    )
    assert found.reduced.all()
    assert niggli_reduce(np.empty((0, 6))).cells.shape == (0, 6)
