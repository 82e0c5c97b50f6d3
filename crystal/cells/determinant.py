"""Determinant and adjugate of 3 × 3 matrices, for numbers of any kind: exact for integers and fractions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["adjugate", "determinant"]


def determinant(a: Any, b: Any, c: Any) -> Any:
    """Determinant of the matrix with the rows a, b and c. Compiled kernels use it too."""
    return (
        a[0] * (b[1] * c[2] - b[2] * c[1])
        - a[1] * (b[0] * c[2] - b[2] * c[0])
        + a[2] * (b[0] * c[1] - b[1] * c[0])
    )


def adjugate(m: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Adjugate of a matrix: its inverse times its determinant."""
    return [
        [
            m[(j + 1) % 3][(i + 1) % 3] * m[(j + 2) % 3][(i + 2) % 3]
            - m[(j + 1) % 3][(i + 2) % 3] * m[(j + 2) % 3][(i + 1) % 3]
            for j in range(3)
        ]
        for i in range(3)
    ]
