"""Sixteen float32 numbers as one value inside a numba kernel.

LLVM's auto-vectoriser does badly on the loops of a structure factor (short rows, lengths known only at run
time). A value of this type is an LLVM `<16 x float>`: one AVX-512 register, two AVX2 or four NEON ones, so
the kernels are written once and are fast everywhere. `+`, `-` and `*` work lane by lane and may be fused.

Each intrinsic returns its types and a function `build`, by which numba makes the LLVM instructions from the
values of the arguments.

The rows that are loaded and stored are 1-D contiguous float32 arrays, at any index: no alignment is needed,
and no bounds are checked.
"""

from __future__ import annotations

import operator
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.core import cgutils
from numba.core.datamodel import register_default
from numba.core.datamodel.models import PrimitiveModel
from numba.core.typing import signature
from numba.core.typing.templates import AbstractTemplate, infer_global
from numba.extending import intrinsic, lower_builtin

inner = njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, fastmath=True, error_model="numpy")
"""For a function that only kernels call: without the wrappers for Python, half of the compile time."""

inlined = njit(
    forceinline=True, no_cpython_wrapper=True, no_cfunc_wrapper=True, fastmath=True, error_model="numpy"
)
"""The same, and always inlined: named tuples of arrays are dozens of arguments to a call."""

LANES = 16
"""Number of lanes of a value."""

_FLOAT = ir.FloatType()
_VECTOR = ir.VectorType(_FLOAT, LANES)
_INT_VECTOR = ir.VectorType(ir.IntType(32), LANES)
_CONTRACT = ("contract",)  # fuse multiply and add; never reorder, or the split of `fill_phases` is lost


class _LanesType(types.Type):  # type: ignore[misc]
    """The numba type of sixteen lanes."""

    def __init__(self) -> None:
        super().__init__(name="Lanes16")


lanes_type = _LanesType()


@register_default(_LanesType)
class _LanesModel(PrimitiveModel):  # type: ignore[misc]
    """How numba holds the type: as the LLVM vector itself."""

    def __init__(self, manager: Any, numba_type: Any) -> None:
        super().__init__(manager, numba_type, _VECTOR)


def _row_pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), _VECTOR.as_pointer())


def _in_every_lane(builder: Any, number: Any) -> Any:
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    first = builder.insert_element(undefined, number, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, undefined, ir.Constant(_INT_VECTOR, [0] * LANES))


@intrinsic
def load(typing_context: Any, row: Any, start: Any) -> Any:
    """Lanes `row[start : start + 16]`."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_row_pointer(context, builder, signature.args[0], args[0], args[1]), align=4)

    return lanes_type(row, types.intp), build


@intrinsic
def store(typing_context: Any, row: Any, start: Any, value: Any) -> Any:
    """`row[start : start + 16] = value`."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _row_pointer(context, builder, signature.args[0], args[0], args[1]), align=4)
        return context.get_dummy_value()

    return types.void(row, types.intp, lanes_type), build


@intrinsic
def put(typing_context: Any, row: Any, index: Any, number: Any) -> Any:
    """`row[index] = number`, one by one: an unordered atomic store is a plain one that LLVM leaves alone.

    It turns a loop of strided stores into AVX-512 scatters otherwise, which are several times slower.
    """

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        builder.store_atomic(args[2], builder.gep(data, [args[1]]), "unordered", 4)
        return context.get_dummy_value()

    return types.void(row, types.intp, types.float32), build


@intrinsic
def splat(typing_context: Any, number: Any) -> Any:
    """The same float32 number in every lane."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _in_every_lane(builder, args[0])

    return lanes_type(types.float32), build


@intrinsic
def spread(typing_context: Any, row: Any, index: Any) -> Any:
    """`row[index]` in every lane."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        return _in_every_lane(builder, builder.load(builder.gep(data, [args[1]])))

    return lanes_type(row, types.intp), build


@intrinsic
def lane_numbers(typing_context: Any) -> Any:
    """0, 1, 2, … 15."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return ir.Constant(_VECTOR, [float(lane) for lane in range(LANES)])

    return lanes_type(), build


class _LanesArithmetic(AbstractTemplate):  # type: ignore[misc]
    """Types of `lanes + lanes`, `lanes - lanes` and `lanes * lanes`."""

    def generic(self, args: Any, kws: Any) -> Any:
        """Lanes, where both sides are; None leaves the operator to numba."""
        both = len(args) == 2 and all(isinstance(arg, _LanesType) for arg in args)
        return signature(lanes_type, lanes_type, lanes_type) if both else None


def _lower(operation: Any, method: str) -> None:
    infer_global(operation)(type(f"_Lanes_{method}", (_LanesArithmetic,), {"key": operation}))

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return getattr(builder, method)(args[0], args[1], flags=_CONTRACT)

    lower_builtin(operation, _LanesType, _LanesType)(build)


for _operation, _method in ((operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul")):
    _lower(_operation, _method)


@intrinsic
def nearest_whole(typing_context: Any, value: Any) -> Any:
    """Each lane rounded to the nearest whole number, ties to even."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        function_type = ir.FunctionType(_VECTOR, [_VECTOR])
        rint = cgutils.get_or_insert_function(builder.module, function_type, f"llvm.rint.v{LANES}f32")
        return builder.call(rint, [args[0]])

    return lanes_type(lanes_type), build


@intrinsic
def power_of_two(typing_context: Any, exponent: Any) -> Any:
    """2**n of whole numbers n in -126 … 127, through the exponent bits."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        whole = builder.fptosi(args[0], _INT_VECTOR)
        biased = builder.add(whole, ir.Constant(_INT_VECTOR, [127] * LANES))
        bits = builder.shl(biased, ir.Constant(_INT_VECTOR, [23] * LANES))
        return builder.bitcast(bits, _VECTOR)

    return lanes_type(lanes_type), build


@intrinsic
def at_least(typing_context: Any, value: Any, floor: Any) -> Any:
    """The larger of `value` and `floor`, lane by lane."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        greater = builder.fcmp_ordered(">", args[0], args[1])
        return builder.select(greater, args[0], args[1])

    return lanes_type(lanes_type, lanes_type), build


@intrinsic
def where_within(typing_context: Any, measure: Any, limit: Any, value: Any) -> Any:
    """`value` where `measure <= limit`, else 0, lane by lane."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        inside = builder.fcmp_ordered("<=", args[0], args[1])
        return builder.select(inside, args[2], ir.Constant(_VECTOR, [0.0] * LANES))

    return lanes_type(lanes_type, lanes_type, lanes_type), build


@intrinsic
def largest_lane(typing_context: Any, value: Any) -> Any:
    """The largest of the sixteen numbers."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        half, rest = LANES // 2, args[0]
        while half:
            order = ir.Constant(_INT_VECTOR, [(lane + half) % LANES for lane in range(LANES)])
            turned = builder.shuffle_vector(rest, rest, order)
            rest = builder.select(builder.fcmp_ordered(">", rest, turned), rest, turned)
            half //= 2
        return builder.extract_element(rest, ir.Constant(ir.IntType(32), 0))

    return types.float32(lanes_type), build
