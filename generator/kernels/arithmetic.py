"""Cube root and arctangent from +, −, ×, ÷ and √ alone, and draws from tables of quantiles or shares.

IEEE 754 rounds those five operations correctly, so they give the same bits on every machine; the
libm versions differ in the last place from one C library or processor to the next, and a structure
would then depend on where it was generated.
"""

# numba infers the types of these functions from their arguments
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import math

from xtalpriors.generator.kernels.compilation import kernel

__all__ = ["arctan", "chosen", "cube_root", "draw", "draw_between", "draw_row", "table_probability"]


@kernel()
def cube_root(x):
    """Cube root of x > 0 to about one unit in the last place."""
    y = math.sqrt(math.sqrt(x))
    for _ in range(2):
        # y ← (x·y)^¼ has the cube root as its fixed point and quarters the error in the exponent
        y = math.sqrt(math.sqrt(x * y))
    for _ in range(4):
        y -= (y - x / (y * y)) / 3.0
    return y


@kernel()
def arctan(x):
    """Arctangent in radians, to 1e-15 for |x| < 1e6."""
    scale = 1.0
    for _ in range(3):  # arctan x = 2·arctan(x/(1 + √(1 + x²)))
        x = x / (1.0 + math.sqrt(1.0 + x * x))
        scale *= 2.0
    square = x * x
    total = 0.0
    for k in range(27, 0, -2):  # |x| < 0.2: the series to x^27 leaves less than 1e-19
        total = 1.0 / k - square * total
    return scale * x * total


@kernel()
def draw(table, u):
    """Value at the share u of a quantile table (its shares equally spaced), linear between."""
    t = u * (table.size - 1)
    i = min(int(t), table.size - 2)
    return table[i] + (t - i) * (table[i + 1] - table[i])


@kernel()
def draw_row(tables, row, u):
    """Value at the share u of one of several quantile tables, the rows of an array."""
    last = tables.shape[1] - 1
    t = u * last
    i = min(int(t), last - 1)
    return tables[row, i] + (t - i) * (tables[row, i + 1] - tables[row, i])


@kernel()
def table_probability(table, x):
    """Share of the distribution below x: the inverse of `draw` (at a step, its upper end)."""
    n = table.size
    if x < table[0]:
        return 0.0
    if x >= table[n - 1]:
        return 1.0
    low, high = 0, n - 1
    while high - low > 1:
        middle = (low + high) // 2
        if table[middle] <= x:
            low = middle
        else:
            high = middle
    return (low + (x - table[low]) / (table[low + 1] - table[low])) / (n - 1)


@kernel()
def draw_between(table, u, low, high):
    """Draw from the distribution cut to [low, high]; the nearer end where it has no share in between."""
    if low <= table[0] and high >= table[table.size - 1]:
        return draw(table, u)
    p_low, p_high = table_probability(table, low), table_probability(table, high)
    value = draw(table, p_low + u * (p_high - p_low))
    return min(max(value, low), high)


@kernel()
def chosen(cumulative, u):
    """Row of a table of cumulative shares that u in [0, 1) falls into."""
    k = 0
    while k < cumulative.size - 1 and u >= cumulative[k]:
        k += 1
    return k
