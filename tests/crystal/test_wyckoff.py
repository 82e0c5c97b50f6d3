"""Wyckoff positions of all 230 groups: derived anew, and against cctbx and moyopy."""

from __future__ import annotations

from importlib.resources import files

import gemmi
import numpy as np
import pytest
from derive_wyckoff import HEADER, derive_positions, letters_from_cctbx, table_lines
from oracle import ask

from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.crystal.symmetry.triplets import parse_triplet
from xtalpriors.crystal.wyckoff import site_symmetries, wyckoff_positions, wyckoff_sets

MOYO = """
import moyopy
answer = []
for basis, positions, numbers in question:
    dataset = moyopy.MoyoDataset(
        moyopy.Cell(basis, positions, numbers), symprec=1e-4, setting=moyopy.Setting.standard()
    )
    letters = [p.letter for p in dataset.normalizer_wyckoff_positions().wyckoffs]
    cell = dataset.std_cell
    answer.append([dataset.number, cell.basis, cell.positions, letters])
"""

METRICS = {
    "triclinic": (7.1, 8.3, 9.9, 83, 98, 107),
    "monoclinic": (7.1, 8.3, 9.9, 90, 98, 90),
    "orthorhombic": (7.1, 8.3, 9.9, 90, 90, 90),
    "tetragonal": (7.1, 7.1, 9.9, 90, 90, 90),
    "trigonal": (7.1, 7.1, 9.9, 90, 90, 120),
    "hexagonal": (7.1, 7.1, 9.9, 90, 90, 120),
    "cubic": (8.3, 8.3, 8.3, 90, 90, 90),
}


def _all_groups() -> list[SpaceGroup]:
    return [SpaceGroup.from_number(n) for n in range(1, 231)]


def test_there_are_1731_positions() -> None:
    positions = [p for group in _all_groups() for p in wyckoff_positions(group)]
    assert len(positions) == 1731


@pytest.mark.slow
def test_the_shipped_table_is_what_the_script_derives() -> None:
    shipped = files("xtalpriors.crystal.wyckoff").joinpath("wyckoff.tsv").read_text("ascii").splitlines()
    assert shipped[0] == HEADER
    letters = letters_from_cctbx()
    assert sum(map(len, letters.values())) == 1731
    assert [line for n in range(1, 231) for line in table_lines(n, letters[n])] == shipped[1:]


def test_positions_follow_from_the_operators_alone() -> None:
    # multiplicities and degrees of freedom, without any letter or other library
    for number in (1, 14, 15, 36, 53, 88, 148, 155, 176, 205, 216):
        group = SpaceGroup.from_number(number)
        derived = derive_positions([parse_triplet(t) for t in group.operators])
        table = wyckoff_positions(group)
        assert sorted((p.order, p.representative.degrees_of_freedom) for p in derived) == sorted(
            (p.site_symmetry_order, p.degrees_of_freedom) for p in table
        )


def _structure(group: SpaceGroup, rng: np.random.Generator) -> tuple[list, list, list]:
    """Basis, positions and kinds of atoms of a cell with a kind of its own on each Wyckoff position."""
    cell = gemmi.UnitCell(*METRICS[group.crystal_system])
    positions, numbers = [], []
    # three more general orbits leave no symmetry beyond the group's
    table = wyckoff_positions(group)
    for kind, position in enumerate((*table, *[table[-1]] * 3), start=1):
        point = position.matrix @ rng.uniform(0.05, 0.95, 3) + position.vector
        orbit = (group.rotations @ point + group.translations) % 1.0 % 1.0
        _, first = np.unique(np.round(orbit, 6) % 1.0, axis=0, return_index=True)
        assert len(first) == position.multiplicity, (group, position)
        positions += orbit[first].tolist()
        numbers += [kind] * len(first)
    basis = np.array(cell.orth.mat.tolist()).T
    return basis.tolist(), positions, numbers


def test_letters_agree_with_moyopy_in_all_230_groups() -> None:
    rng = np.random.default_rng(230)
    questions = []
    for group in _all_groups():
        questions.append(_structure(group, rng))
    answers = ask("moyopy", MOYO, questions, timeout_seconds=300)
    compared = 0
    for group, (number, basis, positions, letters) in zip(_all_groups(), answers, strict=True):
        assert number == group.number
        metric = np.array(basis) @ np.array(basis).T
        found = site_symmetries(group, positions, metric, 1e-3)
        assert found.letter.tolist() == letters, group
        compared += len(set(letters))
    assert compared == 1731


def test_all_settings_of_gemmi() -> None:
    """A random point of each position, moved by a random operator, is found on it again."""
    rng = np.random.default_rng(1)
    n = 0
    for sg in gemmi.spacegroup_table():
        group = SpaceGroup.from_operators(op.triplet() for op in sg.operations())
        positions = wyckoff_positions(group)
        points = np.array([p.matrix @ rng.uniform(0.03, 0.97, 3) + p.vector for p in positions])
        chosen = rng.integers(0, group.order, len(positions))
        points = np.einsum("nij,nj->ni", group.rotations[chosen], points) + group.translations[chosen]
        found = site_symmetries(group, points, np.eye(3) * 100.0, 1e-6)
        assert found.letter.tolist() == [p.letter for p in positions], sg.xhm()
        assert found.multiplicity.tolist() == [p.multiplicity for p in positions]
        assert (found.multiplicity * found.order == group.order).all()
        n += len(positions)
    assert n > 3500


