"""Changes of basis and origin: one operator moves coordinates, cells and symmetry operators together.

A change of basis is held as the map of *coordinates*, x′ = W x + w. The basis vectors then go the other way,
(a′, b′, c′) = (a, b, c) W⁻¹ (ITA vol. A, 1.5.1; P = W⁻¹ there).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import F64
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.cells.determinant import adjugate, determinant

__all__ = ["ChangeOfBasis"]

Row = tuple[Fraction, Fraction, Fraction]


def _fraction_rows(matrix: npt.ArrayLike) -> tuple[Row, Row, Row]:
    rows = [tuple(Fraction(x).limit_denominator(5040) for x in row) for row in np.asarray(matrix).tolist()]
    return (rows[0], rows[1], rows[2])  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class ChangeOfBasis:
    """Coordinates x′ = W x + w, in exact fractions.

    Attributes
    ----------
    rows
        W, row by row.
    shift
        w.
    """

    rows: tuple[Row, Row, Row]
    shift: Row
    _text: str | None = field(default=None, init=False, repr=False, compare=False)

    @classmethod
    def from_matrix(cls, matrix: npt.ArrayLike, shift: npt.ArrayLike = (0, 0, 0)) -> ChangeOfBasis:
        """From W (3, 3) and w (3,); floats are taken for the nearest fraction with a denominator ≤ 5040."""
        return cls(_fraction_rows(matrix), _fraction_rows(np.tile(np.asarray(shift), (3, 1)))[0])

    @classmethod
    def from_triplet(cls, text: str) -> ChangeOfBasis:
        """From a triplet with fractions allowed as factors, such as `x-z/2,y,z/2` or `x-1/4,y,z`."""
        import gemmi

        op = gemmi.Op(text)
        den = op.DEN
        rows = tuple(tuple(Fraction(v, den) for v in row) for row in op.rot)
        shift = tuple(Fraction(v, den) for v in op.tran)
        return cls(rows, shift)  # type: ignore[arg-type]

    @property
    def matrix(self) -> F64:
        """W (3, 3)."""
        return np.array([[float(v) for v in row] for row in self.rows])

    @property
    def vector(self) -> F64:
        """w (3,)."""
        return np.array([float(v) for v in self.shift])

    @property
    def determinant(self) -> Fraction:
        """det W: the volume of the old cell over that of the new one."""
        found: Fraction = determinant(*self.rows)
        return found

    @property
    def triplet(self) -> str:
        """The map as a triplet, `x-z,y,z`; fractional factors are written `1/2*x`."""
        if self._text is None:  # written once: the reader asks for it at every file of group 14
            parts = (_row_text(row, shift) for row, shift in zip(self.rows, self.shift, strict=True))
            object.__setattr__(self, "_text", ",".join(parts))
        return self._text or ""

    def inverse(self) -> ChangeOfBasis:
        """The map back: x = W⁻¹ x′ − W⁻¹ w."""
        det = self.determinant
        if det == 0:
            raise ZeroDivisionError("a change of basis must be invertible")
        rows = tuple(tuple(x / det for x in row) for row in adjugate(self.rows))
        shift = tuple(-sum((row[k] * self.shift[k] for k in range(3)), Fraction(0)) for row in rows)
        return ChangeOfBasis(rows, shift)  # type: ignore[arg-type]

    def after(self, first: ChangeOfBasis) -> ChangeOfBasis:
        """The map that does `first` and then this one."""
        columns, zero = tuple(zip(*first.rows, strict=True)), Fraction(0)
        rows = tuple(tuple(_dot(row, column, zero) for column in columns) for row in self.rows)
        shift = tuple(_dot(row, first.shift, w) for row, w in zip(self.rows, self.shift, strict=True))
        return ChangeOfBasis(rows, shift)  # type: ignore[arg-type]

    def cell(self, cell: UnitCell) -> UnitCell:
        """The cell in the new basis."""
        return cell.transformed(self.inverse().matrix)

    def coordinates(self, fract: npt.ArrayLike) -> F64:
        """Coordinates (m, 3) in the new basis; not wrapped into the cell."""
        moved: F64 = np.asarray(fract, dtype=np.float64) @ self.matrix.T + self.vector
        return moved

    def miller_indices(self, hkl: npt.ArrayLike) -> F64:
        """Indices (m, 3) of the same reflections in the new basis: h′ = h W⁻¹ as rows."""
        moved: F64 = np.asarray(hkl, dtype=np.float64) @ self.inverse().matrix
        return moved


def _row_text(row: Row, shift: Fraction) -> str:
    text = ""
    for factor, letter in zip(row, "xyz", strict=True):
        if factor:
            size = "" if abs(factor) == 1 else f"{abs(factor)}*"
            text += ("-" if factor < 0 else "+" if text else "") + size + letter
    if shift or not text:
        text += ("+" if text and shift >= 0 else "") + str(shift)
    return text


def _dot(row: tuple[Fraction, ...], column: tuple[Fraction, ...], start: Fraction) -> Fraction:
    """Start + Σ row × column without the products that are zero, as two thirds of them are."""
    return sum((a * b for a, b in zip(row, column, strict=True) if a and b), start)
