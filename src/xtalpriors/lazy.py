"""Public names of a package that are imported when they are first used.

A package's `__init__` says what it offers without loading any of it, so that reading a configuration does not
wait for numba, pyarrow or torch.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = ["offer"]


def offer(package: str, homes: Mapping[str, Sequence[str]]) -> tuple[Callable[[str], Any], list[str]]:
    """`__getattr__` and `__all__` of a package.

    Parameters
    ----------
    package
        Its `__name__`.
    homes
        Public names by the module of the package that defines them; `{"config": ["configure"]}` makes
        `from PACKAGE import configure` import `PACKAGE.config` and take the name from there. Type checkers do
        not see through this, so the package imports the same names under `TYPE_CHECKING` too.
    """
    module_of = {name: module for module, names in homes.items() for name in names}

    def get(name: str) -> Any:
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{package}.{module_of[name]}"), name)

    return get, sorted(module_of)