def test_the_general_position_comes_last_and_orders_multiply_to_that_of_the_group() -> None:
    for group in _all_groups():
        positions = wyckoff_positions(group)
        assert positions[-1].degrees_of_freedom == 3
        assert positions[-1].site_symmetry_order == 1
        assert all(p.multiplicity * p.site_symmetry_order == group.order for p in positions)
        assert [p.letter for p in positions] == list("abcdefghijklmnopqrstuvwxyzA"[: len(positions)])
        multiplicities = [p.multiplicity for p in positions]
        assert multiplicities == sorted(multiplicities)


def test_p21c_from_the_tables() -> None:
    # International Tables A, no. 14: 2a 0,0,0; 2b 1/2,0,0; 2c 0,0,1/2; 2d 1/2,0,1/2; 4e x,y,z
    group = SpaceGroup.from_number(14)
    listed = {"a": (0, 0, 0), "b": (0.5, 0, 0), "c": (0, 0, 0.5), "d": (0.5, 0, 0.5)}
    found = site_symmetries(group, list(listed.values()), np.diag([81.0, 64, 49]))
    assert found.letter.tolist() == list(listed)
    assert [s.letters for s in wyckoff_sets(group)] == [("a", "b", "c", "d"), ("e",)]
    assert wyckoff_sets(group)[0].n_positions == 4
    assert {p.set_id for p in wyckoff_positions(group)} == {"a", "e"}


@pytest.mark.parametrize(
    ("number", "sets"),
    # origin shifts of the normalizer: ITA 1.4/3.5; Pnma a, b; Fm-3m a, b; C2/c a, b and c, d
    [
        (2, ["abcdefgh", "i"]),
        (62, ["ab", "c", "d"]),
        (225, ["ab", "c", "d", "e", "f", "g", "hi", "j", "k", "l"]),
        (15, ["ab", "cd", "e", "f"]),
        (4, ["a"]),
        (19, ["a"]),
    ],
)
def test_sets(number: int, sets: list[str]) -> None:
    found = ["".join(s.letters) for s in wyckoff_sets(SpaceGroup.from_number(number))]
    assert found == sets


def test_members_of_a_set_have_the_same_size_and_freedom() -> None:
    for group in _all_groups():
        for members in wyckoff_sets(group):
            mine = [p for p in wyckoff_positions(group) if p.letter in members.letters]
            assert len({(p.multiplicity, p.degrees_of_freedom) for p in mine}) == 1
            assert {p.set_id for p in mine} == {members.letters[0]}


def test_parameters_cover_a_position_evenly() -> None:
    """Columns of W are a basis of the lattice along the position: unit entries at its free coordinates."""
    for sg in gemmi.spacegroup_table():
        group = SpaceGroup.from_operators(op.triplet() for op in sg.operations())
        for p in wyckoff_positions(group):
            columns = [p.matrix[:, j] for j in range(3) if p.matrix[:, j].any()]
            assert len(columns) == p.degrees_of_freedom == len(p.directions)
            if len(columns) == 1:
                assert np.gcd.reduce(columns[0].astype(int)) == 1
            elif len(columns) == 2:
                assert np.gcd.reduce(np.cross(*columns).astype(int)) == 1


def test_sets_are_those_of_a_search_over_shifts() -> None:
    """Shifts by eighths and thirds that leave the operators as they are, tried one by one."""
    axis = np.array([0, 1 / 8, 1 / 4, 3 / 8, 1 / 2, 5 / 8, 3 / 4, 7 / 8, 1 / 3, 2 / 3])
    grid = np.array(np.meshgrid(axis, axis, axis)).reshape(3, -1).T
    n_pooled = 0
    for group in _all_groups():
        pure = group.translations[(group.rotations == np.eye(3)).all(axis=(1, 2))]
        rotations = np.unique(group.rotations, axis=0)
        moved = np.einsum("nij,sj->sni", rotations - np.eye(3), grid)[:, :, None] - pure
        kept = (np.abs(moved - np.rint(moved)).max(axis=3) < 1e-9).any(axis=2).all(axis=1)
        positions = wyckoff_positions(group)
        points = np.array([p.matrix @ [0.137, 0.229, 0.311] + p.vector for p in positions])
        shifts = grid[kept]
        letters = site_symmetries(
            group, (points[None] + shifts[:, None]).reshape(-1, 3), np.eye(3) * 100, 1e-6
        ).letter.reshape(len(shifts), len(positions))
        for i, position in enumerate(positions):
            members = next(s.letters for s in wyckoff_sets(group) if position.letter in s.letters)
            assert set(letters[:, i]) == set(members), (group, position)
            n_pooled += len(members) > 1
    assert n_pooled > 600
