"""Memory at addresses, inside numba kernels.

Handing an array to a function costs two atomic operations on its reference count, which for tokens of a few
bytes is most of the time. So kernels that look at bytes take an address, and others take arrays without a
count. No read is checked: whoever calls knows the end.
"""

from __future__ import annotations

from typing import Any, Final

import numba
import numpy.typing as npt
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

from xtalpriors.compilation import kernel

__all__ = ["BLOCK_BYTES", "byte_at", "byte_mask", "number_of_ones", "trailing_zeros", "uncounted", "word_at"]

BLOCK_BYTES: Final = 64
"""How many bytes `byte_mask` looks at."""


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
def number_of_ones(typing_context: Any, word: Any) -> Any:
    """Number of one bits of a uint64, as int64."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), generate


def byte_mask(*ranges: tuple[int, int]) -> Any:
    """A function for kernels: which of the 64 bytes at an address lie in one of the ranges, ends included.

    It returns a uint64 whose lowest bit stands for the first byte. The bytes are compared as vectors, which
    every processor has or LLVM makes up for it: the result is the same on all of them.
    """

    @intrinsic
    def mask(typing_context: Any, address: Any) -> Any:
        """Bits of the bytes in the ranges."""

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            block = ir.VectorType(ir.IntType(8), BLOCK_BYTES)
            data = builder.load(builder.inttoptr(arguments[0], block.as_pointer()), align=1)
            found = None
            for low, high in ranges:
                above = builder.sub(data, ir.Constant(block, [low] * BLOCK_BYTES))
                span = ir.Constant(block, [high - low] * BLOCK_BYTES)
                inside = builder.icmp_unsigned("<=", above, span)
                found = inside if found is None else builder.or_(found, inside)
            return builder.bitcast(found, ir.IntType(64))

        return types.uint64(types.int64), generate

    return mask


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
