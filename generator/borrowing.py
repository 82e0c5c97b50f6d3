"""Arrays without reference counting, for kernels that hand them from function to function.

Numba counts references atomically at every call that an array is given to; a count costs as much as testing
thirty distances. A borrowed array has no counter. It is valid only as long as the one that it was made from:
borrow the arguments of a kernel, which its caller holds, never an array made inside.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils
from numba.core.typing import Signature
from numba.extending import intrinsic

__all__ = ["borrowed"]


def _uncounted(context: Any, builder: Any, kind: types.Type, value: Any) -> Any:
    """The value with the counters of its arrays cut off, tuples taken apart."""
    if isinstance(kind, types.Array):
        view = context.make_array(kind)(context, builder, value)
        view.meminfo = cgutils.get_null_value(view.meminfo.type)
        view.parent = cgutils.get_null_value(view.parent.type)
        return view._getvalue()
    if isinstance(kind, types.BaseTuple):
        for i, part in enumerate(kind):
            member = _uncounted(context, builder, part, builder.extract_value(value, i))
            value = builder.insert_value(value, member, i)
    return value


@intrinsic
def borrowed(typing_context: Any, value: types.Type) -> tuple[Signature, Any]:
    """The same array, or tuple of tuples of arrays and numbers, with references that are not counted."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _uncounted(context, builder, signature.args[0], arguments[0])

    return value(value), build
