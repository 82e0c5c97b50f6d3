"""All settings of the 230 space groups on given axes, and how often each group occurs."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from importlib.resources import files

import gemmi
import numpy as np

from xtalpriors.arrays import F64, I64
from xtalpriors.crystal.scattering.reciprocal import systematic_absences
from xtalpriors.crystal.symmetry.space_group import CENTRING_VECTORS, SpaceGroup
from xtalpriors.crystal.symmetry.triplets import DENOMINATOR
from xtalpriors.model.measured.merging import laue_rotations

__all__ = [
    "centring_vectors",
    "expanded",
    "group_frequency",
    "groups_of_laue_class",
    "has_groups",
    "lattice_group",
    "proper_rotations",
]

_SMALLEST_COUNT = 0.3
"""Counted for a group that the table does not have: every group occurs."""


def centring_vectors(letter: str) -> F64:
    """Centring vectors (m, 3) of a letter, fractions of the cell; R obverse."""
    return np.array(CENTRING_VECTORS[letter], dtype=np.float64).reshape(-1, 3) / DENOMINATOR


def _laue_key(rotations: I64) -> frozenset[tuple[int, ...]]:
    return frozenset(tuple(r.ravel().tolist()) for r in laue_rotations(rotations))


@lru_cache(maxsize=1)
def _settings() -> list[tuple[str, frozenset[tuple[int, ...]], gemmi.SpaceGroup]]:
    """Centring letter, Laue rotations and gemmi's entry of each setting; of two origins the centre's."""
    table = []
    for setting in gemmi.spacegroup_table():
        if setting.ext == "1":
            continue
        operations = setting.operations()
        rotations = np.array([op.rot for op in operations.sym_ops], dtype=np.int64) // gemmi.Op.DEN
        letter = setting.centring_type() if setting.ext != "R" else "P"
        table.append((letter, _laue_key(rotations), setting))
    return table


def groups_of_laue_class(rotations: I64, letter: str) -> list[SpaceGroup]:
    """Space groups of a Laue class and centring on the same axes, each once.

    Of an enantiomorphic pair one is there, and of settings that differ in the origin only (I 1 2/a 1 and
    I 1 2/c 1) the first of gemmi's table.

    Parameters
    ----------
    rotations
        Proper rotations of the Laue class (n, 3, 3).
    letter
        Centring.
    """
    return list(_groups(_laue_key(rotations), letter))


def has_groups(rotations: I64, letter: str) -> bool:
    """Whether a listed setting has a Laue class (proper rotations (n, 3, 3)) and a centring together."""
    wanted = _laue_key(rotations)
    return any(centring == letter and key == wanted for centring, key, _ in _settings())


@lru_cache(maxsize=256)
def _groups(wanted: frozenset[tuple[int, ...]], letter: str) -> tuple[SpaceGroup, ...]:
    found: dict[object, SpaceGroup] = {}
    for centring, key, setting in _settings():
        if centring == letter and key == wanted and setting.number not in _SECOND_OF_PAIR:
            group = SpaceGroup.from_operators(op.triplet() for op in setting.operations())
            axes = frozenset(tuple(r.ravel().tolist()) for r in group.rotations)
            absent = systematic_absences(group, _SMALL_INDICES).tobytes()
            found.setdefault((group.number, axes, absent), group)
    return tuple(found.values())


_SMALL_INDICES = np.stack(
    np.meshgrid(np.arange(-8, 9), np.arange(-8, 9), np.arange(9), indexing="ij"), axis=-1
).reshape(-1, 3)
"""Every systematic absence shows among them: rows along axes and diagonals, and conditions up to 8n."""


_SECOND_OF_PAIR = frozenset((78, 95, 96, 145, 153, 154, 170, 172, 179, 181, 213))
"""P4₃, P4₃22, P4₃2₁2, P3₂, P3₂12, P3₂21, P6₅, P6₄, P6₅22, P6₄22, P4₁32: intensities do not tell them from
their mirror images."""


@lru_cache(maxsize=1)
def _counts() -> dict[int, tuple[float, float]]:
    text = (files("xtalpriors.model.solving") / "space_group_counts.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line[:1].isdigit()]
    return {int(number): (float(a), float(b)) for number, a, b in rows}


def group_frequency(number: int, with_carbon: bool | None) -> float:
    """How often a space group occurs, in parts of one.

    Parameters
    ----------
    number
        1 to 230; both of an enantiomorphic pair count for either.
    with_carbon
        Among compounds with carbon or without; null: among all.
    """
    pair = _PAIRS.get(number)
    numbers = (number,) if pair is None else (number, pair)
    columns = (0, 1) if with_carbon is None else (0,) if with_carbon else (1,)
    count = sum(_counts().get(n, (0.0, 0.0))[c] for n in numbers for c in columns)
    total = sum(row[c] for row in _counts().values() for c in columns)
    return (count + _SMALLEST_COUNT) / (total + 230 * _SMALLEST_COUNT)


_ENANTIOMORPHS = (
    (76, 78), (91, 95), (92, 96), (144, 145), (151, 153), (152, 154), (169, 170), (171, 172), (178, 179),
    (180, 181), (212, 213),
)  # fmt: skip
_PAIRS = dict(_ENANTIOMORPHS) | {b: a for a, b in _ENANTIOMORPHS}


def proper_rotations(group: SpaceGroup) -> I64:
    """The proper rotations R or −R of a group's operators (n, 3, 3)."""
    sign = np.rint(np.linalg.det(group.rotations)).astype(np.int64)
    turned = group.rotations * sign[:, None, None]
    return np.unique(turned.reshape(-1, 9), axis=0).reshape(-1, 3, 3)


def lattice_group(letter: str) -> SpaceGroup:
    """The group of the centring translations of a letter."""
    triplets = ["x,y,z"]
    for vector in centring_vectors(letter):
        parts = [str(Fraction(v).limit_denominator(12)) for v in vector]
        triplets.append(",".join(f"{axis}+{part}" for axis, part in zip("xyz", parts, strict=True)))
    return SpaceGroup.from_operators(triplets)


def expanded(hkl: I64, laue: I64) -> tuple[I64, I64]:
    """All equivalents of unique reflections, one of each Friedel pair, and whose each is."""
    images = np.einsum("mi,nij->nmj", hkl, laue).reshape(-1, 3)
    source = np.tile(np.arange(len(hkl)), len(laue))
    h, k, l = images.T
    half = (l > 0) | ((l == 0) & ((k > 0) | ((k == 0) & (h > 0))))
    unique, first = np.unique(images[half], axis=0, return_index=True)
    return unique, source[half][first]
