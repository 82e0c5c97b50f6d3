"""Columns of one batch as Arrow arrays: NaN is null, and codes become their words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from xtalpriors.mining.database.schema import Column, arrow_schema

__all__ = ["coded", "table_of"]


def coded(codes: npt.NDArray[np.integer[Any]], words: Sequence[str | None]) -> pa.Array:
    """Strings `words[code]`; null for a negative code and where the word is None."""
    indices = pa.array(codes.astype(np.int32), mask=codes < 0)
    return pc.take(pa.array(list(words), pa.string()), indices)


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
        missing = ~np.isfinite(values)
        if pa.types.is_integer(kind):
            limits = np.iinfo(kind.to_pandas_dtype())
            missing |= ~((values >= limits.min) & (values <= limits.max))
            values = np.where(missing, 0, values).astype(kind.to_pandas_dtype())
        return pa.array(values, kind, mask=missing)
    return pa.array(values, kind)
