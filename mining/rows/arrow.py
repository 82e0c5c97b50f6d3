"""Columns of one batch as Arrow arrays: NaN is null, and codes become their words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from xtalpriors.arrays import F64, I32, U8, Bool
from xtalpriors.compilation import kernel
from xtalpriors.mining.database.schema import Column, arrow_schema

__all__ = ["coded", "strings", "table_of"]


def coded(codes: npt.NDArray[np.integer[Any]], words: Sequence[str | None]) -> pa.Array:
    """Strings `words[code]`; null for a negative code and where the word is None."""
    return strings(*_laid_out(tuple(words)), codes)


def strings(buffer: U8, start: I32, end: I32, null: Bool, which: npt.NDArray[np.integer[Any]]) -> pa.Array:
    """Of the strings buffer[start:end] those with the numbers `which` (n,), in that order.

    Null is what has a negative number, and what `null` says of a string.
    """
    offsets, data, valid, missing = _gather(buffer, start, end, null, np.ascontiguousarray(which, np.int32))
    buffers = [pa.py_buffer(part) for part in (offsets, data, valid)]
    return pa.StringArray.from_buffers(which.size, *buffers, missing)


@lru_cache(maxsize=64)
def _laid_out(words: tuple[str | None, ...]) -> tuple[U8, I32, I32, Bool]:
    """Bytes of the words one behind the other, where each starts and ends, and which are none."""
    parts = [(word or "").encode() for word in words]
    end = np.cumsum([len(part) for part in parts], dtype=np.int32)
    start = end - np.array([len(part) for part in parts], dtype=np.int32)
    null = np.array([word is None for word in words], dtype=np.bool_)
    return np.frombuffer(b"".join(parts) or b"\0", dtype=np.uint8), start, end, null


@kernel()
def _gather(buffer: U8, start: I32, end: I32, null: Bool, which: I32) -> tuple[I32, U8, U8, int]:
    """Offsets, bytes and validity bits of an Arrow array of strings, and the number of nulls."""
    offsets = np.zeros(which.size + 1, dtype=np.int32)
    valid = np.zeros((which.size + 7) // 8, dtype=np.uint8)
    total, missing = 0, 0
    for i in range(which.size):
        t = which[i]
        if t < 0 or null[t]:
            missing += 1
        else:
            total += end[t] - start[t]
            valid[i >> 3] |= np.uint8(1 << (i & 7))
        offsets[i + 1] = total
    data = np.empty(max(total, 1), dtype=np.uint8)
    for i in range(which.size):
        at = offsets[i]
        if offsets[i + 1] > at:
            first = start[which[i]]
            for j in range(offsets[i + 1] - at):
                data[at + j] = buffer[first + j]
    return offsets, data, valid, missing


def table_of(columns: Mapping[str, Any], schema: tuple[Column, ...]) -> pa.Table:
    """Table of named columns in the order and types of the schema; not-finite numbers are null."""
    arrow = arrow_schema(schema)
    return pa.table([_array(columns[f.name], f.type) for f in arrow], schema=arrow)


def _array(values: Any, kind: pa.DataType) -> pa.Array:
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, pa.Array):
        return values if values.type == kind else values.cast(kind)
    if isinstance(values, np.ndarray) and values.dtype.kind == "f":
        data = np.empty(values.size, dtype=kind.to_pandas_dtype())
        limits = np.iinfo(data.dtype) if pa.types.is_integer(kind) else np.finfo(data.dtype)
        valid, missing = _enter(np.ascontiguousarray(values), float(limits.min), float(limits.max), data)
        return pa.Array.from_buffers(kind, values.size, [pa.py_buffer(valid), pa.py_buffer(data)], missing)
    return pa.array(values, kind)


@kernel()
def _enter(values: F64, low: float, high: float, data: npt.NDArray[Any]) -> tuple[U8, int]:
    """Copy numbers (n,) within the limits to `data` (n,), 0 for others; validity bits, number of nulls."""
    valid, missing, whole = np.empty((values.size + 7) // 8, dtype=np.uint8), 0, values.size // 8
    for octet in range(whole):
        bits, n = _enter_octet(values, 8 * octet, 8, low, high, data)
        valid[octet], missing = bits, missing + n
    if whole < valid.size:
        bits, n = _enter_octet(values, 8 * whole, values.size % 8, low, high, data)
        valid[whole], missing = bits, missing + n
    return valid, missing


@kernel(forceinline=True)
def _enter_octet(
    values: F64, first: int, size: int, low: float, high: float, data: npt.NDArray[Any]
) -> tuple[int, int]:
    """One byte of validity bits, and its nulls; eight at a time take a third of the time."""
    bits, missing = 0, 0
    for j in range(size):
        value = values[first + j]
        is_valid = low <= value <= high
        data[first + j] = value if is_valid else 0
        bits |= is_valid << j
        missing += not is_valid
    return bits, missing
