"""Space groups as sets of operators, in any setting, with the names that gemmi's table has for them.

There is one object per set of operators and process: compare groups with `is`, use them as keys.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import gemmi
import numpy as np

from xtalpriors.arrays import F64, I64
from xtalpriors.crystal.symmetry.basis import ChangeOfBasis
from xtalpriors.crystal.symmetry.closure import NotAGroupError, check_group
from xtalpriors.crystal.symmetry.symbols import axes_of, setting_of_hm
from xtalpriors.crystal.symmetry.triplets import (
    DENOMINATOR,
    IDENTITY,
    Operator,
    format_triplet,
    operator_arrays,
    parse_triplet,
)
from xtalpriors.errors import UsageError

__all__ = ["CENTRING_VECTORS", "SpaceGroup", "group_of_hm", "group_of_setting", "space_group"]

_HALF, _THIRD = DENOMINATOR // 2, DENOMINATOR // 3
CENTRING_VECTORS: dict[str, tuple[tuple[int, int, int], ...]] = {
    "P": (),
    "A": ((0, _HALF, _HALF),),
    "B": ((_HALF, 0, _HALF),),
    "C": ((_HALF, _HALF, 0),),
    "I": ((_HALF, _HALF, _HALF),),
    "F": ((0, _HALF, _HALF), (_HALF, 0, _HALF), (_HALF, _HALF, 0)),
    "R": ((2 * _THIRD, _THIRD, _THIRD), (_THIRD, 2 * _THIRD, 2 * _THIRD)),
}
_CENTRING_LETTERS = {frozenset([(0, 0, 0), *v]): letter for letter, v in CENTRING_VECTORS.items()}


@dataclass(frozen=True, eq=False, slots=True)
class SpaceGroup:
    """A space group in one setting. Make it with `from_operators`, `from_hall`, `from_hm` or `from_number`.

    Attributes
    ----------
    operators
        Triplets modulo lattice translations, centring included: the identity, then the rest sorted.
    rotations
        (n, 3, 3) integers; row i of an operator gives the new coordinate i.
    translations
        (n, 3) fractions of the cell in [0, 1).
    number
        1 to 230, whatever the setting.
    hm, hall
        Extended Hermann–Mauguin symbol (`P n n n:2`) and Hall symbol of the setting, as gemmi spells them;
        None where its table does not have the setting.
    crystal_system
        triclinic, monoclinic, orthorhombic, tetragonal, trigonal, hexagonal or cubic.
    laue_class
        For example `2/m`.
    centrosymmetric
        The group contains an inversion.
    centring
        P, A, B, C, I, F, R (obverse), or X for any other set of pure translations.
    to_reference
        Change of coordinates from this setting to gemmi's reference setting of the same number
        (ITA: unique axis b, cell choice 1; hexagonal axes; origin choice 2).
    """

    operators: tuple[str, ...]
    rotations: I64
    translations: F64
    number: int
    hm: str | None
    hall: str | None
    crystal_system: str
    laue_class: str
    centrosymmetric: bool
    centring: str
    to_reference: ChangeOfBasis

    @property
    def order(self) -> int:
        """Number of operators per cell, centring included."""
        return len(self.operators)

    @property
    def is_reference(self) -> bool:
        """This is the reference setting of its number."""
        return self is SpaceGroup.from_number(self.number)

    def images(self, points: F64) -> F64:
        """Images (operators, n, 3) of fractional coordinates (n, 3), not brought into one cell."""
        moved = np.einsum("kij,nj->kni", self.rotations.astype(np.float64), points)
        result: F64 = moved + self.translations[:, None]
        return result

    def __reduce__(self) -> tuple[object, ...]:
        return SpaceGroup.from_operators, (self.operators,)

    def __repr__(self) -> str:
        return f"SpaceGroup({self.hm or '; '.join(self.operators)!r}, number={self.number})"

    @staticmethod
    def from_operators(triplets: Iterable[str]) -> SpaceGroup:
        """Group of a complete list of operators (duplicates and lattice translations do no harm).

        Raises
        ------
        TripletError
            A text cannot be read as an operator.
        NotAGroupError
            The operators form no crystallographic group; `code` is `not-closed`, `too-many`,
            `not-invertible`, `no-identity` or `not-crystallographic`.
        """
        return space_group(frozenset(parse_triplet(t) for t in triplets))

    @staticmethod
    def from_hall(symbol: str) -> SpaceGroup:
        """Group of a Hall symbol; UsageError where gemmi cannot read it."""
        try:
            ops = gemmi.symops_from_hall(symbol)
        except (RuntimeError, ValueError) as error:
            raise UsageError(f"{symbol!r} is no Hall symbol that gemmi can read: {error}") from error
        return SpaceGroup.from_operators(op.triplet() for op in ops)

    @staticmethod
    def from_number(number: int) -> SpaceGroup:
        """Group of a number (1 to 230) in its reference setting; UsageError for another number."""
        return _from_number(number)

    @staticmethod
    def from_hm(symbol: str, angles_degree: tuple[float, float, float] | None = None) -> SpaceGroup:
        """Group of a Hermann–Mauguin symbol in any usual spelling (see `symbols.setting_of_hm`).

        The angles of the cell decide between hexagonal and rhombohedral axes and between unique axes where
        the symbol does not; a symbol that names no origin means origin choice 2. UsageError where the symbol
        is unknown.
        """
        found = group_of_hm(symbol, axes_of(angles_degree))
        if found is None:
            raise UsageError(
                f"{symbol!r} is no Hermann–Mauguin symbol known here; write it as in 'P 1 21/c 1' or "
                "'R -3 m:H', or give the operators."
            )
        return found


@lru_cache(maxsize=256)
def _from_number(number: int) -> SpaceGroup:
    if not 1 <= number <= 230:
        raise UsageError(f"There is no space group of number {number}: numbers go from 1 to 230.")
    return group_of_setting(gemmi.get_spacegroup_reference_setting(number))


@lru_cache(maxsize=4096)
def group_of_hm(symbol: str, axes: str, origin: str = "2") -> SpaceGroup | None:
    """Group of a Hermann–Mauguin symbol and of what `axes_of` says of the cell, as in `setting_of_hm`.

    Where nothing names the origin it is the centre of inversion, as readers of small molecules take it.
    """
    setting = setting_of_hm(symbol, axes, origin)
    return None if setting is None else group_of_setting(setting)


def group_of_setting(setting: gemmi.SpaceGroup) -> SpaceGroup:
    """Group of an entry of gemmi's table."""
    return SpaceGroup.from_operators(op.triplet() for op in setting.operations())


