"""Public names of a package that are imported when they are first used.

A package's `__init__` says what it offers without loading any of it, so that reading a configuration does not
wait for numba, pyarrow or torch.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = ["keep_out", "offer"]


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
        """`__getattr__` of the package: import the module that defines a name."""
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{package}.{module_of[name]}"), name)

    return get, sorted(module_of)


def keep_out(package: str) -> None:
    """Let no import of an optional package succeed in this process, where it would only take time.

    pyarrow imports pandas (half a second) when it is first given a list, to know a Series should it meet one.
    The processes of mining work without pandas.
    """

    class Absent:
        """Finder that finds nothing and ends the search for the package."""

        @staticmethod
        def find_spec(name: str, path: object = None, target: object = None) -> None:
            """As of every finder (`importlib.abc.MetaPathFinder`); None leaves a name to the others."""
            if name == package:
                raise ModuleNotFoundError(f"{package} is kept out of this process", name=name)

    if package not in sys.modules:
        sys.meta_path.insert(0, Absent)
