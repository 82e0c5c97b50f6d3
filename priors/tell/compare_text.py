"""A comparison of two bundles as plain text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from xtalpriors.priors.tell.compare import Comparison, Move

__all__ = ["comparison_text"]

KEY_NUMBERS = (
    "cell_volume.median",
    "cell_volume.share_160_1000",
    "cell_volume.parametric.mu",
    "cell_volume.parametric.sigma",
    "axis_ratio.middle_over_shortest.parametric.rate",
    "axis_ratio.longest_over_middle.parametric.rate",
    "axis_ratio.share_beyond_ratio_max",
    "monoclinic_angle.declared.beta.median",
    "monoclinic_angle.declared.share_beyond_beta_max",
    "monoclinic_angle.least_oblique.beta.median",
    "elements.general.share_cno",
    "elements.special.share_cno",
    "special_positions.groups.14.wyckoff_sets.abcd.probability",
    "displacement.mean.median",
    "packing.median",
    "packing.share_7_22",
    "packing.atoms_per_cell.mean",
    "hydrogen.share_zero",
    "hydrogen.share_30_60",
    "hydrogen.h_unknown",
)
"""What the generator is driven by, first in a comparison."""


def comparison_text(comparison: Comparison, *, every: bool = False) -> str:
    """Table of the moves; without `every` those that drive the generator and those beyond sampling error."""
    shown = [m for m in sorted(comparison.moves, key=_rank) if every or m.exceeds or m.name in KEY_NUMBERS]
    n, moved = len(comparison.moves), len(comparison.moved)
    lines = [
        f"{comparison.a} → {comparison.b}   ({comparison.digest_a} → {comparison.digest_b})",
        f"{moved} of {n} quantities moved by more than sampling error "
        f"(chance alone would move about {0.05 * n:.0f})",
        "",
    ]
    rows: list[tuple[str, ...]] = [
        ("", "quantity", "before", "after", "move", "95 % interval", "sampling", "KS")
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
    interval = f"{move.low:.4g} … {move.high:.4g}" if move.low is not None and move.high is not None else ""
    measure = {"number": "", "distribution": " W", "shares": " TV"}[move.kind]
    return (
        "*" if move.exceeds else "",
        move.name,
        "" if move.a is None else f"{move.a:.4g}",
        "" if move.b is None else f"{move.b:.4g}",
        f"{move.change:.4g}{measure}",
        interval,
        "" if move.noise is None else f"{move.noise:.3g}",
        "" if move.ks_d is None else f"{move.ks_d:.3f}",
    )


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
