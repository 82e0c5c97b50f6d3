"""One way to write JSON: sorted keys, floats at 8 significant digits."""

from __future__ import annotations

import hashlib
import json
from typing import Any

__all__ = ["SIGNIFICANT_DIGITS", "canonical_json", "digest", "rounded"]

SIGNIFICANT_DIGITS = 8


def rounded(value: Any) -> Any:
    """The same JSON value with every float at 8 significant digits (−0.0 becomes 0.0)."""
    if isinstance(value, float):
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}") + 0.0
    if isinstance(value, dict):
        return {str(k): rounded(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(v) for v in value]
    return value


def canonical_json(value: Any, *, indent: int | None = None) -> str:
    """JSON text with sorted keys; the same value gives the same text."""
    separators = (",", ":") if indent is None else (",", ": ")
    return json.dumps(
        rounded(value),
        sort_keys=True,
        indent=indent,
        separators=separators,
        ensure_ascii=False,
        allow_nan=False,
    )


def digest(value: Any) -> str:
    """BLAKE2b-128 of the canonical JSON, hexadecimal."""
    return hashlib.blake2b(canonical_json(value).encode(), digest_size=16).hexdigest()
