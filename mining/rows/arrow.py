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
    valid, missing = np.zeros((values.size + 7) // 8, dtype=np.uint8), 0
    for i in range(values.size):
        is_valid = low <= values[i] <= high
        data[i] = values[i] if is_valid else 0
        valid[i >> 3] |= np.uint8(is_valid << (i & 7))
        missing += not is_valid
    return valid, missing
