"""Wyckoff positions of every space group in any setting, from the shipped table `wyckoff.tsv`.

The table holds the reference settings, as `tools/derive_wyckoff.py` derived them from the operators; other
settings follow by the group's own change of basis.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from importlib.resources import files

import numpy as np

from xtalpriors.arrays import F64, I64
from xtalpriors.crystal.symmetry.basis import ChangeOfBasis
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.crystal.wyckoff.subspaces import Subspace, parametrize, subspace_of

__all__ = ["WyckoffPosition", "WyckoffSet", "wyckoff_positions", "wyckoff_sets"]


@dataclass(frozen=True, eq=False, slots=True)
class WyckoffPosition:
    """One Wyckoff position in the setting of its group.

    Attributes
    ----------
    letter
        As in International Tables A for the reference setting; `A` stands for the 27th (α, group 47).
    multiplicity
        Points per cell of the setting, centring included.
    degrees_of_freedom
        0 point, 1 axis, 2 plane, 3 general.
    site_symmetry_order
        × multiplicity = order of the group.
    set_id
        First letter of its Wyckoff set: positions that a shift of origin turns into each other (a–d of
        P2₁/c all carry `a`).
    representative
        Triplet in its free coordinates, such as `x,1/4,z`.
    matrix, vector
        W (3, 3) and w (3,): the points are W (u, v, w)ᵀ + w for free parameters in [0, 1), which cover the
        position evenly. Columns of W that belong to no free parameter are zero.
    directions
        (degrees_of_freedom, 3) free directions, integers: a basis of the lattice along the position.
    """

    letter: str
    multiplicity: int
    degrees_of_freedom: int
    site_symmetry_order: int
    set_id: str
    representative: str
    matrix: F64
    vector: F64
    directions: I64
    subspace: Subspace

    def __repr__(self) -> str:
        return f"WyckoffPosition({self.multiplicity}{self.letter} {self.representative})"


@dataclass(frozen=True, slots=True)
class WyckoffSet:
    """Positions of a group that differ by the choice of origin only.

    Attributes
    ----------
    letters
        In alphabetical order (`A` last); the first is the `set_id` of each member.
    multiplicity, degrees_of_freedom, site_symmetry_order
        Of each member.
    """

    letters: tuple[str, ...]
    multiplicity: int
    degrees_of_freedom: int
    site_symmetry_order: int

    @property
    def n_positions(self) -> int:
        """Number of positions in the set."""
        return len(self.letters)


@lru_cache(maxsize=1)
def _table() -> dict[int, list[tuple[str, int, str, str]]]:
    """Letter, order of the site symmetry, set and representative of each position, by group number."""
    text = files("xtalpriors.crystal.wyckoff").joinpath("wyckoff.tsv").read_text("ascii")
    rows: dict[int, list[tuple[str, int, str, str]]] = {}
    for line in text.splitlines()[1:]:
        number, letter, order, set_id, representative = line.split("\t")
        rows.setdefault(int(number), []).append((letter, int(order), set_id, representative))
    return rows


@lru_cache(maxsize=4096)
def wyckoff_positions(group: SpaceGroup) -> tuple[WyckoffPosition, ...]:
    """Wyckoff positions of a group in its own setting, by letter (`a` first, the general position last)."""
    back = group.to_reference.inverse()
    return tuple(_position(group, back, *row) for row in _table()[group.number])


def wyckoff_sets(group: SpaceGroup) -> tuple[WyckoffSet, ...]:
    """Wyckoff sets of a group, by their first letter; the general position last."""
    members: dict[str, list[WyckoffPosition]] = {}
    for position in wyckoff_positions(group):
        members.setdefault(position.set_id, []).append(position)
    return tuple(
        WyckoffSet(
            tuple(p.letter for p in group_members),
            group_members[0].multiplicity,
            group_members[0].degrees_of_freedom,
            group_members[0].site_symmetry_order,
        )
        for group_members in members.values()
    )


def _position(
    group: SpaceGroup, back: ChangeOfBasis, letter: str, order: int, set_id: str, representative: str
) -> WyckoffPosition:
    """A row of the table, moved from the reference setting."""
    affine = ChangeOfBasis.from_triplet(representative)
    moved = back.after(affine)
    columns = [[moved.rows[i][j] for i in range(3)] for j in range(3)]
    subspace = subspace_of([c for c in columns if any(c)], moved.shift)
    solved = parametrize(subspace)
    free = _free_columns(solved.directions)
    matrix = np.zeros((3, 3))
    for column, direction in zip(free, solved.directions, strict=True):
        matrix[:, column] = direction
    rows = tuple(tuple(Fraction(int(x)) for x in row) for row in matrix.astype(np.int64).tolist())
    return WyckoffPosition(
        letter=letter,
        multiplicity=group.order // order,
        degrees_of_freedom=len(solved.directions),
        site_symmetry_order=order,
        set_id=set_id,
        representative=ChangeOfBasis(rows, solved.point).triplet,  # type: ignore[arg-type]
        matrix=matrix,
        vector=np.array([float(x) for x in solved.point]),
        directions=np.array(solved.directions, dtype=np.int64).reshape(-1, 3),
        subspace=subspace,
    )


def _free_columns(directions: tuple[tuple[int, ...], ...]) -> list[int]:
    """For each free parameter the coordinate that equals it, else the next coordinate not used yet."""
    columns: list[int] = []
    for direction in directions:
        own = (
            i
            for i in range(3)
            if direction[i] == 1 and all(d[i] == 0 for d in directions if d is not direction)
        )
        unused = (i for i in range(3) if i not in columns)
        columns.append(next((i for i in own if i not in columns), next(unused)))
    return columns
