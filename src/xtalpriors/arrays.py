"""Names that arrays have everywhere: one alias for each dtype, and the six columns of a unit cell."""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["ANGLES", "C64", "CELL", "F32", "F64", "I16", "I32", "I64", "LENGTHS", "U8", "U32", "U64", "Bool"]

F64: TypeAlias = npt.NDArray[np.float64]
C64: TypeAlias = npt.NDArray[np.complex64]
F32: TypeAlias = npt.NDArray[np.float32]
I64: TypeAlias = npt.NDArray[np.int64]
I32: TypeAlias = npt.NDArray[np.int32]
I16: TypeAlias = npt.NDArray[np.int16]
U64: TypeAlias = npt.NDArray[np.uint64]
U32: TypeAlias = npt.NDArray[np.uint32]
U8: TypeAlias = npt.NDArray[np.uint8]
Bool: TypeAlias = npt.NDArray[np.bool_]

LENGTHS: Final = ("a_angstrom", "b_angstrom", "c_angstrom")
ANGLES: Final = ("alpha_degree", "beta_degree", "gamma_degree")
CELL: Final = (*LENGTHS, *ANGLES)
"""Columns of a unit cell, in the order of the (n, 6) arrays of cells."""
