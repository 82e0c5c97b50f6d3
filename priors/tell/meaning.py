"""What a move of a prior means for the structures, in a few words."""

from __future__ import annotations

from collections.abc import Callable
from math import exp
from typing import Final

from xtalpriors.priors.tell.compare import Move

__all__ = ["meaning"]

LEAST_SHIFT: Final = 0.005
"""Change of a median, as a share of it, below which it is as it was."""


def _relative(more: str, less: str) -> Callable[[Move], str]:
    """`12 % larger`: the change of the median as a share of what it was."""

    def say(move: Move) -> str:
        """The change of one move; empty where one of both values is missing."""
        if not move.a or move.b is None:
            return ""
        factor = move.b / move.a
        word = more if factor > 1 else less
        if abs(factor - 1) < LEAST_SHIFT:
            return ""
        return f"{word}, × {factor:.1f}" if factor > 2 else f"{100 * abs(factor - 1):.0f} % {word}"

    return say


def _absolute(scale: float, unit: str, more: str, less: str) -> Callable[[Move], str]:
    """`3.1 points fewer …`: the change itself, times `scale`."""

    def say(move: Move) -> str:
        """The change of one move."""
        shift = scale * (move.shift or 0.0)
        return f"{abs(shift):.1f}{unit} {more if shift > 0 else less}"

    return say


def _points(more: str, less: str) -> Callable[[Move], str]:
    return _absolute(100, " points", more, less)


def _degrees(more: str, less: str) -> Callable[[Move], str]:
    return _absolute(1, "°", more, less)


_RATIO = _relative("more unequal lengths", "more equal lengths")
_C_N_O = _points("more C, N, O", "less C, N, O")

MEANINGS: Final[dict[str, Callable[[Move], str]]] = {
    "axis_ratio.longest": _relative("longer longest axis", "shorter longest axis"),
    "axis_ratio.longest_over_middle": _RATIO,
    "axis_ratio.middle_over_shortest": _RATIO,
    "axis_ratio.share_beyond_ratio_max": _points("more cells beyond r", "fewer cells beyond r"),
    "cell_volume": _relative("larger cells", "smaller cells"),
    "cell_volume.parametric.mu": lambda move: f"median V × {exp(move.shift or 0.0):.2f}",
    "cell_volume.share_160_1000": _points("more within 160–1000 Å³", "fewer within 160–1000 Å³"),
    "diffraction.d_min": _relative("coarser data", "finer data"),
    "displacement.mean": _relative("larger displacements", "smaller displacements"),
    "elements.general.share_cno": _C_N_O,
    "elements.special.share_cno": _C_N_O,
    "hydrogen": _points("more hydrogen", "less hydrogen"),
    "hydrogen.share_30_60": _points("more within 0.3–0.6", "fewer within 0.3–0.6"),
    "hydrogen.share_zero": _points("more without hydrogen", "fewer without hydrogen"),
    "monoclinic_angle.declared.beta": _degrees("more oblique as published", "less oblique as published"),
    "monoclinic_angle.least_oblique.beta": _degrees("more oblique at best", "less oblique at best"),
    "packing": _relative("looser packing", "denser packing"),
    "packing.atoms_per_cell": _relative("more atoms in a cell", "fewer atoms in a cell"),
    "packing.share_7_22": _points("more within 7–22 Å³", "fewer within 7–22 Å³"),
    "special_positions.groups.14.wyckoff_sets.abcd.probability": _relative(
        "more centres occupied", "fewer centres occupied"
    ),
}
"""By name of the move; what has no entry is told by its kind."""

_OTHERS = {
    "axis_order": "have another order of lengths",
    "contents": "have other elements",
    "coordination": "have another number of neighbours",
    "elements": "are other elements",
    "settings": "have another setting",
    "space_groups": "have another space group",
    "special_positions": "have another number of occupied positions",
}
"""What those draws from shares are that come out otherwise, by the last word or the first of the name."""
_WIDTHS = ("sigma", "sd", "sd_log_ratio", "scale")
_SHARES = ("share", "probability", "p_zero", "h_unknown")


def meaning(move: Move) -> str:
    """A clause such as `18 % smaller cells`; empty where sampling explains the move.

    A distribution can move by its distance while sampling explains the shift of its median: then its spread
    has moved.

    Where the first bundle has no data but a range, the comparison is with the middle of that range.

    >>> move = Move(name="packing", kind="distribution", a=14, b=12.6, shift=-1.4, change=1.4, exceeds=True)
    >>> meaning(move)
    '10 % denser packing'
    """
    if not move.exceeds:
        return ""
    low, high = move.shift_low, move.shift_high
    if move.kind == "distribution" and low is not None and high is not None and low <= 0 <= high:
        return "other spread, median within sampling error"
    own = MEANINGS[move.name](move) if move.name in MEANINGS and move.shift else ""
    return (own or _in_general(move)) + (" than the middle of the range" if own and move.a_range else "")


def _in_general(move: Move) -> str:
    """What a move means by its kind: of shares, of a distribution, of a parameter."""
    last = move.name.split(".")[-1]
    if move.kind == "shares":
        prior = move.name.split(".")[0]
        return f"{100 * move.change:.1f} % {_OTHERS.get(last) or _OTHERS.get(prior) or 'have another value'}"
    if move.kind == "distribution":
        say = _degrees("larger", "smaller") if move.unit == "degree" else _relative("larger", "smaller")
        told = say(move)
        return told if told and not told.startswith("0.0") else "other spread, median as before"
    if last in _SHARES or last.startswith("share_"):
        return _points("more", "fewer")(move)
    if ".correlations." in move.name:
        return f"{'closer' if abs(move.b or 0.0) > abs(move.a or 0.0) else 'looser'} correlation"
    if last == "mu":
        return f"median × {exp(move.shift or 0.0):.2f}"
    return (_relative("wider", "narrower") if last in _WIDTHS else _relative("larger", "smaller"))(move)