@lru_cache(maxsize=4096)
def space_group(operators: frozenset[Operator]) -> SpaceGroup:
    """The group of a set of operators; errors as in `SpaceGroup.from_operators`."""
    check_group(operators)
    ordered = sorted((format_triplet(op), op) for op in operators if op != IDENTITY)
    members = [IDENTITY, *(op for _, op in ordered)]
    rotations, translations = operator_arrays(members)
    rotations.setflags(write=False)
    translations.setflags(write=False)
    setting = _tabulated(operators)
    if setting is None:
        from xtalpriors.crystal.symmetry.identify import identify  # only settings without a name need it

        found = identify(operators)
        if found is None:
            raise NotAGroupError("not-crystallographic", "no space group has these rotations")
        number, to_reference = found
        reference = gemmi.get_spacegroup_reference_setting(number)
    else:
        number, reference = setting.number, setting
        to_reference = ChangeOfBasis.from_triplet(setting.basisop.inverse().triplet())
    return SpaceGroup(
        operators=("x,y,z", *(text for text, _ in ordered)),
        rotations=rotations,
        translations=translations,
        number=number,
        hm=setting.xhm() if setting else None,
        hall=setting.hall if setting else None,
        crystal_system=reference.crystal_system_str(),
        laue_class=reference.laue_str(),
        centrosymmetric=bool(reference.is_centrosymmetric()),
        centring=_centring(operators),
        to_reference=to_reference,
    )


def _tabulated(operators: frozenset[Operator]) -> gemmi.SpaceGroup | None:
    """gemmi's entry of this setting, None where its table does not list it."""
    step = DENOMINATOR // gemmi.Op.DEN
    if any(t % step for _, translation in operators for t in translation):
        return None
    ops = gemmi.GroupOps([gemmi.Op(format_triplet(op)) for op in sorted(operators)])
    return gemmi.find_spacegroup_by_ops(ops)


def _centring(operators: frozenset[Operator]) -> str:
    """Letter of the pure translations."""
    shifts = frozenset(t for rotation, t in operators if rotation == IDENTITY[0])
    return _CENTRING_LETTERS.get(shifts, "X")
