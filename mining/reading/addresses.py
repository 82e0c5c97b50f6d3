"""Memory at addresses, inside numba kernels.

Handing an array to a function costs two atomic operations on its reference count, which for tokens of a few
bytes is most of the time. So kernels that look at bytes take an address, and others take arrays without a
count. No read is checked: whoever calls knows the end.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy.typing as npt
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

from xtalpriors.compilation import kernel

__all__ = ["byte_at", "trailing_zeros", "uncounted", "word_at"]


@intrinsic
def byte_at(typing_context: Any, address: Any) -> Any:
    """The byte at an address, as int64."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())
        return builder.zext(builder.load(pointer), ir.IntType(64))

    return types.int64(types.int64), generate


@intrinsic
def word_at(typing_context: Any, address: Any) -> Any:
    """The eight bytes at an address, as uint64."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.load(pointer, align=1)

    return types.uint64(types.int64), generate


@intrinsic
def trailing_zeros(typing_context: Any, word: Any) -> Any:
    """Number of zero bits below the lowest one of a uint64, as int64."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), generate


@intrinsic
def _pointer(typing_context: Any, address: Any) -> Any:
    """An address as a pointer."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())

    return types.voidptr(types.uintp), generate


@kernel(forceinline=True)
def uncounted(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The same array without a reference count, for as long as the array given lives.

    Only for arguments, which the caller holds. An array that the kernel itself made is freed when its name is
    used for the last time, so that the view would be of memory that is no longer there.
    """
    view: npt.NDArray[Any] = numba.carray(_pointer(array.ctypes.data), array.shape, array.dtype)
    return view
