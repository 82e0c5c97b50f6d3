"""A comparison of two bundles as plain text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from xtalpriors.priors.tell.compare import Comparison, Move
from xtalpriors.priors.tell.meaning import meaning
from xtalpriors.priors.tell.verdict import PriorVerdict, sampling, verdicts

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


def comparison_text(comparison: Comparison, *, every: bool = False, unknown: str = "") -> str:
    """The verdict on each prior, and a table of the moves.

    Of two bundles with the same priors it is a sentence that says so.

    Parameters
    ----------
    every
        All moves; without it those that drive the generator and those beyond sampling error.
    unknown
        Why nothing is known of the structures that both share (`shared.overlap`).
    """
    a, b = comparison.file_a or comparison.a, comparison.file_b or comparison.b
    if comparison.digest_a == comparison.digest_b:
        return f"The priors of {a} and of {b} are the same (priors digest {comparison.digest_a})."
    shown = [m for m in sorted(comparison.moves, key=_rank) if every or m.exceeds or m.name in KEY_NUMBERS]
    n, moved = len(comparison.moves), len(comparison.moved)
    lines = [
        f"before: {a} (priors digest {comparison.digest_a})",
        f"after:  {b} (priors digest {comparison.digest_b})",
        _samples(comparison.shared, unknown),
        "",
        *_columns([_VERDICT_HEAD, *map(_verdict_row, verdicts(comparison))]),
        "",
        "The move of a prior is real if one of its quantities moved further than sampling moves any of them",
        "in 5 % of cases, and large if moreover a tenth of the generator's draws come out otherwise.",
        "",
        f"Each quantity for itself: {moved} of {n} moved further than sampling moves one in 5 % of cases.",
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


_VERDICT_HEAD = ("prior", "verdict", "decided by", "distance", "sampling", "means")


def _samples(shared: float, unknown: str) -> str:
    """What is known of the structures that both bundles were fitted to."""
    if shared > 0:
        return (
            f"The two share {100 * shared:.1f} % of their structures, which move nothing: sampling is that "
            "of the rest."
        )
    because = f" ({unknown})" if unknown else ""
    return (
        f"They are compared as independent samples{because}: where they overlap, real moves can look like "
        "sampling."
    )


def _verdict_row(of: PriorVerdict) -> tuple[str, ...]:
    """The verdict on a prior, and the move that decided it, or, within sampling error, its leading one."""
    move = of.decisive or of.move
    if move is None:
        return (of.prior, of.verdict, "", "", "", "")
    limit = sampling(move, of.needed)
    means = "" if of.decisive is None else meaning(move)
    return (of.prior, of.verdict, move.name, _distance(move), "" if limit is None else f"{limit:.3g}", means)


def _distance(move: Move) -> str:
    """The size of a move in its own measure."""
    measure = {"number": "", "distribution": " W", "shares": " TV"}[move.kind]
    return f"{abs(move.change):.3g}{measure}"


def _rank(move: Move) -> tuple[int, str]:
    return (KEY_NUMBERS.index(move.name) if move.name in KEY_NUMBERS else len(KEY_NUMBERS), move.name)


def _row(move: Move) -> tuple[str, ...]:
    low, high = move.shift_low, move.shift_high
    return (
        "*" if move.exceeds else "",
        move.name,
        _side(move.a, move.a_range),
        _side(move.b, move.b_range),
        "" if move.shift is None else f"{move.shift:+.3g}",
        "" if low is None or high is None else f"{low:.3g} … {high:.3g}",
        "" if move.kind == "number" else _distance(move),
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
