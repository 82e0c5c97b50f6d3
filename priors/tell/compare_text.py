"""A comparison of two bundles as plain text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from xtalpriors.counted import counted
from xtalpriors.priors.tell.compare import Comparison, Move
from xtalpriors.priors.tell.meaning import meaning

__all__ = ["comparison_text"]

KEY_NUMBERS = (
    "cell_volume",
    "cell_volume.share_160_1000",
    "cell_volume.parametric.mu",
    "cell_volume.parametric.sigma",
    "axis_ratio.middle_over_shortest.parametric.rate",
    "axis_ratio.longest_over_middle.parametric.rate",
    "axis_ratio.share_beyond_ratio_max",
    "monoclinic_angle.declared.beta",
    "monoclinic_angle.declared.share_beyond_beta_max",
    "monoclinic_angle.least_oblique.beta",
    "elements.general.share_cno",
    "elements.special.share_cno",
    "special_positions.groups.14.wyckoff_sets.abcd.probability",
    "displacement.mean",
    "packing",
    "packing.share_7_22",
    "packing.atoms_per_cell.mean",
    "hydrogen.share_zero",
    "hydrogen.share_30_60",
    "hydrogen.h_unknown",
)
"""What the generator is driven by, first in a comparison."""


def comparison_text(comparison: Comparison, *, every: bool = False) -> str:
    """Table of the moves; without `every` those that drive the generator and those beyond sampling error.

    Of two bundles with the same priors it is a sentence that says so.
    """
    a, b = comparison.file_a or comparison.a, comparison.file_b or comparison.b
    if comparison.digest_a == comparison.digest_b:
        return f"The priors of {a} and of {b} are the same (priors digest {comparison.digest_a})."
    shown = [m for m in sorted(comparison.moves, key=_rank) if every or m.exceeds or m.name in KEY_NUMBERS]
    n, moved = len(comparison.moves), len(comparison.moved)
    lines = [
        f"before: {a} (priors digest {comparison.digest_a})",
        f"after:  {b} (priors digest {comparison.digest_b})",
        f"{moved} of {counted(n, 'quantity')} moved by more than sampling error "
        f"(chance alone would move about {0.05 * n:.0f})",
        "shift: after − before, of distributions that of the median; distance: Wasserstein (W, in the unit)",
        "or total variation (TV), without a sign; sampling: what it exceeds in 5 % of cases when nothing",
        "moved; *: more than that; drawn: no data, but what the bundle has the generator draw from",
        "",
    ]
    rows: list[tuple[str, ...]] = [
        ("", "quantity", "before", "after", "shift", "95 % interval", "distance", "sampling", "KS", "means")
    ]
    rows += [_row(m) for m in shown]
    lines += _columns(rows)
    for text, names in (("first", comparison.only_in_a), ("second", comparison.only_in_b)):
        if names:
            lines.append(f"only in the {text} bundle: {', '.join(names)}")
    return "\n".join(lines)


def _rank(move: Move) -> tuple[int, str]:
    return (KEY_NUMBERS.index(move.name) if move.name in KEY_NUMBERS else len(KEY_NUMBERS), move.name)


def _row(move: Move) -> tuple[str, ...]:
    low, high = move.shift_low, move.shift_high
    distance = {"number": "", "distribution": f"{move.change:.3g} W", "shares": f"{move.change:.3g} TV"}
    return (
        "*" if move.exceeds else "",
        move.name,
        _side(move.a, move.a_range),
        _side(move.b, move.b_range),
        "" if move.shift is None else f"{move.shift:+.3g}",
        "" if low is None or high is None else f"{low:.3g} … {high:.3g}",
        distance[move.kind],
        "" if move.noise is None else f"{move.noise:.3g}",
        "" if move.ks_d is None else f"{move.ks_d:.3f}",
        meaning(move),
    )


def _side(value: float | None, drawn_from: str | None) -> str:
    """A number or a median; of a bundle without data the range that it draws from, marked as such."""
    if drawn_from is not None:
        return f"{drawn_from} drawn"
    return "" if value is None else f"{value:.4g}"


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
