"""A process that is to end when its parent does, also when that one is killed."""

from __future__ import annotations

import ctypes
import sys
from typing import Final

__all__ = ["signal_at_parents_end"]

_PRCTL: Final = getattr(ctypes.CDLL(None), "prctl", None) if sys.platform == "linux" else None
_PARENT_DEATH_SIGNAL: Final = 1
"""PR_SET_PDEATHSIG of prctl(2)."""


def signal_at_parents_end(number: int) -> None:
    """Have the system send this process a signal when its parent ends; on Linux alone, elsewhere nothing."""
    if _PRCTL is not None:
        _PRCTL(_PARENT_DEATH_SIGNAL, number, 0, 0, 0)
